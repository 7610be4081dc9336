"""open_round and exchange: the seats speak, first blind, then to one another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from consilience.agents import Brief, Phase, Seat, Turn, check_turn
from consilience.graphs.conversation import digest_of
from consilience.graphs.events import PhaseStarted, Seated, SeatLost, TurnTaken, Used, emit
from consilience.graphs.exhibits import exhibits_for
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.toolcalls import Results
from consilience.graphs.protocol import Exchange
from consilience.graphs.readings import Looks, offers
from consilience.graphs.seating import seating_of, seats_of
from consilience.graphs.staggering import Stagger
from consilience.graphs.standings import final_turns, last_round
from consilience.graphs.state import PERSON, DebateState, Loss, SeatTaken, Spent
from consilience.graphs.topology import neighbours
from consilience.graphs.tracing import traced, turn_span
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.errors import BudgetSpent, ConsilienceError, ModelUnavailable
from consilience.fusion import diverging
from consilience.models import CutShort, Meter
from consilience.observations import Observation, Record, Relevance, Rendering

__all__ = [
    "cited_evidence",
    "evidence_of",
    "exchange",
    "looked_up",
    "loss_of",
    "open_round",
    "preferring",
    "question_of",
    "rivals_of",
    "spent_on",
]

_FALLBACK_TOKENS = 300
_EVIDENCE_TOKENS = 1500


def open_round(bench: Workbench, panel: Panel, looks: Looks | None = None) -> Node:
    """Makes the node in which every seat answers at once, blind, over its own view of the record.

    With `looks`, each may ask for a place of its media to be read again.
    """

    @traced
    async def open_round(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        question, options = question_of(state), tuple(state.get("options", ()))
        cited = [one for asked in state.get("earlier", []) for one in asked.cited]
        offered = offers(bench.runner, record.media, looks) if looks else ()
        with bench.relevance(question) as by_question:
            seating = await asyncio.to_thread(seating_of, bench, panel, record, state["question"], by_question)
            seats = bench.seats(panel, seating.seated)
            taken, passed_over = [*map(_taken, seats), *_persons(state)], list(seating.passed_over)
            emit(Seated(seats=tuple(taken), passed_over=seating.passed_over))
            emit(PhaseStarted(phase="opening"))
            exhibits = {seat.letter: await exhibits_for(bench, seat, record) for seat in seats}
            relevance = preferring(cited, by_question)
            results = Results(bench, state.get("run", ""), record)

            async def speak(seat: Seat, _: Sequence[Turn], meter: Meter) -> Turn:
                seen = await results.consult(seat, question, meter, relevance)
                return await seat.open(
                    question,
                    seen,
                    meter,
                    relevance=relevance,
                    options=options,
                    offers=offered,
                    exhibits=exhibits[seat.letter],
                )

            metered = partial(bench.meter, state, "opening", 0)
            update = await _hear(_Round("opening", 0, results.record, metered), seats, speak)
        return {**update, **results.update(), "seats": taken, "passed_over": passed_over}

    return open_round


def _persons(state: DebateState) -> list[SeatTaken]:
    """People who have taken a seat: they are heard, and not asked again."""
    return [seat for seat in state.get("seats", []) if seat.model == PERSON]


def _taken(seat: Seat) -> SeatTaken:
    expert = seat.expert
    return SeatTaken(
        seat=seat.letter,
        expert=expert.name,
        model=seat.endpoint.name,
        stance=expert.stance,
        reliability=expert.reliability,
    )


def exchange(bench: Workbench, panel: Panel, how: Exchange | None = None, looks: Looks | None = None) -> Node:
    """Makes the node in which every seat that is still there answers its peers, in the order and topology of `how`.

    With `looks`, each may ask for a place to be read again, as long as a round follows that can use it.
    """
    how = how or Exchange()

    @traced
    async def exchange(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        turns = state.get("turns", [])
        speaking = {turn.seat for turn in turns}
        if len(speaking) < 2:
            return {}
        present = [seat for seat in await seats_of(bench, panel, record, state) if seat.letter in speaking]
        heard = neighbours(how.topology, [seat.letter for seat in present])
        asked = state.get("asked", {}) if how.order == "judge_led" else {}
        seats = [seat for seat in present if not asked or seat.letter in asked]
        persons = [seat.seat for seat in _persons(state)]
        question, rivals = question_of(state, record), rivals_of(state["question"], turns)
        with bench.relevance(question_of(state)) as relevance:
            evidence = await asyncio.to_thread(evidence_of, state, record, relevance)
        round_ = last_round(turns) + 1
        emit(PhaseStarted(phase="exchange", round=round_))
        asking = looks is not None and round_ < how.rounds and not looks.exhausted(state.get("looks", []))
        offered = offers(bench.runner, record.media, looks) if looks and asking else ()
        options = tuple(state.get("options", ()))
        stagger = Stagger(seats) if how.order == "staggered" else None

        def speak(seat: Seat, before: Sequence[Turn], meter: Meter) -> Awaitable[Turn]:
            peers = (*heard[seat.letter], *persons)
            audible = [turn for turn in (*turns, *before) if turn.seat in (seat.letter, *peers)]
            against = tuple(rival for rival in rivals.get(seat.letter, ()) if rival in peers)
            brief = Brief(question, evidence, audible, against, round_, how.against, options, offered)
            brief = replace(brief, asked=asked.get(seat.letter, ""), digests=how.digests)
            return seat.respond(brief, meter, stagger.on_text(seat) if stagger else None)

        metered = partial(bench.meter, state, "exchange", round_)
        return await _hear(_Round("exchange", round_, lambda _: record, metered, how.order, stagger), seats, speak)

    return exchange


def loss_of(seat: str, phase: str, problem: ConsilienceError, *, round_: int = 0) -> Loss:
    """The loss that an error is to the debate."""
    budget = isinstance(problem, BudgetSpent)
    return Loss(seat=seat, phase=phase, reason=str(problem), round=round_, budget=budget)


def spent_on(
    seat: str,
    phase: Literal["opening", "exchange", "weighing", "judge", "verification"],
    meter: Meter,
    *,
    round_: int = 0,
) -> Spent:
    """The books of a meter."""
    return Spent(
        seat=seat,
        phase=phase,
        usage=meter.usage,
        round=round_,
        models=meter.models,
        methods=meter.methods,
        passed_over=meter.passed_over,
    )


def looked_up(state: DebateState) -> tuple[str, ...]:
    """Labels of all that was found for those who asked for more."""
    return tuple(label for look in state.get("looks", []) for label in look.labels)


def preferring(ids: Collection[str], relevance: Relevance) -> Relevance:
    """The relevance, with these observations before all others."""
    first = frozenset(ids)

    def preferred(observations: Sequence[Observation]) -> list[float]:
        scores = zip(observations, relevance(observations), strict=True)
        return [score + (observation.id in first) for observation, score in scores]

    return preferred if first else relevance


def evidence_of(state: DebateState, record: Record, relevance: Relevance) -> Rendering:
    """What exchange and judge read of the record: see `cited_evidence`. Blocks."""
    return cited_evidence(record, state["turns"], relevance, looked_up(state), digest_of(state, record).labels)


def cited_evidence(
    record: Record,
    turns: Sequence[Turn],
    relevance: Relevance,
    looked_up: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> Rendering:
    """The observations that the openings cite rightly, with their neighbours: what the rest of the debate is about.

    What was looked up for the seats joins it, and what is `kept` of earlier answers. Only the openings count, so that
    the text stays the same, and cached, to the end. Where none holds, the most relevant observations stand in. Blocks.
    """
    cited = {
        citation.label
        for turn in turns
        if turn.round == 0
        for claim in turn.claims
        for citation in claim.citations
        if citation.holds
    }
    if not cited and not looked_up:
        nearest = record.render(tokens=_FALLBACK_TOKENS, relevance=relevance)
        if not kept:
            return nearest
        around: Sequence[str] = nearest.labels
    else:
        around = (*record.in_context(cited), *looked_up)
    first = {record[label].id for label in (*cited, *looked_up, *kept)}
    return record.render((*around, *kept), tokens=_EVIDENCE_TOKENS, relevance=preferring(first, relevance))


def rivals_of(question: str, turns: Sequence[Turn]) -> dict[str, tuple[str, ...]]:
    """For each seat, by letter, the seats whose last positions diverge from its own."""
    last = [turn for turn in final_turns(turns) if turn.position.answers]
    rivals: dict[str, tuple[str, ...]] = {}
    for i, j in diverging(question, [turn.position.text for turn in last]):
        one, other = last[i].seat, last[j].seat
        rivals[one] = (*rivals.get(one, ()), other)
        rivals[other] = (*rivals.get(other, ()), one)
    return rivals


def question_of(state: DebateState, record: Record | None = None) -> str:
    """The question, with the conversation it goes on from, and the options where they are given.

    Given the record, the labels that earlier answers rest on stand with them: not for those who answer blind.
    """
    told = digest_of(state, record).text
    options = "; ".join(state.get("options", ()))
    return told + state["question"] + (f" (Options: {options})" if options else "")


@dataclass(frozen=True)
class _Round:
    phase: Phase
    number: int
    record: Callable[[str], Record]
    """Gives what a seat's claims are checked against, by letter."""
    metered: Callable[[str], Meter]
    """Gives the books of a seat, by letter."""
    order: Literal["simultaneous", "staggered", "in_turn", "relay", "judge_led"] = "simultaneous"
    stagger: Stagger | None = None


async def _hear(
    round_: _Round, seats: Sequence[Seat], speak: Callable[[Seat, Sequence[Turn], Meter], Awaitable[Turn]]
) -> dict[str, Any]:
    """Everyone's turn, checked; a seat that fails is a loss with its reason and takes no other down.

    Args:
        round_: of the debate.
        seats: who speaks.
        speak: makes a turn, given those of this round that the seat may hear.
    """

    async def hear(seat: Seat, before: Sequence[Turn] = ()) -> tuple[Turn | Loss, Spent]:
        meter = round_.metered(seat.letter)
        outcome: Turn | Loss
        try:
            with turn_span(seat.letter, seat.expert.name, seat.endpoint, round_.phase, round_.number):
                turn = await _in_time(seat, speak(seat, before, meter), meter)
                record = round_.record(seat.letter)
                outcome = check_turn(turn, record, seat.expert.sees.labels(record))
            emit(TurnTaken(turn=outcome))
        except ConsilienceError as problem:
            outcome = loss_of(seat.letter, round_.phase, problem, round_=round_.number)
            emit(SeatLost(seat=seat.letter, expert=seat.expert.name, phase=round_.phase, reason=str(problem)))
        spent = spent_on(seat.letter, round_.phase, meter, round_=round_.number)
        emit(Used(round=round_.number, spent=spent))
        return outcome, spent

    async def placed(seat: Seat, stagger: Stagger) -> tuple[Turn | Loss, Spent]:
        async with stagger.place(seat):
            return await hear(seat)

    if round_.stagger is not None:
        heard = await asyncio.gather(*(placed(seat, round_.stagger) for seat in seats))
    elif round_.order in ("in_turn", "relay"):
        heard = []
        for seat in seats:
            taken = [outcome for outcome, _ in heard if isinstance(outcome, Turn)]
            heard.append(await hear(seat, taken if round_.order == "in_turn" else taken[-1:]))
    else:
        heard = await asyncio.gather(*(hear(seat) for seat in seats))
    return {
        "turns": [outcome for outcome, _ in heard if isinstance(outcome, Turn)],
        "losses": [outcome for outcome, _ in heard if isinstance(outcome, Loss)],
        "spent": [spent for _, spent in heard],
    }


async def _in_time(seat: Seat, speaking: Awaitable[Turn], meter: Meter) -> Turn:
    """The turn, unless it takes longer than its expert may."""
    limit, journal = seat.expert.seconds, meter.journal
    clock = asyncio.timeout(limit)
    try:
        async with clock:
            return await speaking
    except TimeoutError as problem:
        if not clock.expired() and not isinstance(problem, CutShort):
            raise
        # Between two calls, or before the first, the journal would tell of nothing.
        if journal is not None and not journal.closed:
            await journal.be_late()
        cure = f"Give {seat.expert.name} more seconds, or a faster model."
        raise ModelUnavailable(
            seat.endpoint.name, f"no turn within {limit:g} s.", cure=cure, kind="timeout"
        ) from problem
