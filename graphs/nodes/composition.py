"""compose: the verdict, with the pictures and clips that show its evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from consilience.agents import (
    Agreement,
    Claim,
    Dissent,
    Evidence,
    Part,
    PayOff,
    SeatFate,
    Stage,
    Status,
    Turn,
    Verdict,
)
from consilience.graphs.events import Finished, emit
from consilience.graphs.nodes.decision import best_supported
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.rounds import final_turns
from consilience.graphs.standings import named_positions
from consilience.graphs.state import DebateState, Draft, load_record
from consilience.graphs.workbench import Workbench
from consilience.tools.render import show

from consilience.core.errors import ConsilienceError
from consilience.fusion import RULES, Ballot, agrees
from consilience.models import Usage
from consilience.observations import Record

__all__ = ["compose"]


def compose(bench: Workbench) -> Node:
    """Makes the node that turns the checked draft into the verdict; it never fails, it says what did."""

    async def compose(state: DebateState) -> dict[str, Any]:
        record = await asyncio.to_thread(load_record, state, bench.store)
        draft = state.get("draft") or _without_judge(state)
        verdict = _verdict(state, draft, record)
        parts = await asyncio.to_thread(_parts, verdict, bench)
        verdict = verdict.model_copy(update={"parts": parts})
        emit(Finished(verdict=verdict))
        return {"verdict": verdict}

    return compose


def _without_judge(state: DebateState) -> Draft | None:
    """What still stands when the judge was lost: the best supported last turn. None when nobody spoke."""
    turns = final_turns(state.get("turns", []))
    if not turns:
        return None
    best = best_supported(turns)
    claims = tuple(claim for claim in best.claims if claim.holds)
    return Draft(answer=best.position.text, stated=best.position.stated, claims=claims)


def _verdict(state: DebateState, draft: Draft | None, record: Record) -> Verdict:
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
        confidence=_confidence(state, answer),
        resolution=state.get("resolution"),
        dissent=_dissent(answer, turns),
        seats=_fates(state),
        lost_tools=tuple(state.get("lost_tools", [])),
        usage=usage,
        usage_by_seat=by_seat,
        payoff=_payoff(state, answer, usage),
        stop_reason=_stop_reason(state),
    )


def _status(state: DebateState, draft: Draft | None) -> Status:
    if draft is None:
        return "failed"
    if draft.stated == "not" or not draft.claims:
        return "abstained"
    whole = draft.stated == "fully" and not state.get("losses") and not state.get("lost_tools")
    return "complete" if whole else "partial"


def _stop_reason(state: DebateState) -> str:
    losses = state.get("losses", [])
    if not state.get("turns"):
        told = "; ".join(dict.fromkeys(loss.reason for loss in losses))
        return f"every seat was lost: {told}" if told else "there was nothing to debate"
    if any(loss.seat == "judge" for loss in losses):
        return "the judge was lost; the best supported seat answers"
    gate, stop, decision = state.get("gate"), state.get("stop"), state.get("decision")
    steps = [gate.told] if gate else []
    steps += [f"the exchange ended: {stop.reason}"] if stop else []
    return "; ".join([*steps, decision.told if decision else "the judge answered"])


def _evidence(claims: Iterable[Claim], record: Record) -> tuple[Evidence, ...]:
    found: dict[str, Evidence] = {}
    for label in (citation.label for claim in claims for citation in claim.citations):
        observation = record[label]
        media = record.medium_of(observation)
        if media is not None:
            found.setdefault(label, Evidence(label=label, observation=observation, media=media))
    return tuple(found.values())


def _confidence(state: DebateState, answer: str) -> Agreement:
    """Share of all seats, the lost ones included, whose last position the answer holds."""
    seats = len(state.get("seats", []))
    method = "agreement of last positions with the answer; a lost seat agrees with nothing"
    if not seats or not answer:
        return Agreement(value=None, method=method, told="no answer")
    agreeing = sum(_agrees(answer, turn) for turn in final_turns(state.get("turns", [])))
    return Agreement(value=round(agreeing / seats, 4), method=method, told=f"{agreeing} of {seats} seats")


def _agrees(answer: str, turn: Turn) -> bool:
    return turn.position.answers and agrees(answer, turn.position.text)


def _dissent(answer: str, turns: Sequence[Turn]) -> tuple[Dissent, ...]:
    return tuple(
        Dissent(
            seat=turn.seat,
            expert=turn.expert,
            position=turn.position,
            reason="; ".join(dispute.reason for dispute in turn.disputes),
        )
        for turn in final_turns(turns)
        if turn.position.answers and not agrees(answer, turn.position.text)
    )


def _fates(state: DebateState) -> tuple[SeatFate, ...]:
    fates: list[SeatFate] = []
    for seat in state.get("seats", []):
        turns = sum(turn.seat == seat.seat for turn in state.get("turns", []))
        lost = [f"{loss.phase}: {loss.reason}" for loss in state.get("losses", []) if loss.seat == seat.seat]
        fates.append(
            SeatFate(
                seat=seat.seat,
                expert=seat.expert,
                model=seat.model,
                status="answered" if turns else "lost",
                turns=turns,
                reason="; ".join(lost) or None,
            )
        )
    return tuple(fates)


def _payoff(state: DebateState, answer: str, usage: Usage) -> PayOff | None:
    openings = [turn for turn in state.get("turns", []) if turn.round == 0]
    if not openings:
        return None
    of_openings = [entry for entry in state.get("spent", []) if entry.phase == "opening"]
    best = best_supported(openings)
    voted = _vote(openings, state.get("options", ()))
    return PayOff(
        best_single=Stage(
            answer=best.position.text if best.position.answers else None,
            usage=sum((entry.usage for entry in of_openings if entry.seat == best.seat), Usage()),
        ),
        vote=Stage(answer=voted, usage=sum((entry.usage for entry in of_openings), Usage())),
        debate=Stage(answer=answer or None, usage=usage),
        changed=voted is None or not agrees(answer, voted),
    )


def _vote(openings: Sequence[Turn], options: Sequence[str]) -> str | None:
    """What most of the openings hold; None on a tie, or where none answers."""
    named = named_positions(openings, options)
    ballots = [Ballot(voter=turn.seat, choice=held) for turn, held in zip(openings, named, strict=True)]
    return RULES["plurality"](ballots, options).winner


def _parts(verdict: Verdict, bench: Workbench) -> tuple[Part, ...]:
    """The answer, then for each piece of evidence what shows it. Blocks."""
    parts = [Part(kind="text", text=verdict.answer)]
    for evidence in verdict.evidence:
        part = _show(evidence, bench)
        if part:
            parts.append(part)
    return tuple(parts)


def _show(evidence: Evidence, bench: Workbench) -> Part | None:
    media, observation = evidence.media, evidence.observation
    try:
        shown = show(observation, media, bench.store.path(media), bench.settings)
    except ConsilienceError as problem:
        return Part(kind="text", text=f"[{evidence.label}] cannot be shown: {problem}", label=evidence.label)
    if shown is None:
        return None
    return Part(
        kind=shown.kind,
        text=f"[{evidence.label}] {observation.text}",
        label=evidence.label,
        media=media.id,
        locator=observation.locator,
        blob=bench.store.put_bytes(shown.content),
        mime=shown.mime,
    )
