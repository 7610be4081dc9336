"""Values that stand out from their neighbours: Hampel's identifier (Davies and Gather 1993) around a course."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LEAST", "Outlier", "cleaned", "outliers"]

LEAST = 8
"""Among fewer values than this none stands out."""

_REACH = 5
"""Neighbours on either side."""
_LEAST_SCORE = 5.0
_CHANCE = 0.005
"""How often normal noise may give a series an outlier."""
_SKEWED = 1.0
_LEAST_TAIL = 5


@dataclass(frozen=True)
class Outlier:
    """A value that does not fit."""

    place: int
    value: float
    expected: float
    score: float
    """Distance from what was expected, in standard deviations of the ordinary values."""


def outliers(values: Array, course: Array, *, ordered: bool = True) -> list[Outlier]:
    """The outliers among `values` (no NaN, shape (n,)) around `course`, the farthest first.

    Where all are positive and most are small, as incomes and prices are, one must stand out in its ratio to what was
    expected as well. `ordered` tells that neighbours are alike, as in a series of measurements.
    """
    import numpy as np

    if len(values) < LEAST:
        return []
    expected, scores = _scored(values, course, ordered)
    standing_out = scores > _bound(scores)
    if values.min() > 0 and course.min() > 0 and _skew(values) > _SKEWED:
        expected, scores = _scored(np.log(values), np.log(course), ordered)
        standing_out &= scores > _bound(scores)
        expected = np.exp(expected)
    found = [
        Outlier(int(i), float(values[i]), float(expected[i]), float(min(scores[i], 1e6)))
        for i in np.flatnonzero(standing_out)
    ]
    return sorted(found, key=lambda outlier: (-outlier.score, outlier.place))


def _scored(values: Array, course: Array, ordered: bool) -> tuple[Array, Array]:
    """What was to be expected of each value, and how many standard deviations it is away from that."""
    import numpy as np

    if not ordered:
        expected = course + np.median(values - course)
        return expected, np.abs(values - expected) / _spread(values - expected)
    # A course that does not fit, such as steps through a wave, makes things worse than neighbours alone.
    near = [course + _local_median(values - course), _local_median(values)]
    expected = min(near, key=lambda expected: _spread(values - expected))
    return expected, np.abs(values - expected) / _spread(values - expected)


def _bound(scores: Array) -> float:
    few = 1 + 8 / len(scores)  # the spread of a few values is not well known
    return few * max(_LEAST_SCORE, 1.15 * _normal_bound(len(scores)), _tail_bound(scores))


def cleaned(values: Array) -> Array:
    """The values with outliers pulled to their neighbours' median: what a course is fitted to."""
    import numpy as np

    if len(values) < LEAST:
        return values
    local = _local_median(values)
    rest = values - local
    return np.where(np.abs(rest) > 4 * _spread(rest), local, values)


def _local_median(values: Array) -> Array:
    import numpy as np
    from scipy.ndimage import median_filter

    reach = min(_REACH, (len(values) - 1) // 2)
    return np.asarray(median_filter(values, size=2 * reach + 1, mode="reflect"))


def _spread(rest: Array) -> float:
    """Standard deviation of the ordinary ones; where more than half are one, of all but the few largest."""
    import numpy as np

    size = np.abs(rest)
    spread = 1.4826 * float(np.median(size))
    if not spread:
        ordinary = np.sort(size)[: -max(1, len(size) // 50)]
        spread = float(np.sqrt(np.mean(ordinary**2)))
    return spread or 1e-9 * (float(size.max()) or 1.0)


def _normal_bound(n: int) -> float:
    from scipy.stats import norm

    return float(norm.isf(_CHANCE / 2 / n))


def _tail_bound(scores: Array) -> float:
    """What the largest of these would hardly exceed with an exponential tail, fitted to the largest tenth.

    The tails of many quantities are longer than normal ones: their farthest values belong to them all the same.
    """
    import numpy as np

    many = len(scores) // 10
    if many < _LEAST_TAIL:
        return 0.0
    largest = np.partition(scores, -many - 1)[-many - 1 :]
    start = float(largest.min())
    mean = float(np.median(largest - start)) / math.log(2)
    return start + mean * (math.log(many) - math.log(2 * _CHANCE))


def _skew(values: Array) -> float:
    """Skewness after Bowley by the outer octiles: what a few outliers do not move."""
    import numpy as np

    low, middle, high = np.quantile(values, [0.125, 0.5, 0.875])
    if high == low or math.isclose(high, low):
        return 0.0
    return float(3 * (high + low - 2 * middle) / (high - low))
