"""Where a run is kept, what is known of a run that was kept, and how it is gone on with."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from consilience.graphs.checkpoints import checkpointer
from consilience.graphs.debate import DebateGraph
from consilience.graphs.events import Event, Finished, Paused
from consilience.graphs.guidance import Guidance, Pause
from consilience.graphs.journal import CONFIG_KEY, RunJournal
from consilience.graphs.options import Asking, AskOptions, Standing, effective_protocol
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.core.settings import Settings

__all__ = ["Place", "place_of"]

_MOST_NAMED = 20


@dataclass(frozen=True)
class Place:
    """A thread of a checkpointer."""

    saver: BaseCheckpointSaver[Any]
    thread: str

    def config(self, journal: RunJournal | None = None) -> Any:
        """What a graph that is kept here is run with."""
        return {"configurable": {"thread_id": self.thread, CONFIG_KEY: journal}}

    async def on(self, graph: DebateGraph) -> Standing:
        """What earlier questions have left here."""
        held = (await graph.aget_state(self.config())).values
        return Standing(
            media=held.get("media", ()), earlier=held.get("earlier", ()), observations=held.get("observations", ())
        )

    async def recalled(self, *, closed: bool = False) -> tuple[RunJournal, Asking]:
        """The journal of what was last asked here, and how it was asked.

        Raises:
            UnknownName: nothing was.
        """
        journal = await RunJournal.latest(self.saver, self.thread, closed=closed)
        if journal is None or not journal.about:
            raise UnknownName("thread", self.thread, [name async for name in self._threads()])
        return journal, Asking.model_validate_json(journal.about)

    async def start(self, graph: DebateGraph, journal: RunJournal, asking: Asking, guidance: Guidance | None) -> Any:
        """What the graph has to be run with in order to go on: its input; or the event that says that it stands.

        Raises:
            BadConfiguration: there is guidance, and the run does not wait for any.
        """
        state = await graph.aget_state(self.config(journal))
        asked = [self.paused(one.value) for one in state.interrupts]
        # What was said before the process died need not be said again.
        open_ = [one for one in asked if not journal.words(one.pause.place)]
        if not state.values or (journal.is_after(state.config) and not asking.branched):
            # Its process ended before its first step was kept: what lies there is the question before.
            start: Any = asking.state()
        elif not state.tasks:  # not `next`: that leaves out a step whose work is kept and whose end is not
            start = Finished(verdict=state.values["verdict"])
        elif open_ and guidance is None:
            start = open_[0]
        elif open_:
            return Command(resume=guidance.model_dump(mode="json") if guidance else None)
        else:
            start = None
        if guidance is not None:
            raise BadConfiguration(f"The thread {self.thread!r} waits for nobody.", cure="Resume it without an answer.")
        return start

    async def standing(self, graph: DebateGraph, journal: RunJournal | None) -> Event | None:
        """The pause that the run stands at; None where it stands at none."""
        state = await graph.aget_state(self.config(journal))
        return self.paused(state.interrupts[0].value) if state.interrupts else None

    def paused(self, told: Any) -> Paused:
        """The event of a pause."""
        return Paused(thread=self.thread, pause=Pause.model_validate(told))

    async def _threads(self) -> AsyncIterator[str]:
        """Names of the newest ones."""
        seen: set[str] = set()
        async for kept in self.saver.alist(None, limit=_MOST_NAMED * 20):
            name = str(kept.config["configurable"]["thread_id"])
            if name not in seen and len(seen) < _MOST_NAMED:
                seen.add(name)
                yield name


async def place_of(options: AskOptions, settings: Settings, stack: AsyncExitStack) -> Place | None:
    """Where the run is kept; None where neither a thread nor a checkpointer is named.

    Args:
        options: of the run.
        settings: that name a place where the options do not.
        stack: closes what is opened.

    Raises:
        BadConfiguration: it shall pause or be resumed, and is not kept, or no thread is named.
    """
    graph = options.get("graph")
    own = graph.checkpointer if graph is not None else None
    given = own if isinstance(own, BaseCheckpointSaver) else options.get("checkpointer")
    thread = options.get("thread")
    if options.get("resume") and not thread:
        raise BadConfiguration("A run is resumed by its thread, and none is named.", cure="Pass thread=...")
    if given is None and (graph is not None or not thread):
        if graph is None and effective_protocol(options).pause:
            raise BadConfiguration(
                "A run that pauses has to be kept meanwhile, and this one is not.",
                cure="Name a thread: thread='a name of yours', or --thread NAME.",
            )
        return None
    if given is None:
        given = settings.checkpoints_url
    saver = await stack.enter_async_context(checkpointer(given)) if isinstance(given, str) else given
    return Place(saver, thread or uuid.uuid4().hex)
