"""What tracing costs: a span that is off, without a provider, recorded; and a debate with and without spans.

    python benchmarks/tracing.py

Function calls are exact; times are medians of interleaved rounds and mean little on a busy machine but for ratios.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import consilience.core.tracing as tracing
from consilience import Expert, Panel, Workbench, debate
from consilience.core.settings import Settings
from consilience.observations import ingest
from consilience.testing import ModelServer, witness

SPANS, ROUNDS = 20_000, 15
QUESTION, NOTE = "Where does the book club meet?", "The book club meets in the upper room."


def microseconds() -> float:
    start = time.perf_counter()
    for _ in range(SPANS):
        with tracing.span("name", lambda: {"a": 1}) as traced:
            traced.note({"b": 2})
    return (time.perf_counter() - start) / SPANS * 1e6


def told(name: str, figures: list[float], unit: str) -> None:
    print(f"{name:40} {statistics.median(figures):8.2f} {unit} ({min(figures):.2f} to {max(figures):.2f})")


async def debates() -> None:
    """One debate of two seats with one exchange: five model calls, over a server in this process."""
    with tempfile.TemporaryDirectory() as folder, ModelServer(witness) as server:
        settings = Settings(cache_dir=Path(folder))
        async with Workbench(model=server.base_url, settings=settings) as bench:
            seats = tuple(Expert(name, f"a {name}") for name in ("reader", "clerk"))
            graph = debate(bench, Panel(experts=seats))
            state: Any = {"question": QUESTION, "media": [ingest(NOTE, bench.store)]}
            await graph.ainvoke(state)
            real = tracing._started
            off: Callable[..., Any] = lambda *_: None  # noqa: E731
            seconds: dict[str, list[float]] = {"off": [], "recorded": []}
            calls: dict[str, int] = {}
            for _ in range(ROUNDS):
                for name in seconds:
                    tracing._started = real if name == "recorded" else off
                    start = time.process_time()
                    await graph.ainvoke(state)
                    seconds[name].append((time.process_time() - start) * 1e3)
            for name in seconds:
                tracing._started = real if name == "recorded" else off
                profile = cProfile.Profile()
                with profile:
                    await graph.ainvoke(state)
                calls[name] = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
                told(f"debate, {name}", seconds[name], f"ms of CPU, {calls[name]:,} function calls")


def main() -> None:
    """Runs it all."""
    loaded = "opentelemetry.trace" in sys.modules
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name == "opentelemetry.trace"}
    told(f"span, the API not imported ({loaded=})", [microseconds() for _ in range(5)], "us")
    sys.modules.update(hidden)
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    told("span, the API without a provider", [microseconds() for _ in range(5)], "us")
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    told("span, recorded in memory", [microseconds() for _ in range(5)], "us")
    exporter.clear()
    asyncio.run(debates())


if __name__ == "__main__":
    main()
