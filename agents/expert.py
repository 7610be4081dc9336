"""A specialist in a seat of the debate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from consilience.agents.asking import ask, conversation
from consilience.agents.briefing import debate_brief, opening_brief
from consilience.agents.prompts import prompt
from consilience.agents.replies import turn_form
from consilience.agents.turn import Phase, Turn

from consilience.models import Endpoint, Meter, ModelLike, Sampling
from consilience.observations import Modality, Record, Relevance, Rendering

__all__ = ["Expert", "Seat", "default_experts", "take_seats"]

_ROLES: dict[Modality, str] = {
    "image": "the expert for pictures: signs, objects, what can be seen",
    "audio": "the expert for recordings: what is said and heard",
    "video": "the expert for videos: what is seen and said, and when",
    "document": "the expert for documents",
    "text": "the expert for written text",
    "table": "the expert for tables and figures",
}


@dataclass(frozen=True)
class Expert:
    """Who sits in a seat: a role, a view of the record, a model."""

    name: str
    role: str
    """Completes the sentence "You are ..."."""
    view: tuple[Modality, ...] | None = None
    """Modalities whose observations it sees in its opening; None: the whole record."""
    model: ModelLike | None = None
    """Its own model; None: the run's."""
    sampling: Sampling = Sampling()
    tokens: int = 1200
    """Budget of the evidence in its opening prompt."""

    @classmethod
    def for_modality(cls, modality: Modality) -> Expert:
        """The ready specialist of one modality."""
        return cls(modality, _ROLES[modality], view=(modality,))


@dataclass(frozen=True)
class Seat:
    """An expert with the letter that stands for it in prompts, and the endpoint it speaks through."""

    letter: str
    expert: Expert
    endpoint: Endpoint

    async def open(self, question: str, record: Record, meter: Meter, *, relevance: Relevance | None = None) -> Turn:
        """The blind first turn, over the seat's own view; `relevance` says what of it stays where not all fits."""
        own = record.select(modalities=self.expert.view)
        evidence = await asyncio.to_thread(record.render, own, tokens=self.expert.tokens, relevance=relevance)
        instruction = prompt("opening", role=self.expert.role)
        shared = opening_brief(question, evidence)
        return await self._take_turn("opening", 0, shared, instruction, (evidence.labels, ()), meter)

    async def respond(
        self, question: str, evidence: Rendering, turns: Sequence[Turn], rivals: Sequence[str], meter: Meter
    ) -> Turn:
        """A turn that answers the peers' turns, over the evidence cited so far.

        Args:
            question: as asked.
            evidence: what has been cited.
            turns: all so far.
            rivals: letters of the peers whose positions diverge from this seat's; only they can be disputed.
            meter: takes the usage.
        """
        dispute = prompt("dispute", rivals=" or ".join(rivals)) + " " if rivals else ""
        instruction = prompt("exchange", seat=self.letter, role=self.expert.role, dispute=dispute)
        shared = debate_brief(question, evidence, turns)
        round_ = max(turn.round for turn in turns) + 1
        return await self._take_turn("exchange", round_, shared, instruction, (evidence.labels, rivals), meter)

    async def _take_turn(
        self,
        phase: Phase,
        round_: int,
        shared: str,
        instruction: str,
        allowed: tuple[Sequence[str], Sequence[str]],
        meter: Meter,
    ) -> Turn:
        messages = conversation(shared, instruction)
        form = turn_form(*allowed)
        filled = await ask(self.endpoint, messages, form, meter=meter, sampling=self.expert.sampling)
        return Turn(
            seat=self.letter,
            expert=self.expert.name,
            phase=phase,
            round=round_,
            position=filled.value.position(),
            claims=filled.value.contract_claims(),
            disputes=filled.value.contract_disputes(),
            repaired=filled.repaired,
        )


def default_experts(modalities: Sequence[Modality]) -> tuple[Expert, ...]:
    """A specialist for each modality, over its own observations only; beside a lone one, a sceptic.

    Nobody sees the whole record blind: a seat that does tends to believe the plainest source, and outvotes the one
    witness of a conflict.
    """
    specialists = tuple(Expert.for_modality(modality) for modality in modalities)
    if len(specialists) > 1:
        return specialists
    return (*specialists, Expert("sceptic", "a sceptic: you accept only what a line of evidence says in plain words"))


def take_seats(
    experts: Sequence[Expert], endpoints: Sequence[Endpoint], *, seed: int | None = None
) -> tuple[Seat, ...]:
    """Seats in order, lettered from A; each draws with its own seed derived from `seed`.

    Raises:
        ValueError: no expert, more than 26, or two of the same name.
    """
    names = [expert.name for expert in experts]
    if not 1 <= len(experts) <= 26 or len(set(names)) != len(names):
        raise ValueError(f"1 to 26 experts with different names are needed, not {names}")
    return tuple(
        Seat(chr(ord("A") + i), _seeded(expert, seed, i), endpoint)
        for i, (expert, endpoint) in enumerate(zip(experts, endpoints, strict=True))
    )


def _seeded(expert: Expert, seed: int | None, index: int) -> Expert:
    if seed is None or expert.sampling.seed is not None:
        return expert
    return replace(expert, sampling=replace(expert.sampling, seed=seed * 100 + index))
