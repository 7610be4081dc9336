from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consilience.core.settings import Settings
from consilience.testing import ModelServer, PostgresServer, witness


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own, beside the machine's weights."""
    place = tmp_path / "cache"
    place.mkdir()
    (place / "weights").symlink_to(Settings().weights_dir)
    return Settings(cache_dir=place)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(witness) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Starting one takes seconds; a test that needs an empty place makes a database, or a thread, of its own."""
    with PostgresServer() as running:
        yield running
