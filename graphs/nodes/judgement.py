"""judge: what diverging openings pose is answered, then the question."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from consilience.agents import (
    ComposeReply,
    Judge,
    Resolution,
    Task,
    Turn,
    task_of,
)
from consilience.graphs.events import AnswerDelta, PhaseStarted, Resolved, SeatLost, Used, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.rounds import evidence_of, loss_of, question_of, spent_on
from consilience.graphs.protocol import Targeted
from consilience.graphs.standings import final_turns, holds_to, own_voices
from consilience.graphs.state import DebateState, Draft, Swapped
from consilience.graphs.tracing import traced, turn_span
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.errors import ConsilienceError
from consilience.fusion import agrees, diverging, holds
from consilience.models import Meter
from consilience.observations import Conflict, Record, Rendering

__all__ = ["judge"]

_ANSWER = re.compile(
    r""""answer"\s*:\s*"((?:[^"\\]|\\["\\/bfnrt]|\\u[dD][89abAB]..\\u[dD][c-fC-F][\da-fA-F]{2}"""
    r"""|\\u(?![dD][89abAB])[\da-fA-F]{4})*)"""
)
"""The answer field as far as it is written, up to the last character that is complete."""


def judge(
    bench: Workbench,
    panel: Panel,
    *,
    swap: bool = False,
    targeted: Targeted = "alone",
    matched: bool = False,
    digests: bool = False,
    aloud: bool = True,
) -> Node:
    """Makes the node in which the judge answers: first what diverging openings ask of it, then the question.

    It looks at the openings for divergence: they were blind, while an exchange may have talked a witness round.

    Args:
        bench: models.
        panel: who judges.
        swap: it answers a second time, over the turns of each round in reverse. Where the two answers do not agree,
            the one counts that more seats hold, and it answers in part.
        targeted: what it is asked first.
        matched: it is told what sort of answer the question asks for. Of options it chooses in any case.
        digests: it reads digests of the turns, as the seats of an exchange may, see `Exchange`.
        aloud: its answer is told piece by piece, as it is written; for runs that nobody watches it is cheaper whole.
    """

    @traced
    async def judge(state: DebateState) -> dict[str, Any]:
        turns = state.get("turns", [])
        if not turns:
            return {}
        record = await bench.records.of(state)
        emit(PhaseStarted(phase="judgement"))
        meter = bench.meter(state, "judge")
        update: dict[str, Any] = {}
        try:
            seated = bench.judge(panel, digests=digests)
            with turn_span("judge", "judge", seated.endpoint, "judgement"):
                # Of what a person has found the judge is not asked again.
                found = state.get("resolution")
                resolution = found or await _resolve(state, seated, record, meter, targeted)
                update["resolution"] = resolution
                with bench.relevance(question_of(state)) as relevance:
                    evidence = await asyncio.to_thread(evidence_of, state, record, relevance)
                options = tuple(state.get("options", ()))
                task = task_of(state["question"], options) if matched or options else Task()
                asked = _Asked(question_of(state, record), evidence, resolution, meter, task)
                update["draft"] = _draft(await _compose(seated, asked, turns, aloud=aloud))
                if swap:
                    second = _draft(await _compose(seated, asked, _reversed(turns), aloud=False))
                    update |= _compared(update["draft"], second, own_voices(final_turns(turns)), options)
        except ConsilienceError as problem:
            emit(SeatLost(seat="judge", expert="judge", phase="judgement", reason=str(problem)))
            update["losses"] = [loss_of("judge", "judgement", problem)]
        spent = spent_on("judge", "judge", meter)
        emit(Used(spent=spent))
        return update | {"spent": [spent]}

    return judge


def _parties(state: DebateState, record: Record) -> list[Turn]:
    """The openings that diverge, or rest on the two sides of a conflict."""
    openings = [turn for turn in state["turns"] if turn.round == 0 and turn.position.answers]
    pairs = diverging(state["question"], [turn.position.text for turn in openings])
    pairs += _in_conflict(openings, record)
    return [openings[i] for i in sorted({index for pair in pairs for index in pair})]


async def _resolve(
    state: DebateState, judge: Judge, record: Record, meter: Meter, targeted: Targeted
) -> Resolution | None:
    parties = _parties(state, record)
    if targeted == "nothing" or not parties:
        return None
    resolution = await judge.resolve(question_of(state), record, parties, meter, alone=targeted == "alone")
    emit(Resolved(resolution=resolution))
    return resolution


def _in_conflict(openings: Sequence[Turn], record: Record) -> list[tuple[int, int]]:
    """Pairs of openings that rest on the two sides of a conflict, and neither of which holds the other's answer."""
    conflicts = [observation.as_(Conflict) for _, observation in record if observation.kind == "conflict"]
    sides = {frozenset((conflict.first, conflict.second)) for conflict in conflicts}
    cited = [{record[c.label].id for claim in turn.claims for c in claim.citations if c.holds} for turn in openings]
    texts = [turn.position.text for turn in openings]
    return [
        (i, j)
        for i, j in combinations(range(len(openings)), 2)
        if any(len(side & cited[i]) == len(side & cited[j]) == 1 and side <= cited[i] | cited[j] for side in sides)
        and not holds(texts[i], texts[j])
        and not holds(texts[j], texts[i])
    ]


@dataclass(frozen=True)
class _Asked:
    """What the judge answers, whatever the order of the turns."""

    question: str
    evidence: Rendering
    resolution: Resolution | None
    meter: Meter
    task: Task


async def _compose(judge: Judge, asked: _Asked, turns: Sequence[Turn], *, aloud: bool = True) -> ComposeReply:
    on_text = _stream_answer() if aloud else None
    filled = await judge.compose(
        asked.question, asked.evidence, turns, asked.resolution, asked.meter, on_text, asked.task
    )
    return filled.value


def _reversed(turns: Sequence[Turn]) -> list[Turn]:
    """The rounds in order, the seats of each in reverse."""
    rounds = sorted({turn.round for turn in turns})
    return [turn for number in rounds for turn in reversed(turns) if turn.round == number]


def _compared(first: Draft, second: Draft, last: Sequence[Turn], options: Sequence[str]) -> dict[str, Any]:
    """What the two orders come to."""
    one, other = first.answer, second.answer
    flipped = one != other if options else not (agrees(one, other) or agrees(other, one))
    swapped = Swapped(first=one, second=other, flipped=flipped)
    if not flipped:
        return {"swapped": swapped}

    def held(draft: Draft) -> int:
        return sum(holds_to(turn, draft.answer, options) for turn in last)

    kept = max((first, second), key=held)
    stated = "not" if kept.stated == "not" else "partly"
    return {"swapped": swapped, "draft": kept.model_copy(update={"stated": stated})}


def _stream_answer() -> Callable[[str], None]:
    """Turns the judge's JSON, as it grows, into pieces of the answer field."""
    written, shown = "", ""

    def take(piece: str) -> None:
        nonlocal written, shown
        written += piece
        begun = _ANSWER.search(written)
        if begun is None:
            return
        answer = json.loads(f'"{begun[1]}"', strict=False)
        if len(answer) > len(shown):
            emit(AnswerDelta(text=answer[len(shown) :]))
            shown = answer

    return take


def _draft(reply: ComposeReply) -> Draft:
    return Draft(answer=reply.answer, stated=reply.states(), claims=tuple(claim.claim() for claim in reply.claims))
