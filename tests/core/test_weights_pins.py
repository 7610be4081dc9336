"""Repositories that the manifest does not know, pinned from a hub that runs here."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from consilience.core.errors import BadConfiguration, WeightsCorrupt, WeightsUnavailable
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.core.weights_hub import HubSource
from consilience.core.weights_pins import is_pinned_name, pinned_name

NAME = "hub--org--whisper-tiny"
COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """One repository, as a hub announces and serves it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"model.bin": b"numbers" * 1000, "config.json": b"{}", "README.md": b"about it", ".git": b""}
        self.announced: dict[str, Any] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def announcement(self) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = []
        for name, content in self.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            sibling: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob}
            if name.endswith(".bin"):
                sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            siblings.append(sibling)
        return {"sha": COMMIT, "tags": ["license:mit"], "siblings": siblings} | self.announced


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        start = f"/org/whisper-tiny/resolve/{COMMIT}/"
        if self.path == "/api/models/org/whisper-tiny/revision/main?blobs=true":
            content = json.dumps(self.server.announcement()).encode()
        elif self.path.startswith(start) and (name := self.path.removeprefix(start)) in self.server.files:
            content = self.server.files[name]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Not on the terminal."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def store_at(folder: Path, hub: Hub, **changes: Any) -> WeightsStore:
    return WeightsStore(Settings(cache_dir=folder, **changes), sources={"hub": HubSource(hub.url)})


def test_pulls_all_of_a_repository_that_nobody_listed(hub: Hub, tmp_path: Path) -> None:
    store = store_at(tmp_path, hub)
    folder = store.pull(NAME)
    assert (folder / "model.bin").read_bytes() == hub.files["model.bin"]
    assert (folder / "config.json").read_bytes() == b"{}"
    assert not (folder / "README.md").exists()
    entry = store.entry(NAME)
    assert (entry.licence, entry.attribution) == ("MIT", f"org/whisper-tiny at {COMMIT}")
    assert entry in store.entries()
    assert store.verify(NAME) == []


def test_what_was_announced_first_counts_from_then_on(hub: Hub, tmp_path: Path) -> None:
    first = store_at(tmp_path, hub).digest(NAME)
    hub.files["model.bin"] = b"others!" * 1000
    later = store_at(tmp_path, hub)
    assert later.digest(NAME) == first
    assert sum("revision/main" in path for path in hub.asked) == 1
    with pytest.raises(WeightsCorrupt, match=r"model\.bin"):
        later.pull(NAME)


def test_a_small_file_that_is_not_the_commits_is_refused(hub: Hub, tmp_path: Path) -> None:
    wrong = [{"rfilename": "config.json", "size": 2, "blobId": "0" * 40}]
    hub.announced = {"siblings": wrong}
    with pytest.raises(WeightsUnavailable, match=r"config\.json of org/whisper-tiny is not what the hub announces"):
        store_at(tmp_path, hub).digest(NAME)
    assert not list((tmp_path / "weights").rglob("*.json"))


@pytest.mark.parametrize(
    "announced",
    [
        {"sha": 3, "siblings": 3},
        {"siblings": []},
        {"siblings": [{}]},
        {"siblings": [{"rfilename": "a b", "lfs": {"size": 1}}]},
    ],
)
def test_announcements_that_are_not_understood_pin_nothing(hub: Hub, tmp_path: Path, announced: Any) -> None:
    hub.announced = announced
    with pytest.raises(WeightsUnavailable, match="not understood"):
        store_at(tmp_path, hub).digest(NAME)


def test_a_repository_that_is_not_there_is_told_with_the_cure(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"404.*consilience weights pull hub--org--none"):
        store_at(tmp_path, hub).digest("hub--org--none")


def test_nothing_is_asked_for_offline(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="offline"):
        store_at(tmp_path, hub, offline=True).digest(NAME)
    assert hub.asked == []
    store_at(tmp_path, hub).pull(NAME)
    assert store_at(tmp_path, hub, offline=True).path(NAME).is_dir()


def test_a_spoilt_pin_is_told(hub: Hub, tmp_path: Path) -> None:
    store = store_at(tmp_path, hub)
    store.digest(NAME)
    (tmp_path / f"weights/pins/{NAME}.json").write_text("{")
    with pytest.raises(BadConfiguration, match="Remove it"):
        store.digest(NAME)


@pytest.mark.parametrize("repository", ["plain", "a/b/c", "../etc", "a/..", "a--b/c", "/b", "a/"])
def test_only_names_of_repositories_can_be_pinned(repository: str) -> None:
    with pytest.raises(BadConfiguration, match="owner/name"):
        pinned_name(repository)


def test_names_are_folders_names() -> None:
    assert pinned_name("org/whisper-tiny") == NAME
    assert is_pinned_name(NAME)
    assert not is_pinned_name("whisper-base")
