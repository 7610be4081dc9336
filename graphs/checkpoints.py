"""Where a run is kept so that it can be resumed: in memory, in an SQLite file, or in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args, get_type_hints

from consilience.graphs.state import DebateState
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from consilience.core.errors import BadConfiguration, MissingExtra
from consilience.core.locks import exclusive

__all__ = ["checkpointer", "in_memory"]

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgres://")
_SETTING_UP = 0x636F6E73
"""Key of the advisory lock under which one process at a time makes the tables."""


@asynccontextmanager
async def checkpointer(url: str, *, types: Iterable[type] = ()) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """A LangGraph checkpointer, open for as long as the block lasts; several debates at once may share it.

    It reads back the types of `DebateState` and those named, and nothing else: what stands in a database can make no
    other object. There is no pickle.

    Args:
        url: `memory`; `sqlite:///runs.sqlite` (`sqlite:////absolute/path`); or `postgresql://user@host/database`, whose
            tables are made where they are missing.
        types: that a state of your own holds beyond those of `DebateState`.

    Raises:
        BadConfiguration: the URL is none of these, or nothing can be opened there.
        MissingExtra: the database's package is not installed.
    """
    serde = _serializer(types)
    if url == "memory":
        yield in_memory(types=types)
    elif url.startswith(_SQLITE):
        async with _sqlite(Path(url.removeprefix(_SQLITE)), serde) as saver:
            yield saver
    elif url.startswith(_POSTGRESQL):
        async with _postgresql(url, serde) as saver:
            yield saver
    else:
        raise BadConfiguration(
            f"No checkpoints can be kept at {url.partition('@')[2] or url!r}.",
            cure="Use memory, sqlite:///file or postgresql://user@host/database.",
        )


def in_memory(*, types: Iterable[type] = ()) -> InMemorySaver:
    """A checkpointer that lasts as long as the object; see `checkpointer`."""
    return InMemorySaver(serde=_serializer(types))


def _serializer(types: Iterable[type]) -> JsonPlusSerializer:
    return JsonPlusSerializer(allowed_msgpack_modules=[*_types_of(DebateState), *types])


@asynccontextmanager
async def _sqlite(path: Path, serde: JsonPlusSerializer) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    try:
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    except ImportError as problem:
        raise MissingExtra("langgraph-checkpoint-sqlite", "durable", "Keeping checkpoints in SQLite") from problem
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        connection = await aiosqlite.connect(path, timeout=30)
    except (OSError, aiosqlite.Error) as problem:
        raise BadConfiguration(
            f"The checkpoint file {path} cannot be opened: {problem}.", cure="Name a file in a folder of yours."
        ) from problem
    try:
        saver = AsyncSqliteSaver(connection, serde=serde)
        await _set_up(saver, path)
        # In WAL mode that outlives a killed process; a power cut may take the last steps, never the file.
        await connection.execute("PRAGMA synchronous=NORMAL")
        yield saver
    finally:
        await connection.close()


async def _set_up(saver: Any, path: Path) -> None:
    """Makes the tables. SQLite does not wait its turn to enter WAL mode: of several processes, some would fail."""
    lock = exclusive(path.with_name(f"{path.name}.lock"))
    await asyncio.to_thread(lock.__enter__)
    try:
        await saver.setup()
    finally:
        lock.__exit__(None, None, None)


@asynccontextmanager
async def _postgresql(url: str, serde: JsonPlusSerializer) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    try:
        import psycopg
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from psycopg.rows import dict_row
        from psycopg_pool import AsyncConnectionPool
    except ImportError as problem:
        raise MissingExtra("langgraph-checkpoint-postgres", "durable", "Keeping checkpoints in PostgreSQL") from problem
    how: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    try:
        alone = await psycopg.AsyncConnection.connect(url, **how)
    except psycopg.Error as problem:
        raise BadConfiguration(
            f"The checkpoint database cannot be reached: {problem}", cure="Is it running, and the URL right?"
        ) from problem
    async with alone:
        # Tried again and again, not waited for: an index is made that waits for every statement in flight.
        while not await _locked(alone):  # noqa: ASYNC110 (another process has it)
            await asyncio.sleep(0.05)
        await AsyncPostgresSaver(alone, serde=serde).setup()
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(url, kwargs=how, min_size=1, max_size=8, open=False)
    async with pool:
        yield AsyncPostgresSaver(pool, serde=serde)


async def _locked(connection: Any) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s) AS held", (_SETTING_UP,))
    return bool((await cursor.fetchone())["held"])


def _types_of(state: type) -> set[type]:
    """The pydantic types that the fields of a state name, those within their own fields too."""
    found: set[type] = set()
    open_ = list(get_type_hints(state).values())
    while open_:
        hint = open_.pop()
        open_.extend(get_args(hint))
        if isinstance(hint, type) and issubclass(hint, BaseModel) and hint not in found:
            found.add(hint)
            open_.extend(_fields(hint))
    return found


def _fields(model: type[BaseModel]) -> Iterator[Any]:
    return (field.annotation for field in model.model_fields.values())
