"""Which parts of a PDF page image encoders should look at: its figures, or all of it where it is a scan."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from consilience.tools.document.layout import Box, Leaf, hull

__all__ = ["figures", "is_garbled", "is_scan"]

_FEW_CHARACTERS = 25
_SOME_CHARACTERS = 150
_PICTURE_PAGE = 0.7
_PICTURED = 0.3
_DRAWN = 12
_GARBLED = 0.3
_BACKGROUND = 0.9
_LEAST_SIDE = 36.0
_TOUCHING = 1.5


def is_garbled(leaf: Leaf) -> bool:
    """Whether the text layer says little of what is drawn: its fonts do not tell what their glyphs mean."""
    return leaf.unreadable >= 5 and leaf.unreadable > _GARBLED * (leaf.unreadable + leaf.characters)


def is_scan(leaf: Leaf) -> bool:
    """Whether a page has to be read as a picture: it has (almost) no text layer, but something is on it."""
    if is_garbled(leaf):
        return True
    share = covered(box for box, _ in leaf.pictures) / leaf.frame.area if leaf.pictures else 0.0
    if share >= _PICTURE_PAGE:
        return leaf.characters < _SOME_CHARACTERS
    # Letters may be drawn as outlines.
    drawn = leaf.drawings >= _DRAWN or share >= _PICTURED
    return leaf.characters < _FEW_CHARACTERS and drawn


def covered(boxes: Iterable[Box]) -> float:
    """Area of the union of boxes, square points; by strips between their edges."""
    left = list(boxes)
    if not left:
        return 0.0
    ys = sorted({y for box in left for y in (box.top, box.bottom)})
    total = 0.0
    for top, bottom in pairwise(ys):
        spans = sorted((box.left, box.right) for box in left if box.top <= top and box.bottom >= bottom)
        reach = float("-inf")
        for start, end in spans:
            total += max(0.0, end - max(start, reach)) * (bottom - top)
            reach = max(reach, end)
    return total


def figures(leaf: Leaf, smallest: float) -> list[tuple[Box, str]]:
    """Boxes of the pictures on a page that cover at least the share `smallest` of it, each with a hash of its content.

    Pictures that touch are one: many programs cut them into strips. One that lies under a page full of text is its
    background.
    """
    found = [
        (box, key)
        for box, key in _grouped(leaf.pictures)
        if box.area >= smallest * leaf.frame.area and min(box.width, box.height) >= _LEAST_SIDE
    ]
    return [
        (box, key)
        for box, key in found
        if box.area < _BACKGROUND * leaf.frame.area or leaf.characters < _SOME_CHARACTERS
    ]


def _grouped(pictures: Iterable[tuple[Box, str]]) -> list[tuple[Box, str]]:
    """Pictures that touch, joined; top to bottom."""
    groups: list[tuple[Box, list[str]]] = []
    for box, key in sorted(pictures):
        joined, keys = box, [key]
        rest: list[tuple[Box, list[str]]] = []
        for other, others in groups:
            if joined.meets(other, within=_TOUCHING):
                joined, keys = hull([joined, other]), others + keys
            else:
                rest.append((other, others))
        groups = [*rest, (joined, keys)]
    return sorted(((box, " ".join(sorted(keys))) for box, keys in groups), key=lambda g: (g[0].top, g[0].left))
