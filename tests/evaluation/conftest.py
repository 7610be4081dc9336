from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from consilience.core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own, beside the machine's weights."""
    place = tmp_path / "cache"
    place.mkdir()
    (place / "weights").symlink_to(Settings().weights_dir)
    return Settings(cache_dir=place)


@pytest.fixture(scope="session")
def question_media() -> ModuleType:
    """The benchmark's module that makes the media of the questions."""
    spec = importlib.util.spec_from_file_location("question_media", ROOT / "benchmarks/question_media.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["question_media"] = module
    spec.loader.exec_module(module)
    return module
