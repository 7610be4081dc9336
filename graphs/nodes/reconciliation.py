"""reconcile: what the media say together, and where they contradict each other, into the record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from consilience.graphs.events import Reconciled, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.state import DebateState
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Workbench
from consilience.tools.text.sentiment import polarity

from consilience.core.errors import MissingExtra
from consilience.fusion import Timeline, conflicts, entities
from consilience.observations import Observation, Record

__all__ = ["compared", "joined", "reconcile"]

_JOINT = ("conflict", "entity")


def reconcile(bench: Workbench, *, offsets: Mapping[str, float] | None = None) -> Node:
    """Makes the node that compares the observations of all media; it may run again after every look.

    What it found earlier stays: the record only grows.

    Args:
        bench: its store.
        offsets: seconds at which media start on one common clock, by their names or ids; without them, media are
            compared in what they say and not in when.
    """

    @traced
    async def reconcile(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        ids, told = await joined(bench, state, record, offsets)
        emit(told)
        return {"observations": ids}

    return reconcile


async def joined(
    bench: Workbench, state: DebateState, record: Record, offsets: Mapping[str, float] | None = None
) -> tuple[list[str], Reconciled]:
    """Ids of what the media say together, which joins the run's record; and what is told of the new."""
    found, notes = await asyncio.to_thread(compared, record, offsets)
    ids = await asyncio.to_thread(bench.store.put, found) if found else ()
    known = [observation for _, observation in record]
    grown = Record(record.media, [*known, *found])
    bench.records.keep(state.get("run", ""), grown)
    old = {observation.id for observation in known}
    lines = tuple(grown.line(label) for label, o in grown if o.kind in _JOINT and o.id not in old)
    return list(ids), Reconciled(lines=lines, notes=notes)


def compared(record: Record, offsets: Mapping[str, float] | None = None) -> tuple[list[Observation], tuple[str, ...]]:
    """Conflicts and entities, and what could not be compared. Works for some milliseconds a thousand observations."""
    observed = [observation for _, observation in record if observation.kind not in _JOINT]
    timeline = Timeline(observed, record.media, offsets)
    notes: tuple[str, ...] = ()
    try:
        found = conflicts(observed, timeline, polarity=polarity)
    except MissingExtra as problem:
        notes = (f"Words are not compared with the tone they are said in. {problem}",)
        found = conflicts(observed, timeline)
    found += entities(observed, timeline, media=record.media)
    return found, (*notes, *(o.text for o in found if o.kind == "unobserved"))
