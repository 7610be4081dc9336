"""What keeping a debate costs: memory, SQLite and PostgreSQL beside no checkpointer at all, interleaved in one run.

The debate is that of `orchestration.py`: three experts, three rounds, a judge, ten calls to a server in a process of
its own. Kept are every step of the graph (LangGraph's checkpoints) and every model call, before and after it (the
journal); the rows "without journal" run the bare graph and keep the steps alone. SQLite is in WAL mode with
synchronous=NORMAL, as `consilience.graphs.checkpointer` opens it; PostgreSQL is one of its own with fsync and
synchronous commit on, over a Unix socket. Processor time is that of this process: the database's and the model
server's own are not in it.
`bytes`: a thread of ten questions over one picture of a megabyte, three experts each, encoders and all.
Run: python benchmarks/durability.py [cost] [wall] [bytes]
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import numpy
import psycopg
from consilience.graphs import Panel, checkpointer, debate
from orchestration import DATA, SOURCES, THREE_ROUNDS, Room, answer
from PIL import Image, ImageDraw, ImageFont

from consilience import Expert, Settings, aask
from consilience.testing import PostgresServer, ServerApart, witness

NONE = "no checkpointer"
SIDE = 640
"""Pixels of the picture's sides: noise in colour, which no codec makes smaller than about a megabyte."""
QUESTIONS = 10
JOURNAL = "consilience-journal"
"""Namespace of the journal among the checkpoints."""
SEATS = (Expert("reader", "a reader of signs"), Expert("sceptic", "a sceptic"), Expert("planner", "a planner"))


@dataclass(frozen=True)
class Peer:
    """One way of keeping a debate, or not."""

    hold: Callable[[], Awaitable[Any]]


@asynccontextmanager
async def peers(room: Room, folder: Path, postgres: str) -> AsyncIterator[dict[str, Peer]]:
    """Who is compared."""
    panel = Panel(experts=tuple(Expert(m, Expert.for_modality(m).role, view=(m,)) for m in SOURCES))
    places = {"memory": "memory", "SQLite": f"sqlite:///{folder / 'cost.sqlite'}", "PostgreSQL": postgres}

    def peer(saver: Any = None, *, journal: bool = True) -> Peer:
        graph = debate(room.bench, panel, protocol=THREE_ROUNDS, checkpointer=saver, aloud=False)
        state: Any = {"question": DATA["question"], "media": room.media}

        async def hold() -> None:
            if saver and not journal:
                verdict = (await graph.ainvoke(state, {"configurable": {"thread_id": uuid.uuid4().hex}}))["verdict"]
            else:
                kept: Any = {"thread": uuid.uuid4().hex} if saver else {}
                settings = room.bench.settings
                verdict = await aask(DATA["question"], room.media, graph=graph, settings=settings, **kept)
            if verdict.status != "complete":
                raise SystemExit(f"The debate did not end well: {verdict.stop_reason}")

        return Peer(hold)

    async with AsyncExitStack() as stack:
        savers = {name: await stack.enter_async_context(checkpointer(url)) for name, url in places.items()}
        kept = {name: peer(saver) for name, saver in savers.items()}
        bare = {f"{name}, without journal": peer(savers[name], journal=False) for name in ("SQLite", "PostgreSQL")}
        yield {NONE: peer(), **kept, **bare}


def told(rows: dict[str, list[float]], unit: str, form: str) -> None:
    """A line a peer: the median of its runs, and the median of the ratios to the run of the same round without any."""
    for name, values in rows.items():
        ratio = statistics.median(value / base for value, base in zip(values, rows[NONE], strict=True))
        more = statistics.median(value - base for value, base in zip(values, rows[NONE], strict=True))
        print(
            f"  {name:28}{statistics.median(values):10{form}} {unit}{ratio:8.3f} x{more:+10{form}} {unit}", flush=True
        )


async def measured(
    found: dict[str, Peer], repeats: int, times: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds and processor seconds of a debate, by peer."""
    wall: dict[str, list[float]] = {name: [] for name in found}
    busy: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(repeats):
        for name, peer in found.items():
            start, worked = time.perf_counter(), time.process_time()
            for _ in range(times):
                await peer.hold()
            wall[name].append((time.perf_counter() - start) / times)
            busy[name].append((time.process_time() - worked) / times)
    return wall, busy


async def cost(folder: Path, postgres: str, latency: float, repeats: int, times: int) -> None:
    """What a debate takes at a server of this latency."""
    with ServerApart(replies=answer, latency=latency) as server:
        room = Room(folder, server.base_url)
        async with peers(room, folder, postgres) as found:
            for peer in found.values():
                await peer.hold()
            wall, busy = await measured(found, repeats, times)
        await room.bench.close()
    print(f"Seconds a debate, {latency * 1e3:.0f} ms a call")
    told({name: [second * 1e3 for second in values] for name, values in wall.items()}, "ms", ".1f")
    print(f"Processor time a debate, {latency * 1e3:.0f} ms a call")
    told({name: [second * 1e3 for second in values] for name, values in busy.items()}, "ms", ".1f")


def draw(path: Path) -> None:
    """A sign in front of noise."""
    noise = numpy.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=numpy.uint8)
    picture = Image.fromarray(noise)
    brush = ImageDraw.Draw(picture)
    brush.rectangle((20, 20, SIDE - 20, 150), fill="white")
    brush.text((40, 60), "Platform 4 closes at 8 pm", fill="black", font=ImageFont.load_default(40))
    picture.save(path)


async def sizes(folder: Path, postgres: str) -> None:
    """What ten questions over one picture leave in the database."""
    picture = folder / "sign.png"
    draw(picture)
    print(
        f"Kept of {QUESTIONS} questions over a picture of {picture.stat().st_size / 1e6:.2f} MB, {len(SEATS)} experts"
    )
    file = folder / "bytes.sqlite"
    with ServerApart(replies=witness) as server:
        for url in (f"sqlite:///{file}", postgres):
            options: Any = {"model": server.base_url, "settings": Settings(cache_dir=folder), "experts": SEATS}
            for number in range(QUESTIONS):
                media = [picture] if number == 0 else []
                asked = f"Question {number + 1}: which platform closes, and when?"
                verdict = await aask(asked, media, thread="bytes", checkpointer=url, **options)
                if verdict.status != "complete":
                    raise SystemExit(f"The debate did not end well: {verdict.stop_reason}")
    print(f"  {'SQLite':14}{_in_sqlite(file)}")
    print(f"  {'PostgreSQL':14}{_in_postgresql(postgres)}")


def _in_sqlite(file: Path) -> str:
    with sqlite3.connect(file) as database:
        steps, count = database.execute(
            "SELECT sum(length(checkpoint) + length(metadata)), count(*) FROM checkpoints"
        ).fetchone()
        writes, journal = (
            database.execute(
                f"SELECT sum(length(value)) FROM writes WHERE checkpoint_ns {sign} '{JOURNAL}'"
            ).fetchone()[0]
            for sign in ("<>", "=")
        )
    database.close()
    return _told(steps + writes, journal, count, file.stat().st_size, "file")


def _in_postgresql(url: str) -> str:
    with psycopg.connect(url) as database:

        def one(query: str) -> Any:
            return database.execute(query).fetchone() or ()

        steps, count = one("SELECT sum(octet_length(checkpoint::text || metadata::text)), count(*) FROM checkpoints")
        (values,) = one("SELECT sum(octet_length(blob)) FROM checkpoint_blobs")
        writes, journal = (
            one(f"SELECT sum(octet_length(blob)) FROM checkpoint_writes WHERE checkpoint_ns {sign} '{JOURNAL}'")[0]
            for sign in ("<>", "=")
        )
        (disk,) = one(
            "SELECT sum(pg_total_relation_size(name::regclass)) "
            "FROM unnest(ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes']) AS name"
        )
    return _told(int(steps) + int(values) + int(writes), int(journal), count, int(disk), "tables with indexes")


def _told(graph: int, journal: int, count: int, disk: int, what: str) -> str:
    parts = f"{(graph + journal) / 1e6:6.2f} MB: {count} checkpoints with their writes {graph / 1e6:.2f} MB"
    return f"{parts}, journal {journal / 1e6:.2f} MB; {what} {disk / 1e6:.2f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", default=["cost", "wall", "bytes"])
    parser.add_argument("--repeats", type=int, default=15)
    asked = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        (folder / "weights").symlink_to(Settings().weights_dir)
        for stage in asked.stages:
            # A database each: the bytes are those of one thread.
            with PostgresServer(durable=True) as postgres:
                match stage:
                    case "cost":
                        asyncio.run(cost(folder, postgres.url, 0, asked.repeats, 5))
                    case "wall":
                        asyncio.run(cost(folder, postgres.url, 0.2, max(asked.repeats // 3, 1), 1))
                    case "bytes":
                        asyncio.run(sizes(folder, postgres.url))
                    case _:
                        parser.error(f"there is no stage {stage}")


if __name__ == "__main__":
    main()
