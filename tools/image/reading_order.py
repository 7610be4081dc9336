"""The order in which a reader takes in lines of text: columns one after the other, rows from left to right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Line", "reading_order"]

Point = tuple[float, float]

_SAME_ROW = 0.5
"""Shared height, over that of the lower line, from which on two lines are one row."""
_GUTTER = 0.8
"""Least width of the gap between two columns, in heights of a line."""
_PROSE = 14
"""Characters of a column's median line; shorter ones are cells of a table, which is read row by row."""


@dataclass(frozen=True)
class Line:
    """A line of text where it stands in a picture: its corners in pixels, in the order of reading it."""

    corners: tuple[Point, Point, Point, Point]
    """Start and end of its upper edge, end and start of its lower one."""
    characters: int

    @property
    def direction(self) -> Point:
        """From its start to its end; as long as the line."""
        (x0, y0), (x1, y1) = self.corners[:2]
        return x1 - x0, y1 - y0


@dataclass(frozen=True)
class _Box:
    """A line as it stands when the page is turned upright."""

    number: int
    left: float
    top: float
    right: float
    bottom: float
    characters: int

    @property
    def height(self) -> float:
        return self.bottom - self.top


def reading_order(lines: Sequence[Line]) -> list[int]:
    """Indices of `lines` in the order of reading, whichever way the page lies."""
    boxes = [_upright(number, line, _slant(lines)) for number, line in enumerate(lines)]
    return [box.number for box in _ordered(boxes)]


def _slant(lines: Sequence[Line]) -> float:
    """The direction in which most text runs, radians: the mean of the lines that run to the likeliest side."""
    quarters = [0.0] * 4
    for line in lines:
        quarters[_quarter(line)] += math.hypot(*line.direction)
    main = quarters.index(max(quarters))
    along = [line.direction for line in lines if _quarter(line) == main]
    return math.atan2(sum(y for _, y in along), sum(x for x, _ in along)) if along else 0.0


def _quarter(line: Line) -> int:
    x, y = line.direction
    return round(math.atan2(y, x) / (math.pi / 2)) % 4


def _upright(number: int, line: Line, slant: float) -> _Box:
    cos, sin = math.cos(slant), math.sin(slant)
    xs = [x * cos + y * sin for x, y in line.corners]
    ys = [y * cos - x * sin for x, y in line.corners]
    return _Box(number, min(xs), min(ys), max(xs), max(ys), line.characters)


def _ordered(boxes: Sequence[_Box]) -> list[_Box]:
    rows = _rows(boxes)
    ordered: list[_Box] = []
    first = 0
    while first < len(rows):
        last, gutter = _columns(rows, first)
        if gutter is None:
            ordered += rows[first]
            first += 1
            continue
        block = [box for row in rows[first : last + 1] for box in row]
        ordered += _ordered([box for box in block if box.right <= gutter])
        ordered += _ordered([box for box in block if box.right > gutter])
        first = last + 1
    return ordered


def _rows(boxes: Sequence[_Box]) -> list[list[_Box]]:
    """Boxes side by side, each row from left to right, the rows from top to bottom."""
    rows: list[list[_Box]] = []
    for box in sorted(boxes, key=lambda box: box.top + box.bottom):
        before = rows[-1][-1] if rows else None
        if before and _shared(before, box) > _SAME_ROW * min(before.height, box.height):
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda box: box.left) for row in rows]


def _shared(one: _Box, other: _Box) -> float:
    return min(one.bottom, other.bottom) - max(one.top, other.top)


def _columns(rows: Sequence[Sequence[_Box]], first: int) -> tuple[int, float | None]:
    """The last row up to which the rows from `first` on stand in two columns of prose, and where the gap begins."""
    gaps = [(-math.inf, math.inf)]
    found: tuple[int, float | None] = (first, None)
    block: list[_Box] = []
    for last in range(first, len(rows)):
        block += rows[last]
        for box in rows[last]:
            gaps = [part for gap in gaps for part in _without(gap, box)]
        gutter = _GUTTER * median(box.height for box in block)
        inner = [(low, high) for low, high in gaps if high - low >= gutter and math.isfinite(high - low)]
        if not inner and last > first:
            break
        for low, high in inner:
            sides = ([box for box in block if box.right <= low], [box for box in block if box.left >= high])
            if all(_is_prose(side) for side in sides):
                found = (last, low)
    return found


def _without(gap: tuple[float, float], box: _Box) -> list[tuple[float, float]]:
    """What a box leaves of a gap between columns."""
    low, high = gap
    return [(a, b) for a, b in ((low, min(high, box.left)), (max(low, box.right), high)) if a < b]


def _is_prose(column: Sequence[_Box]) -> bool:
    return len(column) >= 2 and median(box.characters for box in column) >= _PROSE
