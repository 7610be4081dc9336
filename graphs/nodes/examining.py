"""examine: before a round that the judge leads, it asks the seats a question each."""

from __future__ import annotations

import asyncio
from typing import Any

from consilience.graphs.events import SeatLost, Used, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.rounds import evidence_of, loss_of, question_of, rivals_of, spent_on
from consilience.graphs.protocol import Exchange
from consilience.graphs.seating import seats_of
from consilience.graphs.standings import last_round
from consilience.graphs.state import DebateState
from consilience.graphs.tracing import traced, turn_span
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.errors import ConsilienceError

__all__ = ["examine"]


def examine(bench: Workbench, panel: Panel, how: Exchange) -> Node:
    """Makes the node in which the judge asks the seats that are to speak next one question each, in one call.

    A judge that is lost here is told, and the seats exchange without being asked.
    """

    @traced
    async def examine(state: DebateState) -> dict[str, Any]:
        turns = state.get("turns", [])
        speaking = {turn.seat for turn in turns}
        if len(speaking) < 2:
            return {"asked": {}}
        record, rivals = await bench.records.of(state), rivals_of(state["question"], turns)
        # A person in a seat is not asked again.
        present = [seat.letter for seat in await seats_of(bench, panel, record, state) if seat.letter in speaking]
        diverging = [letter for letter in present if letter in rivals]
        seats = diverging if how.asks == "diverging" and diverging else present
        with bench.relevance(question_of(state)) as relevance:
            evidence = await asyncio.to_thread(evidence_of, state, record, relevance)
        round_ = last_round(turns) + 1
        meter = bench.meter(state, "exchange", round_, "judge")
        update: dict[str, Any] = {"asked": {}}
        try:
            judge = bench.judge(panel, digests=how.digests)
            with turn_span("judge", "judge", judge.endpoint, "exchange", round_):
                update["asked"] = await judge.examine(question_of(state, record), evidence, turns, seats, meter)
        except ConsilienceError as problem:
            emit(SeatLost(seat="judge", expert="judge", phase="exchange", reason=str(problem)))
            update["losses"] = [loss_of("judge", "exchange", problem, round_=round_)]
        spent = spent_on("judge", "exchange", meter, round_=round_)
        emit(Used(round=round_, spent=spent))
        return update | {"spent": [spent]}

    return examine
