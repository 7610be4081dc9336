"""Whatever is wrong with input, weights or model: one clear line with the cure, the right exit code, nothing lost."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience.core.settings import Settings
from consilience.testing import Fault, ModelServer

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
Run = Callable[..., Any]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty.png": (lambda: b"", "is empty", "copy it again"),
    "cut.png": (lambda: (MEDIA / "scene.png").read_bytes()[:5000], "cut off", "export it again"),
    "cut.wav": (lambda: (MEDIA / "call.wav").read_bytes()[:5000], "is cut off", "record it again"),
    "text.png": (lambda: b"no picture, only words", "its content is text", "Rename it"),
    "bomb.png": (bomb, "decompression bomb", "Do not open it"),
    "cut.docx": (lambda: b"PK\x03\x04\x14\x00" + b"word/document.xml" * 99, "is cut off or broken", "save it again"),
    "data.xyz": (lambda: bytes(range(256)) * 20, "type is not supported", "Pictures, recordings, videos"),
}


def assert_one_line(told: str) -> None:
    assert told.startswith("Error: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file(run: Run, server: ModelServer, note: Path, tmp_path: Path, name: str) -> None:
    content, problem, cure = BAD[name]
    (tmp_path / name).write_bytes(content())
    ran = run("ask", "What is this?", note, tmp_path / name)
    assert ran.code == 3
    assert_one_line(ran.err)
    assert name in ran.err
    assert problem in ran.err
    assert cure in ran.err
    assert not server.calls
    assert (tmp_path / name).read_bytes() == content()


def test_a_missing_file(run: Run, server: ModelServer, tmp_path: Path) -> None:
    ran = run("ask", "What is this?", tmp_path / "nowhere.png")
    assert ran.code == 3
    assert_one_line(ran.err)
    assert "no such file" in ran.err
    assert "Check the path" in ran.err


def test_errors_are_json_too(run: Run, server: ModelServer, tmp_path: Path) -> None:
    ran = run("ask", "What is this?", tmp_path / "nowhere.png", "--json")
    error = json.loads(ran.out)["error"]
    assert (ran.code, ran.err, error["kind"]) == (3, "", "BadMedia")
    assert error["cure"]


def test_no_weights_and_no_network(run: Run, note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("CONSILIENCE_MODEL", "embedded")
    for name in ("CONSILIENCE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")
    ran = run("ask", "Where does the club meet?", note)
    assert ran.code == 4
    told = ran.err.splitlines()
    assert len(told) == 1
    assert "qwen2.5-coder-1.5b" in told[0]
    assert "consilience weights pull" in told[0] or "CONSILIENCE_OFFLINE" in told[0]
    # What had been observed is kept.
    assert json.loads(run("observe", note, "--json").out)["observations"]


def test_a_wrong_key(run: Run, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(api_key="sesame") as server:
        monkeypatch.setenv("CONSILIENCE_MODEL", server.base_url)
        monkeypatch.setenv("CONSILIENCE_API_KEY", "wrong")
        ran = run("ask", "Where does the club meet?", note)
        assert not [call for call in server.calls if call.status == 200]
    assert ran.code == 5
    assert "the key was refused" in ran.err
    assert "CONSILIENCE_API_KEY" in ran.err


def test_a_server_that_is_down(run: Run, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer() as server:
        gone = server.base_url
    monkeypatch.setenv("CONSILIENCE_MODEL", gone)
    ran = run("ask", "Where does the club meet?", note)
    assert ran.code == 5
    assert_one_line(ran.err)
    assert "Is the server running" in ran.err


def test_a_model_that_answers_garbage(run: Run, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(faults=lambda number, request: Fault("garbage")) as server:
        monkeypatch.setenv("CONSILIENCE_MODEL", server.base_url)
        ran = run("ask", "Where does the club meet?", note, "--json")
        shown = run("ask", "Where does the club meet?", note)
        calls = len(server.calls)
    verdict = json.loads(ran.out)
    assert (ran.code, verdict["status"]) == (5, "failed")
    assert calls == 2 * 2 * 2  # two seats, each asked again once, twice
    assert all("could not be used" in seat["reason"] for seat in verdict["seats"])
    assert shown.code == 5
    assert "could not be used" in shown.out
    assert "upper room" in shown.out  # the record


def test_a_model_without_its_package(run: Run, note: Path) -> None:
    ran = run("ask", "Where?", note, "--model", "nosuchprovider:x")
    assert ran.code == 2
    assert "nosuchprovider" in ran.err
    assert "PROVIDER:MODEL" in ran.err


def test_a_missing_key(run: Run, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ran = run("ask", "Where?", note, "--model", "openai:gpt-5")
    assert ran.code == 2
    assert_one_line(ran.err)
    assert "OPENAI_API_KEY" in ran.err


def test_a_folder_that_cannot_be_written(run: Run, note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    ran = run("observe", note)
    assert ran.code == 2
    assert "CONSILIENCE_CACHE_DIR" in ran.err
    assert Settings().cache_dir == tmp_path / "file" / "cache"
