"""Where something is in a picture: boxes as regions, points as fractions, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilience.tools.excerpt import Excerpt

from consilience.observations import Keypoint, Locator, Region

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Frame", "place"]

_NINTHS = (
    ("upper left", "upper middle", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "lower middle", "lower right"),
)
_ALL = Region(x=0, y=0, w=1, h=1)


@dataclass(frozen=True)
class Frame:
    """The pixels an encoder sees, and the part of the medium's picture that they are."""

    width: int
    height: int
    outer: Region = _ALL

    @classmethod
    def of(cls, excerpt: Excerpt, picture: Image.Image) -> Frame:
        """The frame of what `excerpt.image()` gave."""
        return cls(picture.width, picture.height, excerpt.where.region or _ALL)

    def region(self, box: Sequence[float]) -> Region:
        """Region of the excerpt for (left, top, right, bottom) in its pixels, clipped to it."""
        left, top, right, bottom = box
        return Region.from_pixels((left, top, right, bottom), width=self.width, height=self.height)

    def locator(self, box: Sequence[float]) -> Locator:
        """As `region`, for `Excerpt.observe`."""
        return Locator(region=self.region(box))

    def place(self, box: Sequence[float]) -> str:
        """As `place`, of the whole picture."""
        return place(self.region(box).within(self.outer))

    def share(self, box: Sequence[float]) -> float:
        """Of the whole picture that the box covers, 0 to 1."""
        region = self.region(box).within(self.outer)
        return round(region.w * region.h, 6)

    def keypoints(self, points: Iterable[tuple[str, float, float, float | None]]) -> tuple[Keypoint, ...]:
        """(name, x, y, visibility) with x and y in pixels of the excerpt, as fractions of the whole picture."""
        outer = self.outer
        return tuple(
            Keypoint(
                name=name,
                x=round(outer.x + x / self.width * outer.w, 5),
                y=round(outer.y + y / self.height * outer.h, 5),
                visibility=None if visibility is None else round(visibility, 4),
            )
            for name, x, y, visibility in points
        )


def place(region: Region) -> str:
    """`upper left`, `centre`, ...: the ninth of the picture in which the region's centre lies."""
    row, column = (min(2, int(centre * 3)) for centre in (region.y + region.h / 2, region.x + region.w / 2))
    return _NINTHS[row][column]
