"""What documents of every format tell: passages under their headings, tables cell by cell, what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.pieces import pieces

from consilience.observations import Cell, Locator, Modality, Observation, Part
from consilience.observations.locator import one_line

__all__ = ["Outline"]

_EVERYWHERE = Locator()


@dataclass
class Outline:
    """The headings that hold where the reading has come to, and what is reported under them.

    A heading is told with what stands below it; one that nothing stands below is a passage itself.
    """

    excerpt: Excerpt
    longest: int = 400
    """Characters of a passage; longer paragraphs are cut at sentence ends."""
    most_cells: int = 20_000
    """Cells of tables that are told, all in all."""
    _open: list[tuple[float, str, Locator]] = field(default_factory=list)
    _bare: bool = False
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
        self._open.append((level, one_line(title), locator))
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
        for start, end in pieces(text, self.longest):
            if one_line(text[start:end]):
                self._bare = False
                yield self._passage(text[start:end], self.headings, locator)

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
        yield self.excerpt.observe("table", {"columns": columns, "rows": rows}, context + told, locator=locator)
        for cell in grid.body():
            if self._cells >= self.most_cells:
                self._left_out += 1
                continue
            self._cells += 1
            yield self._cell(grid, cell, number, columns, locator)

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
