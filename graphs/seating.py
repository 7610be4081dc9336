"""Who sits at the table: settled once, before the openings, and the same from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from consilience.agents import Likeness, Routing, Seat, Seating, default_experts, generalists, joining, route
from consilience.agents.specialists import SOCIAL
from consilience.graphs.relevance import embedder_if_installed
from consilience.graphs.state import PERSON, DebateState
from consilience.graphs.workbench import Panel, Workbench

from consilience.models.embedder import TextEmbedder
from consilience.observations import Record, Relevance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["likeness_by", "seating_of", "seats_of"]


def seating_of(
    bench: Workbench, panel: Panel, record: Record, question: str, relevance: Relevance | None = None
) -> Seating:
    """Whom the panel seats for this question and record. Blocks where the question is compared.

    Named experts all sit down, unless the panel is routed. Where none is named, it is the specialist of each modality,
    and beside them the social specialists that the question asks for and that see something.
    """
    usual = panel.experts or default_experts(record.modalities)
    social = [expert for expert in SOCIAL if set(expert.sees.modalities) & set(record.modalities)]
    if (panel.experts and not panel.route) or not (panel.route or social):
        return Seating(usual)
    embedder = embedder_if_installed(bench.settings.threads)
    likeness = likeness_by(embedder) if embedder else None
    rules = Routing(biometrics=bench.settings.biometrics)
    # Without an embedder, nobody knows what a question asks for.
    more = joining(social, record, question, likeness, rules) if likeness and not panel.experts else Seating(())
    if not panel.route:
        return Seating((*usual, *more.seated), more.passed_over)
    routed = route((*usual, *more.seated), record, question, relevance=relevance, likeness=likeness, rules=rules)
    return Seating(routed.seated, (*routed.passed_over, *more.passed_over))


async def seats_of(bench: Workbench, panel: Panel, record: Record, state: DebateState) -> tuple[Seat, ...]:
    """The seats that were taken, in the state's order; those that would be, where nobody has sat down yet."""
    names = [seat.expert for seat in state.get("seats", []) if seat.model != PERSON]
    usual = panel.experts or default_experts(record.modalities)
    known = {expert.name: expert for expert in (*generalists(1), *SOCIAL, *usual)}
    if names and known.keys() >= set(names):
        return bench.seats(panel, [known[name] for name in names])
    seating = await asyncio.to_thread(seating_of, bench, panel, record, state["question"])
    return bench.seats(panel, seating.seated)


def likeness_by(embedder: TextEmbedder) -> Likeness:
    """How like questions are in meaning, by cosines; what a question is compared with is embedded once in a process."""

    def likeness(question: str, others: Sequence[str]) -> list[float]:
        known = _samples(embedder)
        new = [text for text in dict.fromkeys(others) if text not in known]
        if new:
            known.update(zip(new, embedder.questions(new), strict=True))
        asked = _asked(embedder, question)
        return [float(known[other] @ asked) for other in others]

    return likeness


@lru_cache(maxsize=2)
def _samples(embedder: TextEmbedder) -> dict[str, NDArray[np.float32]]:
    return {}


@lru_cache(maxsize=64)
def _asked(embedder: TextEmbedder, question: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = embedder.questions([question])[0]
    return vector
