from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consilience.apps import cli
from consilience.core.settings import Settings
from consilience.testing import ModelServer

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"


def witness(request: dict[str, Any]) -> Any:
    """Fills any form in: quotes the lines of evidence in the prompt, and answers with the first one's words."""
    prompt = "\n".join(message["content"] for message in request["messages"])
    lines = dict(re.findall(r"^\[(\w+)\] [^:\n]*(?:\d:\d[^:\n]*)*: (.+)$", prompt, re.MULTILINE))
    return _value(request["response_format"]["json_schema"]["schema"], lines)


def _value(schema: dict[str, Any], lines: dict[str, str], name: str = "") -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        filled = {key: _value(part, lines, key) for key, part in schema["properties"].items()}
        return {**filled, "quote": lines[filled["label"]]} if "quote" in filled else filled
    if schema["type"] == "array":
        return [_value(schema["items"], lines)] if schema.get("maxItems", 1) and name != "disputes" else []
    return next(iter(lines.values()), "not stated")


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
