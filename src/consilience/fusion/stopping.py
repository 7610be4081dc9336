"""When to stop exchanging, told by what the seats hold and cite, never by how sure they say they are.

Positions are candidates or options (`candidates`, `option_of`), by voter; None: the voter does not answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import fsum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Positions", "Stop", "agreement", "decline", "no_new_evidence", "stability", "support", "total_variation"]

Positions = Mapping[str, str | None]

_EXACT = 1e-9


class Stop(BaseModel):
    """Why there is no further round."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["agreement", "stability", "no_new_evidence", "decline", "rounds", "budget"]
    """The last two are for whoever counts rounds and tokens to tell."""
    reason: str = Field(description="For a reader, one line.")


def agreement(positions: Positions) -> Stop | None:
    """All who answer hold the same, and at least two answer."""
    answers = [position for position in positions.values() if position is not None]
    if len(answers) < 2 or len(set(answers)) > 1:
        return None
    silent = len(positions) - len(answers)
    rest = f"; {silent} {_do(silent)} not answer" if silent else ""
    return Stop(rule="agreement", reason=f"all {len(answers)} who answer hold '{answers[0]}'{rest}")


def stability(rounds: Sequence[Positions], *, threshold: float = 0.05, patience: int = 1) -> Stop | None:
    """The distribution of positions has changed by at most `threshold` in each of the last `patience` rounds.

    Change is the total variation distance between the distributions of two rounds, not to answer being a position
    too. The idea is that of T. Hu et al., "Multi-agent debate for LLM judges with adaptive stability detection"
    (arXiv 2510.12697, 2025), who compare fitted distributions of scores by the Kolmogorov-Smirnov statistic; positions
    have no order, which that needs.

    Args:
        rounds: the opening first; at least `patience` + 1, else there is no telling.
        threshold: 0 to 1. With n seats the distance moves in steps of 1/n: below that, nothing may change.
        patience: how many changes in a row have to be small, at least 1.

    Raises:
        ValueError: the patience is less than 1.
    """
    if patience < 1:
        raise ValueError(f"a patience of {patience} waits for nothing")
    last = rounds[-patience - 1 :]
    if len(last) <= patience or not all(last):
        return None
    changes = [total_variation(before, now) for before, now in pairwise(last)]
    if max(changes) > threshold + _EXACT:
        return None
    during = "the last round" if patience == 1 else f"each of the last {patience} rounds"
    return Stop(
        rule="stability",
        reason=f"the spread of answers changed by {max(changes):.0%} in {during}, and {threshold:.0%} counts as stable",
    )


def total_variation(one: Positions, other: Positions) -> float:
    """The share of voters that would have to move to make one distribution of positions the other, 0 to 1.

    Raises:
        ValueError: nobody is there on one side.
    """
    if not one or not other:
        raise ValueError("nobody holds no positions")
    ours, theirs = Counter(one.values()), Counter(other.values())
    apart = fsum(abs(ours[p] / len(one) - theirs[p] / len(other)) for p in ours.keys() | theirs.keys())
    return apart / 2


def no_new_evidence(cited: Collection[str], before: Collection[str]) -> Stop | None:
    """No observation was cited in the round that had not been cited before it.

    Args:
        cited: ids of observations whose citation in the round was checked and holds.
        before: those of all earlier rounds, the opening among them.
    """
    if set(cited) - set(before):
        return None
    reason = "only observations that had been cited before were cited again" if cited else "nothing was cited"
    return Stop(rule="no_new_evidence", reason=f"the last round brought no new evidence: {reason}")


def support(positions: Positions, cited: Mapping[str, Collection[str]]) -> dict[str, float]:
    """How many different observations those who hold a position cite for it; what two cite counts once.

    Args:
        positions: by voter.
        cited: ids of observations whose citation was checked and holds, by voter.
    """
    found: dict[str, set[str]] = {position: set() for position in positions.values() if position is not None}
    for voter, position in positions.items():
        if position is not None:
            found[position].update(cited.get(voter, ()))
    return {position: float(len(ids)) for position, ids in found.items()}


def decline(before: Positions, now: Positions, supported: Mapping[str, float]) -> Stop | None:
    """More seats moved to a position with less evidence than to one with more.

    Args:
        before: positions before the round.
        now: positions after it; only voters of both are compared.
        supported: evidence by position, as `support` counts it, or weighted; 0 for those left out, and for not
            answering. Take it from before the round, else those who move carry their citations with them.
    """
    worse, better = 0, 0
    for voter in before.keys() & now.keys():
        left, taken = (0.0 if p is None else supported.get(p, 0.0) for p in (before[voter], now[voter]))
        if before[voter] != now[voter]:
            worse += taken < left - _EXACT
            better += taken > left + _EXACT
    if worse <= better:
        return None
    moved = f"{worse} {'seat' if worse == 1 else 'seats'} moved to an answer with less evidence"
    return Stop(rule="decline", reason=f"{moved}, {better or 'none'} to one with more")


def _do(number: int) -> str:
    return "does" if number == 1 else "do"
