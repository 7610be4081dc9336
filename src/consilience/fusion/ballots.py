"""A ballot, what it gives to a rule, and what a rule decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from consilience.core.errors import UnknownName

__all__ = ["Ballot", "Count", "Decision", "Needs", "leading", "options_of", "quoted"]

Needs = Literal["choice", "approvals", "ranking", "probabilities"]
"""What of a ballot a rule counts."""

LEVEL = 1e-9
"""Tallies that differ by less are level: sums of weights are not exact."""

_SUM = 1e-3


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ballot(_Frozen):
    """What one voter says, in as many forms as it says it.

    Where no choice is given it follows from the rest: the first of the ranking, the only approval, or the one most
    probable option. A ballot abstains under a rule that counts what it does not have (see `counted`).

    Raises:
        pydantic.ValidationError: it contradicts itself: something is ranked or approved twice, the choice is not the
            first of the ranking or not approved, the probabilities do not add up to 1 (to within 0.001).
    """

    voter: str = Field(description="Letter of the seat.")
    choice: str | None = Field(None, description="An option or candidate; None where there is no first choice.")
    ranking: tuple[str, ...] = Field((), description="The best first; may leave options out.")
    approvals: tuple[str, ...] = Field((), description="All that are acceptable.")
    probabilities: dict[str, float] = Field(
        default_factory=dict, description="By option, 0 to 1, together 1; 0 where left out."
    )
    reliability: float | None = Field(
        None, ge=0, le=1, description="Probability that the voter is right, from its record; None where unknown."
    )

    @model_validator(mode="after")
    def _check(self) -> Ballot:
        if self.choice is None:
            object.__setattr__(self, "choice", self._implied())
        elif self.ranking and self.choice != self.ranking[0]:
            raise ValueError(f"chooses {self.choice!r} and ranks {self.ranking[0]!r} first")
        if self.approvals and self.choice is not None and self.choice not in self.approvals:
            raise ValueError(f"chooses {self.choice!r} and does not approve it")
        for given in (self.ranking, self.approvals):
            if len(set(given)) < len(given):
                raise ValueError(f"an option stands twice in {given}")
        weights = self.probabilities.values()
        if weights and (min(weights) < 0 or not abs(sum(weights) - 1) <= _SUM):
            raise ValueError(f"probabilities of {self.voter} are no distribution: {self.probabilities}")
        return self

    def _implied(self) -> str | None:
        if self.ranking:
            return self.ranking[0]
        if len(self.approvals) == 1:
            return self.approvals[0]
        most = leading(self.probabilities) if self.probabilities else ()
        # Several approvals may leave the most probable one out: then the ballot has no first choice.
        return most[0] if len(most) == 1 and (not self.approvals or most[0] in self.approvals) else None

    def counted(self, needs: Needs) -> tuple[str, ...]:
        """The options that a rule with these needs counts; empty: the ballot abstains under it.

        A mere choice is an approval of it alone, and a ranking of one.
        """
        if needs == "probabilities":
            return tuple(self.probabilities)
        chosen = () if self.choice is None else (self.choice,)
        if needs == "approvals":
            return self.approvals or chosen
        return (self.ranking or chosen) if needs == "ranking" else chosen

    def named(self) -> frozenset[str]:
        """Everything that it names."""
        chosen = () if self.choice is None else (self.choice,)
        return frozenset((*chosen, *self.ranking, *self.approvals, *self.probabilities))


class Decision(_Frozen):
    """What a rule makes of the ballots. No winner is a result, and is never broken by chance or by order."""

    winner: str | None = Field(description="None on a tie, where the bar is not reached, and where nobody votes.")
    rule: str
    tally: dict[str, float] = Field(description="By option: votes, approvals, points, weight or probability.")
    ties: tuple[str, ...] = Field((), description="The options that are level at the top; empty where one leads.")
    abstained: tuple[str, ...] = Field((), description="Voters whose ballots the rule could not count.")
    told: str = Field(description="One line for a reader.")


@dataclass(frozen=True)
class Count:
    """What was counted of the ballots that do not abstain."""

    tally: Mapping[str, float]
    top: tuple[str, ...]
    """The options that lead; several are level."""
    detail: str
    """What the leader has, in words."""
    short: str | None = None
    """What the leader lacks; None where leading is enough."""


def leading(tally: Mapping[str, float]) -> tuple[str, ...]:
    """The options of the highest tally, in the tally's order; those level with it to within 1e-9."""
    highest = max(tally.values())
    return tuple(option for option, value in tally.items() if highest - value <= LEVEL)


def options_of(ballots: Sequence[Ballot], options: Iterable[str]) -> tuple[str, ...]:
    """The options in their order; where none are given, all that the ballots name, sorted.

    Raises:
        UnknownName: a ballot names what is no option (map free text with `option_of` first).
        ValueError: an option is given twice, or a voter votes twice.
    """
    given = tuple(options)
    voters = [ballot.voter for ballot in ballots]
    for values in (given, voters):
        if len(set(values)) < len(values):
            raise ValueError(f"something stands twice in {values}")
    named = frozenset[str]().union(*(ballot.named() for ballot in ballots))
    if not given:
        return tuple(sorted(named))
    if unknown := sorted(named - set(given)):
        raise UnknownName("option", unknown[0], given)
    return given


def quoted(names: Sequence[str]) -> str:
    """`'platform 4'`, or `'platform 4' and 'platform 9'`."""
    told = [f"'{name}'" for name in names]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
