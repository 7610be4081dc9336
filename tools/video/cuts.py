"""Where one shot of a film goes over into the next, found in one pass over small pictures.

A cut is a step between two pictures that stands out from the steps around it (the adaptive threshold of PySceneDetect's
`AdaptiveDetector`), is not what a moving camera does (the least difference over small shifts counts, a block match of
the whole picture), and after which nothing of what was there comes back within half a second (a flash, or somebody who
passes before the camera, does not end a shot). Dissolves and fades are stretches in which every picture is the mixture
of the first and the last (Hampapur, Jain & Weymouth 1994, production model of gradual transitions). Neither ends a shot
where the picture stays the same but for its light.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HEIGHT", "WIDTH", "Boundary", "CutDetector"]

WIDTH, HEIGHT = 64, 36
"""Pixels of the pictures that are compared."""

# In pictures: how far before and after a step the others are looked at, and which of them.
_REACH = 12
_STEPS = (1, 2, 3, 5, 8, 12)
_AROUND = 6
# Shares of the full range of brightness that pictures must differ by, on average.
_LEAST_STEP = 0.05
_LEAST_CHANGE = 0.1
_STANDS_OUT = 2.5
_COMES_BACK = 0.7
_BACK_WITHIN = 0.5
# Lengths of gradual transitions that are tried, in pictures, and the longest in seconds.
_LENGTHS = (6, 10, 16, 24)
_LONGEST = 2.0
_UNLIKE_MIXTURE = 0.25
_SAME_BUT_FOR_LIGHT = 0.8


@dataclass(frozen=True)
class Boundary:
    """A change of shot."""

    at: float
    """Seconds: when the first picture of the new shot is shown; of a gradual one, its middle."""
    gradual: bool = False


@dataclass(frozen=True)
class _Seen:
    at: float
    picture: Any
    blurred: Any
    step: float
    """Difference from the picture before."""


@dataclass
class _Mixture:
    """Overlapping stretches that look like one dissolve, weighted by how much they do."""

    last: float
    weight: float
    moment: float

    @property
    def centre(self) -> float:
        return self.moment / self.weight


@dataclass
class CutDetector:
    """Takes pictures one by one and holds no more than the last 25."""

    min_seconds: float = 0.4
    """Shortest shot."""
    _window: deque[_Seen] = field(default_factory=lambda: deque(maxlen=2 * _REACH + 1))
    _cuts: list[float] = field(default_factory=list)
    _mixtures: list[_Mixture] = field(default_factory=list)

    def push(self, at: float, picture: NDArray[np.float32]) -> float:
        """Takes the picture shown at `at` seconds, of shape (36, 64, 3) in 0-1, and gives its step, 0 to 1."""
        step = _apart(self._window[-1].picture, picture) if self._window else 0.0
        self._window.append(_Seen(at, picture, _blurred(picture), step))
        if len(self._window) > _REACH:
            self._look_for_cut(len(self._window) - 1 - _REACH)
        self._look_for_mixture()
        return step

    def finish(self) -> list[Boundary]:
        """All boundaries, in order, `min_seconds` apart; no picture may come after."""
        for i in range(max(0, len(self._window) - _REACH), len(self._window)):
            self._look_for_cut(i)
        kept: list[Boundary] = []
        gradual = [Boundary(round(mixture.centre, 3), gradual=True) for mixture in self._mixtures]
        # Where both were found in one place, the sharper finding holds.
        for boundary in [*map(Boundary, self._cuts), *gradual]:
            if all(abs(boundary.at - other.at) >= self.min_seconds for other in kept):
                kept.append(boundary)
        return sorted(kept, key=lambda boundary: boundary.at)

    def _look_for_cut(self, i: int) -> None:
        seen = self._window
        if i == 0 or seen[i].step < _LEAST_STEP:
            return
        around = [seen[k].step for k in range(max(1, i - _AROUND), min(len(seen), i + _AROUND + 1)) if k != i]
        if seen[i].step < _STANDS_OUT * sum(around) / max(1, len(around)):
            return
        size = _apart_but_for_motion(seen[i - 1].picture, seen[i].picture)
        if size >= _LEAST_STEP and all(
            _apart(old, new) >= _COMES_BACK * size and not _only_light(old, new) for old, new in self._across(i)
        ):
            self._cuts.append(seen[i].at)

    def _across(self, i: int) -> Iterator[tuple[Any, Any]]:
        """Pairs of pictures from before and after the step to `i`, no more than half a second from it."""
        seen = self._window
        before = [i - k for k in _STEPS if k <= i and (k == 1 or seen[i].at - seen[i - k].at <= _BACK_WITHIN)]
        after = [
            i + k - 1
            for k in _STEPS
            if i + k - 1 < len(seen) and (k == 1 or seen[i + k - 1].at - seen[i].at <= _BACK_WITHIN)
        ]
        return ((seen[b].picture, seen[a].picture) for b in before for a in after)

    def _look_for_mixture(self) -> None:
        seen, last = self._window, len(self._window) - 1
        for length in _LENGTHS:
            first = last - length
            if first < 0 or seen[last].at - seen[first].at > _LONGEST:
                return
            unlike = self._unlike_mixture(first, last)
            if unlike is not None:
                self._note(seen[first].at, seen[last].at, 1 / (unlike + 0.02))

    def _unlike_mixture(self, first: int, last: int) -> float | None:
        """How far the pictures between are from mixtures of the first and last; None when that is no transition."""
        seen, length = self._window, last - first
        old, new = seen[first].blurred, seen[last].blurred
        size = _apart(old, new)
        if size < _LEAST_CHANGE or max(seen[k].step for k in range(first + 1, last + 1)) > size / 2:
            return None
        unlike = 0.0
        for share in (0.25, 0.5, 0.75):
            k = round(length * share)
            unlike = max(unlike, _apart(seen[first + k].blurred, old + (new - old) * (k / length)) / size)
        return unlike if unlike < _UNLIKE_MIXTURE and not _only_light(old, new) else None

    def _note(self, first: float, last: float, weight: float) -> None:
        middle = (first + last) / 2
        if self._mixtures and first <= self._mixtures[-1].last:
            mixture = self._mixtures[-1]
            mixture.last = max(mixture.last, last)
            mixture.weight += weight
            mixture.moment += weight * middle
        else:
            self._mixtures.append(_Mixture(last, weight, weight * middle))


def _apart(one: Any, other: Any) -> float:
    """Mean absolute difference, 0 to 1."""
    difference = abs(one - other)
    return float(difference.sum() / difference.size)


def _apart_but_for_motion(one: Any, other: Any) -> float:
    """The least mean difference over shifts by a tenth of the picture."""
    return min(
        _apart(
            one[max(0, y) : HEIGHT + min(0, y), max(0, x) : WIDTH + min(0, x)],
            other[max(0, -y) : HEIGHT + min(0, -y), max(0, -x) : WIDTH + min(0, -x)],
        )
        for y in range(-4, 5, 2)
        for x in range(-6, 7, 2)
    )


def _only_light(one: Any, other: Any) -> bool:
    """Whether two pictures have the same forms, as lamps that go on and fading light leave them."""
    one, other = (
        grey - grey.mean() for grey in (picture[..., 0] + picture[..., 1] + picture[..., 2] for picture in (one, other))
    )
    norm = float((one * one).sum() * (other * other).sum()) ** 0.5
    return norm > 1e-3 and bool((one * other).sum() / norm > _SAME_BUT_FOR_LIGHT)


def _blurred(picture: Any) -> Any:
    """Half the resolution: what moves a little stays where it is."""
    top, bottom = picture[::2], picture[1::2]
    return (top[:, ::2] + top[:, 1::2] + bottom[:, ::2] + bottom[:, 1::2]) / 4
