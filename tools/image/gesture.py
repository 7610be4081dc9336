"""What the 21 points of a hand show: pure rules over the bend of the fingers, in the picture's plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["POINTS", "gesture"]

_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
POINTS = (
    "wrist",
    *(f"thumb {joint}" for joint in ("cmc", "mcp", "ip", "tip")),
    *(f"{finger} {joint}" for finger in _FINGERS[1:] for joint in ("mcp", "pip", "dip", "tip")),
)
"""MediaPipe's hand landmarks in its order; `mcp` is the knuckle."""

_STRAIGHT, _BENT = 0.9, 0.7
"""Reach of a finger (knuckle to tip) over the length of its bones: from here on straight, below that bent."""
_UPRIGHT = 45.0
_APART = 0.45
"""Distance from thumb to index knuckle, over the palm's length, from which on the thumb is held out."""
_TOUCH = 0.25

Point = tuple[float, float]


def gesture(points: Sequence[Point]) -> str | None:
    """`open hand`, `fist`, `pointing`, `thumb up`, `thumb down`, `victory`, `ok`; None for any other shape.

    Args:
        points: 21 of (x, y) in pixels, y downwards, in the order of `POINTS`.
    """
    palm = math.dist(points[0], points[9])
    if palm == 0:
        return None
    reach = [_reach(points[first : first + 4]) for first in (5, 9, 13, 17)]
    straight, bent = [r >= _STRAIGHT for r in reach], [r < _BENT for r in reach]
    out = _thumb_out(points, palm)
    if all(straight[1:]) and math.dist(points[4], points[8]) < _TOUCH * palm:
        return "ok"
    if all(straight):
        return "open hand" if out else None
    if all(bent):
        return _thumb(points) if out else "fist"
    if straight[0] and all(bent[1:]):
        return "pointing"
    if straight[:2] == [True, True] and all(bent[2:]):
        return "victory"
    return None


def _reach(chain: Sequence[Point]) -> float:
    """How far the last point is from the first, over the way along the chain: 1 for a straight one."""
    way = sum(math.dist(one, other) for one, other in pairwise(chain))
    return math.dist(chain[0], chain[-1]) / way if way else 0.0


def _thumb_out(points: Sequence[Point], palm: float) -> bool:
    """The thumb is straight and its tip away from the index finger's knuckle."""
    return _reach(points[1:5]) >= _STRAIGHT and math.dist(points[4], points[5]) > _APART * palm


def _thumb(points: Sequence[Point]) -> str | None:
    """`thumb up` or `thumb down` where it points that way; None where it points aside."""
    across, down = points[4][0] - points[2][0], points[4][1] - points[2][1]
    if abs(math.degrees(math.atan2(across, -down))) < _UPRIGHT:
        return "thumb up"
    return "thumb down" if abs(math.degrees(math.atan2(across, down))) < _UPRIGHT else None
