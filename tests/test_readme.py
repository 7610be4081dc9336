"""The README's Python, as printed, and the examples: run in the folder of the example media, on a model server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from consilience.core.settings import Settings
from consilience.testing import ModelServer, witness

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CACHES = (".cache/consilience", "Library/Caches/consilience")
"""In a home, of Linux and of macOS."""


def run(code: list[str], folder: Path, tmp_path: Path, url: str) -> subprocess.CompletedProcess[str]:
    own = tmp_path / "cache"
    # An MCP server that is started by a command gets few variables, so it keeps its store in the home.
    for place in (own, *(tmp_path / "home" / cache for cache in CACHES)):
        place.mkdir(parents=True)
        (place / "weights").symlink_to(Settings().weights_dir)
    environment = {
        **os.environ,
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
