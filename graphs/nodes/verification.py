"""verify: every claim of the answer is checked against the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from consilience.agents import Citation, Claim, StruckClaim, Turn, check_claim
from consilience.graphs.events import ClaimStruck, SeatLost, Used, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.rounds import loss_of, question_of, spent_on
from consilience.graphs.standings import final_turns
from consilience.graphs.state import DebateState
from consilience.graphs.support import Support, SupportBy, by_embedder, by_model
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.errors import ConsilienceError
from consilience.fusion import agrees, unstated_values
from consilience.models import Meter
from consilience.models.embedder import text_embedder
from consilience.observations import Record

__all__ = ["verify"]

_Weigh: TypeAlias = Callable[[Sequence[Claim]], Awaitable[list[Support]]]


def verify(bench: Workbench, panel: Panel | None = None, *, supported: SupportBy | None = None) -> Node:
    """Makes the node that checks the judge's claims, strikes those that do not hold, and says so.

    The labels have to exist, the quotes to stand in the observations, and the values that a claim tells (numbers,
    times, dates, amounts) to stand there too, or in the lines beside them, or in the question.

    Where none of the judge's own holds, the seats' checked claims that the answer repeats carry it.

    Args:
        bench: the record, the embedder.
        panel: whose judge's model weighs the claims.
        supported: by what it is told whether the cited lines support a claim; None: that is not asked. Where the model
            fails at it, the claims stay and the loss is told.

    Raises:
        MissingExtra: the embedder is not installed.
    """
    if supported == "embedder":
        text_embedder(bench.settings.threads)  # who lacks it is told before the work, not after

    @traced
    async def verify(state: DebateState) -> dict[str, Any]:
        draft = state.get("draft")
        if draft is None:
            return {}
        record = await bench.records.of(state)
        checked = [check_claim(claim, record) for claim in draft.claims]
        faults = [_fault(claim, record, question_of(state)) for claim in checked]
        judged = list(zip(checked, faults, strict=True))
        struck = [StruckClaim(claim=claim, reason=fault) for claim, fault in judged if fault]
        kept = [claim for claim, fault in judged if not fault]
        repeated = _carried(draft.answer, state.get("turns", []))
        carried = [claim for claim in repeated if not _fault(claim, record, question_of(state))]
        meter = bench.meter(state, "judge", "verification")
        weigh = _weigher(bench, panel or Panel(), supported, (state["question"], record, meter))
        update: dict[str, Any] = {}
        try:
            stays, falls = await _parted(kept, weigh)
            if not stays:
                stays, more = await _parted(carried, weigh)
                falls += more
        except ConsilienceError as problem:
            stays, falls = kept or carried, []
            emit(SeatLost(seat="judge", expert="judge", phase="verification", reason=str(problem)))
            update["losses"] = [loss_of("judge", "verification", problem)]
        if meter.usage.calls:
            spent = spent_on("judge", "verification", meter)
            emit(Used(spent=spent))
            update["spent"] = [spent]
        struck += falls
        for claim in struck:
            emit(ClaimStruck(struck=claim))
        return update | {"draft": draft.model_copy(update={"claims": tuple(stays), "struck": tuple(struck)})}

    return verify


def _weigher(
    bench: Workbench, panel: Panel, supported: SupportBy | None, over: tuple[str, Record, Meter]
) -> _Weigh | None:
    """What tells how well claims are supported, over a question and a record; None where that is not asked."""
    question, record, meter = over
    if supported == "embedder":
        embedder = text_embedder(bench.settings.threads)
        return lambda claims: by_embedder(embedder, question, claims, record)
    if supported == "model":
        return lambda claims: by_model(bench.judge(panel), question, claims, record, meter)
    return None


async def _parted(claims: Sequence[Claim], weigh: _Weigh | None) -> tuple[list[Claim], list[StruckClaim]]:
    """The claims that are supported, and those that are not, with their scores."""
    if weigh is None or not claims:
        return list(claims), []
    found = list(zip(claims, await weigh(claims), strict=True))
    falls = [StruckClaim(claim=c, reason=told.told, score=told.score) for c, told in found if not told.enough]
    return [claim for claim, told in found if told.enough], falls


def _fault(claim: Claim, record: Record, question: str) -> str | None:
    """Why a claim is struck: a citation that does not hold, none at all, or a value that nothing cited states."""
    if not claim.holds:
        return "; ".join(citation.fault for citation in claim.citations if citation.fault) or "it cites nothing"
    labels = record.in_context(citation.label for citation in claim.citations)
    lacking = unstated_values(claim.text, [*(record[label].text for label in labels), question])
    if not lacking:
        return None
    return f"{' or '.join(map(repr, lacking))} does not stand in {', '.join(c.label for c in claim.citations)}"


def _carried(answer: str, turns: Sequence[Turn]) -> list[Claim]:
    """What the seats' last turns claim, hold and quote in words that the answer repeats, each quote once.

    A seat that joins two lines says the same words of both: that is one claim, which they carry together.
    """
    carried: dict[str, list[Citation]] = {}
    told: set[tuple[str, str]] = set()
    for turn in final_turns(turns):
        for claim in turn.claims:
            if claim.holds and all(agrees(answer, citation.quote) for citation in claim.citations):
                new = [citation for citation in claim.citations if (citation.label, citation.quote) not in told]
                told.update((citation.label, citation.quote) for citation in new)
                carried.setdefault(claim.text, []).extend(new)
    return [Claim(text=text, citations=tuple(cited)) for text, cited in carried.items() if cited]
