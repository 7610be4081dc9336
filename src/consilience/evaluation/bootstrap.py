"""Intervals for differences between ways to answer the same questions (Efron and Tibshirani 1993, chapter 16)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Interval", "bootstrap"]


class Interval(BaseModel):
    """A mean with its percentile interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    low: float
    high: float
    number: int = Field(description="How many values it is the mean of.")

    @property
    def excludes_zero(self) -> bool:
        """All of it lies on one side of zero."""
        return self.low > 0 or self.high < 0


def bootstrap(
    values: Sequence[float],
    groups: Sequence[Hashable],
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Interval:
    """The mean of `values`, with its interval when whole groups are drawn with replacement.

    For a paired comparison the values are differences, one a question (and seed); the groups are the records that the
    questions are about: questions on one record, and draws of one question, stand or fall together.

    Args:
        values: at least one.
        groups: to which group each value belongs.
        level: of the interval, above 0 and below 1.
        draws: how often it is drawn.
        seed: the same seed gives the same interval.

    Raises:
        ValueError: no values, not as many groups, or a level that is none.
    """
    import numpy as np

    if not values or len(values) != len(groups) or not 0 < level < 1:
        raise ValueError("it takes at least one value, a group for each, and a level between 0 and 1")
    place = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    indices = np.array([place[group] for group in groups])
    sums = np.bincount(indices, weights=np.asarray(values, float), minlength=len(place))
    counts = np.bincount(indices, minlength=len(place))
    drawn = np.random.default_rng(seed).integers(0, len(place), (draws, len(place)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(np.mean(values)), low=float(low), high=float(high), number=len(values))
