"""permit: a person is asked before an encoder reads a place again that is dear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consilience.agents import LookAgain
from consilience.graphs.events import LookedAgain, emit
from consilience.graphs.guidance import Pause
from consilience.graphs.journal import page_of_run
from consilience.graphs.nodes.consulting import said_at, taken_up
from consilience.graphs.nodes.looking import requests_of
from consilience.graphs.nodes.perception import Node
from consilience.graphs.readings import Looks, Reading, reading_of
from consilience.graphs.seating import seats_of
from consilience.graphs.standings import last_round
from consilience.graphs.state import DebateState, Look
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Panel, Workbench
from pydantic import BaseModel, ConfigDict

from consilience.models import noted
from consilience.observations import Record

__all__ = ["permit"]

_NO, _SPARED = "a person said no", "a person knew it"


class _Dear(BaseModel):
    """Requests that are dear, each with the seconds it may take. Journals hold it: it depends on the time left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    readings: tuple[tuple[LookAgain, float], ...]


def permit(bench: Workbench, panel: Panel, looks: Looks) -> Node:
    """Makes the node before `look` that pauses for a person where a reading may take longer than `looks.unasked`.

    It is resumed as `consult` is. What is not permitted is told to the seats as refused, with what the person said;
    the rest is read.
    """

    @traced
    async def permit(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        requests, number = requests_of(state.get("turns", [])), last_round(state.get("turns", []))
        if not any(request.encoder for request in requests):
            return {}

        async def weighed() -> _Dear:
            return _Dear(readings=tuple(_dear(bench, state, record, looks).items()))

        found, _ = await noted(page_of_run("permit", number), "dear", _Dear, weighed)
        dear = dict(found.readings)
        if not dear:
            return {}
        lines = tuple(f"{request.describe()}: about {seconds:.0f} s" for request, seconds in dear.items())
        said = await said_at(Pause(at="look", question=state["question"], round=number, lines=lines))
        if said.action == "approve":
            return {}
        why = f"{_NO}: {said.text}".removesuffix(": ") if said.action == "reject" else _SPARED
        refused = [Look(request=request, seats=requests[request], labels=(), refused=why) for request in dear]
        for look in refused:
            emit(LookedAgain(look=look, lines=()))
        seats = await seats_of(bench, panel, record, state)
        letters = [seat.letter for seat in seats]
        return {"looks": refused, **taken_up(said, state, record, lines, letters)}

    return permit


def _dear(bench: Workbench, state: DebateState, record: Record, looks: Looks) -> Mapping[LookAgain, float]:
    """What `look` would have read next and is dear, with the seconds it may take."""
    earlier = state.get("looks", [])
    answered = {look.request for look in earlier}
    ledger = bench.ledgers.of(state)
    left = ledger.seconds_left if ledger else float("inf")
    found: dict[LookAgain, float] = {}
    for request in requests_of(state.get("turns", [])):
        if request.encoder is None or request in answered:
            continue
        reading = reading_of(request, bench.runner, record.media, looks)
        if not isinstance(reading, Reading) or looks.objection(reading, earlier, left):
            continue
        if reading.seconds > looks.unasked:
            found[request] = reading.seconds
    return found
