"""look: what the seats ask for is looked up in the record, once, and shown to all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from consilience.agents import LookAgain, Turn
from consilience.graphs.events import LookedAgain, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.rounds import question_of
from consilience.graphs.standings import last_round
from consilience.graphs.state import DebateState, Look
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Workbench

from consilience.core.errors import UnknownName
from consilience.observations import Record, Relevance

__all__ = ["look"]


def look(bench: Workbench, *, tokens: int = 500) -> Node:
    """Makes the node that answers the requests of the last round: the lines of each stretch that hold its words best.

    A request that several seats make is answered once; so is one that was answered before.

    Args:
        bench: store and embedder.
        tokens: that the lines for one request may take in a prompt.
    """

    @traced
    async def look(state: DebateState) -> dict[str, Any]:
        answered = {answer.request for answer in state.get("looks", [])}
        requests = _requests(state.get("turns", []))
        new = [request for request in requests if request not in answered]
        if not new:
            return {}
        record = await bench.records.of(state)
        looks = []
        for request in new:
            with bench.relevance(request.words or question_of(state)) as relevance:
                labels = await asyncio.to_thread(_lines, record, request, tokens, relevance)
            looks.append(Look(request=request, seats=requests[request], labels=labels))
            emit(LookedAgain(look=looks[-1], lines=tuple(record.line(label) for label in labels)))
        return {"looks": looks}

    return look


def _requests(turns: Sequence[Turn]) -> dict[LookAgain, tuple[str, ...]]:
    """Of the last round, each with the letters of the seats that made it."""
    asking: dict[LookAgain, tuple[str, ...]] = {}
    for turn in turns:
        for request in turn.look_again if turn.round == last_round(turns) else ():
            asking[request] = (*asking.get(request, ()), turn.seat)
    return asking


def _lines(record: Record, request: LookAgain, tokens: int, relevance: Relevance) -> tuple[str, ...]:
    """Labels of what fits, in order; none where the record has no such medium. Blocks."""
    try:
        there = record.within(request.span)
    except UnknownName:
        return ()
    return record.render(there, tokens=tokens, relevance=relevance).labels
