"""Asking: take the inputs in, run the graph, give the verdict or the events on the way to it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, aclosing
from functools import partial
from typing import Any

from consilience.agents import Verdict
from consilience.graphs.assembly import assembled, reporter, taken_in
from consilience.graphs.events import Event, Failed, Finished, Paused, Started
from consilience.graphs.guidance import Guidance, Rewind
from consilience.graphs.journal import CONFIG_KEY, RunJournal
from consilience.graphs.keeping import Place, place_of
from consilience.graphs.options import Asking, AskOptions
from consilience.graphs.rewinding import rewound
from consilience.graphs.tracing import RunSpan, run_span
from consilience.graphs.workbench import Workbench
from typing_extensions import Unpack

from consilience.core.background import run_blocking
from consilience.core.errors import BadConfiguration, RunError, Waiting
from consilience.core.settings import Settings
from consilience.fusion import check_offsets
from consilience.models import Budget
from consilience.observations import ObservationStore, Source

__all__ = ["aask", "ask", "astream", "replay"]

_NO_VERDICT = "Its last node must be `compose`; one that pauses has to be kept meanwhile: thread=..., checkpointer=..."


def ask(question: str = "", media: Sequence[Source] = (), **options: Unpack[AskOptions]) -> Verdict:
    """The verdict on a question about these media; see `AskOptions`. Blocks, also inside a running event loop.

    Raises:
        BadMedia: an input cannot be taken in.
        BadConfiguration: the model's name or key is wrong.
        Waiting: the run is kept, and goes on when a person has said something.
    """
    return run_blocking(aask(question, media, **options))


async def aask(question: str = "", media: Sequence[Source] = (), **options: Unpack[AskOptions]) -> Verdict:
    """As `ask`, for async callers."""
    # Nobody hears the answer while it is written, and pieces cost more than the whole.
    return await _verdict(_events(question, media, options, aloud=False))


async def astream(
    question: str = "", media: Sequence[Source] = (), **options: Unpack[AskOptions]
) -> AsyncGenerator[Event, None]:
    """The events of a debate as they happen, `Finished` with the verdict last, or `Paused`; see `AskOptions`.

    An error that ends the run is told as `Failed`, and then raised.
    """
    try:
        async with aclosing(_events(question, media, options, aloud=True)) as events:
            async for event in events:
                yield event
    except Exception as problem:
        yield Failed.of(problem)
        raise


async def replay(**options: Unpack[AskOptions]) -> Verdict:
    """The verdict of a finished run once more, from its media and its journal: no model, no tool, no reading again.

    All else runs as it did: perception (from the cache), rules, checks. Nothing is written to the thread. Neither keys
    nor a network are needed.

    Args:
        options: `thread`, `checkpointer`, `settings`, and those objects of your own that the run was begun with.

    Raises:
        UnknownName: there is no such thread.
        BadConfiguration: the run was changed on its way, or was kept by an earlier version, and had more from outside
            than models' replies.
        RunError: the journal does not hold all calls: the run did not end, or graph or prompts have changed since.
    """
    settings = options.get("settings") or Settings()
    async with AsyncExitStack() as stack:
        place = await place_of(options, settings, stack)
        if place is None or "thread" not in options:
            raise BadConfiguration("A run is replayed by its thread, and none is named.", cure="Pass thread=...")
        journal, asking = await place.recalled(closed=True)
        if asking.branched:
            raise BadConfiguration(
                "The run went on from an earlier step with something changed: its input does not lead to its end.",
                cure="Resume it: a finished run gives its verdict.",
            )
        options = asking.completed(options)
        experts = options.get("experts", ())
        if asking.schema_version == 1 and (asking.protocol.looks or any(one.tools or one.shown for one in experts)):
            # Called again, a tool would do what it does a second time, and what was refused for want of time be read.
            raise BadConfiguration(
                "What seats had read again or were shown, and what their tools gave, is in no journal: an earlier "
                "version kept this run.",
                cure="Resume the run instead: a finished one gives its verdict, and asks nobody.",
            )
        # What was spent is known, and so is who stood in for whom.
        if budget := options.pop("budget", None):
            options["budget"] = Budget(rounds=budget.rounds)
        options.pop("fallbacks", None)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        _, graph = await assembled(options, settings, stack, None, report=reporter(queue), aloud=False)
        state = asking.whole()
        streamed = partial(graph.astream, state, {"configurable": {CONFIG_KEY: journal}})
        traced = partial(run_span, graph.name, state, thread=place.thread, content=settings.trace_content)
        verdict = await _verdict(_run(streamed, traced, queue, None))
        if journal.missing:
            raise RunError(
                f"The journal of the thread {place.thread!r} does not hold {len(journal.missing)} of the calls.",
                cure="Resume the run to its end first; with a changed graph, prompt or model it cannot be replayed.",
            )
        return verdict


async def _verdict(stream: AsyncGenerator[Event, None]) -> Verdict:
    verdict: Verdict | None = None
    async with aclosing(stream) as events:
        # To the end, not only to the verdict: the graph's last checkpoint comes after it.
        async for event in events:
            if isinstance(event, Finished):
                verdict = event.verdict
            if isinstance(event, Paused):
                raise Waiting(event.thread, event.pause.told())
    if verdict is None:
        raise BadConfiguration("The graph ended without a verdict.", cure=_NO_VERDICT)
    return verdict


async def _events(
    question: str, media: Sequence[Source], options: AskOptions, *, aloud: bool
) -> AsyncGenerator[Event, None]:
    settings = options.get("settings") or Settings()
    async with AsyncExitStack() as stack:
        place = await place_of(options, settings, stack)
        resume, journal, start = options.get("resume"), None, None
        if place and resume:
            journal, asking = await place.recalled()
            if question not in ("", asking.question) or media:
                raise BadConfiguration(
                    "What is resumed has its question and media.", cure="Pass neither, or no resume."
                )
            options = asking.completed(options)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        bench, graph = await assembled(options, settings, stack, place, report=reporter(queue), aloud=aloud)
        if journal is None:
            asking = await _asking(question, media, options, bench, settings)
        if bench:
            bench.runner.plan(asking.media)  # an unreadable type is the caller's to mend, before anything runs
        yield Started(question=asking.question, media=asking.media, thread=place.thread if place else None)
        if place and journal and isinstance(resume, Rewind):
            journal, asking = await rewound(place, graph, asking, options, resume)
        elif place and journal:
            start = await place.start(graph, journal, asking, resume if isinstance(resume, Guidance) else None)
            if isinstance(start, Finished | Paused):
                yield start
                return
        else:
            start = asking.state()
            journal = await _begun(place, graph, asking)
        # Where a judge answers, one that cannot be had is told at once, not after all the work.
        judged = bench is not None and asking.protocol.judges(asking.options)
        judge = bench.endpoint(options.get("judge")).open() if bench and judged else None
        streamed = partial(graph.astream, start, place.config(journal) if place else {})
        thread = place.thread if place else uuid.uuid4().hex
        traced = partial(run_span, graph.name, asking.state(), thread=thread, content=settings.trace_content)
        last: Event | None = None
        async with aclosing(_run(streamed, traced, queue, judge)) as events:
            async for event in events:
                last = event
                yield event
        if place and not isinstance(last, Finished) and (paused := await place.standing(graph, journal)):
            yield paused


async def _asking(
    question: str, media: Sequence[Source], options: AskOptions, bench: Workbench | None, settings: Settings
) -> Asking:
    """What is asked, with the media in the store."""
    store = bench.store if bench else ObservationStore.open(settings)
    asking = Asking.of(question, options)
    taken = await taken_in(media, asking.earlier, store, settings)
    check_offsets(asking.offsets, taken)
    return asking.model_copy(update={"media": taken})


async def _begun(place: Place | None, graph: Any, asking: Asking) -> RunJournal | None:
    """The journal of a new run; none where it is not kept."""
    if place is None:
        return None
    return await RunJournal.begun(place.saver, place.thread, asking.model_copy(update={"on": await place.on(graph)}))


async def _run(
    streamed: Callable[..., AsyncIterator[Any]],
    traced: Callable[[], AbstractContextManager[RunSpan]],
    queue: asyncio.Queue[Any],
    judge: Coroutine[Any, Any, None] | None,
) -> AsyncGenerator[Event, None]:
    """The graph's events and, between them, what else comes into the queue; the judge's model loads meanwhile."""
    ended = object()

    async def stream() -> None:
        with traced() as run:
            async for part in streamed(stream_mode="custom", version="v2"):
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
