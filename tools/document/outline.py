"""What documents of every format tell: passages under their headings, tables cell by cell, what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.pieces import pieces

from consilience.observations import Cell, CharRange, Locator, Modality, Observation, Part
from consilience.observations.locator import one_line

__all__ = ["Outline"]

_EVERYWHERE = Locator()


@dataclass
class Outline:
    """The headings that hold where the reading has come to, and what is reported under them.

    A heading is told with what stands below it; one that nothing stands below is a passage itself.

    What has no page to stand on has its place in the document's text as it is read: headings, paragraphs, and of tables
    the names of the columns and the cells, each in a line.
    """

    excerpt: Excerpt
    longest: int = 400
    """Characters of a passage; longer paragraphs are cut at sentence ends."""
    most_cells: int = 20_000
    """Cells of tables that are told, all in all."""
    _open: list[tuple[float, str, Locator]] = field(default_factory=list)
    _bare: bool = False
    _read: int = 0
    """Characters of the document's text so far."""
    _cells: int = 0
    _left_out: int = 0

    @property
    def headings(self) -> tuple[str, ...]:
        """Outermost first."""
        return tuple(title for _, title, _ in self._open)

    def heading(self, level: float, title: str, locator: Locator) -> Iterator[Observation]:
        """Opens a heading and closes those of its level and of lower ones (larger numbers)."""
        if not one_line(title):
            return
        closes = any(upper >= level for upper, _, _ in self._open)
        if closes:
            yield from self.end()
        self._open = [(upper, above, where) for upper, above, where in self._open if upper < level]
        self._open.append((level, one_line(title), self._placed(locator, one_line(title))))
        self._bare = True

    def end(self) -> Iterator[Observation]:
        """Tells the last heading where nothing stood below it."""
        if self._bare and self._open:
            _, title, locator = self._open[-1]
            above = self.headings[:-1]
            yield self._passage(title, above, locator)
        self._bare = False

    def forget(self, level: float) -> None:
        """Closes the headings of this level and of lower ones without opening another."""
        self._open = [heading for heading in self._open if heading[0] < level]

    def passage(self, text: str, locator: Locator = _EVERYWHERE) -> Iterator[Observation]:
        """A paragraph, in pieces where it is long."""
        whole = self._placed(locator, text)
        for start, end in pieces(text, self.longest):
            if one_line(text[start:end]):
                self._bare = False
                where = whole
                if whole.chars:
                    chars = CharRange(start=whole.chars.start + start, end=whole.chars.start + end)
                    where = whole.model_copy(update={"chars": chars})
                yield self._passage(text[start:end], self.headings, where)

    def _placed(self, locator: Locator, text: str) -> Locator:
        """The locator; an empty one with where `text`, which comes next, stands in the document's text."""
        if locator:
            return locator
        start, self._read = self._read, self._read + len(text) + 1
        return Locator(chars=CharRange(start=start, end=start + len(text)))

    def _passage(self, text: str, above: Sequence[str], locator: Locator) -> Observation:
        context = f"{' > '.join(above)}: " if above else ""
        return self.excerpt.observe("passage", {"text": text, "headings": list(above)}, context + text, locator=locator)

    def table(
        self, grid: Grid, number: int, locator: Locator = _EVERYWHERE, *, names: Sequence[str] = (), note: str = ""
    ) -> Iterator[Observation]:
        """A table and its cells.

        Args:
            grid: the table.
            number: which of the page, slide or document.
            locator: where it is; of cells, what `grid` knows of their own places is added.
            names: of the columns, where the table itself has no header: it goes on with another.
            note: what else to say of it.
        """
        self._bare = False
        own = grid.names
        columns = [name or f"column {i}" for i, name in enumerate(own if any(own) else (names or own), 1)]
        rows = grid.height - grid.header
        context = "".join(f"{title} > " for title in self.headings)
        called = "table" if number == 1 else f"table {number}"
        long = "1 row" if rows == 1 else f"{rows} rows"
        told = "; ".join(
            filter(None, (f"{called} of {long} with the columns {', '.join(columns)}", grid.caption, note))
        )
        places, whole = self._table_places(grid, locator)
        yield self.excerpt.observe("table", {"columns": columns, "rows": rows}, context + told, locator=whole)
        for cell, where in zip(grid.body(), places, strict=True):
            if self._cells >= self.most_cells:
                self._left_out += 1
                continue
            self._cells += 1
            yield self._cell(grid, cell, number, columns, where)

    def _table_places(self, grid: Grid, locator: Locator) -> tuple[list[Locator], Locator]:
        """Where each cell of the body stands, and where the whole table does."""
        start = self._read
        self._placed(locator, "\n".join(grid.names))
        places = [self._placed(locator, cell.text) for cell in grid.body()]
        whole = locator or Locator(chars=CharRange(start=start, end=max(start, self._read - 1)))
        return places, whole

    def _cell(self, grid: Grid, cell: GridCell, number: int, columns: Sequence[str], locator: Locator) -> Observation:
        header = columns[cell.column - 1]
        named = bool(grid.names[cell.column - 1]) or header != f"column {cell.column}"
        label = grid.label(cell.row + grid.header - 1) if cell.column > 1 else ""
        said = f"{label}, {header}: " if label else f"{header}: "
        return self.excerpt.observe(
            "cell",
            {
                "text": cell.text,
                "row": cell.row,
                "column": cell.column,
                "header": header if named else None,
                "table": number,
            },
            said + cell.text,
            locator=locator.model_copy(
                update={
                    "cell": Cell(row=cell.row, column=cell.column),
                    "region": cell.region or locator.region,
                }
            ),
        )

    def part(self, modality: Modality, role: str, locator: Locator) -> Observation:
        """A part of the document that encoders of another modality read."""
        value = Part(modality=modality, role=role).model_dump(mode="json")
        return self.excerpt.observe("part", value, f"{role} for encoders of {modality}", locator=locator)

    def unobserved(self, sought: tuple[str, ...], reason: str, locator: Locator = _EVERYWHERE) -> Observation:
        """What could not be, or was not, taken in; nothing is left out without a word."""
        return self.excerpt.unobserved(sought, reason, locator=locator)

    def close(self) -> Iterator[Observation]:
        """What remains to be said at the end of the document."""
        yield from self.end()
        if self._left_out:
            told = f"{self._left_out:,} cells of tables left out: only the first {self.most_cells:,} are told"
            yield self.unobserved(("cell",), told)
