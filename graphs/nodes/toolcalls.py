"""What the seats' tools give before the openings: into the store, the record and the state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from consilience.agents import Found, Seat, consult, grown
from consilience.graphs.events import ToolCalled, emit
from consilience.graphs.workbench import Workbench

from consilience.models import Meter
from consilience.observations import ObservationStore, Record, Relevance

__all__ = ["Results"]


class Results:
    """The results of one round, by seat: each seat sees its own, and the record gets all."""

    def __init__(self, bench: Workbench, run: str, record: Record) -> None:
        self._bench, self._run, self._record = bench, run, record
        self._found: dict[str, tuple[Found, ...]] = {}

    def record(self, seat: str) -> Record:
        """The record with what the tools of a seat, by letter, gave."""
        found = self._found.get(seat)
        return grown(self._record, found) if found else self._record

    async def consult(self, seat: Seat, question: str, meter: Meter, relevance: Relevance) -> Record:
        """Lets a seat's model call its tools, and gives the record that it then sees.

        Raises:
            ConsilienceError: the model failed, or a limit of the budget is reached.
        """
        if not seat.expert.tools:
            return self._record
        found = await consult(seat, question, self._record, meter, relevance=relevance)
        await asyncio.to_thread(_keep, self._bench.store, found)
        self._found[seat.letter] = found
        record = self.record(seat.letter)
        labels = {observation.id: label for label, observation in record}
        for each in found:
            lines = tuple(record.line(labels[observation.id]) for observation in each.observations)
            emit(ToolCalled(call=each.call, lines=lines))
        return record

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


def _keep(store: ObservationStore, found: Sequence[Found]) -> None:
    """Blocks."""
    for each in found:
        if each.media:
            store.put_bytes(each.content)
            store.put_media(each.media)
            store.put(each.observations)
