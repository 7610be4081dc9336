"""One debate on the embedded model: one slot and a growing prefix, against the same calls role first in three slots.

Three experts, each over its own modality; one exchange; a judge. Ours is the ready graph on a server of one slot, where
calls go one after the other. The other side makes the very same calls, as they were recorded, word for word the same
prompts and schemas, but with the instruction, which begins with the role, in front and what all read in common behind
it, three calls at a time on a server of three slots: as such debates are written without thinking of the cache. Each
debate has a server of its own that has read nothing before. Seconds depend on who else is at work on the machine;
processor seconds of the server less so.
Run: python benchmarks/embedded.py [--pairs 3]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import machine
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from orchestration import Room

from consilience import Exchange, Protocol, Settings
from consilience.core.weights import WeightsStore
from consilience.models import Endpoint, Reply, Usage, resolve
from consilience.models.resolve import DEFAULT_EMBEDDED

CONTEXT, CHARACTERS = 8192, 100
ONE_EXCHANGE = Protocol("one exchange", exchange=Exchange(stops=()), rule="judge")
STAGES = ("Look only at the evidence above", "You are seat", "")


@dataclass
class Run:
    """What a debate took."""

    seconds: float = 0.0
    cpu: float = 0.0
    usage: Usage = field(default_factory=Usage)
    said: str = ""

    def told(self) -> str:
        """One line."""
        used = self.usage
        read = f"{used.prompt_tokens:,} prompt tokens, {used.cached_tokens:,} cached"
        return f"{self.seconds:6.1f} s{self.cpu:7.1f} CPU s, {used.calls} calls, {read}, {used.completion_tokens} made"


@dataclass
class Asked:
    """A call as it was made."""

    messages: Sequence[BaseMessage]
    options: dict[str, Any]

    def role_first(self) -> list[BaseMessage]:
        """The same words: the instruction in front, what all read in common at the end."""
        rules, read = self.messages[0].text, self.messages[-1].text
        shared, _, instruction = read.rpartition("\n\n")
        asked, _, role = instruction.rpartition("\n")
        front = f"{role}\n{asked}" if role.startswith("You are") or "You are seat" in role else instruction
        return [SystemMessage(f"{front}\n{rules}"), HumanMessage(shared or instruction)]


def noting(endpoint: Endpoint) -> list[Asked]:
    """The list into which every call that `endpoint` is asked for will go."""
    calls: list[Asked] = []
    complete = endpoint.complete

    async def noted(messages: Sequence[BaseMessage], **options: Any) -> Reply:
        calls.append(Asked(messages, {name: options.get(name) for name in ("schema", "sampling")}))
        return await complete(messages, **options)

    endpoint.complete = noted  # type: ignore[method-assign]
    return calls


async def ours(base_url: str) -> tuple[Run, list[Asked]]:
    """The debate, and its calls."""
    endpoint = served(base_url, at_once=1)
    calls = noting(endpoint)
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder), base_url, model=endpoint, characters=CHARACTERS)
        graph, state = room.graph(ONE_EXCHANGE)
        start = time.perf_counter()
        verdict = (await graph.ainvoke(state))["verdict"]
        run = Run(time.perf_counter() - start, usage=verdict.usage, said=f"{verdict.answer} ({verdict.status})")
        await room.bench.close()
    return run, calls


async def role_first(base_url: str, calls: Sequence[Asked]) -> Run:
    """The same calls, the role in front: each stage of the debate at once, the judge's one after the other."""
    endpoint = served(base_url, at_once=3)
    left, run, start = list(calls), Run(), time.perf_counter()
    for stage in STAGES:
        now = [call for call in left if stage in call.messages[-1].text]
        left = [call for call in left if call not in now]
        steps = [now] if stage else [[call] for call in now]
        for step in steps:
            replies = await asyncio.gather(*(endpoint.complete(call.role_first(), **call.options) for call in step))
            run.usage = sum((reply.usage for reply in replies), run.usage)
    run.seconds = time.perf_counter() - start
    await endpoint.close()
    return run


def served(base_url: str, at_once: int) -> Endpoint:
    """The embedded model at a server of ours, asked as the ready one is."""
    settings = Settings(concurrency=at_once, retries=0, request_seconds=1200)
    endpoint = resolve(f"{base_url}#{DEFAULT_EMBEDDED}", settings)
    endpoint.tells_alternatives = True
    return endpoint


@contextmanager
def server(model: str, slots: int, threads: int) -> Iterator[tuple[str, int]]:
    """Base URL and process of a server that has read nothing yet."""
    weights = next(WeightsStore(Settings()).pull(model).glob("*.gguf"))
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, str(weights), slots, threads), daemon=True)
    process.start()
    try:
        base_url = here.recv()
        yield base_url, process.pid or 0
    finally:
        process.kill()
        process.join()


def serve(pipe: Connection, weights: str, slots: int, threads: int) -> None:
    """Serves in this process until it is killed."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.n_ctx, parameters.n_parallel = CONTEXT, slots
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.n_gpu_layers, parameters.port = 0, 0
    listening = xllamacpp.Server(parameters)
    pipe.send(f"{listening.listening_address}/v1")
    signal.pause()


def cpu_seconds(pid: int) -> float:
    """That a process has used so far."""
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


async def warmed(base_url: str) -> None:
    """The weights are in memory after this; the cache holds nothing of a debate."""
    endpoint = served(base_url, at_once=1)
    await endpoint.complete([HumanMessage("Say yes.")])
    await endpoint.close()


def main() -> None:
    """Measures and prints."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--model", default=DEFAULT_EMBEDDED, help="of the packaged weights")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    print(f"Machine: {machine.describe()}", flush=True)
    ratios = []
    for _ in range(asked.pairs):
        with server(asked.model, 1, asked.threads) as (base_url, pid):
            asyncio.run(warmed(base_url))
            before = cpu_seconds(pid)
            own, calls = asyncio.run(ours(base_url))
            own.cpu = cpu_seconds(pid) - before
        print(f"  ours, one slot            {own.told()}\n    {own.said}", flush=True)
        with server(asked.model, 3, asked.threads) as (base_url, pid):
            asyncio.run(warmed(base_url))
            before = cpu_seconds(pid)
            other = asyncio.run(role_first(base_url, calls))
            other.cpu = cpu_seconds(pid) - before
        print(f"  role first, three slots   {other.told()}", flush=True)
        ratios.append((other.seconds / own.seconds, other.cpu / own.cpu))
        print(f"  ours is {ratios[-1][0]:.2f} x as fast, in processor time {ratios[-1][1]:.2f} x", flush=True)
    wall, cpu = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"Median of {asked.pairs}: {wall:.2f} x, processor time {cpu:.2f} x")


if __name__ == "__main__":
    main()
