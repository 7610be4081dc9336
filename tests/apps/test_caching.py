"""`consilience cache`: what it prints, what it deletes, its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience.apps.caching import parse_size
from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import ObservationStore

Run = Callable[..., Any]


@pytest.fixture
def note(run: Run, tmp_path: Path) -> Path:
    """An observed text."""
    path = tmp_path / "note.txt"
    path.write_text("The book club meets in the upper room.")
    assert run("observe", path, "--json").code == 0
    return path


def test_stats_count(run: Run, note: Path) -> None:
    told = json.loads(run("cache", "stats", "--json").out)
    assert (told["media"], told["by_modality"]) == (1, {"text": 1})
    assert told["by_kind"]["passage"] == 1
    assert told["bytes"] > 0
    assert "1 text" in run("cache", "stats").out


def test_verify_finds_and_repairs(run: Run, note: Path, place: Path) -> None:
    assert run("cache", "verify").out == "All is sound.\n"
    with ObservationStore.open(Settings(cache_dir=place)) as store:
        store.blobs()[0].write_bytes(b"other bytes")
    broken = run("cache", "verify")
    assert broken.code == 1
    assert "its bytes have the hash" in broken.out
    assert "verify --repair" in broken.out
    assert run("cache", "verify", "--repair").code == 0
    assert json.loads(run("cache", "verify", "--json").out) == {"damage": [], "repaired": False}


def test_forget_deletes_by_name(run: Run, note: Path, place: Path) -> None:
    ran = run("cache", "forget", "note.txt")
    assert "Forgot note.txt" in ran.out
    assert not [path for path in (place / "store").rglob("*") if path.is_file() and b"upper room" in path.read_bytes()]
    unknown = run("cache", "forget", "note.txt")
    assert unknown.code == 2
    assert "Unknown medium 'note.txt'" in unknown.err


def test_gc_keeps_what_is_in_use(run: Run, note: Path) -> None:
    ran = run("cache", "gc", "--max-size", "0")
    assert ran.out.startswith("Removed 0 files")
    assert "last ten minutes" in ran.out
    assert run("cache", "gc", "--max-size", "lots").code == 2


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500MB", 500_000_000), ("2G", 2_000_000_000), ("1.5 gb", 1_500_000_000), ("7k", 7000)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 XB", "1e9"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(BadConfiguration, match="is no size"):
        parse_size(text)
