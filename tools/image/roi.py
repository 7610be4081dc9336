"""Regions of interest: squares of a picture, turned and scaled, that networks look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Roi", "pyramid", "whole"]

_TILE_OVERLAP = 1.25


@dataclass(frozen=True)
class Roi:
    """A square around (x, y), `size` pixels a side, turned clockwise by `angle` radians; it may overhang."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    def pixels(self, picture: Image.Image, side: int) -> NDArray[np.float32]:
        """What it shows, upright and scaled: shape (side, side, channels), 0 to 1; black beyond the picture's edge."""
        import numpy as np
        from PIL import Image

        piece, left, top, shrunk = self._piece(picture, side)
        scale = self.size / side / shrunk
        along, across = scale * math.cos(self.angle), scale * math.sin(self.angle)
        x = (self.x - left) / shrunk - side / 2 * (along - across)
        y = (self.y - top) / shrunk - side / 2 * (along + across)
        mapping = (along, -across, x, across, along, y)
        seen = piece.transform((side, side), Image.Transform.AFFINE, mapping, Image.Resampling.BILINEAR)
        return np.asarray(seen, np.float32).reshape(side, side, -1) / np.float32(255)

    def _piece(self, picture: Image.Image, side: int) -> tuple[Image.Image, int, int, int]:
        """The part of the picture around it, its left and top edge, and the whole factor it is shrunk by.

        Sampling alone would skip pixels of a large region; shrinking averages them first.
        """
        reach = self.size / 2 * (abs(math.cos(self.angle)) + abs(math.sin(self.angle))) + 1
        edges = zip((self.x, self.y), picture.size, strict=True)
        left, top = (min(max(0, math.floor(centre - reach)), length - 1) for centre, length in edges)
        right = max(left + 1, min(picture.width, math.ceil(self.x + reach)))
        bottom = max(top + 1, min(picture.height, math.ceil(self.y + reach)))
        shrunk = max(1, math.floor(self.size / side))
        return picture.reduce(shrunk, (left, top, right, bottom)), left, top, shrunk

    def back(self, points: Any) -> Any:
        """`points` of shape (n, 2), in fractions of the square, as pixels of the picture."""
        import numpy as np

        turn = np.array([[math.cos(self.angle), -math.sin(self.angle)], [math.sin(self.angle), math.cos(self.angle)]])
        return (np.asarray(points, np.float64) - 0.5) @ turn.T * self.size + (self.x, self.y)


def whole(picture: Image.Image) -> Roi:
    """The smallest upright square that holds the whole picture."""
    return Roi(picture.width / 2, picture.height / 2, max(picture.size))


def pyramid(picture: Image.Image, side: int, levels: int) -> list[Roi]:
    """The whole picture, and overlapping squares of 1/2, 1/3, ... its longer side, for what is small in it.

    There are at most `levels` sizes, and no square of fewer than `side` pixels: it would not show more.
    """
    rois = [whole(picture)]
    for level in range(2, levels + 1):
        step = max(picture.size) / level
        if step < side:
            break
        size = step * _TILE_OVERLAP
        columns, rows = (_centres(length, size, step) for length in picture.size)
        rois += [Roi(x, y, size) for y in rows for x in columns]
    return rois


def _centres(length: float, size: float, step: float) -> list[float]:
    """Centres of the fewest squares that cover `length` pixels, at most `step` apart."""
    if length <= size:
        return [length / 2]
    count = math.ceil((length - size) / step) + 1
    return [size / 2 + i * (length - size) / (count - 1) for i in range(count)]
