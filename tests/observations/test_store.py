from __future__ import annotations

import hashlib
import io
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import BadConfiguration, BadMedia
from consilience.core.settings import Settings
from consilience.observations import Media, Observation, ObservationStore, Provenance

ObservationOf = Callable[..., Observation]

# What several processes do to one store at once: each writes what all write, and something of its own.
WRITER = """
import sys
from pathlib import Path
from consilience.observations import Media, Observation, ObservationStore, Provenance

me, made_by = sys.argv[2], Provenance(media="m", modality="text", tool="t", version="1")
print("ready", flush=True)
sys.stdin.readline()
with ObservationStore(Path(sys.argv[1])) as store:
    for number in range(20):
        for name in ("all", me):
            text = f"{name} {number}"
            digest = store.put_bytes(text.encode() * 10_000)
            media = Media(id=f"sha256:{digest}", mime="text/plain", modality="text", name=text, size=1)
            store.put_media(media)
            store.put_encoding(text, media, [Observation(kind="note", value={}, text=text, provenance=made_by)])
"""

# What several processes do at once that find no store yet.
OPENER = """
import sys
from pathlib import Path
from consilience.observations import ObservationStore

print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    ObservationStore(Path(sys.argv[1]) / str(number)).close()
"""

# A disk that is full after 100 kB; with "kill" the process dies of it in the middle of the write.
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from consilience.observations import ObservationStore

store = ObservationStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL if sys.argv[2] == "kill" else signal.SIG_IGN)
try:
    store.put_bytes(bytes(1_000_000))
except OSError:
    sys.exit(7)
"""


class EndlessFile(io.RawIOBase):
    """As of a stream that a file system shows as a file of no great size."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return len(buffer)


class EndlessPath(type(Path())):  # type: ignore[misc]
    def open(self, *_: Any, **__: Any) -> Any:
        return io.BufferedReader(EndlessFile())


class GrowingPath(type(Path())):  # type: ignore[misc]
    """A recording still going on: it is longer whenever it is opened."""

    def open(self, *_: object, **__: object) -> Any:
        with Path(str(self)).open("ab") as file:
            file.write(b"more")
        return Path(str(self)).open("rb")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files_under(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def run_together(script: str, folder: Path, names: Sequence[str]) -> list[int]:
    """Exit codes of one process a name, all set off at once."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    assert [child.stdout.readline() for child in children if child.stdout] == ["ready\n"] * len(names)
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
    return [child.returncode for child in children]


def note(text: str) -> Observation:
    made_by = Provenance(media="m", modality="text", tool="t", version="1")
    return Observation(kind="note", value={}, text=text, provenance=made_by)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


notes = st.text("abcdef", min_size=1, max_size=3).map(note)


@given(st.binary())
def test_blobs_are_kept_whole_under_their_hash(shared: ObservationStore, content: bytes) -> None:
    digest = shared.put_bytes(content)
    assert digest == shared.put_bytes(content) == sha256(content)
    assert shared.blob(digest).name == digest
    assert shared.blob(digest).read_bytes() == content


@given(st.binary(max_size=5000))
def test_a_file_and_its_bytes_are_one_blob(
    shared: ObservationStore, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    source = tmp_path_factory.getbasetemp() / "source"
    source.write_bytes(content)
    assert shared.put_file(source) == shared.put_bytes(content)


@given(st.lists(notes, max_size=10))
def test_what_is_put_is_got(shared: ObservationStore, observations: list[Observation]) -> None:
    ids = shared.put(observations)
    assert ids == tuple(o.id for o in observations)
    assert shared.get(ids) == tuple(observations)


@given(st.lists(notes, max_size=5), st.text(max_size=5))
def test_an_encoding_is_what_was_put_last(
    shared: ObservationStore, photo: Media, observations: list[Observation], key: str
) -> None:
    shared.put_encoding(key, photo, [note("earlier")])
    shared.put_encoding(key, photo, observations)
    assert shared.encoding(key) == tuple(observations)


def test_a_large_file_is_copied_in_pieces(store: ObservationStore, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    source = tmp_path / "large"
    source.write_bytes(content)
    digest = store.put_file(source)
    assert digest == sha256(content)
    assert store.blob(digest).read_bytes() == content
    assert source.read_bytes() == content


def test_nothing_observed_is_not_the_same_as_not_run(store: ObservationStore, photo: Media) -> None:
    assert store.encoding("key") is None
    store.put_encoding("key", photo, [])
    assert store.encoding("key") == ()


def test_unknown_observations_are_missed(store: ObservationStore) -> None:
    ids = store.put([note("known")])
    with pytest.raises(KeyError, match="obs:unknown"):
        store.get([*ids, "obs:unknown"])


def test_media_are_remembered_and_the_newest_name_wins(store: ObservationStore, photo: Media) -> None:
    store.put_media(photo)
    store.put_media(photo.model_copy(update={"name": "holiday.png"}))
    assert store.media(photo.id).name == "holiday.png"


def test_unknown_media_are_named_with_the_cure(store: ObservationStore, photo: Media) -> None:
    with pytest.raises(BadMedia, match=r"is not in the store\. Pass the file itself first\.") as caught:
        store.media(photo.id)
    assert (caught.value.name, caught.value.exit_code) == (photo.id, 3)


def test_lost_bytes_are_named_with_the_cure(store: ObservationStore, photo: Media) -> None:
    store.put_media(photo)
    with pytest.raises(BadMedia, match=r"photo\.png: its bytes are no longer in the store\. Pass the file again\."):
        store.path(photo)


def test_a_store_outlives_its_process(tmp_path: Path, photo: Media) -> None:
    with ObservationStore(tmp_path) as first:
        first.put_media(photo)
        first.put_encoding("key", photo, [note("kept")])
        digest = first.put_bytes(b"kept")
    with ObservationStore(tmp_path) as second:
        assert second.media(photo.id) == photo
        assert second.encoding("key") == (note("kept"),)
        assert second.blob(digest).read_bytes() == b"kept"


def test_a_closed_store_is_closed(tmp_path: Path) -> None:
    with ObservationStore(tmp_path) as store:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        store.get([])


def test_settings_say_where_the_store_is(tmp_path: Path) -> None:
    with ObservationStore.open(Settings(cache_dir=tmp_path)) as store:
        assert store.root == tmp_path / "store"
        assert (tmp_path / "store" / "index.sqlite").is_file()


def test_a_folder_that_cannot_be_made_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadConfiguration, match="Set CONSILIENCE_CACHE_DIR to a folder of yours") as caught:
        ObservationStore(tmp_path / "file" / "store")
    assert caught.value.exit_code == 2


def test_the_index_is_in_wal_mode(store: ObservationStore) -> None:
    other = sqlite3.connect(store.root / "index.sqlite")
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_reading_goes_on_while_another_writes(store: ObservationStore) -> None:
    ids = store.put([note("kept")])
    other = sqlite3.connect(store.root / "index.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM observation")
    assert store.get(ids) == (note("kept"),)
    other.execute("ROLLBACK")
    other.close()


def test_a_batch_is_written_whole_or_not_at_all(store: ObservationStore) -> None:
    store.index.write(
        "CREATE TRIGGER refuse BEFORE INSERT ON observation WHEN NEW.content LIKE '%forbidden%' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END",
        [()],
    )
    with pytest.raises(sqlite3.IntegrityError, match="refused"):
        store.put([note("first"), note("forbidden")])
    with pytest.raises(KeyError):
        store.get([note("first").id])
    assert store.get(store.put([note("second")])) == (note("second"),)


def test_threads_share_one_store(store: ObservationStore, photo: Media) -> None:
    contents = [f"content {number}".encode() * 5_000 for number in range(10)]

    def write(worker: int) -> None:
        for content in contents:
            store.put_bytes(content)
            store.put_media(photo)
            store.put_encoding(f"{worker}", photo, [note(f"{worker}"), note("all")])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    assert files_under(store.root / "blobs") == sorted(map(sha256, contents))
    assert [store.encoding(f"{worker}") for worker in range(8)] == [
        (note(f"{worker}"), note("all")) for worker in range(8)
    ]


def test_processes_open_a_new_store_together(tmp_path: Path) -> None:
    assert run_together(OPENER, tmp_path, "abcd") == [0, 0, 0, 0]


def test_processes_share_one_store(tmp_path: Path) -> None:
    assert run_together(WRITER, tmp_path, ("one", "two", "three")) == [0, 0, 0]
    texts = [f"{name} {number}" for name in ("all", "one", "two", "three") for number in range(20)]
    blobs = {sha256(text.encode() * 10_000): text for text in texts}
    assert files_under(tmp_path / "blobs") == sorted(blobs)
    with ObservationStore(tmp_path) as store:
        for digest, text in blobs.items():
            assert sha256(store.blob(digest).read_bytes()) == digest
            assert store.media(f"sha256:{digest}").name == text
            assert store.encoding(text) == (note(text),)


@pytest.mark.parametrize(("end", "code"), [("fail", 7), ("kill", -signal.SIGXFSZ)])
def test_a_write_that_breaks_off_leaves_no_blob(tmp_path: Path, end: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path), end], check=False)
    assert done.returncode == code
    content = bytes(1_000_000)
    with ObservationStore(tmp_path) as store:
        assert not store.blob(sha256(content)).exists()
        assert store.blob(store.put_bytes(content)).read_bytes() == content


def test_a_write_that_fails_cleans_up(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path), "fail"], check=False)
    assert files_under(tmp_path / "blobs") == []


def test_a_file_without_end_is_not_read_to_its_end(store: ObservationStore, tmp_path: Path) -> None:
    (tmp_path / "recording").write_bytes(b"start ")
    with pytest.raises(BadMedia, match=r"recording: goes on beyond 10,000,000 bytes, the limit"):
        store.put_file(EndlessPath(tmp_path / "recording"), 10_000_000)
    assert files_under(store.root / "blobs") == []


def test_a_file_that_grows_meanwhile_is_named_by_what_was_kept(store: ObservationStore, tmp_path: Path) -> None:
    (tmp_path / "recording").write_bytes(b"start ")
    digest = store.put_file(GrowingPath(tmp_path / "recording"))
    assert files_under(store.root / "blobs") == [digest]
    assert digest == sha256(store.blob(digest).read_bytes())
