"""What the seats' tools give before the openings: into the store, the record and the state."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from consilience.agents import Found, Seat, ToolCall, call_tool, consult, grown
from consilience.graphs.events import ToolCalled, emit
from consilience.graphs.workbench import Workbench
from pydantic import BaseModel, ConfigDict

from consilience.models import Journal, Meter, noted
from consilience.observations import Media, ObservationStore, Record, Relevance

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["Results"]


class _Result(BaseModel):
    """A call with what it gave, as it is kept: what it gave lies in the store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: ToolCall
    media: Media | None
    observations: tuple[str, ...]


class Results:
    """The results of one round, by seat: each seat sees its own, and the record gets all."""

    def __init__(self, bench: Workbench, run: str, record: Record) -> None:
        self._bench, self._run, self._record = bench, run, record
        self._found: dict[str, list[Found]] = {}

    def record(self, seat: str) -> Record:
        """The record with what the tools of a seat, by letter, gave."""
        found = self._found.get(seat)
        return grown(self._record, found) if found else self._record

    async def consult(self, seat: Seat, question: str, meter: Meter, relevance: Relevance) -> Record:
        """Lets a seat's model call its tools, and gives the record that it then sees.

        What a tool gave stands in the journal of the meter: it is not called for it again. It stays in the record too
        if the seat runs out of time before it opens.

        Raises:
            ConsilienceError: the model failed, or a limit of the budget is reached.
        """
        if not seat.expert.tools:
            return self._record
        call = partial(self._call, meter.journal)
        keep = self._found.setdefault(seat.letter, []).extend
        try:
            await consult(seat, question, self._record, meter, relevance=relevance, call=call, keep=keep)
        finally:
            self._tell(seat.letter)
        return self.record(seat.letter)

    def _tell(self, seat: str) -> None:
        record = self.record(seat)
        labels = {observation.id: label for label, observation in record}
        for each in self._found[seat]:
            lines = tuple(record.line(labels[observation.id]) for observation in each.observations)
            emit(ToolCalled(call=each.call, lines=lines))

    async def _call(
        self, journal: Journal | None, seat: str, tool: BaseTool, arguments: dict[str, Any], seconds: float
    ) -> Found:
        """What the tool gives now, or gave when it was called for this."""
        store = self._bench.store

        async def call() -> _Result:
            found = await call_tool(seat, tool, arguments, seconds)
            await asyncio.to_thread(_keep, store, found)
            return _Result(call=found.call, media=found.media, observations=tuple(o.id for o in found.observations))

        what = json.dumps(["tool", tool.name, arguments], sort_keys=True, default=str)
        result, lost = await noted(journal, what, _Result, call)
        observations = await asyncio.to_thread(store.get, result.observations) if result.observations else ()
        told = result.call.model_copy(update={"lost": len(lost)}) if lost else result.call
        return Found(told, result.media, observations)

    def update(self) -> dict[str, Any]:
        """What the state gains, in the order of the seats, whoever was done first."""
        found = [each for seat in sorted(self._found) for each in self._found[seat]]
        if not found:
            return {}
        self._bench.records.keep(self._run, grown(self._record, found))
        return {
            "tool_calls": [each.call for each in found],
            "results": [each.media for each in found if each.media],
            "observations": [observation.id for each in found for observation in each.observations],
        }


def _keep(store: ObservationStore, found: Found) -> None:
    """Blocks."""
    if found.media:
        store.put_bytes(found.content)
        store.put_media(found.media)
        store.put(found.observations)
