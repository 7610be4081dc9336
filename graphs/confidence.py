"""How sure the answer is: one number with its method, or none."""

from __future__ import annotations

from consilience.agents import Confidence
from consilience.graphs.standings import final_turns, holds_to, own_voices
from consilience.graphs.state import DebateState

from consilience.fusion import Ballot, ConfidenceMap, linear_pool, log_pool, option_of
from consilience.fusion.pools import weights_of

__all__ = ["agreement_of", "confidence_of"]


def confidence_of(state: DebateState, answer: str, by: ConfidenceMap | None = None) -> Confidence | None:
    """The pooled odds of the answer where seats told odds of the options, else the seats' agreement with it.

    Args:
        state: of the debate.
        answer: none: there is nothing to be sure of.
        by: from such a number to the probability of being right; it counts where it was fitted on the same method.
    """
    raw = _log_probs(state, answer) or agreement_of(state, answer)
    if raw is None or by is None or by.of != raw.method:
        return raw
    value = by.map(raw.value)
    return Confidence(
        value=round(value, 4),
        method="calibrated",
        of=f"being right: a map of {raw.method}, {by.map.method}, fitted on {by.map.cases} outcomes",
        told=f"from {raw.value:.0%}, {raw.told}",
        raw=raw.value,
    )


def agreement_of(state: DebateState, answer: str) -> Confidence | None:
    """Share of the seats, the lost ones included, whose last position the answer holds; None without an answer.

    A seat that was given a part in the argument is not one of them.
    """
    seats = sum(seat.stance is None for seat in state.get("seats", []))
    if not seats or not answer:
        return None
    last = own_voices(final_turns(state.get("turns", [])))
    agreeing = sum(holds_to(turn, answer, state.get("options", ())) for turn in last)
    return Confidence(
        value=round(agreeing / seats, 4),
        method="agreement",
        of="seats whose last position the answer holds; a lost seat agrees with nothing",
        told=f"{agreeing} of {seats} seats",
    )


def _log_probs(state: DebateState, answer: str) -> Confidence | None:
    """What the answer has in the pool of the seats' odds; a lost seat knows nothing, and counts as that."""
    options, odds = tuple(state.get("options", ())), state.get("odds", [])
    chosen = option_of(answer, options) if answer and options else None
    if chosen is None or not odds:
        return None
    seats = [seat for seat in state.get("seats", []) if seat.stance is None]
    speaking = {turn.seat for turn in state.get("turns", [])}
    told = {one.seat: one.probabilities for one in odds}
    knowing_nothing = dict.fromkeys(options, 1 / len(options))
    ballots = [
        Ballot(voter=seat.seat, probabilities=told.get(seat.seat, knowing_nothing), reliability=seat.reliability)
        for seat in seats
        if seat.seat in told or seat.seat not in speaking
    ]
    decision = state.get("decision")
    pool = log_pool if decision and decision.rule == "log_pool" else linear_pool
    value = pool([ballot.probabilities for ballot in ballots], weights_of(ballots))[chosen]
    return Confidence(
        value=round(value, 4),
        method="log_probs",
        of=f"the answer among the {len(options)} options, in the {pool.__name__.replace('_', ' ')} of the odds that "
        "seats' models give their letters; a lost seat counts as knowing nothing",
        told=f"{len(odds)} of {len(seats)} seats told odds",
    )
