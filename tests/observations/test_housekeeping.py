"""Stock, soundness, collection and forgetting; and that a killed writer damages nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import BadMedia, UnknownName
from consilience.observations import Locator, Media, Observation, ObservationStore, Provenance, ingest
from consilience.observations.housekeeping import collect, find_media, forget, take_stock
from consilience.observations.soundness import verify

LONG_AGO = time.time() - 86_400


def note(media: Media, text: str, **changes: object) -> Observation:
    made = Provenance(media=media.id, modality="text", tool="t", version="1")
    return Observation.model_validate(
        {"kind": "passage", "value": {"text": text}, "text": text, "locator": Locator(), "provenance": made} | changes
    )


def fill(store: ObservationStore, text: str) -> tuple[Media, Observation]:
    media = ingest(f"{text}\n", store, name=f"{text}.txt")
    seen = note(media, text)
    store.put_encoding(f"key of {text}", media, [seen])
    return media, seen


def age(store: ObservationStore, digest: str, days: float = 1) -> None:
    then = time.time() - 86_400 * days
    os.utime(store.blob(digest), (then, then))


def test_stock_counts_what_is_there(store: ObservationStore) -> None:
    first, _ = fill(store, "first")
    fill(store, "second")
    store.put_rendering(b"a crop", first)
    (store.root / "blobs" / "7-7.partial").write_bytes(b"x" * 10)
    stock = take_stock(store)
    assert (stock.media, stock.observations, stock.encodings) == (2, 2, 2)
    assert (stock.by_modality, stock.by_kind) == ({"text": 2}, {"passage": 2})
    assert stock.blob_bytes == len(b"first\n" + b"second\n" + b"a crop")
    assert stock.stray_bytes == 10
    assert stock.bytes == stock.blob_bytes + stock.index_bytes + 10
    assert stock.index_bytes > 0


def test_a_sound_store_has_no_damage(store: ObservationStore) -> None:
    fill(store, "first")
    assert verify(store) == []


def test_damage_is_found_and_repaired(store: ObservationStore) -> None:
    media, seen = fill(store, "first")
    kept, _ = fill(store, "second")
    store.blob(media.digest).write_bytes(b"other bytes")
    store.index.write("UPDATE observation SET content = replace(content, 'first', 'forged') WHERE id = ?", [(seen.id,)])
    found = {(damage.what, damage.key) for damage in verify(store, repair=True)}
    assert found == {("blob", media.digest), ("observation", seen.id), ("encoding", "key of first")}
    assert verify(store) == []
    assert store.encoding("key of first") is None
    assert store.encoding("key of second") is not None
    assert ingest("first\n", store, name="first.txt") == media
    assert store.path(kept).read_text() == "second\n"


def test_an_unreadable_encoding_counts_as_not_made(store: ObservationStore) -> None:
    _, seen = fill(store, "first")
    store.index.write("UPDATE observation SET content = '{}' WHERE id = ?", [(seen.id,)])
    assert store.encoding("key of first") is None


def test_collection_takes_what_was_not_used_for_longest(store: ObservationStore) -> None:
    media = [fill(store, f"{word} {'x' * 4000}")[0] for word in ("oldest", "older", "new")]
    for days, medium in zip((3, 2, 1), media, strict=True):
        age(store, medium.digest, days)
    room = take_stock(store).bytes - 2 * 4000
    collected = collect(store, room)
    assert collected.blobs == 2
    assert [store.blob(medium.digest).exists() for medium in media] == [False, False, True]
    assert take_stock(store).media == 1
    assert verify(store) == []


def test_what_is_in_use_is_not_collected(store: ObservationStore) -> None:
    used, _ = fill(store, "used")
    age(store, used.digest)
    ingest("used\n", store, name="used.txt")
    collected = collect(store, 0)
    assert (collected.blobs, store.path(used).exists()) == (0, True)
    assert collected.left > 0


def test_what_was_rendered_goes_with_its_medium(store: ObservationStore) -> None:
    photo, _ = fill(store, "photo")
    crop = store.put_rendering(b"a crop of it", photo)
    age(store, photo.digest)
    assert collect(store, 0).blobs == 2
    assert not store.blob(crop).exists()
    assert store.index.read("SELECT * FROM rendering") == []


def test_collection_removes_old_leftovers_only(store: ObservationStore) -> None:
    old, new = store.root / "blobs" / "1-1.partial", store.root / "blobs" / "2-2.partial"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (LONG_AGO, LONG_AGO))
    collect(store, 1 << 30)
    assert (old.exists(), new.exists()) == (False, True)


def test_forgetting_leaves_no_trace(store: ObservationStore) -> None:
    secret, said = fill(store, "the launch code is swordfish")
    other, plain = fill(store, "harmless")
    crop = store.put_rendering(b"a picture of swordfish", secret)
    quarrel = {"first": plain.id, "second": said.id, "dispute": "numbers", "score": 0.5}
    store.put([note(other, "harmless against swordfish", kind="conflict", value=quarrel)])
    gone = forget(store, secret)
    assert (gone.observations, gone.encodings, gone.blobs) == (2, 1, 2)
    assert not store.blob(crop).exists()
    with pytest.raises(BadMedia):
        store.media(secret.id)
    files = [path for path in store.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"swordfish" in path.read_bytes()]
    assert store.encoding("key of harmless") == (plain,)
    assert verify(store) == []


def test_a_medium_is_found_by_id_name_or_file(store: ObservationStore, tmp_path: Path) -> None:
    media, _ = fill(store, "first")
    fill(store, "second")
    copy = tmp_path / "renamed.bin"
    copy.write_bytes(b"first\n")
    for wanted in (media.id, media.digest[:12], "first.txt", str(copy)):
        assert find_media(store, wanted) == media
    with pytest.raises(UnknownName, match="third"):
        find_media(store, "third.txt")


def test_a_name_that_two_media_have_is_ambiguous(store: ObservationStore) -> None:
    ingest("one\n", store, name="same.txt")
    ingest("two\n", store, name="same.txt")
    with pytest.raises(UnknownName, match="one of several media"):
        find_media(store, "same.txt")


@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=6), spare=st.integers(-9000, 30_000))
def test_collection_takes_the_oldest_and_no_more_than_needed(
    sizes: list[int], spare: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ObservationStore(tmp_path_factory.mktemp("store")) as store:
        digests = [store.put_bytes(bytes([number]) * size) for number, size in enumerate(sizes)]
        for number, digest in enumerate(digests):
            age(store, digest, len(sizes) - number)
        before = take_stock(store).bytes
        room = max(0, before - spare)
        collect(store, room)
        gone = next(n for n in range(len(sizes) + 1) if before - sum(sizes[:n]) <= room or n == len(sizes))
        assert {path.name for path in store.blobs()} == set(digests[gone:])


WRITER = """
import sys
from pathlib import Path
from consilience.observations import ObservationStore, Observation, Provenance, ingest
store = ObservationStore(Path(sys.argv[1]))
number = 0
while True:
    media = ingest(f"{sys.argv[2]} {number} " + "words " * 2000, store, name=f"{number}.txt")
    made = Provenance(media=media.id, modality="text", tool="t", version="1")
    seen = [
        Observation(kind="passage", value={"text": f"{number} {i}"}, text=f"{number} {i}", provenance=made)
        for i in range(50)
    ]
    store.put_encoding(f"{sys.argv[2]} {number}", media, seen)
    print(number, flush=True)
    number += 1
"""


def test_killed_writers_lose_and_corrupt_nothing(tmp_path: Path) -> None:
    for round_ in range(4):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), f"{round_}{name}"], stdout=subprocess.PIPE, text=True
            )
            for name in "ab"
        ]
        told: list[list[int]] = []
        for writer in writers:
            assert writer.stdout is not None
            # Kill it in the middle of what follows the third medium, whatever that is.
            seen = [int(writer.stdout.readline()) for _ in range(3 + round_)]
            writer.send_signal(signal.SIGKILL)
            told.append(seen + [int(line) for line in writer.stdout.read().split()])
            writer.stdout.close()
            writer.wait()
        with ObservationStore(tmp_path) as store:
            assert verify(store) == []
            for name, numbers in zip("ab", told, strict=True):
                for number in numbers:
                    kept = store.encoding(f"{round_}{name} {number}")
                    assert kept is not None
                    assert len(kept) == 50


def test_asking_for_the_bytes_marks_them_as_used(store: ObservationStore) -> None:
    used, _ = fill(store, "used")
    age(store, used.digest)
    path = store.path(used)
    assert time.time() - path.stat().st_mtime < 60
    marked = path.stat().st_mtime_ns
    assert store.path(used).stat().st_mtime_ns == marked
    assert collect(store, 0).blobs == 0


HOLDER = """
import sys
from pathlib import Path
from consilience.observations import ObservationStore
with ObservationStore(Path(sys.argv[1])) as store, store.holding(store.media(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_what_another_process_encodes_is_not_collected_however_long_that_takes(store: ObservationStore) -> None:
    film, _ = fill(store, "film")
    command = [sys.executable, "-c", HOLDER, str(store.root), film.id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        age(store, film.digest)
        assert collect(store, 0).blobs == 0
        assert store.encoding("key of film") is not None
        holder.communicate("")
    assert collect(store, 0).blobs == 1
    with pytest.raises(BadMedia, match="no longer in the store"), store.holding(film):
        pass


def test_imported_media_without_bytes_are_collected_when_they_are_old(store: ObservationStore) -> None:
    here, _ = fill(store, "here")
    media = [Media(**{**here.model_dump(), "id": f"sha256:{digit * 64}", "name": digit}) for digit in "12"]
    for medium in media:
        store.put_media(medium)
        store.put([note(medium, medium.name)])
    store.index.write("UPDATE arrival SET at = ? WHERE media = ?", [(str(LONG_AGO), media[0].id)])
    collected = collect(store, 0)
    assert (collected.imported, collected.blobs) == (1, 0)
    assert {row[0] for row in store.index.read("SELECT id FROM media")} == {here.id, media[1].id}
    assert {row[0] for row in store.index.read("SELECT media FROM arrival")} == {here.id, media[1].id}
    assert take_stock(store).observations == 2
    assert verify(store) == []
