"""Whether a store is sound: every blob is what its name says, and every row of the index leads somewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from consilience.observations.digests import digest_of
from consilience.observations.media import Media
from consilience.observations.observation import Observation
from consilience.observations.store import ObservationStore

__all__ = ["Damage", "verify"]


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it should be."""

    what: str
    """`blob`, `media`, `observation`, `encoding` or `index`."""
    key: str
    problem: str


def verify(store: ObservationStore, *, repair: bool = False) -> list[Damage]:
    """Hashes every blob anew and checks that every row of the index can be read and leads somewhere.

    Args:
        store: the store.
        repair: remove what is broken, so that the next run makes it anew.
    """
    damage = [Damage("index", store.root.name, told)] if (told := store.index.damage()) else []
    damage += [found for path in store.blobs() if (found := _blob_damage(path))]
    media = store.index.read("SELECT id, content FROM media")
    damage += [found for row in media if (found := _media_damage(*row))]
    rows = store.index.read("SELECT id, content FROM observation")
    damage += [found for row in rows if (found := _observation_damage(*row))]
    whole = {row[0] for row in rows} - {found.key for found in damage if found.what == "observation"}
    encodings = store.index.read("SELECT key, observations FROM encoding")
    damage += [found for row in encodings if (found := _encoding_damage(whole, *row))]
    if repair:
        _repair(store, damage)
    return damage


def _repair(store: ObservationStore, damage: Iterable[Damage]) -> None:
    keys = {what: [(d.key,) for d in damage if d.what == what] for what in ("media", "observation", "encoding")}
    with store.index.transaction() as connection:
        connection.executemany("DELETE FROM media WHERE id = ?", keys["media"])
        connection.executemany("DELETE FROM observation WHERE id = ?", keys["observation"])
        connection.executemany("DELETE FROM encoding WHERE key = ?", keys["encoding"])
    for found in damage:
        if found.what == "blob":
            store.blob(found.key).unlink(missing_ok=True)


def _blob_damage(path: Path) -> Damage | None:
    digest = digest_of(path)
    if digest is None or digest == path.name:
        return None  # None: another process has just removed it
    return Damage("blob", path.name, f"its bytes have the hash {digest}")


def _media_damage(key: str, content: str) -> Damage | None:
    # A medium without bytes is none: it was imported with a record, or its bytes were broken and removed.
    try:
        Media.model_validate_json(content)
    except ValidationError as problem:
        return Damage("media", key, f"it cannot be read ({problem.error_count()} errors)")
    return None


def _observation_damage(key: str, content: str) -> Damage | None:
    try:
        Observation.model_validate_json(content)
    except ValidationError as problem:
        return Damage("observation", key, f"it cannot be read ({problem.errors()[0]['msg']})")
    return None


def _encoding_damage(whole: set[str], key: str, ids: str) -> Damage | None:
    try:
        missing = set(json.loads(ids)) - whole
    except ValueError:
        return Damage("encoding", key, "it cannot be read")
    return Damage("encoding", key, f"{len(missing)} of its observations are gone") if missing else None
