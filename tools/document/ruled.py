"""Tables whose cells are ruled: the lines by pdfplumber's table finder (after Nurminen 2013), the words by PDFium."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, pairwise
from typing import Any

from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.document.layout import Box, Leaf, Rule, Word, hull
from consilience.tools.document.reading import lines_of

from consilience.core.errors import MissingExtra

__all__ = ["bands", "cell_text", "ruled"]

# More lines than this are a drawing, and pairing them takes quadratic time.
_MOST_RULES = 6000
_SNAP = 3.0
_LEAST_SPAN = 4.0


def ruled(leaf: Leaf) -> Iterator[Grid]:
    """Tables of two rows and columns at least, top to bottom; each cell where the lines around it close."""
    if not 4 <= len(leaf.rules) <= _MOST_RULES:
        return
    for cells in _found([*leaf.rules, *_sides(leaf.rules)]):
        grid = _grid([Box(*cell) for cell in cells], leaf.words)
        if grid.width >= 2 and grid.height >= 2 and grid.told >= 3:
            yield grid


def _found(rules: Sequence[Rule]) -> list[list[tuple[float, float, float, float]]]:
    """The cells of each table, as left, top, right, bottom."""
    try:
        from pdfplumber.table import cells_to_tables, edges_to_intersections, intersections_to_cells, merge_edges
    except ImportError as problem:
        raise MissingExtra("pdfplumber", "document", "Finding tables in PDFs") from problem
    edges = merge_edges(
        [_edge(rule) for rule in rules],
        snap_x_tolerance=_SNAP,
        snap_y_tolerance=_SNAP,
        join_x_tolerance=_SNAP,
        join_y_tolerance=_SNAP,
    )
    long = [edge for edge in edges if max(edge["x1"] - edge["x0"], edge["bottom"] - edge["top"]) >= _LEAST_SPAN]
    found: Any = cells_to_tables(intersections_to_cells(edges_to_intersections(long, _SNAP, _SNAP)))
    return list(found)


def _edge(rule: Rule) -> dict[str, Any]:
    box = rule.box
    return {
        "x0": box.left,
        "x1": box.right,
        "top": box.top,
        "bottom": box.bottom,
        "width": box.width,
        "height": box.height,
        "orientation": "h" if rule.level else "v",
    }


def _sides(rules: Sequence[Rule]) -> Iterator[Rule]:
    """The outer sides of tables that are ruled inside, between their columns and rows, but open left and right."""
    upright = [rule.box for rule in rules if not rule.level and rule.box.height > _LEAST_SPAN]
    for above, below in chain.from_iterable(map(pairwise, bands(rules))):
        left, right = above.left + _SNAP, above.right - _SNAP
        if any(left < u.left < right and u.top < above.top + _SNAP and u.bottom > below.top - _SNAP for u in upright):
            for x in (above.left, above.right):
                yield Rule(Box(x, above.top, x, below.top))


def bands(rules: Sequence[Rule]) -> Iterator[list[Box]]:
    """Level lines, two at least, that begin and end at the same places; top to bottom."""
    level = sorted(rule.box for rule in rules if rule.level and rule.box.width > 8 * _LEAST_SPAN)
    for _, same_start in groupby(level, lambda box: round(box.left / _SNAP)):
        by_end = sorted(same_start, key=lambda box: box.right)
        for _, same in groupby(by_end, lambda box: round(box.right / _SNAP)):
            lines: list[Box] = []
            for box in sorted(same, key=lambda box: box.top):
                if not lines or box.top - lines[-1].top > _SNAP:
                    lines.append(box)
            if len(lines) >= 2:
                yield lines


def _grid(cells: list[Box], words: Sequence[Word]) -> Grid:
    xs, ys = (
        _edges([c.left for c in cells] + [c.right for c in cells]),
        _edges([c.top for c in cells] + [c.bottom for c in cells]),
    )
    whole = hull(cells)
    inside = [word for word in words if whole.holds(word.box.middle)]
    made: list[GridCell] = []
    for cell in cells:
        row, column = _index(ys, cell.top), _index(xs, cell.left)
        rows, columns = _index(ys, cell.bottom) - row, _index(xs, cell.right) - column
        text = cell_text([word for word in inside if cell.holds(word.box.middle)])
        made.append(GridCell(text, row, column, max(1, rows), max(1, columns), cell))
    return Grid(tuple(_without_blank_lines(made)), whole)


def _edges(positions: list[float]) -> list[float]:
    """Distinct positions; those less than the snap distance apart are one."""
    edges: list[float] = []
    for position in sorted(positions):
        if not edges or position - edges[-1] > _SNAP:
            edges.append(position)
    return edges


def _index(edges: list[float], position: float) -> int:
    return min(range(len(edges)), key=lambda i: abs(edges[i] - position))


def _without_blank_lines(cells: list[GridCell]) -> list[GridCell]:
    """Without the rows and columns, thin as double lines, in which no cell says anything and none begins that does."""
    for axis in ("row", "column"):
        span = axis + "s"
        said = {getattr(c, axis) for c in cells if c.text}
        count = max(getattr(c, axis) + getattr(c, span) for c in cells)
        thin = {i for i in range(count) if i not in said and _is_thin(cells, axis, i)}
        if thin:
            kept = [i for i in range(count) if i not in thin]
            place = {i: sum(k < i for k in kept) for i in range(count + 1)}
            cells = [
                GridCell(
                    c.text,
                    place[c.row] if axis == "row" else c.row,
                    place[c.column] if axis == "column" else c.column,
                    max(1, place[c.row + c.rows] - place[c.row]) if axis == "row" else c.rows,
                    max(1, place[c.column + c.columns] - place[c.column]) if axis == "column" else c.columns,
                    c.box,
                )
                for c in cells
                if getattr(c, axis) not in thin
            ]
    return cells


def _is_thin(cells: list[GridCell], axis: str, i: int) -> bool:
    boxes = [c.box for c in cells if getattr(c, axis) == i and c.box and getattr(c, axis + "s") == 1]
    return bool(boxes) and max(b.height if axis == "row" else b.width for b in boxes) < 2 * _SNAP


def cell_text(words: Sequence[Word]) -> str:
    """The words of a cell, wrapped lines joined."""
    return " ".join(line.text for line in lines_of(words))
