"""weigh: each seat's probabilities of the options, from the odds of the letter that it would name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from consilience.agents import Seat, Turn, debate_brief, letter_odds, opening_brief
from consilience.graphs.events import SeatLost, Used, Weighed, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.rounds import evidence_of, loss_of, preferring, question_of, spent_on
from consilience.graphs.protocol import Exchange
from consilience.graphs.seating import seats_of
from consilience.graphs.standings import final_turns, own_voices
from consilience.graphs.state import DebateState, Loss, Odds, Spent
from consilience.graphs.topology import neighbours
from consilience.graphs.tracing import traced, turn_span
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.errors import BadReply, ConsilienceError
from consilience.fusion import MOST_OPTIONS, distribution, lettered
from consilience.models import Meter
from consilience.observations import Record, Relevance

__all__ = ["weigh"]


def weigh(bench: Workbench, panel: Panel, how: Exchange | None = None) -> Node:
    """Makes the node in which every seat that answers is asked for the letter of an option, one token each.

    Over what it read last: its own view, or after an exchange the cited evidence and the turns that it hears. Seats
    whose models do not tell odds are not asked, nor is anybody without options, or with more than 20.
    """
    how = how or Exchange()

    @traced
    async def weigh(state: DebateState) -> dict[str, Any]:
        options = tuple(state.get("options", ()))
        own = own_voices(final_turns(state.get("turns", [])))
        last = {turn.seat: turn for turn in own if turn.position.answers}
        if not 2 <= len(options) <= MOST_OPTIONS or not last:
            return {"odds": []}
        record = await bench.records.of(state)
        taken = await seats_of(bench, panel, record, state)
        seats = [s for s in taken if s.letter in last and s.endpoint.tells_alternatives]
        cited = [one for asked in state.get("earlier", []) for one in asked.cited]
        with bench.relevance(question_of(state)) as by_question:
            relevance = preferring(cited, by_question)
            read = await asyncio.to_thread(_read, state, record, relevance, (seats, last, how))
        asked, letters = question_of(state), lettered(options)
        heard = await asyncio.gather(
            *(_weigh(s, read[s.letter], asked, letters, bench.meter(state, "weighing", s.letter)) for s in seats)
        )
        return {
            "odds": [outcome for outcome, _ in heard if isinstance(outcome, Odds)],
            "losses": [outcome for outcome, _ in heard if isinstance(outcome, Loss)],
            "spent": [spent for _, spent in heard],
        }

    return weigh


async def _weigh(
    seat: Seat, shared: str, question: str, letters: Mapping[str, str], meter: Meter
) -> tuple[Odds | Loss, Spent]:
    outcome: Odds | Loss
    try:
        with turn_span(seat.letter, seat.expert.name, seat.endpoint, "weighing"):
            told = await letter_odds(seat, shared, question, letters, meter)
            found = distribution(told, tuple(letters.values()))
            if found is None:
                raise BadReply(seat.endpoint.name, "it tells no odds of the options' letters.")
        outcome = Odds(seat=seat.letter, probabilities=found)
        emit(Weighed(odds=outcome))
    except ConsilienceError as problem:
        outcome = loss_of(seat.letter, "weighing", problem)
        emit(SeatLost(seat=seat.letter, expert=seat.expert.name, phase="weighing", reason=str(problem)))
    spent = spent_on(seat.letter, "weighing", meter)
    emit(Used(spent=spent))
    return outcome, spent


def _read(
    state: DebateState,
    record: Record,
    relevance: Relevance,
    asked: tuple[Sequence[Seat], Mapping[str, Turn], Exchange],
) -> dict[str, str]:
    """By letter, what a seat has read when it is weighed: the beginning of its last prompt, and what was said since.

    Blocks.
    """
    seats, last, how = asked
    turns = state["turns"]
    heard = neighbours(how.topology, sorted({turn.seat for turn in turns}))
    read: dict[str, str] = {}
    cited = evidence_of(state, record, relevance) if any(turn.round for turn in last.values()) else None
    for seat in seats:
        if cited is None or last[seat.letter].round == 0:
            read[seat.letter] = opening_brief(seat.evidence(record, relevance))
        else:
            audible = [turn for turn in turns if turn.seat in (seat.letter, *heard[seat.letter])]
            read[seat.letter] = debate_brief(cited, audible, digests=how.digests)
    return read
