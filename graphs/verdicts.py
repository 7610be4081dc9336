"""From the state of a debate to its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from consilience.agents import (
    Claim,
    Confidence,
    Dissent,
    Evidence,
    PayOff,
    SeatFate,
    Stage,
    Status,
    Turn,
    Verdict,
)
from consilience.graphs.confidence import confidence_of
from consilience.graphs.standings import best_supported, final_turns, holds_to, named_positions, own_voices
from consilience.graphs.state import PERSON, DebateState, Draft, Spent

from consilience.fusion import RULES, Ballot, ConfidenceMap, agrees
from consilience.models import Usage
from consilience.observations import Record

__all__ = ["has_quorum", "held_to", "verdict_of"]


def verdict_of(state: DebateState, record: Record, calibration: ConfidenceMap | None = None) -> Verdict:
    """The verdict that the state comes to, without its parts. It never fails, it says what did."""
    draft = None if state.get("rejected") else state.get("draft") or _without_judge(state)
    turns = state.get("turns", [])
    spent = state.get("spent", [])
    usage = sum((entry.usage for entry in spent), Usage())
    by_seat: dict[str, Usage] = {}
    for entry in spent:
        by_seat[entry.seat] = by_seat.get(entry.seat, Usage()) + entry.usage
    claims = draft.claims if draft else ()
    answer = draft.answer if draft else ""
    return Verdict(
        question=state["question"],
        answer=answer,
        status=_status(state, draft),
        claims=claims,
        struck=draft.struck if draft else (),
        evidence=_evidence(claims, record),
        confidence=confidence_of(state, answer, calibration),
        resolution=state.get("resolution"),
        order_flipped=swapped.flipped if (swapped := state.get("swapped")) else None,
        dissent=_dissent(answer, turns, state.get("options", ())),
        seats=_fates(state),
        passed_over=tuple(state.get("passed_over", ())),
        looks=tuple(look.describe() for look in state.get("looks", []) if look.request.encoder),
        lost_tools=tuple(state.get("lost_tools", [])),
        usage=usage,
        usage_by_seat=by_seat,
        payoff=_payoff(state, answer, usage),
        stop_reason=_stop_reason(state),
    )


def held_to(verdict: Verdict, held: Confidence | None, quorum: float, support: float) -> Verdict:
    """The verdict, unless too few seats spoke, or too few of them agree with its answer (`held`)."""
    seats, spoke = len(verdict.seats), sum(fate.status == "answered" for fate in verdict.seats)
    if seats and not has_quorum(spoke, seats, quorum):
        reason = f"{spoke} of {seats} seats spoke, and {quorum:.0%} have to"
        return verdict.model_copy(update={"status": "failed", "stop_reason": reason})
    if held is not None and held.value < support and verdict.status in ("complete", "partial"):
        reason = f"{verdict.stop_reason}; {held.told} hold the answer, and {support:.0%} have to"
        return verdict.model_copy(update={"status": "abstained", "stop_reason": reason})
    return verdict


def has_quorum(spoke: int, seats: int, quorum: float) -> bool:
    """Whether that many seats are enough."""
    return spoke >= quorum * seats - 1e-9


def _without_judge(state: DebateState) -> Draft | None:
    """What still stands when the judge was lost: the best supported last turn. None when nobody spoke."""
    turns = final_turns(state.get("turns", []))
    if not turns:
        return None
    best = best_supported(own_voices(turns) or turns)
    claims = tuple(claim for claim in best.claims if claim.holds)
    return Draft(answer=best.position.text, stated=best.position.stated, claims=claims)


def _status(state: DebateState, draft: Draft | None) -> Status:
    if state.get("rejected"):
        return "abstained"
    if draft is None:
        return "failed"
    if draft.by == PERSON and not draft.claims:
        # A person may know what no medium says; that nothing here carries it is told.
        return "partial"
    if draft.stated == "not" or not draft.claims:
        return "abstained"
    stop = state.get("stop")
    lost = state.get("losses") or state.get("lost_tools") or (stop and stop.rule == "budget")
    return "partial" if lost or draft.stated != "fully" else "complete"


def _stop_reason(state: DebateState) -> str:
    return "; ".join(filter(None, (state.get("unperceived"), _ended(state))))


def _ended(state: DebateState) -> str:
    losses = state.get("losses", [])
    if rejected := state.get("rejected"):
        return rejected
    if not state.get("turns"):
        told = "; ".join(dict.fromkeys(loss.reason for loss in losses))
        return f"every seat was lost: {told}" if told else "there was nothing to debate"
    lost = [loss for loss in losses if loss.seat == "judge" and loss.phase == "judgement"]
    if lost and state.get("draft") is None:
        return f"the judge was lost ({lost[0].reason}); the best supported seat answers"
    gate, stop, decision = state.get("gate"), state.get("stop"), state.get("decision")
    steps = [gate.told] if gate else []
    steps += [f"the exchange ended: {stop.reason}"] if stop else []
    draft = state.get("draft")
    if draft and draft.by == PERSON:
        return "; ".join([*steps, "a person answered in the judge's place"])
    half = [f"its second answer, in the other order, was lost ({lost[0].reason})"] if lost else []
    return "; ".join([*steps, decision.told if decision else "the judge answered", *half])


def _evidence(claims: Iterable[Claim], record: Record) -> tuple[Evidence, ...]:
    found: dict[str, Evidence] = {}
    for label in (citation.label for claim in claims for citation in claim.citations):
        observation = record[label]
        media = record.medium_of(observation)
        if media is not None:
            found.setdefault(label, Evidence(label=label, observation=observation, media=media))
    return tuple(found.values())


def _dissent(answer: str, turns: Sequence[Turn], options: Sequence[str]) -> tuple[Dissent, ...]:
    return tuple(
        Dissent(
            seat=turn.seat,
            expert=turn.expert,
            position=turn.position,
            reason="; ".join(dispute.reason for dispute in turn.disputes),
        )
        for turn in own_voices(final_turns(turns))
        if turn.position.answers and not holds_to(turn, answer, options)
    )


def _fates(state: DebateState) -> tuple[SeatFate, ...]:
    fates: list[SeatFate] = []
    for seat in state.get("seats", []):
        turns = sum(turn.seat == seat.seat for turn in state.get("turns", []))
        lost = [f"{loss.phase}: {loss.reason}" for loss in state.get("losses", []) if loss.seat == seat.seat]
        books = [entry for entry in state.get("spent", []) if entry.seat == seat.seat]
        models = tuple(dict.fromkeys(model for entry in books for model in entry.models))
        fates.append(
            SeatFate(
                seat=seat.seat,
                expert=seat.expert,
                model=seat.model,
                stance=seat.stance,
                tools=tuple(call for call in state.get("tool_calls", []) if call.seat == seat.seat),
                status="answered" if turns else "lost",
                turns=turns,
                reason="; ".join(lost) or None,
                answered_by=() if models == (seat.model,) else models,
                methods=tuple(dict.fromkeys(method for entry in books for method in entry.methods)),
                passed_over=tuple(reason for entry in books for reason in entry.passed_over),
            )
        )
    return tuple(fates)


def _payoff(state: DebateState, answer: str, usage: Usage) -> PayOff | None:
    openings = [turn for turn in state.get("turns", []) if turn.round == 0 and turn.expert != PERSON]
    if not openings:
        return None
    of_openings = [entry for entry in state.get("spent", []) if entry.phase == "opening"]
    of_rounds = [entry for entry in state.get("spent", []) if entry.phase in ("opening", "exchange")]
    own = own_voices(openings)
    best = best_supported(own or openings)
    options = state.get("options", ())
    voted = _vote(own, options)
    exchanged = any(turn.round for turn in state["turns"])
    last = [turn for turn in own_voices(final_turns(state["turns"])) if turn.expert != PERSON]
    return PayOff(
        best_single=Stage(
            answer=best.position.text if best.position.answers else None,
            usage=_added(entry for entry in of_openings if entry.seat == best.seat),
        ),
        vote=Stage(answer=voted, usage=_added(of_openings)),
        late_vote=Stage(answer=_vote(last, options), usage=_added(of_rounds)) if exchanged else None,
        debate=Stage(answer=answer or None, usage=usage),
        ran="debate" if exchanged else _without_exchange(state),
        changed=voted is None or (answer != voted if voted in options else not agrees(answer, voted)),
    )


def _without_exchange(state: DebateState) -> Literal["single", "vote", "panel"]:
    if any(entry.phase == "judge" for entry in state.get("spent", [])):
        return "panel"
    return "vote" if len(state.get("seats", [])) > 1 else "single"


def _added(books: Iterable[Spent]) -> Usage:
    return sum((entry.usage for entry in books), Usage())


def _vote(turns: Sequence[Turn], options: Sequence[str]) -> str | None:
    """What most of them hold; None on a tie, or where none answers."""
    named = named_positions(turns, options)
    ballots = [Ballot(voter=turn.seat, choice=held) for turn, held in zip(turns, named, strict=True)]
    return RULES["plurality"](ballots, options).winner
