"""What a model call costs on the client's side: our endpoint against the bare ChatOpenAI, in one run.

Every call goes to a server of fixed latency in a process of its own, with the same prompt and, but for the rows `plain
text`, the same output schema. Calls a second: median of the rounds, interleaved. Function calls: those of the calling
thread, by `sys.setprofile`, one call after the other. Run: python benchmarks/clients.py [--rounds 3] [--calls 400]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import openai
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from consilience.core.settings import Settings
from consilience.models import Budget, Ledger, Meter, resolve
from consilience.testing import ServerApart

PROMPT = [SystemMessage("You examine evidence. " * 20), HumanMessage("Which platform? " * 120)]
SCHEMA = {
    "title": "sign",
    "type": "object",
    "properties": {"platform": {"type": "integer"}, "why": {"type": "string"}},
    "required": ["platform", "why"],
    "additionalProperties": False,
}
REPLY = {"platform": 9, "why": "the announcement is newer than the sign. " * 10}

Call = Callable[[], Awaitable[Any]]


def ways(base_url: str) -> tuple[dict[str, Call], list[Callable[[], Awaitable[None]]]]:
    """What is compared, and how it is closed."""
    plain, fast = openai.DefaultAsyncHttpxClient(), openai.DefaultAioHttpClient()
    bare = ChatOpenAI(model="m", base_url=base_url, api_key="k", http_async_client=plain)
    quick = ChatOpenAI(model="m", base_url=base_url, api_key="k", http_async_client=fast)
    # The measure is the client's cost: no queue in front of it.
    endpoint = resolve(f"{base_url}#m", Settings(concurrency=10_000))
    ledger = Ledger(Budget(tokens=10**12, calls=10**9, seconds=10**6))
    structured, structured_quick = (m.with_structured_output(SCHEMA, include_raw=True) for m in (bare, quick))
    calls: dict[str, Call] = {
        "ChatOpenAI, plain text": lambda: bare.ainvoke(PROMPT),
        "ChatOpenAI on aiohttp, plain text": lambda: quick.ainvoke(PROMPT),
        "ChatOpenAI, schema": lambda: structured.ainvoke(PROMPT),
        "ChatOpenAI on aiohttp, schema": lambda: structured_quick.ainvoke(PROMPT),
        "Endpoint, schema": lambda: endpoint.complete(PROMPT, schema=SCHEMA),
        "Endpoint, schema, ledger": lambda: endpoint.complete(PROMPT, schema=SCHEMA, meter=Meter(ledger)),
    }
    return calls, [plain.aclose, fast.aclose, endpoint.close]


async def a_second(call: Call, in_flight: int, calls: int) -> float:
    async def row() -> None:
        for _ in range(calls // in_flight):
            await call()

    start = time.perf_counter()
    await asyncio.gather(*(row() for _ in range(in_flight)))
    return calls // in_flight * in_flight / (time.perf_counter() - start)


async def function_calls(call: Call, times: int = 10) -> float:
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    for _ in range(times):
        await call()
    sys.setprofile(None)
    return counted / times


async def processor_ms(call: Call, times: int = 50) -> float:
    start = time.process_time()
    for _ in range(times):
        await call()
    return (time.process_time() - start) / times * 1000


async def measure(base_url: str, rounds: int, calls: int) -> None:
    compared, closing = ways(base_url)
    for call in compared.values():
        await call()
    counted = {name: await function_calls(call) for name, call in compared.items()}
    ms: dict[str, list[float]] = {name: [] for name in compared}
    speed: dict[tuple[str, int], list[float]] = {(name, n): [] for name in compared for n in (48, 192)}
    for _ in range(rounds):
        for name, call in compared.items():
            ms[name].append(await processor_ms(call))
            for n in (48, 192):
                speed[name, n].append(await a_second(call, n, calls))
    print(f"{'':36} {'function calls':>15} {'CPU ms a call':>15} {'48 in flight':>14} {'192 in flight':>14}")
    for name in compared:
        told = [statistics.median(speed[name, n]) for n in (48, 192)]
        print(
            f"{name:36} {counted[name]:15,.0f} {statistics.median(ms[name]):15.2f} {told[0]:12.0f}/s {told[1]:12.0f}/s"
        )
    for close in closing:
        await close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=400)
    arguments = parser.parse_args()
    with ServerApart(replies=answer, latency=0.02) as server:
        asyncio.run(measure(server.base_url, arguments.rounds, arguments.calls))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the server says; a function of the module, so that it can go to the server's process."""
    return REPLY


if __name__ == "__main__":
    main()
