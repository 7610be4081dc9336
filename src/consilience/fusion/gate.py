"""Does a debate pay here? Told by the blind openings, before a token is spent on an exchange.

Disagreement alone finds the safe cases and misses the unanimous and wrong ones. So the gate also looks at conflicts
between modalities, at how thin the evidence of a unanimous answer is, and at what the others say without the main
witness: openings over single modalities are counterfactuals that are already paid for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from consilience.fusion.ballots import quoted
from consilience.observations import Conflict, Modality, Observation

__all__ = ["Ablation", "Gate", "Ground", "Opening", "gate"]


@dataclass(frozen=True)
class Opening:
    """One seat's blind opening, as far as the gate looks at it."""

    voter: str
    position: str | None
    """A candidate or option; None: it does not answer."""
    stated: Literal["fully", "partly", "not"]
    """How much of the answer its evidence states, by its own word."""
    cited: tuple[Observation, ...] = ()
    """Observations whose citations were checked and hold."""
    view: frozenset[Modality] = frozenset()
    """Modalities that the seat saw; empty: unknown, or all."""

    def rests_on(self, modality: Modality) -> bool:
        """It would say nothing without this modality: it saw no other, or cites no other."""
        cited = {observation.provenance.modality for observation in self.cited}
        return self.view == {modality} or cited == {modality}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ground(_Frozen):
    """One reason to debate."""

    kind: Literal["unanswered", "disagreement", "conflict", "thin", "witness"]
    told: str = Field(description="For a reader, one line.")


class Ablation(_Frozen):
    """What is answered when a modality is left out."""

    without: Modality
    position: str | None = Field(description="What most of the rest hold; None on a tie, or where nobody answers.")
    survives: bool = Field(description="It is still the answer.")


class Gate(_Frozen):
    """Whether to debate, and why."""

    debate: bool
    grounds: tuple[Ground, ...] = ()
    position: str | None = Field(None, description="The answer before any debate; None where none leads.")
    sources: int = Field(0, ge=0, description="Different media and modalities that are cited for it.")
    ablation: Ablation | None = Field(None, description="Without its main witness; None where nothing is cited for it.")
    told: str = Field(description="For a reader, one line.")


def gate(
    openings: Sequence[Opening],
    conflicts: Sequence[Observation] = (),
    *,
    relevant: Collection[str] = (),
    independent: int = 2,
) -> Gate:
    """Looks for grounds to debate; one is enough.

    - `unanswered`: nobody answers, but something is cited: only together might they.
    - `disagreement`: those who answer do not all hold the same.
    - `conflict`: a conflict touches an observation that is cited, or relevant.
    - `thin`: for a unanimous answer nothing is cited, or fewer than `independent` sources, or none whose seat says that
      it states the answer fully.
    - `witness`: without the modality that most is cited from, the answer is another one, or there is none. Of several
      that are level, each is left out in turn. Not where `independent` is 1: what has no second source hangs on one.

    With fewer than two seats, or where nobody answers or cites anything, there is nothing to exchange, and no debate.

    Args:
        openings: the blind openings of the seats that answered the call; whoever was lost is not among them.
        conflicts: observations of kind `conflict`; others are passed over.
        relevant: ids of observations that matter to the question though nobody cites them.
        independent: how many sources (pairs of medium and modality) make a unanimous answer well supported; 1 where
            the record has no more.
    """
    if len(openings) < 2:
        return Gate(debate=False, told="no debate: fewer than two seats")
    position = _leading(openings)
    for_it = [one for one in openings if position is not None and one.position == position]
    sources = {(o.provenance.media, o.provenance.modality) for one in for_it for o in one.cited}
    ablation = _ablation(openings, for_it, position)
    answers = {one.position for one in openings if one.position is not None}
    unanimous = len(answers) == 1
    found = [
        *_unanswered(openings),
        *_disagreement(openings),
        *_conflicts(openings, conflicts, relevant),
        *(_thin(for_it, len(sources), independent) if unanimous else ()),
        *(_witness(ablation, position) if independent > 1 else ()),
    ]
    exchange = bool(answers) or any(one.cited for one in openings)
    return Gate(
        debate=bool(found) and exchange,
        grounds=tuple(found) if exchange else (),
        position=position,
        sources=len(sources),
        ablation=ablation,
        told=_told(found, for_it, len(sources)) if exchange else "no debate: no seat answers, and none cites anything",
    )


def _leading(openings: Sequence[Opening]) -> str | None:
    held = Counter(one.position for one in openings if one.position is not None).most_common(2)
    level = len(held) == 2 and held[0][1] == held[1][1]
    return held[0][0] if held and not level else None


def _unanswered(openings: Sequence[Opening]) -> Iterator[Ground]:
    if all(one.position is None for one in openings):
        yield Ground(kind="unanswered", told="no seat answers from its own evidence; only together might they")


def _disagreement(openings: Sequence[Opening]) -> Iterator[Ground]:
    holders: dict[str, list[str]] = defaultdict(list)
    for one in openings:
        if one.position is not None:
            holders[one.position].append(one.voter)
    if len(holders) > 1:
        told = "; ".join(f"{', '.join(voters)}: '{position}'" for position, voters in holders.items())
        yield Ground(kind="disagreement", told=f"the seats answer differently ({told})")


def _conflicts(
    openings: Sequence[Opening], conflicts: Sequence[Observation], relevant: Collection[str]
) -> Iterator[Ground]:
    touched = {observation.id for one in openings for observation in one.cited} | set(relevant)
    for observation in conflicts:
        if observation.kind != "conflict":
            continue
        conflict = observation.as_(Conflict)
        if touched & {conflict.first, conflict.second}:
            yield Ground(kind="conflict", told=f"the evidence contradicts itself ({observation.text})")


def _thin(for_it: Sequence[Opening], sources: int, independent: int) -> Iterator[Ground]:
    answer = quoted([for_it[0].position or ""])
    if not sources:
        yield Ground(kind="thin", told=f"nothing that could be checked is cited for {answer}")
    elif sources < independent:
        number = "only one source is" if sources == 1 else f"only {sources} sources are"
        yield Ground(kind="thin", told=f"{number} cited for {answer} ({_modalities(for_it)})")
    if all(one.stated != "fully" for one in for_it):
        yield Ground(kind="thin", told=f"no seat says that its evidence states {answer} in full")


def _ablation(openings: Sequence[Opening], for_it: Sequence[Opening], position: str | None) -> Ablation | None:
    """Without the modality that the most observations are cited from; of level ones, one that the answer hangs on."""
    cited = {(o.id, o.provenance.modality) for one in for_it for o in one.cited}
    if not cited:
        return None
    support = Counter(modality for _, modality in cited)
    main = sorted(modality for modality, number in support.items() if number == max(support.values()))
    found: list[Ablation] = []
    for modality in main:
        held = _leading([one for one in openings if not one.rests_on(modality)])
        found.append(Ablation(without=modality, position=held, survives=held == position))
    return min(found, key=lambda ablation: ablation.survives)


def _witness(ablation: Ablation | None, position: str | None) -> Iterator[Ground]:
    if ablation is None or ablation.survives:
        return
    rest = f"the answer is {quoted([ablation.position])}" if ablation.position else "no answer leads"
    told = f"{quoted([position or ''])} hangs on the {ablation.without} evidence: without it {rest}"
    yield Ground(kind="witness", told=told)


def _modalities(openings: Sequence[Opening]) -> str:
    return ", ".join(sorted({o.provenance.modality for one in openings for o in one.cited}))


def _told(found: Sequence[Ground], for_it: Sequence[Opening], sources: int) -> str:
    if found:
        return "debate: " + "; ".join(ground.told for ground in found)
    voters = ", ".join(one.voter for one in for_it)
    return f"no debate: all who answer ({voters}) hold {quoted([for_it[0].position or ''])}, cited from {sources} " + (
        "source" if sources == 1 else "sources"
    )
