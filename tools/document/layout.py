"""Boxes on a page, and what stands in them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from consilience.observations import Region

__all__ = ["Box", "Frame", "Leaf", "Rule", "Word", "hull", "quarter", "turned"]


class Box(NamedTuple):
    """Points (1/72 inch) from the top left corner of the upright page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square points."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether a point lies in it; the right and bottom edges are the next box's."""
        return self.left <= point[0] < self.right and self.top <= point[1] < self.bottom

    def meets(self, other: Box, *, within: float = 0.0) -> bool:
        """Whether the two overlap, or are no further apart than `within` points."""
        return (
            self.left <= other.right + within
            and other.left <= self.right + within
            and self.top <= other.bottom + within
            and other.top <= self.bottom + within
        )

    def clipped(self, other: Box) -> Box:
        """What both cover; of no area where they do not overlap."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )


class Frame(NamedTuple):
    """What of a PDF's user space is seen (its crop box), and by how many degrees it is turned clockwise for that."""

    left: float
    bottom: float
    right: float
    top: float
    turn: int = 0

    @property
    def width(self) -> float:
        """Of the page as it is seen, points."""
        return self.top - self.bottom if self.turn in (90, 270) else self.right - self.left

    @property
    def height(self) -> float:
        """Of the page as it is seen, points."""
        return self.right - self.left if self.turn in (90, 270) else self.top - self.bottom

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """A box of user space, whose y grows upwards, on the page as it is seen."""
        if self.turn == 90:
            return Box(bottom - self.bottom, left - self.left, top - self.bottom, right - self.left)
        if self.turn == 180:
            return Box(self.right - right, bottom - self.bottom, self.right - left, top - self.bottom)
        if self.turn == 270:
            return Box(self.top - top, self.right - right, self.top - bottom, self.right - left)
        return Box(left - self.left, self.top - top, right - self.left, self.top - bottom)

    def around(self, *corners: tuple[float, float]) -> Box:
        """The box around points of user space, on the page as it is seen."""
        xs, ys = zip(*corners, strict=True)
        return self.box(min(xs), min(ys), max(xs), max(ys))


class Word(NamedTuple):
    """Characters without a gap; or a table that takes their place in the reading order."""

    text: str
    box: Box
    size: float
    """Points from the font's ascent to its descent."""
    turn: int | None = 0
    """Degrees, clockwise, that it is turned by: 0, 90, 180 or 270; None: it stands aslant."""
    bold: bool = False
    table: int | None = None
    """Which of the page's tables it stands for."""


class Rule(NamedTuple):
    """A straight line, level or upright, as a box without width or without height."""

    box: Box

    @property
    def level(self) -> bool:
        """Whether it runs from left to right."""
        return self.box.height <= self.box.width


@dataclass(frozen=True)
class Leaf:
    """A page as it is seen: upright, cropped, in points from the top left."""

    number: int
    """Counted from 1."""
    width: float
    height: float
    words: tuple[Word, ...] = ()
    """What can be seen and read, in the order the file has it."""
    rules: tuple[Rule, ...] = ()
    pictures: tuple[tuple[Box, str], ...] = ()
    """Each picture's box and a hash of its content."""
    drawings: int = 0
    """Lines and shapes drawn on it."""
    hidden: int = 0
    """Characters left out because nobody can see them."""
    unreadable: int = 0
    """Characters that the file does not say the meaning of."""
    cut: str = ""
    """What was not looked at, for there was too much of it."""

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return vars(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Leaf:
        """The leaf that `to_json` told."""
        words = (Word(text, Box(*box), *rest) for text, box, *rest in told["words"])
        rules = (Rule(Box(*box)) for (box,) in told["rules"])
        pictures = ((Box(*box), key) for box, key in told["pictures"])
        return cls(**{**told, "words": tuple(words), "rules": tuple(rules), "pictures": tuple(pictures)})

    @property
    def frame(self) -> Box:
        """The whole page."""
        return Box(0.0, 0.0, self.width, self.height)

    @property
    def characters(self) -> int:
        """How many can be seen and read."""
        return sum(len(word.text) for word in self.words)

    def region(self, box: Box) -> Region:
        """A box as fractions of the page."""
        fractions = (
            box.left / self.width,
            box.top / self.height,
            box.right / self.width,
            box.bottom / self.height,
        )
        return Region.from_pixels(fractions, width=1, height=1)

    def cropped(self, region: Region) -> Leaf:
        """Only what stands in `region`, as a page of its own."""
        cut = Box(
            region.x * self.width,
            region.y * self.height,
            (region.x + region.w) * self.width,
            (region.y + region.h) * self.height,
        )

        def moved(box: Box) -> Box:
            inside = box.clipped(cut)
            return Box(inside.left - cut.left, inside.top - cut.top, inside.right - cut.left, inside.bottom - cut.top)

        return Leaf(
            number=self.number,
            width=max(cut.width, 1e-3),
            height=max(cut.height, 1e-3),
            words=tuple(w._replace(box=moved(w.box)) for w in self.words if cut.holds(w.box.middle)),
            rules=tuple(Rule(moved(rule.box)) for rule in self.rules if cut.meets(rule.box)),
            pictures=tuple((moved(box), key) for box, key in self.pictures if cut.clipped(box).area > 0),
            drawings=self.drawings,
            unreadable=self.unreadable,
            cut=self.cut,
        )


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; there must be one at least."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def turned(box: Box, degrees: int, width: float, height: float) -> Box:
    """The box after a page of `width` x `height` was turned clockwise by 0, 90, 180 or 270 degrees.

    Turning on by the rest of the circle, with width and height as they are then, brings it back.
    """
    if degrees == 90:
        return Box(height - box.bottom, box.left, height - box.top, box.right)
    if degrees == 180:
        return Box(width - box.right, height - box.bottom, width - box.left, height - box.top)
    if degrees == 270:
        return Box(box.top, width - box.right, box.bottom, width - box.left)
    return box


def quarter(radians: float, turn: int) -> int | None:
    """How text at this angle to a page that is itself turned stands: 0, 90, 180 or 270; None if none is within ten."""
    degrees = (math.degrees(radians) + turn) % 360
    nearest = round(degrees / 90) * 90
    return nearest % 360 if abs(degrees - nearest) <= 10 else None
