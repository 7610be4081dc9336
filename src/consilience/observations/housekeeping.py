"""Keeping a store small: what it holds, what has not been used for long, and forgetting."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consilience.core.errors import UnknownName
from consilience.core.locks import alone
from consilience.observations.digests import digest_of
from consilience.observations.media import Media
from consilience.observations.store import ObservationStore

__all__ = ["Collected", "Forgotten", "Stock", "collect", "find_media", "forget", "take_stock"]

# A run may be at a medium that was used so short a time ago, in seconds.
_IN_USE = 600.0


@dataclass(frozen=True)
class Stock:
    """What a store holds; sizes in bytes."""

    media: int
    observations: int
    encodings: int
    by_modality: dict[str, int]
    """Media of each modality."""
    by_kind: dict[str, int]
    """Observations of each kind."""
    blob_bytes: int
    index_bytes: int
    stray_bytes: int
    """Left over by processes that were killed while they wrote."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.blob_bytes + self.index_bytes + self.stray_bytes


@dataclass(frozen=True)
class Collected:
    """What a collection removed."""

    blobs: int
    """Files."""
    imported: int
    """Media that were there without bytes."""
    freed: int
    """Bytes."""
    left: int
    """Bytes that the store still takes."""


@dataclass(frozen=True)
class Forgotten:
    """What was deleted with a medium."""

    media: Media
    observations: int
    encodings: int
    blobs: int


def take_stock(store: ObservationStore) -> Stock:
    """Counts what is there; reads no blob."""
    read = store.index.read
    modalities = read("SELECT json_extract(content, '$.modality'), count(*) FROM media GROUP BY 1 ORDER BY 2 DESC")
    kinds = read("SELECT json_extract(content, '$.kind'), count(*) FROM observation GROUP BY 1 ORDER BY 2 DESC")
    by_modality = {str(name): int(count) for name, count in modalities}
    by_kind = {str(name): int(count) for name, count in kinds}
    return Stock(
        media=sum(by_modality.values()),
        observations=sum(by_kind.values()),
        encodings=int(read("SELECT count(*) FROM encoding")[0][0]),
        by_modality=by_modality,
        by_kind=by_kind,
        blob_bytes=sum(_size(path) for path in store.blobs()),
        index_bytes=_index_bytes(store),
        stray_bytes=sum(_size(path) for path in _strays(store)),
    )


def collect(store: ObservationStore, max_bytes: int) -> Collected:
    """Removes what was not used for longest until the store takes at most `max_bytes`.

    A medium goes with all that came from it. What is being encoded stays, in whatever process, and what was used within
    the last ten minutes: a run may be at it.
    """
    before = _bytes(store)
    now = time.time()
    for path in _strays(store):
        if now - _used(path) > _IN_USE:
            path.unlink(missing_ok=True)
    left, blobs, imported = _bytes(store), 0, 0
    here = [(_used(path), path.name, True) for path in store.blobs()]
    for used, digest, has_bytes in sorted([*here, *_imported(store)]):
        if left <= max_bytes or now - used <= _IN_USE:
            break
        if not has_bytes:
            left -= _row_bytes(store, digest)
            _remove(store, digest)
            imported += 1
            continue
        with alone(path := store.blob(digest)) as free:
            # It may have been used since it was looked at.
            if free and now - _used(path) > _IN_USE:
                gone = _remove(store, digest)
                left -= sum(gone)
                blobs += len(gone)
    if blobs or imported:
        store.index.shrink()
    left = _bytes(store)
    return Collected(blobs=blobs, imported=imported, freed=before - left, left=left)


def _remove(store: ObservationStore, digest: str) -> list[int]:
    """Removes a blob, the medium that it is, and what was rendered from that; gives the sizes of the files."""
    with store.index.transaction() as connection:
        _delete_media(connection, f"sha256:{digest}")
        connection.execute("DELETE FROM rendering WHERE blob = ?", (digest,))
        rendered = _delete_renderings(connection, f"sha256:{digest}")
    gone = [file for file in map(store.blob, (digest, *rendered)) if file.exists()]
    sizes = [_size(file) for file in gone]
    for file in gone:
        file.unlink(missing_ok=True)
    return sizes


def _imported(store: ObservationStore) -> Iterator[tuple[float, str, bool]]:
    """(when it came, digest, False) of media without bytes; 0 for those that came before that was written down."""
    statement = "SELECT id, coalesce(at, 0) FROM media LEFT JOIN arrival ON arrival.media = media.id"
    for media_id, at in store.index.read(statement):
        digest = media_id.removeprefix("sha256:")
        if not store.blob(digest).exists():
            yield float(at), digest, False


def _row_bytes(store: ObservationStore, digest: str) -> int:
    """About what the observations of a medium take in the index."""
    statement = "SELECT coalesce(sum(length(content)), 0) FROM observation WHERE media = ?"
    return int(store.index.read(statement, (f"sha256:{digest}",))[0][0])


def find_media(store: ObservationStore, wanted: str) -> Media:
    """The medium with this id, beginning of an id (eight digits or more), name, or file.

    Raises:
        UnknownName: none, or more than one.
    """
    known = [Media.model_validate_json(row[0]) for row in store.index.read("SELECT content FROM media ORDER BY id")]
    digest = digest_of(Path(wanted)) or wanted.removeprefix("sha256:")
    found = [m for m in known if m.name == wanted or (len(digest) >= 8 and m.digest.startswith(digest))]
    if len(found) != 1:
        choices = [f"{medium.id} ({medium.name})" for medium in found or known]
        raise UnknownName("medium" if not found else "one of several media", wanted, choices[:20])
    return found[0]


def forget(store: ObservationStore, media: Media) -> Forgotten:
    """Deletes a medium and all that came from it; nothing of it can be read out of the index afterwards.

    That is its bytes, its observations and encodings, what was rendered from it, and the conflicts and entities that
    it is part of. Graph checkpoints are not the store's: a saved conversation keeps the words that were said.
    """
    with store.index.transaction() as connection:
        observations, encodings = _delete_media(connection, media.id)
        rendered = _delete_renderings(connection, media.id)
    paths = [path for digest in (media.digest, *rendered) if (path := store.blob(digest)).exists()]
    for path in paths:
        path.unlink(missing_ok=True)
    store.index.shred()
    return Forgotten(media, observations, encodings, len(paths))


def _delete_media(connection: sqlite3.Connection, media_id: str) -> tuple[int, int]:
    """Deletes the rows of a medium; counts observations and encodings."""
    ids = {row[0] for row in connection.execute("SELECT id FROM observation WHERE media = ?", (media_id,))}
    joined = list(_joined(connection, ids))
    connection.executemany("DELETE FROM observation WHERE id = ?", [(key,) for key in joined])
    connection.execute("DELETE FROM observation WHERE media = ?", (media_id,))
    encodings = connection.execute("DELETE FROM encoding WHERE media = ?", (media_id,)).rowcount
    connection.execute("DELETE FROM media WHERE id = ?", (media_id,))
    return len(ids | set(joined)), encodings


def _delete_renderings(connection: sqlite3.Connection, media_id: str) -> list[str]:
    """Deletes the rows of what was rendered from a medium; gives the hashes of the files."""
    rows = connection.execute("DELETE FROM rendering WHERE media = ? RETURNING blob", (media_id,))
    return [row[0] for row in rows.fetchall()]


def _joined(connection: sqlite3.Connection, ids: set[str]) -> Iterator[str]:
    """Conflicts and entities that one of these observations is part of."""
    statement = "SELECT id, content FROM observation WHERE json_extract(content, '$.kind') IN ('conflict', 'entity')"
    for key, content in connection.execute(statement).fetchall() if ids else ():
        value = json.loads(content)["value"]
        if ids.intersection([value.get("first"), value.get("second"), *value.get("members", [])]):
            yield key


def _strays(store: ObservationStore) -> list[Path]:
    return [*(store.root / "blobs").glob("*.partial"), *store.root.glob("*.partial")]


def _bytes(store: ObservationStore) -> int:
    return sum(_size(path) for path in (*store.blobs(), *_strays(store))) + _index_bytes(store)


def _index_bytes(store: ObservationStore) -> int:
    return sum(_size(path) for path in store.root.glob("index.sqlite*"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # removed meanwhile
        return 0


def _used(path: Path) -> float:
    """When the bytes were last taken in or asked for, seconds since the epoch."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
