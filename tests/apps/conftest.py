from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consilience.apps import cli
from consilience.core.settings import Settings
from consilience.testing import ModelServer, witness


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache with the machine's weights, as this process's setting."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "weights").symlink_to(Settings().weights_dir)
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer(witness) as running:
        monkeypatch.setenv("CONSILIENCE_MODEL", running.base_url)
        yield running


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `consilience ARGUMENT...` in this process."""

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["consilience", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return Ran(int(left.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("The book club meets in the upper room.")
    return path
