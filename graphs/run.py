"""Asking: take the inputs in, run the graph, give the verdict or the events on the way to it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypedDict

from consilience.agents import Expert, Verdict
from consilience.graphs.debate import DebateGraph, debate
from consilience.graphs.events import Event, Failed, Finished, PullingWeights, Started
from consilience.graphs.protocol import Protocol
from consilience.graphs.state import Asked
from consilience.graphs.tracing import run_span
from consilience.graphs.workbench import Panel, Workbench
from consilience.tools import Encoder
from typing_extensions import Unpack

from consilience.core.background import run_blocking
from consilience.core.settings import Settings
from consilience.core.weights import Progress
from consilience.fusion import check_offsets
from consilience.models import Budget, ModelLike, Sampling, resolve
from consilience.observations import Media, ObservationStore, Source, ingest

__all__ = ["AskOptions", "aask", "ask", "astream"]


class AskOptions(TypedDict, total=False):
    """What `ask`, `aask` and `astream` take beside the question and the media."""

    model: ModelLike
    """Chat model of every seat without one of its own; the default is the settings' model."""
    experts: Sequence[Expert]
    """Who debates; the default is one expert for each modality of the media."""
    judge: ModelLike
    """The judge's model; the default is the run's."""
    encoders: Sequence[Encoder]
    """Your encoders, beside the ready ones."""
    protocol: Protocol | str
    """How it is deliberated, or the name of a ready way (`single`, `self_consistency`, `vote`, `panel`, `debate`,
    `gated_debate`); the default is `debate`."""
    rounds: int
    """Rounds of exchange, 0 to 3, instead of the protocol's."""
    options: Sequence[str]
    """Answers to choose from; the default is an open question."""
    budget: Budget
    """What the run may spend: tokens, US dollars, seconds, calls. One that runs out ends with the best answer so far.
    """
    fallbacks: Sequence[ModelLike]
    """Models that take over the calls that fail for good on `model`; the default is the settings'."""
    seed: int
    """For models that draw; the default is 0."""
    cache: bool
    """False encodes anew."""
    settings: Settings
    """The default is the environment's."""
    offsets: Mapping[str, float]
    """Seconds at which media start on one common clock, by their names or ids; without them media are compared in
    what they say and not in when."""
    graph: DebateGraph
    """An own graph; what is said above of models, seats, encoders, protocol, budget and offsets is its own affair."""
    thread: str
    """Thread id of a graph with a checkpointer."""
    earlier: Sequence[Asked | Verdict]
    """Questions asked before, the oldest first, so that this one may refer to them: their verdicts, or what is kept of
    them (`Asked.of`). The media that they cite need not be given again. A graph with a checkpointer needs none of it
    where the `thread` is the same.
    """


def ask(question: str, media: Sequence[Source] = (), **options: Unpack[AskOptions]) -> Verdict:
    """The verdict on a question about these media; see `AskOptions`. Blocks, also inside a running event loop.

    Raises:
        BadMedia: an input cannot be taken in.
        BadConfiguration: the model's name or key is wrong.
    """
    return run_blocking(aask(question, media, **options))


async def aask(question: str, media: Sequence[Source] = (), **options: Unpack[AskOptions]) -> Verdict:
    """As `ask`, for async callers."""
    verdict: Verdict | None = None
    # Nobody hears the answer while it is written, and pieces cost more than the whole.
    async with aclosing(_events(question, media, options, aloud=False)) as events:
        # To the end, not only to the verdict: the graph's last checkpoint comes after it.
        async for event in events:
            if isinstance(event, Finished):
                verdict = event.verdict
    if verdict is None:
        raise RuntimeError("the graph ended without a verdict: its last node must be `compose`")
    return verdict


async def astream(
    question: str, media: Sequence[Source] = (), **options: Unpack[AskOptions]
) -> AsyncGenerator[Event, None]:
    """The events of a debate as they happen, `Finished` with the verdict last; see `AskOptions`.

    An error that ends the run is told as `Failed`, and then raised.
    """
    try:
        async with aclosing(_events(question, media, options, aloud=True)) as events:
            async for event in events:
                yield event
    except Exception as problem:
        yield Failed.of(problem)
        raise


async def _events(
    question: str, media: Sequence[Source], options: AskOptions, *, aloud: bool
) -> AsyncGenerator[Event, None]:
    settings = options.get("settings") or Settings()
    downloads: asyncio.Queue[Event] = asyncio.Queue()
    on_download = _reporter(downloads)
    given = options.get("graph")
    bench = None if given is not None else _bench(options, settings, on_download)
    store = bench.store if bench else ObservationStore.open(settings)
    taken = [await asyncio.to_thread(ingest, source, store, limits=settings.limits) for source in media]
    unique = _with_cited(taken, _earlier(options))
    check_offsets(options.get("offsets", {}), unique)
    if bench:
        bench.runner.plan(unique)  # an unreadable type is the caller's to mend, before anything runs
    graph = given if given is not None else _graph(options, bench, aloud=aloud)
    yield Started(question=question, media=tuple(unique))
    # Without a judge there is no answer: one that cannot be had is told at once, not after all the work.
    judge = bench.endpoint(options.get("judge")).open() if bench else None
    try:
        async with aclosing(_run(graph, question, unique, options, downloads, judge)) as events:
            async for event in events:
                yield event
    finally:
        if bench:
            await bench.close()


def _with_cited(taken: Sequence[Media], earlier: Sequence[Asked]) -> list[Media]:
    """The media, each once, behind those that earlier answers rest on and nobody has given again."""
    # The same bytes under two names may be read as two things: a text, and a table.
    given = dict.fromkeys(taken)
    ids = {medium.id for medium in given}
    missing = {medium.id: medium for asked in earlier for medium in asked.media if medium.id not in ids}
    return [*missing.values(), *given]


def _earlier(options: AskOptions) -> list[Asked]:
    return [Asked.of(one) if isinstance(one, Verdict) else one for one in options.get("earlier", ())]


def _bench(options: AskOptions, settings: Settings, on_download: Callable[[Progress], None]) -> Workbench:
    return Workbench(
        model=_model(options, settings, on_download),
        encoders=options.get("encoders", ()),
        settings=settings,
        cache=options.get("cache", True),
        budget=options.get("budget"),
        on_download=on_download,
    )


def _model(options: AskOptions, settings: Settings, on_download: Callable[[Progress], None]) -> ModelLike | None:
    if "fallbacks" not in options:
        return options.get("model")
    return resolve(options.get("model"), settings, fallbacks=options["fallbacks"], on_download=on_download)


def _graph(options: AskOptions, bench: Workbench | None, *, aloud: bool) -> DebateGraph:
    experts = options.get("experts")
    panel = Panel(
        experts=tuple(experts) if experts else None,
        judge=options.get("judge"),
        judge_sampling=Sampling(seed=options.get("seed", 0)),
        seed=options.get("seed", 0),
    )
    protocol, rounds, offsets = options.get("protocol", "debate"), options.get("rounds"), options.get("offsets")
    return debate(bench, panel, protocol=protocol, rounds=rounds, offsets=offsets, aloud=aloud)


async def _run(
    graph: DebateGraph,
    question: str,
    media: list[Media],
    options: AskOptions,
    queue: asyncio.Queue[Any],
    judge: Coroutine[Any, Any, None] | None,
) -> AsyncGenerator[Event, None]:
    """The graph's events and, between them, what else comes into the queue; the judge's model loads meanwhile."""
    state = {
        "question": question,
        "media": media,
        "options": list(options.get("options", ())),
        "earlier": _earlier(options),
    }
    config: Any = {"configurable": {"thread_id": options.get("thread") or uuid.uuid4().hex}}
    ended = object()

    async def stream() -> None:
        content = (options.get("settings") or Settings()).trace_content
        with run_span(graph.name, state, thread=config["configurable"]["thread_id"], content=content) as run:
            async for part in graph.astream(state, config, stream_mode="custom", version="v2"):
                if isinstance(part["data"], Finished):
                    run.end(part["data"].verdict)
                queue.put_nowait(part["data"])

    tasks = [asyncio.ensure_future(work) for work in (stream(), judge) if work is not None]
    running = asyncio.gather(*tasks)
    running.add_done_callback(lambda _: queue.put_nowait(ended))
    try:
        while (event := await queue.get()) is not ended:
            yield event
        await running
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(running, *tasks, return_exceptions=True)


def _reporter(queue: asyncio.Queue[Event]) -> Callable[[Progress], None]:
    """Carries progress from the worker thread that downloads to the loop that streams."""
    loop = asyncio.get_running_loop()

    def report(progress: Progress) -> None:
        event = PullingWeights(name=progress.name, done=progress.done, total=progress.total)
        loop.call_soon_threadsafe(queue.put_nowait, event)

    return report
