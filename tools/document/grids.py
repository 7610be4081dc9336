"""Tables as values, and what their header is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from consilience.tools.document.layout import Box

from consilience.observations import Region

__all__ = ["Grid", "GridCell"]

_UNIT = r"(?:[%‰°€$£¥]|[^\W\d]{1,4}\d?(?:/[^\W\d]{1,4})?)"
_NUMBER = re.compile(rf"\W*\d[\d.,'\s]*(?:[eE][-+]?\d+)?\s*{_UNIT}?\W*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DEEPEST_HEADER = 3


@dataclass(frozen=True)
class GridCell:
    """A cell with the rows and columns that it spans, both counted from 0."""

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1
    box: Box | None = None
    region: Region | None = None
    """Its box as fractions of the page."""

    @property
    def number(self) -> bool:
        """Whether it says a quantity; years, which name columns, are none."""
        return bool(_NUMBER.fullmatch(self.text)) and not _YEAR.fullmatch(self.text)


@dataclass(frozen=True)
class Grid:
    """A table: its cells, none of which overlap, in rows from top to bottom."""

    cells: tuple[GridCell, ...]
    box: Box | None = None
    marked: int | None = None
    """Rows of the header, where the document says so."""

    @cached_property
    def height(self) -> int:
        """Rows."""
        return max((cell.row + cell.rows for cell in self.cells), default=0)

    @cached_property
    def width(self) -> int:
        """Columns."""
        return max((cell.column + cell.columns for cell in self.cells), default=0)

    @cached_property
    def caption(self) -> str:
        """Text of the first row, where it is one cell across all columns."""
        first = [cell for cell in self.cells if cell.row == 0]
        across = len(first) == 1 and first[0].columns == self.width > 1 and self.height > 1
        return first[0].text if across else ""

    @cached_property
    def header(self) -> int:
        """Rows before the body: what is marked; else the caption, and the first row with what its cells span.

        A first row with quantities over quantities is no header.
        """
        if self.marked is not None:
            return self.marked
        start = 1 if self.caption else 0
        first = [cell for cell in self.cells if cell.row == start]
        if not first or self.height - start < 2 or self._of_quantities(first):
            return start
        deep = max(cell.rows for cell in first)
        if any(cell.columns > 1 for cell in first):
            deep = max(deep, 2)
        return min(start + min(deep, _DEEPEST_HEADER), self.height - 1)

    def _of_quantities(self, first: Sequence[GridCell]) -> bool:
        for cell in first:
            if cell.column and cell.number:
                below = [c for c in self.cells if c.column == cell.column and c.row > cell.row and c.text]
                if below and sum(c.number for c in below) > len(below) / 2:
                    return True
        return False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the columns: the header's texts over each, joined; empty where nothing stands there."""
        start = 1 if self.caption else 0
        heads = sorted((c for c in self.cells if start <= c.row < self.header), key=lambda c: c.row)
        names: list[str] = []
        for column in range(self.width):
            over = [cell.text for cell in heads if cell.column <= column < cell.column + cell.columns]
            names.append(" ".join(dict.fromkeys(filter(None, over))))
        return tuple(names)

    def label(self, row: int) -> str:
        """What the first column says of a row; a cell that spans rows speaks for all of them."""
        return self._labels.get(row, "")

    @cached_property
    def _labels(self) -> dict[int, str]:
        first = [cell for cell in self.cells if cell.column == 0]
        return {row: cell.text for cell in first for row in range(cell.row, cell.row + cell.rows)}

    def body(self) -> Iterator[GridCell]:
        """Cells below the header that say something; rows are then counted from 1, and columns too."""
        for cell in sorted(self.cells, key=lambda c: (c.row, c.column)):
            if cell.row >= self.header and cell.text:
                yield replace(cell, row=cell.row - self.header + 1, column=cell.column + 1)

    @cached_property
    def told(self) -> int:
        """Cells that say something."""
        return sum(1 for cell in self.cells if cell.text)
