"""The course of a series: level, trend, steps, or a bend, whichever explains it best against noise that has a memory.

Candidates are fitted by least squares and compared by what they leave unexplained, in units of the noise's long-run
variance, plus a price for every parameter (Schwarz 1978). Steps come from optimal partitioning (Killick et al. 2012)
by `ruptures`. The noise is estimated from differences, which no trend and few steps disturb (Rice 1984): noise that
wanders (first-order autoregression) has a larger long-run variance and is not taken for a trend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LEAST", "Shape", "likelihood_of_chance", "long_run_variance", "shape_of"]

LEAST = 10
"""Fewer values than this have no course."""

_MOST_STEPS = 8
_SHORTEST = 4
"""Values between two steps, and before the first and after the last; of a long series a fortieth."""
_KNOTS = 100
_DOUBT = 0.7
# Prices of a trend, a step and a bend: what white noise gives away for nothing once in some hundred series, at most.
_LINE, _STEP, _BEND = 9.0, 15.0, 22.0


@dataclass(frozen=True)
class Shape:
    """A fitted course."""

    fitted: Array
    """Its value at each place, shape (n,)."""
    slope: float = 0.0
    """Per unit of the order; of the part before the bend where there is one."""
    steps: tuple[int, ...] = ()
    """Places of the first value after each step."""
    bend: int | None = None
    """Place from which on the slope is another."""
    slope_after: float = 0.0
    noise: float = 0.0
    """Long-run variance of what is left."""

    @property
    def is_level(self) -> bool:
        """Nothing but noise."""
        return not (self.slope or self.steps or self.bend is not None)


def shape_of(order: Array, values: Array) -> Shape:
    """The course of `values` (no NaN, shape (n,)) at the increasing places `order`."""
    level = Shape(fitted=_mean(values))
    if len(values) < LEAST or values.max() == values.min():
        return level
    noise = long_run_variance(values)

    def gain(shape: Shape, price: float, noise: float) -> float:
        return _left(values, level.fitted, noise) - _left(values, shape.fitted, noise) - price

    candidates = sorted(_candidates(order, values, noise), key=lambda found: -gain(found[0], found[1], noise))
    for shape, price in candidates:
        # A wave is explained by no line: what a line leaves of it is no noise, and would be taken for very little.
        larger = max(noise, _wandering(values - shape.fitted))
        if gain(shape, price, larger) > 0:
            return replace(shape, noise=larger)
    return replace(level, noise=noise)


def likelihood_of_chance(order: Array, values: Array, shape: Shape) -> float:
    """The p-value of the slope: how often noise would give one as steep."""
    _, fitted = _line_and_steps(order, values, shape.steps)
    explained = _left(values, _stepped(values, shape.steps), shape.noise) - _left(values, fitted, shape.noise)
    return math.erfc(math.sqrt(max(explained, 0.0) / 2))


def long_run_variance(values: Array) -> float:
    """Variance of the noise, as its mean over a long stretch has it times the length of the stretch."""
    import numpy as np

    steps = np.diff(values)
    steps = steps - np.median(steps)
    spread = 1.4826 * float(np.median(np.abs(steps)))
    if not spread:  # most values are one: what the few largest jumps leave
        kept = np.sort(np.abs(steps))[: -max(1, len(steps) // 20)]
        spread = float(np.sqrt(np.mean(kept**2))) if len(kept) else 0.0
    floor = 1e-6 * float(values.max() - values.min())
    clipped = np.clip(steps, -3 * max(spread, floor), 3 * max(spread, floor))
    power = float(np.mean(clipped**2)) or floor**2
    memory = 1 + 2 * float(np.mean(clipped[1:] * clipped[:-1])) / power
    # Some memory is granted that a short series cannot show: taken for none, it would pass for a trend.
    memory = min(max(memory + _DOUBT / len(values) ** 0.5, 0.0), 0.95)
    return float(max(power, floor**2) / 2 / (1 - memory) * (1 + memory) / (1 - memory))


def _wandering(rest: Array) -> float:
    """Long-run variance of what a course leaves, by its own first autocorrelation."""
    import numpy as np

    power = float(np.mean(rest**2))
    if not power:
        return 0.0
    memory = min(max(float(np.mean(rest[1:] * rest[:-1])) / power, 0.0), 0.95)
    return power * (1 + memory) / (1 - memory)


def _candidates(order: Array, values: Array, noise: float) -> Iterator[tuple[Shape, float]]:
    """Courses with the price of their parameters; finding a place among many costs as much as several parameters."""
    import numpy as np

    slope, fitted = _line(order, values)
    yield Shape(fitted, slope=slope), _LINE
    for steps in _partitions(values, noise * _STEP):
        if _are_abrupt(order, values, steps):
            yield Shape(_stepped(values, steps), steps=steps), _STEP * len(steps)
    reach = max(1, len(values) // 5)
    rough = float(np.median((values[reach:] - values[:-reach]) / (order[reach:] - order[:-reach])))
    for steps in _partitions(values - rough * order, noise * _STEP):
        slope, fitted = _line_and_steps(order, values, steps)
        if _are_abrupt(order, values - slope * order, steps):
            yield Shape(fitted, slope=slope, steps=steps), _LINE + _STEP * len(steps)
    yield _bent(order, values), _BEND


def _mean(values: Array) -> Array:
    import numpy as np

    return np.full(len(values), values.mean())


def _left(values: Array, fitted: Array, noise: float) -> float:
    import numpy as np

    return float(np.sum((values - fitted) ** 2)) / noise


def _line(order: Array, values: Array) -> tuple[float, Array]:
    import numpy as np

    centred = order - order.mean()
    slope = float(np.dot(centred, values) / np.dot(centred, centred))
    return slope, values.mean() + slope * centred


def _partitions(values: Array, penalty: float) -> list[tuple[int, ...]]:
    """Places of the steps that are worth their price; none where there are none, or too many to mean anything."""
    import ruptures

    scale = float(values.std()) or 1.0
    shortest = max(_SHORTEST, len(values) // 40)
    search = ruptures.KernelCPD(kernel="linear", min_size=shortest).fit((values - values.mean()) / scale)
    steps = tuple(int(place) for place in search.predict(pen=max(penalty / scale**2, 1e-9))[:-1])
    return [steps] if 0 < len(steps) <= _MOST_STEPS else []


def _are_abrupt(order: Array, values: Array, steps: tuple[int, ...]) -> bool:
    """Whether two levels explain the values around each step better than a ramp does."""
    import numpy as np

    bounds = [0, *steps, len(values)]
    for before, step, after in zip(bounds, bounds[1:], bounds[2:], strict=False):
        reach = min(step - before, after - step)
        near = slice(step - reach, step + reach)
        levels = _stepped(values[near], (reach,))
        _, ramp = _line(order[near], values[near])
        if np.sum((values[near] - levels) ** 2) > np.sum((values[near] - ramp) ** 2):
            return False
    return True


def _stepped(values: Array, steps: tuple[int, ...]) -> Array:
    import numpy as np

    pieces = np.split(values, steps)
    return np.concatenate([_mean(piece) for piece in pieces])


def _line_and_steps(order: Array, values: Array, steps: tuple[int, ...]) -> tuple[float, Array]:
    """Least squares of one slope and a level for each segment: within segments, then their means."""
    import numpy as np

    flat = values - _stepped(values, steps)
    inner = order - _stepped(order, steps)
    slope = float(np.dot(inner, flat) / np.dot(inner, inner))
    return slope, _stepped(values, steps) + slope * inner


def _bent(order: Array, values: Array) -> Shape:
    """Two lines that meet, at the best of up to a hundred places."""
    import numpy as np

    margin = max(_SHORTEST, len(values) // 10)
    places = np.unique(np.linspace(margin, len(values) - margin - 1, _KNOTS).astype(int))
    best: tuple[float, int, Array, Array] | None = None
    for place in places:
        basis = np.column_stack([np.ones(len(order)), order, np.maximum(0.0, order - order[place])])
        weights, *_ = np.linalg.lstsq(basis, values, rcond=None)
        fitted = basis @ weights
        rest = float(np.sum((values - fitted) ** 2))
        if best is None or rest < best[0]:
            best = rest, int(place), weights, fitted
    assert best is not None
    _, place, weights, fitted = best
    return Shape(fitted, slope=float(weights[1]), bend=place, slope_after=float(weights[1] + weights[2]))
