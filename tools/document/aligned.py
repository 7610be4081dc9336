"""Tables without lines between their columns: rows of short texts whose gaps stand one above the other."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.document.layout import Box, Leaf, Word, hull
from consilience.tools.document.reading import lines_of
from consilience.tools.document.ruled import bands

__all__ = ["aligned", "between_rules"]

_LEAST_ROWS = 3
_MOST_WORDS = 3.5
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class _Row:
    """A line, cut at its wide gaps."""

    cells: tuple[tuple[Word, ...], ...]

    @property
    def box(self) -> Box:
        return hull(word.box for cell in self.cells for word in cell)


def between_rules(leaf: Leaf) -> Iterator[Grid]:
    """Tables of which only the rows are ruled: header line, foot line, perhaps lines between."""
    for lines in chain.from_iterable(_connected(band, leaf.words) for band in bands(leaf.rules)):
        rows = _rows_in(hull(lines), leaf.words)
        grid = _grid(rows, tuple(line.top for line in lines)) if len(rows) >= 2 else None
        if grid and grid.width >= 2 and _short(rows, len(rows) // 2):
            yield grid


def _rows_in(box: Box, words: Sequence[Word]) -> list[_Row]:
    inside = [word for word in words if word.table is None and box.holds(word.box.middle)]
    return [_Row(tuple(line.segments)) for line in lines_of(inside)]


def _connected(lines: Sequence[Box], words: Sequence[Word]) -> Iterator[list[Box]]:
    """Level lines between which nothing but rows of cells stands: two tables of one width have text between them."""
    group = [lines[0]]
    for above, below in pairwise(lines):
        rows = _rows_in(hull([above, below]), words)
        if rows and all(len(row.cells) == 1 for row in rows):
            if len(group) > 1:
                yield group
            group = []
        group.append(below)
    if len(group) > 1:
        yield group


def aligned(words: Sequence[Word]) -> Iterator[Grid]:
    """Tables in a block of words that no line rules."""
    rows = [_Row(tuple(line.segments)) for line in lines_of(words)]
    start = 0
    while start < len(rows):
        end = _run(rows, start)
        run = rows[start:end]
        wide = sum(1 for row in run if len(row.cells) > 1)
        grid = _grid(run, ()) if wide >= _LEAST_ROWS else None
        if grid and _is_table(grid, run):
            yield grid
            start = end
        else:
            start += 1


def _run(rows: Sequence[_Row], start: int) -> int:
    """Where the rows that follow each other closely, and leave the same gutters free, end."""
    if len(rows[start].cells) < 2 or any(w.table is not None for w in rows[start].cells[0]):
        return start + 1
    gutters = _gaps([rows[start]])
    end = last = start + 1
    size = statistics.median(w.size for cell in rows[start].cells for w in cell)
    while end < len(rows):
        row = rows[end]
        if row.box.top - rows[end - 1].box.bottom > 2.2 * size or row.cells[0][0].table is not None:
            break
        free = _free(gutters, row)
        if not free:
            break
        gutters = free
        end += 1
        if len(row.cells) > 1 or hull(w.box for w in row.cells[0]).left >= gutters[0][0]:
            last = end
        elif end - last > 3:
            break
    return last


def _gaps(rows: Sequence[_Row]) -> list[tuple[float, float]]:
    """The gutters between the cells of all rows."""
    spans = sorted((hull(w.box for w in cell)[0], hull(w.box for w in cell)[2]) for row in rows for cell in row.cells)
    gaps: list[tuple[float, float]] = []
    reach = spans[0][1]
    for left, right in spans[1:]:
        if left > reach:
            gaps.append((reach, left))
        reach = max(reach, right)
    return gaps


def _free(gutters: list[tuple[float, float]], row: _Row) -> list[tuple[float, float]]:
    """What of the gutters a row leaves free."""
    spans = [(hull(w.box for w in cell)[0], hull(w.box for w in cell)[2]) for cell in row.cells]
    free: list[tuple[float, float]] = []
    for left, right in gutters:
        pieces = [(left, right)]
        for a, b in spans:
            pieces = [
                piece for x, y in pieces for piece in ((x, min(y, a)), (max(x, b), y)) if piece[1] - piece[0] > 2.0
            ]
        free += pieces
    return free


def _grid(rows: Sequence[_Row], lines: tuple[float, ...]) -> Grid | None:
    """Columns by the gutters that all rows leave free; lines without a first cell go on with the row above."""
    full = [row for row in rows if len(row.cells) > 1]
    if not full:
        return None
    most = max(len(row.cells) for row in full)
    # A heading over several columns crosses gutters that the rows below it share.
    gaps = _gaps([row for row in full if len(row.cells) > most / 2] or full)
    starts = [(left + right) / 2 for left, right in gaps]
    if not starts:
        return None
    cells: list[GridCell] = []
    for number, group in enumerate(_logical(rows, starts, lines)):
        by_column: dict[tuple[int, int], list[Word]] = {}
        for row in group:
            for cell in row.cells:
                box = hull(word.box for word in cell)
                first, last = _column(starts, box.left), _column(starts, box.right)
                by_column.setdefault((first, last), []).extend(cell)
        for (first, last), words in sorted(by_column.items()):
            text = " ".join(line.text for line in lines_of(words))
            cells.append(GridCell(text, number, first, 1, last - first + 1, hull(w.box for w in words)))
    return Grid(tuple(cells), hull(row.box for row in rows))


def _column(starts: list[float], x: float) -> int:
    return sum(1 for start in starts if x > start)


def _logical(rows: Sequence[_Row], starts: list[float], lines: tuple[float, ...]) -> Iterator[list[_Row]]:
    """Rows with the lines that their cells are wrapped over.

    Lines that the page rules between rows decide; else a line belongs to the row above where it stands closer to it
    than rows do, or has nothing in the first column.
    """
    between = [sum(1 for y in lines if y < row.box.middle[1]) for row in rows]
    by_lines = len(set(between)) > 2 or len(lines) > 3
    steps = [below.box.bottom - above.box.bottom for above, below in pairwise(rows)]
    close = 0.75 * max(steps, default=0.0)
    group = [rows[0]]
    for i, row in enumerate(rows[1:]):
        columns = {_column(starts, hull(w.box for w in cell).left) for cell in row.cells}
        if by_lines and len(lines) > 3:
            goes_on = between[i + 1] == between[i]
        else:
            goes_on = between[i + 1] == between[i] and (
                (0 not in columns and len(columns) <= len(starts)) or steps[i] < close
            )
        if goes_on:
            group.append(row)
        else:
            yield group
            group = [row]
    yield group


def _is_table(grid: Grid, rows: Sequence[_Row]) -> bool:
    """Short cells, most places filled; with two columns only, one of them of quantities."""
    if grid.width < 2 or grid.height < _LEAST_ROWS or not _short(rows, len(rows) // 2):
        return False
    if grid.told < 0.5 * grid.width * grid.height:
        return False
    if grid.width > 2:
        return True
    right = [cell for cell in grid.cells if cell.column == 1]
    return sum(bool(_DIGIT.search(cell.text)) for cell in right) >= 0.6 * len(right)


def _short(rows: Sequence[_Row], least: int) -> bool:
    """Whether at least so many rows have cells of few words."""
    few = [row for row in rows if statistics.mean(len(cell) for cell in row.cells) <= _MOST_WORDS]
    return len(few) >= least
