from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from consilience.core.errors import BadConfiguration, WeightsUnavailable
from consilience.core.manifest import Manifest
from consilience.core.settings import Settings
from consilience.core.weights import Progress, WeightsStore
from consilience.core.weights_hub import HubSource

MODEL = bytes(range(256)) * 4096
SECONDS = 30


class Hub(ThreadingHTTPServer):
    """Serves one file, and breaks what a test tells it to break."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.content = MODEL
        self.ranges = True
        self.asked: list[str | None] = []
        self.breaks: list[int] = []
        """Bytes after which the next answers break off."""
        self.half_sent = threading.Event()
        self.release = threading.Event()
        self.release.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        if unquote(self.path) != "/org/model/resolve/v1/a folder/model.bin":
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        hub.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and hub.ranges else 0
        if start >= len(hub.content):
            self.send_error(416)
            return
        body = hub.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
        self.end_headers()
        if hub.breaks:
            body = body[: hub.breaks.pop(0)]
        half = len(body) // 2
        self.wfile.write(body[:half])
        hub.half_sent.set()
        hub.release.wait(SECONDS)
        self.wfile.write(body[half:])

    def log_message(self, format: str, *args: object) -> None:
        """Not on the terminal."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def manifest() -> Manifest:
    piece = {"package": "org/model", "version": "v1", "member": "a folder/model.bin", "size": len(MODEL)}
    entry = {
        "name": "tiny",
        "summary": "Tiny",
        "licence": "MIT",
        "attribution": "Nobody",
        "files": [{"name": "model.bin", "size": len(MODEL), "sha256": hashlib.sha256(MODEL).hexdigest()}],
        "sources": [{"kind": "hub", "files": {"model.bin": [piece]}}],
    }
    return Manifest.model_validate({"weights": [entry]})


def store_at(tmp_path: Path, url: str) -> WeightsStore:
    return WeightsStore(Settings(cache_dir=tmp_path), manifest=manifest(), sources={"hub": HubSource(url)})


def model_in(store: WeightsStore) -> bytes:
    return store.file("tiny", "model.bin").read_bytes()


def test_downloads_from_the_hub(hub: Hub, tmp_path: Path) -> None:
    store = store_at(tmp_path, hub.url + "/")
    seen: list[Progress] = []
    store.pull("tiny", seen.append)
    assert model_in(store) == MODEL
    done = [now.done for now in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, len(MODEL))
    assert hub.asked == [None]


def test_goes_on_where_the_connection_broke(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = [300_000, 200_000]
    store = store_at(tmp_path, hub.url)
    store.pull("tiny")
    assert model_in(store) == MODEL
    assert hub.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_starts_anew_with_a_hub_that_knows_no_ranges(hub: Hub, tmp_path: Path) -> None:
    hub.ranges = False
    hub.breaks = [300_000]
    store = store_at(tmp_path, hub.url)
    seen: list[Progress] = []
    store.pull("tiny", seen.append)
    assert model_in(store) == MODEL
    assert hub.asked == [None, "bytes=300000-"]
    assert seen[-1].done == len(MODEL)


def test_keeps_what_came_when_no_more_comes(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = [300_000, 0]
    store = store_at(tmp_path, hub.url)
    with pytest.raises(WeightsUnavailable, match=f"broke after 300000 of {len(MODEL)} bytes"):
        store.pull("tiny")
    assert store.status("tiny") == "partial"
    seen: list[Progress] = []
    store.pull("tiny", seen.append)
    assert model_in(store) == MODEL
    assert hub.asked[-1] == "bytes=300000-"
    assert 300_000 in [now.done for now in seen]


def test_a_beginning_that_the_hub_does_not_know_is_forgotten(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = [300_000, 0]
    store = store_at(tmp_path, hub.url)
    with pytest.raises(WeightsUnavailable):
        store.pull("tiny")
    hub.content = MODEL[:1000]
    with pytest.raises(WeightsUnavailable, match="answered 416"):
        store.pull("tiny")
    hub.content = MODEL
    store.pull("tiny")
    assert model_in(store) == MODEL
    assert hub.asked[-1] is None


def test_a_file_that_is_too_small_is_not_downloaded(hub: Hub, tmp_path: Path) -> None:
    hub.content = b"<html>Please log in</html>"
    store = store_at(tmp_path, hub.url)
    with pytest.raises(WeightsUnavailable, match="26 bytes were announced"):
        store.pull("tiny")
    assert bytes_under(tmp_path) == 0
    hub.content = MODEL
    store.pull("tiny")
    assert hub.asked == [None, None]


def test_a_refusal_is_no_dead_hub(hub: Hub, tmp_path: Path) -> None:
    source = HubSource(hub.url)
    wrong = WeightsStore(
        Settings(cache_dir=tmp_path),
        manifest=Manifest.model_validate_json(manifest().model_dump_json().replace("org/model", "org/gone")),
        sources={"hub": source},
    )
    with pytest.raises(WeightsUnavailable, match="answered 404"):
        wrong.pull("tiny")
    store = WeightsStore(Settings(cache_dir=tmp_path), manifest=manifest(), sources={"hub": source})
    store.pull("tiny")
    assert model_in(store) == MODEL


def test_a_dead_hub_is_tried_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = store_at(tmp_path, f"http://127.0.0.1:{port}")
    with pytest.raises(WeightsUnavailable, match="could not be reached"):
        store.pull("tiny")
    with pytest.raises(WeightsUnavailable, match="not tried again"):
        store.pull("tiny")


def test_refuses_a_hub_that_is_no_http_address() -> None:
    with pytest.raises(BadConfiguration, match="CONSILIENCE_HUB"):
        HubSource("file:///etc")


CHILD = """
import sys
from pathlib import Path
from consilience.core.manifest import Manifest
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
store = WeightsStore(
    Settings(cache_dir=Path(sys.argv[1]), hub=sys.argv[2]), manifest=Manifest.model_validate_json(sys.argv[3])
)
print("pulling", flush=True)
store.pull("tiny")
"""


def pulling(tmp_path: Path, hub: Hub) -> subprocess.Popen[str]:
    """Another process, about to pull."""
    command = [sys.executable, "-c", CHILD, str(tmp_path), hub.url, manifest().model_dump_json()]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "pulling\n"
    return child


def bytes_under(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_killed_pull_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    hub.release.clear()
    with pulling(tmp_path, hub) as child:
        assert hub.half_sent.wait(SECONDS)
        deadline = time.monotonic() + SECONDS
        while bytes_under(tmp_path) < len(MODEL) // 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.kill()
    hub.release.set()
    store = store_at(tmp_path, hub.url)
    assert store.status("tiny") == "partial"
    here = bytes_under(tmp_path)
    store.pull("tiny")
    assert model_in(store) == MODEL
    assert hub.asked == [None, f"bytes={here}-"]


def test_processes_that_pull_together_download_once(hub: Hub, tmp_path: Path) -> None:
    hub.release.clear()
    with pulling(tmp_path, hub) as first:
        assert hub.half_sent.wait(SECONDS)
        with pulling(tmp_path, hub) as second:
            hub.release.set()
            assert first.wait(SECONDS) == 0
            assert second.wait(SECONDS) == 0
    assert model_in(store_at(tmp_path, hub.url)) == MODEL
    assert hub.asked == [None]
