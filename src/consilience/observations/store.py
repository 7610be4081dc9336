"""Content-addressed store of media and observations: an SQLite index in WAL mode beside hash-named blob files.

Several threads and processes may share one. A blob is complete before its index row exists, and both are written
atomically: a process killed in the middle leaves a stray temporary file at worst.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from consilience.core.errors import BadConfiguration, BadMedia
from consilience.core.locks import shared
from consilience.core.settings import Settings
from consilience.observations.digests import digest_of, pieces
from consilience.observations.index import Index
from consilience.observations.media import Media
from consilience.observations.observation import Observation

__all__ = ["ObservationStore"]

# How long a mark of use is new enough, in seconds.
_MARKED = 60.0


class ObservationStore:
    """Keeps bytes once, under their hash; observations under their id; encodings under their cache key.

    Every method blocks; call them from a thread when an event loop is running.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs"
        try:
            self._blobs.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise BadConfiguration(
                f"The cache folder {root} cannot be written ({problem.strerror}).",
                cure="Set CONSILIENCE_CACHE_DIR to a folder of yours.",
            ) from problem
        self.index = Index(root / "index.sqlite")

    @classmethod
    def open(cls, settings: Settings | None = None) -> ObservationStore:
        """The store of these settings."""
        return cls((settings or Settings()).store_dir)

    def close(self) -> None:
        """Lets the index go; the store cannot be used afterwards."""
        self.index.close()

    def __enter__(self) -> ObservationStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Blobs

    def put_bytes(self, content: bytes) -> str:
        """Keeps `content` and gives its SHA-256, hexadecimal."""
        digest = hashlib.sha256(content).hexdigest()
        return digest if self._use(digest) else self._place([content])

    def put_file(self, source: Path, most: int | None = None) -> str:
        """Keeps a copy of the file and gives its SHA-256, hexadecimal; reads it in pieces.

        Raises:
            BadMedia: there are more than `most` bytes in it, however large it said it was.
        """
        digest = digest_of(source, most)
        if digest and self._use(digest):
            return digest
        with source.open("rb") as file:
            return self._place(pieces(file, source, most))

    def put_rendering(self, content: bytes, media: Media) -> str:
        """Keeps `content`, which was made out of `media` and is forgotten with it; gives its SHA-256, hexadecimal."""
        digest = self.put_bytes(content)
        self.index.write("INSERT OR IGNORE INTO rendering VALUES (?, ?)", [(digest, media.id)])
        return digest

    def blob(self, digest: str) -> Path:
        """Where the bytes of this hash lie, or would lie."""
        return self._blobs / digest[:2] / digest

    def blobs(self) -> list[Path]:
        """The files of all blobs, of media and of what was rendered from them."""
        return [path for path in self._blobs.glob("??/*") if path.is_file()]

    def _use(self, digest: str) -> bool:
        """Whether these bytes are here; their file then says that they were used just now."""
        try:
            os.utime(self.blob(digest))
        except FileNotFoundError:
            return False
        return True

    def _place(self, content: Iterable[bytes]) -> str:
        # The hash is taken of what is written: a file may grow between two readings.
        written = hashlib.sha256()
        partial = self._blobs / f"{os.getpid()}-{threading.get_ident()}.partial"
        try:
            with partial.open("wb") as file:
                for piece in content:
                    written.update(piece)
                    file.write(piece)
                # A name that stands for bytes must not outlive them, not even in a power cut.
                file.flush()
                os.fsync(file.fileno())
            path = self.blob(written.hexdigest())
            path.parent.mkdir(exist_ok=True)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return written.hexdigest()

    # Media

    def put_media(self, media: Media) -> None:
        """Remembers what is known of a medium; the newest name wins."""
        with self.index.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO media VALUES (?, ?)", (media.id, media.model_dump_json()))
            connection.execute("INSERT OR REPLACE INTO arrival VALUES (?, ?)", (media.id, time.time()))

    def known(self, digest: str) -> Media | None:
        """What was found out about the bytes of this hash when they were taken in before; None when they are not here.

        They count as used now.
        """
        rows = self.index.read("SELECT content FROM media WHERE id = ?", (f"sha256:{digest}",))
        return Media.model_validate_json(rows[0][0]) if rows and self._use(digest) else None

    def media(self, media_id: str) -> Media:
        """What is known of a medium.

        Raises:
            BadMedia: it is not in this store.
        """
        rows = self.index.read("SELECT content FROM media WHERE id = ?", (media_id,))
        if not rows:
            raise BadMedia(media_id, "is not in the store.", cure="Pass the file itself first.")
        return Media.model_validate_json(rows[0][0])

    def path(self, media: Media) -> Path:
        """The file that holds a medium's bytes, which count as used now.

        Raises:
            BadMedia: the bytes are gone.
        """
        path = self.blob(media.digest)
        try:
            if time.time() - path.stat().st_mtime > _MARKED:
                os.utime(path)
        except FileNotFoundError as problem:
            raise _gone(media) from problem
        return path

    @contextmanager
    def holding(self, media: Media) -> Iterator[Path]:
        """The file that holds a medium's bytes; no process collects it as long as this lasts.

        Raises:
            BadMedia: the bytes are gone.
        """
        with ExitStack() as held:
            path = self.path(media)
            try:
                held.enter_context(shared(path))
            except FileNotFoundError as problem:
                raise _gone(media) from problem
            yield path

    # Observations

    def put(self, observations: Sequence[Observation]) -> tuple[str, ...]:
        """Keeps observations and gives their ids, in order."""
        self.index.write(_PUT, [_row(observation) for observation in observations])
        return tuple(o.id for o in observations)

    def get(self, ids: Sequence[str]) -> tuple[Observation, ...]:
        """The observations with these ids, in their order.

        Raises:
            KeyError: one of them is not in the store.
        """
        found = self._found(ids)
        return tuple(found[key] for key in ids)

    def find(self, ids: Sequence[str]) -> tuple[Observation, ...]:
        """As `get`, without those that are not in the store."""
        found = self._found(ids)
        return tuple(found[key] for key in ids if key in found)

    def _found(self, ids: Sequence[str]) -> dict[str, Observation]:
        rows = self.index.read(
            "SELECT id, content FROM observation WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {key: Observation.model_validate_json(content) for key, content in rows}

    # Encodings

    def encoding(self, key: str) -> tuple[Observation, ...] | None:
        """What an encoder observed under this cache key; None when it has not run, or that can no longer be read."""
        rows = self.index.read("SELECT observations FROM encoding WHERE key = ?", (key,))
        try:
            return self.get(json.loads(rows[0][0])) if rows else None
        except (KeyError, ValueError):
            return None

    def put_encoding(self, key: str, media: Media, observations: Sequence[Observation]) -> None:
        """Remembers that the encoder behind `key` observed exactly these; all of it is kept, or nothing."""
        rows = [_row(observation) for observation in observations]
        ids = json.dumps([observation.id for observation in observations])
        with self.index.transaction() as connection:
            connection.executemany(_PUT, rows)
            connection.execute("INSERT OR REPLACE INTO encoding VALUES (?, ?, ?)", (key, media.id, ids))


_PUT = "INSERT OR IGNORE INTO observation VALUES (?, ?, ?)"


def _gone(media: Media) -> BadMedia:
    return BadMedia(media.name, "its bytes are no longer in the store.", cure="Pass the file again.")


def _row(observation: Observation) -> tuple[str, str, str]:
    return observation.id, observation.provenance.media, observation.model_dump_json()
