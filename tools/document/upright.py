"""A page turned so that its text stands upright, and the tables on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from consilience.tools.document.aligned import between_rules
from consilience.tools.document.grids import Grid
from consilience.tools.document.layout import Box, Leaf, Word, turned
from consilience.tools.document.ruled import ruled

from consilience.observations import Region

__all__ = ["Upright", "without_tables"]


@dataclass(frozen=True)
class Upright:
    """The words of one direction, on the page turned so that they stand upright."""

    page: Leaf
    turn: int
    words: tuple[Word, ...]

    @cached_property
    def leaf(self) -> Leaf:
        """Level text on the turned page."""
        if not self.turn:
            return replace(self.page, words=self.words)
        page, back = self.page, 360 - self.turn
        across = self.turn in (90, 270)

        def upright(box: Box) -> Box:
            return turned(box, back, page.width, page.height)

        return replace(
            page,
            width=page.height if across else page.width,
            height=page.width if across else page.height,
            words=tuple(w._replace(box=upright(w.box), turn=0) for w in self.words),
            rules=tuple(rule._replace(box=upright(rule.box)) for rule in page.rules),
        )

    def region(self, box: Box) -> Region:
        """On the page as it is seen."""
        leaf = self.leaf
        return self.page.region(turned(box, self.turn, leaf.width, leaf.height))

    def tables(self) -> Iterator[Grid]:
        """Ruled tables, then those of which only the rows are."""
        leaf = self.leaf
        found: list[Grid] = []
        for grid in chain(ruled(leaf), between_rules(leaf)):
            if grid.box and not any(other.box and other.box.meets(grid.box) for other in found):
                found.append(grid)
        yield from sorted(found, key=lambda grid: (grid.box or leaf.frame).top)


def without_tables(words: Sequence[Word], grids: Sequence[Grid], first: int = 0) -> list[Word]:
    """The words outside tables, and for each table one that stands for it."""
    boxes = [grid.box for grid in grids if grid.box]
    outside = [word for word in words if not any(box.holds(word.box.middle) for box in boxes)]
    return outside + [Word("", box, 10.0, table=first + i) for i, box in enumerate(boxes)]
