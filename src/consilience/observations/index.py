"""The SQLite index of a store: what is known by which id. Threads and processes share it in WAL mode."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from consilience.core.errors import RunError
from consilience.core.locks import exclusive

__all__ = ["Index"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS media (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrival (media TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS arrival_goes AFTER DELETE ON media
    BEGIN DELETE FROM arrival WHERE media = OLD.id; END;
CREATE TABLE IF NOT EXISTS observation (id TEXT PRIMARY KEY, media TEXT NOT NULL, content TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS observation_media ON observation (media);
CREATE INDEX IF NOT EXISTS observation_kind ON observation (json_extract(content, '$.kind'));
CREATE TABLE IF NOT EXISTS encoding (key TEXT PRIMARY KEY, media TEXT NOT NULL, observations TEXT NOT NULL)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS encoding_media ON encoding (media);
CREATE TABLE IF NOT EXISTS rendering (blob TEXT, media TEXT, PRIMARY KEY (blob, media)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vector
    (observation TEXT, model TEXT, content BLOB NOT NULL, PRIMARY KEY (observation, model)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS vector_goes AFTER DELETE ON observation
    BEGIN DELETE FROM vector WHERE observation = OLD.id; END;
"""


class Index:
    """Tables `media`, `arrival`, `observation`, `encoding`, `rendering` and `vector`.

    An arrival is when a medium was last taken in or imported, seconds since the epoch; a rendering, which blob was made
    out of which medium; a vector stands for an observation's text. Arrivals and vectors go with what they belong to.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        # SQLite does not wait its turn to enter WAL mode: of several processes that open a new store, some would fail.
        with exclusive(path.with_suffix(".lock")):
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            # Deleted rows are overwritten with zeros.
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Lets the file go."""
        with self._lock:
            self._connection.close()

    def read(self, statement: str, values: Sequence[str] = ()) -> list[tuple[str, ...]]:
        """All rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def write(self, statement: str, rows: Sequence[tuple[str, ...]]) -> None:
        """Runs the statement for each row, all or none."""
        with self.transaction() as connection:
            connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done inside is kept, or, when it raises, none of it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def shrink(self) -> None:
        """Gives the room of what was deleted back to the disk, unless another process is at the file just now."""
        with self._lock, suppress(sqlite3.OperationalError):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def shred(self) -> None:
        """Sees to it that nothing that was deleted can be read out of the files any more.

        Raises:
            RunError: another process did not let go of the old state within half a minute.
        """
        with self._lock:
            (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise RunError(
                "Another process is reading the store: what was deleted is not yet overwritten.", cure="Try again."
            )

    def damage(self) -> str | None:
        """What SQLite finds wrong with the file; None when nothing is."""
        told = "; ".join(str(row[0]) for row in self.read("PRAGMA integrity_check"))
        return None if told == "ok" else told
