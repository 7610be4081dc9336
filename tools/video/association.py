"""Which detections, picture after picture, are of one thing: tracking by detection, without a motion filter.

Boxes are matched by the Hungarian method on their buffered overlap (Yang et al. 2023, C-BIoU) with where the thing was
and where its last step would have carried it. Weak detections continue tracks and begin none (Zhang et al. 2022,
ByteTrack).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consilience.core.errors import MissingExtra
from consilience.observations import Region, TrackPoint

__all__ = ["Associator", "Detected", "Path", "simplified"]

_BUFFER = 0.3
_LEAST_OVERLAP = 0.1


@dataclass(frozen=True)
class Detected:
    """Something seen in one picture."""

    label: str
    region: Region
    score: float


@dataclass
class Path:
    """One thing, from picture to picture."""

    label: str
    points: list[TrackPoint]
    scores: list[float]

    @property
    def score(self) -> float:
        """Mean of the detections'."""
        return sum(self.scores) / len(self.scores)

    def expected(self, at: float) -> tuple[TrackPoint, TrackPoint]:
        """Where it was last, and where it would be at `at` seconds if it went on as it did."""
        last = self.points[-1]
        if len(self.points) == 1:
            return last, last
        before = self.points[-2]
        step = (at - last.t) / (last.t - before.t)
        moved = {
            "x": min(1.0, max(0.0, last.x + (last.x - before.x) * step)),
            "y": min(1.0, max(0.0, last.y + (last.y - before.y) * step)),
        }
        return last, last.model_copy(update=moved)


@dataclass
class Associator:
    """Takes what is seen in each picture, in order, and keeps the paths that are still going on."""

    strong: float
    """Score from which a detection may begin a path."""
    gap: float
    """Seconds that a thing may be out of sight."""
    _open: list[Path] = field(default_factory=list)
    _ended: list[Path] = field(default_factory=list)

    def push(self, at: float, seen: Sequence[Detected]) -> None:
        """Takes what is seen at `at` seconds, later than all before."""
        alive = [path for path in self._open if at - path.points[-1].t <= self.gap]
        self._ended += [path for path in self._open if at - path.points[-1].t > self.gap]
        left = list(seen)
        for path, found in self._matched(at, alive, left):
            path.points.append(_point(at, found.region))
            path.scores.append(found.score)
            left.remove(found)
        begun = [Path(d.label, [_point(at, d.region)], [d.score]) for d in left if d.score >= self.strong]
        self._open = alive + begun

    def finish(self) -> list[Path]:
        """All paths, in the order in which they begin."""
        return sorted(self._ended + self._open, key=lambda path: path.points[0].t)

    def _matched(self, at: float, paths: Sequence[Path], seen: Sequence[Detected]) -> list[tuple[Path, Detected]]:
        import numpy as np

        try:
            from scipy.optimize import linear_sum_assignment
        except ImportError as problem:
            raise MissingExtra("scipy", "video", "Following things in films") from problem
        if not paths or not seen:
            return []
        overlap = np.zeros((len(paths), len(seen)))
        for i, path in enumerate(paths):
            last, expected = path.expected(at)
            for j, found in enumerate(seen):
                if found.label == path.label:
                    here = _point(at, found.region)
                    overlap[i, j] = max(_buffered_overlap(last, here), _buffered_overlap(expected, here))
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return [(paths[i], seen[j]) for i, j in pairs if overlap[i, j] >= _LEAST_OVERLAP]


def simplified(points: Sequence[TrackPoint], tolerance: float) -> list[TrackPoint]:
    """The points without those that lie within `tolerance` of the line between the kept ones around them.

    Ramer 1972, Douglas & Peucker 1973, on x, y, w and h over time.
    """
    kept, spans = {0, len(points) - 1}, [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        off = [(_off_line(points[i], points[first], points[last]), i) for i in range(first + 1, last)]
        distance, middle = max(off, default=(0.0, first))
        if distance > tolerance:
            kept.add(middle)
            spans += [(first, middle), (middle, last)]
    return [points[i] for i in sorted(kept)] if points else []


def _off_line(point: TrackPoint, first: TrackPoint, last: TrackPoint) -> float:
    share = (point.t - first.t) / (last.t - first.t)
    ends = zip(_box(point), _box(first), _box(last), strict=True)
    return max(abs(there - (1 - share) * start - share * end) for there, start, end in ends)


def _box(point: TrackPoint) -> tuple[float, float, float, float]:
    return point.x, point.y, point.w, point.h


def _point(at: float, region: Region) -> TrackPoint:
    return TrackPoint(t=round(at, 3), x=region.x, y=region.y, w=region.w, h=region.h)


def _buffered_overlap(one: TrackPoint, other: TrackPoint) -> float:
    """Intersection over union of the boxes, each grown by a buffer on all sides."""
    shared: float = 1.0
    grown = 1 + 2 * _BUFFER
    for position, length in (("x", "w"), ("y", "h")):
        edges = [(getattr(box, position), getattr(box, length)) for box in (one, other)]
        low = max(start - _BUFFER * size for start, size in edges)
        high = min(start + (1 + _BUFFER) * size for start, size in edges)
        shared *= max(0.0, high - low)
    areas: float = sum(grown * box.w * grown * box.h for box in (one, other))
    return float(shared / (areas - shared)) if areas > shared else 0.0
