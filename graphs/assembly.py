"""From the options of a run to what runs it: media in the store, a bench, a graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from consilience.graphs.debate import DebateGraph, debate
from consilience.graphs.events import PullingWeights
from consilience.graphs.keeping import Place
from consilience.graphs.options import AskOptions, effective_protocol
from consilience.graphs.state import Asked
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.settings import Settings
from consilience.core.weights import Progress
from consilience.models import ModelLike, Sampling, resolve
from consilience.observations import Media, ObservationStore, Source, ingest

__all__ = ["assembled", "reporter", "taken_in"]

Report = Callable[[Progress], None]


async def assembled(
    options: AskOptions,
    settings: Settings,
    stack: AsyncExitStack,
    place: Place | None,
    *,
    report: Report,
    aloud: bool,
) -> tuple[Workbench | None, DebateGraph]:
    """The bench, closed with the stack, and the graph; an own graph has its own bench.

    Args:
        options: of the run.
        settings: of the run.
        stack: closes what is opened.
        place: where the graph is kept; None: nowhere.
        report: told how the pulling of weights goes.
        aloud: somebody hears the answer while it is written.
    """
    saver = place.saver if place else None
    given = options.get("graph")
    if given is not None:
        return None, given if given.checkpointer is saver else given.copy({"checkpointer": saver})
    bench = Workbench(
        model=_model(options, settings, report),
        encoders=options.get("encoders", ()),
        settings=settings,
        cache=options.get("cache", True),
        budget=options.get("budget"),
        on_download=report,
    )
    stack.push_async_callback(bench.close)
    experts, seed = options.get("experts"), options.get("seed", 0)
    panel = Panel(
        experts=tuple(experts) if experts else None,
        judge=options.get("judge"),
        judge_sampling=Sampling(seed=seed),
        seed=seed,
    )
    how, offsets = effective_protocol(options), options.get("offsets")
    return bench, debate(bench, panel, protocol=how, offsets=offsets, checkpointer=saver, aloud=aloud)


def _model(options: AskOptions, settings: Settings, report: Report) -> ModelLike | None:
    if "fallbacks" not in options:
        return options.get("model")
    return resolve(options.get("model"), settings, fallbacks=options["fallbacks"], on_download=report)


async def taken_in(
    sources: Sequence[Source], earlier: Sequence[Asked], store: ObservationStore, settings: Settings
) -> tuple[Media, ...]:
    """The media in the store, each once, behind those that earlier answers rest on and nobody has given again."""
    taken = [await asyncio.to_thread(ingest, source, store, limits=settings.limits) for source in sources]
    # The same bytes under two names may be read as two things: a text, and a table.
    given = dict.fromkeys(taken)
    ids = {medium.id for medium in given}
    missing = {medium.id: medium for asked in earlier for medium in asked.media if medium.id not in ids}
    return (*missing.values(), *given)


def reporter(queue: asyncio.Queue[Any]) -> Report:
    """Carries progress from the worker thread that downloads to the loop that streams."""
    loop = asyncio.get_running_loop()

    def report(progress: Progress) -> None:
        event = PullingWeights(name=progress.name, done=progress.done, total=progress.total)
        loop.call_soon_threadsafe(queue.put_nowait, event)

    return report
