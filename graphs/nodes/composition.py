"""compose: the verdict, with the pictures and clips that show its evidence."""

from __future__ import annotations

import asyncio
from typing import Any

from consilience.agents import Evidence, Part, Verdict
from consilience.graphs.confidence import agreement_of
from consilience.graphs.events import Finished, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.state import Asked, DebateState
from consilience.graphs.tracing import traced
from consilience.graphs.verdicts import held_to, verdict_of
from consilience.graphs.workbench import Workbench
from consilience.tools.render import show

from consilience.core.errors import ConsilienceError
from consilience.fusion import ConfidenceMap

__all__ = ["compose"]


def compose(
    bench: Workbench, *, quorum: float = 0.0, support: float = 0.0, calibration: ConfidenceMap | None = None
) -> Node:
    """Makes the node that turns the checked draft into the verdict; it never fails, it says what did.

    Args:
        bench: store, and what renders the evidence.
        quorum: share of the seats that have to have spoken; with fewer the verdict is `failed`.
        support: share of the seats that have to hold the answer in the end; with less it is `abstained`.
        calibration: from a confidence to the probability of being right.
    """

    @traced
    async def compose(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        verdict = verdict_of(state, record, calibration)
        verdict = held_to(verdict, agreement_of(state, verdict.answer), quorum, support)
        parts = await asyncio.to_thread(_parts, verdict, bench)
        verdict = verdict.model_copy(update={"parts": parts})
        emit(Finished(verdict=verdict))
        bench.ledgers.close(state)
        bench.records.close(state)
        return {"verdict": verdict, "earlier": [Asked.of(verdict)]}

    return compose


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
