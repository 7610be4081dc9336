"""The Python of the README and of the docs, as printed, and the examples: run beside media, on a model server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest
import skimage.data

from consilience.core.settings import Settings
from consilience.testing import ModelServer, witness

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CACHES = (".cache/consilience", "Library/Caches/consilience")
"""In a home, of Linux and of macOS."""


DOCS = {
    f"{path.stem}-{number}": block
    for path in sorted((ROOT / "docs").glob("*.md"))
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL), 1)
}
FOREIGN = {"mcp-1": "a server of somebody else's"}
"""Blocks that are not run, and what they would need."""
SERVERS = re.compile(r"http://localhost:800\d/v1")
_RUNNER = """
import contextlib, io, json, runpy, sys, traceback
for path in sys.argv[1:]:
    told, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(told):
            runpy.run_path(path, run_name="__main__")
    except BaseException:
        error = traceback.format_exc()
    print(json.dumps({"path": path, "told": told.getvalue(), "error": error}), flush=True)
"""


def run(code: list[str], folder: Path, tmp_path: Path, url: str) -> subprocess.CompletedProcess[str]:
    own = tmp_path / "cache"
    # An MCP server that is started by a command gets few variables, so it keeps its store in the home.
    for place in (own, *(tmp_path / "home" / cache for cache in CACHES)):
        place.mkdir(parents=True)
        (place / "weights").symlink_to(Settings().weights_dir)
    environment = {
        # What the pages show is what a user gets, who has set no protocol.
        **{name: value for name, value in os.environ.items() if name != "CONSILIENCE_PROTOCOL"},
        # Blocks about plug-ins speak of the example's package.
        "PYTHONPATH": os.pathsep.join([str(ROOT / "examples/plugin/src"), *sys.path]),
        "HOME": str(tmp_path / "home"),
        "CONSILIENCE_MODEL": url,
        "CONSILIENCE_CACHE_DIR": str(own),
    }
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", *code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[-1][:40])
def test_readme_block(block: str, tmp_path: Path) -> None:
    with ModelServer(witness) as server:
        done = run(["-c", block], ROOT / "examples/media", tmp_path, server.base_url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def reply(request: dict[str, Any]) -> str | dict[str, Any]:
    """What the stand-in answers, to seats and to agents that want no schema."""
    return witness(request) if "response_format" in request else "CAFE AURORA"


def put_media(folder: Path) -> None:
    """Media under the names that the docs use."""
    shutil.copytree(ROOT / "examples/media", folder)
    samples = ROOT / "src/consilience/apps/samples"
    shutil.copy(samples / "sample.mp4", folder / "talk.mp4")
    shutil.copy(samples / "sample.pdf", folder / "timetable.pdf")
    shutil.copy(folder / "call.wav", folder / "room.wav")
    shutil.copy(folder / "scene.png", folder / "poster.png")
    shutil.copy(Path(skimage.data.__file__).parent / "astronaut.png", folder / "astronaut.png")
    with av.open(str(folder / "call.wav")) as read, av.open(str(folder / "meeting.mp3"), "w") as written:
        stream = written.add_stream("libmp3lame", rate=16_000, layout="mono")
        for frame in read.decode(audio=0):
            written.mux(stream.encode(frame))
        written.mux(stream.encode())


@pytest.fixture(scope="module")
def docs_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What became of each block of the docs. One process runs them all, so that models are loaded once."""
    place = tmp_path_factory.mktemp("docs")
    put_media(place / "media")
    with ModelServer(reply) as server:
        for name, block in DOCS.items():
            (place / f"{name}.py").write_text(SERVERS.sub(server.base_url, block))
        paths = [str(place / f"{name}.py") for name in DOCS if name not in FOREIGN]
        done = run(["-c", _RUNNER, *paths], place / "media", place, server.base_url)
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(runs) == len(paths), done.stderr
    return {Path(one["path"]).stem: one for one in runs}


@pytest.mark.parametrize("name", [name for name in DOCS if name not in FOREIGN])
def test_docs_block(name: str, docs_runs: dict[str, dict[str, str]]) -> None:
    assert not docs_runs[name]["error"], docs_runs[name]["error"]
    assert docs_runs[name]["told"].strip() or "print(" not in DOCS[name]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_docs_block_that_cannot_be_run_is_whole_all_the_same(name: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F", "-"]
    done = subprocess.run(command, input=DOCS[name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path, tmp_path: Path) -> None:
    with ModelServer(witness) as server:
        done = run([str(path)], ROOT, tmp_path, server.base_url)
    assert done.returncode == 0, done.stderr
    assert '[i1] "CAFE AURORA"' in done.stdout
    at_home = [cache for cache in CACHES if (tmp_path / "home" / cache / "store").exists()]
    assert len(at_home) == (path.stem == "mcp_encoder")


def test_own_encoder_is_short() -> None:
    assert len((ROOT / "examples/own_encoder.py").read_text().splitlines()) <= 30
