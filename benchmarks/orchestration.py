"""What holding a debate costs beside the model: ours against plain asyncio and raw LangGraph, interleaved in one run.

Three experts, three rounds, a judge: ten calls, four of them one after the other, to a server of fixed latency in a
process of its own. The record is given (`platforms.toml`; its encodings lie in the cache); every reply has about 120
tokens. Ours is the ready graph whole: perception from the cache, events, the check of every citation, retries, books,
verdict. The answer comes whole, as with `ask`, but in the row that streams it, which raw LangGraph's does not.
Pictures and sounds, which an answer shows, are not in it. Function calls are those of all threads; unlike
seconds, they do not depend on how busy the machine is.
Run: python benchmarks/orchestration.py [wall] [cost] [load] [memory] [prefix]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import machine
import rivals
from consilience.graphs import DebateGraph, Exchange, Finished, Panel, Protocol, Workbench, debate
from consilience.tools import Excerpt, Runner, encoder
from rivals import Peer

from consilience import Expert, Settings
from consilience.models import ModelLike
from consilience.observations import Media, Modality, Observation, Record
from consilience.testing import ServerApart

DATA = tomllib.loads((Path(__file__).parent / "platforms.toml").read_text(encoding="utf-8"))
SOURCES = {modality: DATA[modality] for modality in get_args(Modality) if modality in DATA}
CALLS, DEPTH = 10, 4
THREE_ROUNDS = Protocol("three rounds", exchange=Exchange(rounds=2, stops=()), rule="judge")
QUOTED = 110
KINDS: dict[str, str] = {"text": "text", "document": "passage", "table": "row"}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the server says; a function of the module, so that it can go to the server's process."""
    form = request["response_format"]["json_schema"]["schema"]["properties"]
    lines = [line for line in str(request["messages"][-1]["content"]).splitlines() if line.startswith("[")]
    cited = []
    for line in lines[:2]:
        label, _, said = line[1:].partition("] ")
        cited.append({"label": label, "quote": said.partition(": ")[2][:QUOTED].rpartition(" ")[0]})
    claims = [{"text": DATA["claim"], **citation} for citation in cited]
    filled = {"evidence": cited, "claims": claims, "stated": "fully", "answer": DATA["answer"]}
    return {name: filled.get(name, []) for name in form}


def unlike(request: dict[str, Any]) -> dict[str, Any]:
    """The same, but that no two answers of a debate are alike: each has the words in an order of its own."""
    filled = answer(request)
    words = filled["answer"].split()
    random.Random(str(request["messages"])).shuffle(words)
    return filled | {"answer": " ".join(words)}


def _lines(excerpt: Excerpt) -> Iterator[Observation]:
    """The lines of the medium."""
    for line in excerpt.text().splitlines():
        kind = KINDS[excerpt.media.modality]
        value = {"cells": {"all": line}} if kind == "row" else {"text": line}
        yield excerpt.observe(kind, value, line)


class Room:
    """A store with the record in it, and whoever debates over it at a server.

    Its lines are cut to so many `characters`.
    """

    def __init__(
        self, folder: Path, base_url: str, *, model: ModelLike | None = None, characters: int | None = None
    ) -> None:
        # The measure is our cost: no queue in front of the server.
        settings = Settings(cache_dir=folder, concurrency=10_000)
        self.bench = Workbench(model=model or f"{base_url}#m", settings=settings)
        self._characters = characters
        readers = [
            encoder(modality=m, kinds=[kind], version="1", name=f"{m}.lines")(_lines) for m, kind in KINDS.items()
        ]
        self.bench.runner = Runner(self.bench.store, readers, settings=settings)
        self.media = [self._taken_in(modality) for modality in SOURCES]
        self.base_url = base_url

    def _taken_in(self, modality: Modality) -> Media:
        source = SOURCES[modality]
        content = "\n".join(line[: self._characters] for line in source["lines"]).encode()
        digest = self.bench.store.put_bytes(content)
        return Media(
            id=f"sha256:{digest}", mime=source["mime"], modality=modality, name=source["name"], size=len(content)
        )

    def graph(self, protocol: Protocol, *, whole_record: bool = False, aloud: bool = False) -> tuple[DebateGraph, Any]:
        """The ready graph, and what to put in."""
        experts = [Expert(m, Expert.for_modality(m).role, view=None if whole_record else (m,)) for m in SOURCES]
        graph = debate(self.bench, Panel(experts=tuple(experts)), protocol=protocol, aloud=aloud)
        return graph, {"question": DATA["question"], "media": self.media}

    def ours(self, *, whole_record: bool = False, aloud: bool = False, protocol: Protocol = THREE_ROUNDS) -> Peer:
        """Every seat over its own modality, or over the whole record as the rivals' experts are; `aloud`: streamed."""
        graph, state = self.graph(protocol, whole_record=whole_record, aloud=aloud)

        async def hold() -> str:
            events = [event async for event in graph.astream(state, stream_mode="custom")]
            end = events[-1]
            if not isinstance(end, Finished) or end.verdict.status != "complete":
                raise SystemExit(f"The debate did not end well: {end}")
            return end.verdict.answer

        return Peer(hold, self.bench.close)

    async def peers(self) -> dict[str, Peer]:
        """Who is compared."""
        found = [encoding async for encoding in self.bench.runner.perceive(self.media)]
        found.sort(key=lambda encoding: encoding.rank)
        rendering = Record(self.media, [o for encoding in found for o in encoding.observations]).render()
        about = rivals.Topic(DATA["question"], rendering.text, rendering.labels)
        return {
            "plain asyncio + openai": rivals.plain(self.base_url, about),
            "LangGraph + ChatOpenAI": rivals.langgraph(self.base_url, about),
            "the same on aiohttp": rivals.langgraph(self.base_url, about, on_aiohttp=True),
            "ours": self.ours(),
            "ours, whole record": self.ours(whole_record=True),
            "ours, answer streamed": self.ours(aloud=True),
        }

    async def exchanged(self) -> dict[str, Peer]:
        """Ours by other ways to exchange. Calls deep, not four: in turn eight; staggered six, where nothing streams."""
        ways = {
            "digests": Exchange(rounds=2, stops=(), digests=True),
            "staggered": Exchange(rounds=2, stops=(), order="staggered"),
            "staggered, digests": Exchange(rounds=2, stops=(), order="staggered", digests=True),
            "in turn": Exchange(rounds=2, stops=(), order="in_turn"),
        }
        return {
            f"ours, {name}": self.ours(protocol=Protocol(name, exchange=exchange, rule="judge"))
            for name, exchange in ways.items()
        }


BASE = "LangGraph + ChatOpenAI"


def told(rows: dict[str, list[float]], unit: str, form: str = ",.0f") -> None:
    """A line a peer: the median of its runs, and the median of the ratios to raw LangGraph's run of the same round."""
    for name, values in rows.items():
        ratio = statistics.median(value / base for value, base in zip(values, rows[BASE], strict=True))
        print(f"  {name:26}{statistics.median(values):12{form}} {unit}{ratio:9.2f} x", flush=True)


async def seconds_for(peer: Peer, times: int = 1, at_once: int = 1) -> float:
    """How long so many debates take."""
    left = iter(range(times))

    async def one_after_another() -> None:
        for _ in left:
            await peer.debate()

    start = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return time.perf_counter() - start


async def wall(peers: dict[str, Peer], latency: float, repeats: int) -> None:
    """Seconds for one debate."""
    rows: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(repeats):
        for name, peer in peers.items():
            rows[name].append(await seconds_for(peer) / (DEPTH * latency))
    print(f"Wall time at {latency * 1e3:.0f} ms a call, in critical paths of {DEPTH * latency:g} s")
    told(rows, "paths", ".3f")


async def cost(peers: dict[str, Peer], calls: machine.FunctionCalls, repeats: int) -> None:
    """Function calls and processor time for one debate."""
    counted = {name: [float(await calls.made_by(peer.debate, times=3))] for name, peer in peers.items()}
    calls.stop()
    rows: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(repeats):
        for name, peer in peers.items():
            start = time.process_time()
            await seconds_for(peer, 5)
            rows[name].append((time.process_time() - start) / 5 * 1e3)
    print("Function calls a debate")
    told(counted, "calls")
    print("Processor time a debate, at 0 ms a call")
    told(rows, "ms", ".1f")


async def load(peers: dict[str, Peer], repeats: int) -> None:
    """Debates a second, the numbers at once interleaved, and the garbage collector's part of the processor's time."""
    many = (16, 64, 256)
    rates: dict[int, dict[str, list[float]]] = {at_once: {name: [] for name in peers} for at_once in many}
    spent: dict[int, dict[str, list[tuple[float, float]]]] = {at: {name: [] for name in peers} for at in many}
    for _ in range(repeats):
        for at_once in many:
            for name, peer in peers.items():
                debates = max(at_once, 128)
                with machine.Collections() as collections:
                    start = time.process_time()
                    rates[at_once][name].append(debates / await seconds_for(peer, debates, at_once))
                    cpu = time.process_time() - start
                spent[at_once][name].append((cpu / debates * 1e3, collections.seconds / debates * 1e3))
    for at_once, rows in rates.items():
        print(f"Debates a second, {at_once} at once, 20 ms a call")
        told(rows, "/s", ".1f")
    print("Processor time a debate, ms, of it in the garbage collector; debates a second, to those of 16 at once")
    for at_once in many:
        for name in peers:
            cpu, collected = (statistics.median(column) for column in zip(*spent[at_once][name], strict=True))
            pairs = zip(rates[at_once][name], rates[many[0]][name], strict=True)
            ratio = statistics.median(rate / of_16 for rate, of_16 in pairs)
            print(f"  {at_once:4} {name:26}{cpu:8.1f}{collected:8.1f}{ratio:8.2f} x", flush=True)


async def memory(peers: dict[str, Peer], debates: int) -> None:
    """Resident memory over many debates of ours."""
    print("Resident memory, ours, 64 debates at once")
    sizes = []
    for done in range(0, debates + 1, debates // 8):
        sizes.append((done, machine.memory()))
        print(f"  after {done:6,} debates: {sizes[-1][1]:7.1f} MiB", flush=True)
        if done < debates:
            await seconds_for(peers["ours"], debates // 8, 64)
    later = sizes[len(sizes) // 2 :]
    slope = statistics.linear_regression(*zip(*later, strict=True)).slope
    print(f"  slope over the second half: {slope * 1000:+.2f} MiB a thousand debates")


def prefix(folder: Path) -> None:
    """Prompt tokens that no earlier request of the debate carried as a prefix."""
    print("Prompt tokens of one debate; not carried before by a request (seen), by one that was being answered (ready)")
    names = ["plain asyncio + openai", BASE, "ours", "ours, whole record", "ours, digests", "ours, staggered"]
    rows = [(name, answer) for name in (*names, "ours, staggered, digests", "ours, in turn")]
    rows += [(name, unlike) for name in ("ours", "ours, digests", "ours, staggered, digests")]
    for name, replies in rows:
        # A server each, so that no debate finds what another has warmed.
        with ServerApart(replies=replies, latency=0.05) as server:

            async def once(name: str = name, url: str = server.base_url) -> None:
                room = Room(folder, url)
                peers = await room.peers() | await room.exchanged()
                await peers[name].debate()
                await closed(peers)

            asyncio.run(once())
            served = server.told()
        read = served.prompt
        told = name if replies is answer else f"{name}; no answers alike"
        print(
            f"  {told:44}{served.calls:4} calls{read.tokens:8,} tokens{read.tokens - read.cached:8,} seen"
            f"{read.tokens - read.ready:8,} ready",
            flush=True,
        )


async def closed(peers: dict[str, Peer]) -> None:
    for peer in peers.values():
        await peer.close()


async def at_latency(folder: Path, latency: float, only: list[str], stage: Callable[[dict[str, Peer]], Any]) -> None:
    """A stage with a server of its own."""
    with ServerApart(replies=answer, latency=latency) as server:
        peers = await Room(folder, server.base_url).peers()
        if only:
            peers = {name: peer for name, peer in peers.items() if name in (BASE, "ours", *only)}
        for peer in peers.values():
            await peer.debate()
        before = server.told().calls
        await peers["ours"].debate()
        if (made := server.told().calls - before) != CALLS:
            raise SystemExit(f"Ours makes {made} calls, not {CALLS}.")
        await stage(peers)
        await closed(peers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", default=["prefix", "cost", "wall", "load", "memory"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers", nargs="*", default=[], help="only these, beside raw LangGraph and ours")
    parser.add_argument("--collect-every", type=int, help="new objects: the garbage collector's first threshold")
    parser.add_argument("--debates", type=int, default=2000, help="of the stage memory")
    asked = parser.parse_args()
    if asked.collect_every:
        gc.set_threshold(asked.collect_every, 20, 50)
    print(f"Machine: {machine.describe()}")
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        for stage in asked.stages:
            match stage:
                case "prefix":
                    prefix(folder)
                case "cost":
                    with machine.FunctionCalls() as calls:
                        asyncio.run(at_latency(folder, 0, asked.peers, lambda peers: cost(peers, calls, asked.repeats)))
                case "wall":
                    asyncio.run(at_latency(folder, 0.2, asked.peers, lambda peers: wall(peers, 0.2, asked.repeats)))
                case "load":
                    asyncio.run(at_latency(folder, 0.02, asked.peers, lambda peers: load(peers, min(asked.repeats, 3))))
                case "memory":
                    asyncio.run(at_latency(folder, 0, asked.peers, lambda peers: memory(peers, asked.debates)))
                case _:
                    parser.error(f"there is no stage {stage}")


if __name__ == "__main__":
    main()
