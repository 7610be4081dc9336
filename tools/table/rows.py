"""A table's shape and its rows: the first ones, and those that hold a column's least or greatest."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.bounds import Many
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.table.sheet import Sheet
from consilience.tools.table.sheets import sheets_of
from consilience.tools.table.typed import Typed, typed

from consilience.core.errors import Unobservable
from consilience.observations import Cell, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["rows"]

# Columns whose names the line on a table tells, and whose extremes have their rows shown.
_TOLD = 60


@encoder(modality="table", kinds=("table", "row"), version="3", extra="table")
def rows(excerpt: Excerpt, *, most: Many = 200) -> Iterator[Observation]:
    """Reads a table: its columns, its first rows cell by cell, and the rows of the extremes.

    Args:
        excerpt: a table, or one row of it.
        most: rows of a sheet that are listed, those of the extremes aside.
    """
    cell = excerpt.where.cell
    for sheet in sheets_of(excerpt).tables:
        if cell and cell.row is not None:
            yield _only(excerpt, sheet, cell.row)
            continue
        yield _shape(excerpt, sheet, most)
        extremes = _extremes(sheet, most)
        for row in [*range(min(most, sheet.rows)), *sorted(row for row in extremes if row >= most)]:
            if observation := _row(excerpt, sheet, row, extremes.get(row, [])):
                yield observation


def _shape(excerpt: Excerpt, sheet: Sheet, most: int) -> Observation:
    names = [column.name for column in sheet.columns]
    title = f"sheet {sheet.name!r}: " if sheet.name else ""
    further = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    notes = list(sheet.notes)
    if sheet.rows > most:
        notes.append(f"only the first {most} rows, and those of the extremes, are listed")
    told = "".join(f"; {note}" for note in notes)
    return excerpt.observe(
        "table",
        {"columns": names, "rows": sheet.rows},
        f"{title}table of {sheet.rows} rows with the columns {', '.join(names[:_TOLD])}{further}{told}",
        locator=Locator(page=sheet.page),
    )


def _only(excerpt: Excerpt, sheet: Sheet, number: int) -> Observation:
    if not 1 <= number <= sheet.rows:
        raise Unobservable(f"there is no row {number}: the table has {sheet.rows}")
    if not (observation := _row(excerpt, sheet, number - 1, [])):
        raise Unobservable(f"row {number} is empty")
    return observation


def _row(excerpt: Excerpt, sheet: Sheet, row: int, marks: list[str]) -> Observation | None:
    cells = {column.name: _shown(column.cells[row].as_py()) for column in sheet.columns}
    told = "; ".join(f"{name}: {cell}" for name, cell in cells.items() if cell != "")
    if not one_line(told):
        return None
    why = f" ({', '.join(marks)})" if marks else ""
    locator = Locator(page=sheet.page, cell=Cell(row=row + 1))
    return excerpt.observe("row", {"cells": cells}, told + why, locator=locator)


def _shown(cell: object) -> str | int | float | bool:
    """A cell as JSON: empty text where there is nothing."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, bool | int):
        return cell
    if isinstance(cell, float):
        return cell if abs(cell) != float("inf") else str(cell)
    return cell.strip() if isinstance(cell, str) else str(cell)


def _extremes(sheet: Sheet, most: int) -> dict[int, list[str]]:
    """Rows, from 0, with what makes them stand out; of a table that is shown whole, none needs to."""
    found: dict[int, list[str]] = {}
    if sheet.rows <= most:
        return found
    for column in sheet.columns[:_TOLD]:
        for row, mark in zip(extremes_of(typed(column, sheet.decimal)), ("least", "greatest"), strict=False):
            found.setdefault(row, []).append(f"{mark} {column.name}")
    return found


def extremes_of(column: Typed) -> tuple[int, ...]:
    """The first row, from 0, with the least and the first with the greatest number or date; none where all are one."""
    import numpy as np

    if column.type == "number" and column.numbers is not None:
        values = column.numbers
        known = ~np.isnan(values)
    elif column.type == "date" and column.dates is not None:
        values, known = column.dates.astype(np.int64), ~np.isnat(column.dates)
    else:
        return ()
    places = np.flatnonzero(known)
    if not len(places):
        return ()
    least, greatest = int(places[values[known].argmin()]), int(places[values[known].argmax()])
    return () if values[least] == values[greatest] else (least, greatest)
