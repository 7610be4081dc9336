"""What a table's columns hold: type, unit, what is missing, extremes, mean, most frequent values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consilience.tools.bounds import Many
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.table.dates import told as date_told
from consilience.tools.table.rows import extremes_of
from consilience.tools.table.sheet import RawColumn, Sheet
from consilience.tools.table.sheets import sheets_of
from consilience.tools.table.typed import Typed, typed

from consilience.core.errors import Unobservable
from consilience.observations import Cell, Column, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["columns", "plainly"]

_FREQUENT = 5
_LONGEST = 60


@encoder(modality="table", kinds=("column",), version="3", cost="medium", extra="table")
def columns(excerpt: Excerpt, *, most: Many = 200) -> Iterator[Observation]:
    """Reads a table by column: types, units, gaps, extremes with their rows, means, frequent values.

    Args:
        excerpt: a table, or one column of it.
        most: columns of a sheet, the first ones.
    """
    cell = excerpt.where.cell
    for sheet in sheets_of(excerpt).tables:
        if cell and cell.column is not None:
            if cell.column > len(sheet.columns):
                raise Unobservable(f"there is no column {cell.column}: the table has {len(sheet.columns)}")
            wanted = range(cell.column, cell.column + 1)
        else:
            wanted = range(1, min(most, len(sheet.columns)) + 1)
        for number in wanted:
            yield _observe(excerpt, sheet, number)
        if (left_out := len(sheet.columns) - most) > 0 and not (cell and cell.column):
            told = f"{left_out:,} columns were not described: only the first {most} are, or one that is asked for"
            yield excerpt.unobserved(("column",), told, locator=Locator(page=sheet.page))


def _observe(excerpt: Excerpt, sheet: Sheet, number: int) -> Observation:
    excerpt.check()
    raw = sheet.columns[number - 1]
    column = typed(raw, sheet.decimal)
    value, told = _facts(raw, column)
    locator = Locator(page=sheet.page, cell=Cell(column=number))
    return excerpt.observe("column", value.model_dump(mode="json"), told, locator=locator)


def _facts(raw: RawColumn, column: Typed) -> tuple[Column, str]:
    held = len(column.texts) - column.missing
    facts: dict[str, Any] = {"name": raw.name, "type": column.type, "unit": column.unit}
    facts |= {"values": held, "missing": column.missing}
    told = [f"column {raw.name!r}: {column.type}{f' in {column.unit}' if column.unit else ''}, {held:,} values"]
    if column.missing:
        told.append(f"{column.missing:,} missing")
    if held:
        facts["distinct"] = _distinct(column)
        told.append(f"{facts['distinct']:,} distinct")
        extremes, in_words = _range(raw, column)
        facts |= extremes
        told += in_words
        frequent = _frequent(column)
        facts["frequent"] = tuple(value for value, _ in frequent)
        if frequent:
            told.append("most often " + ", ".join(f"{value!r} ({count:,})" for value, count in frequent))
    told += _doubts(column)
    return Column(**facts), ", ".join(told)


def _distinct(column: Typed) -> int:
    import numpy as np
    import pyarrow.compute as pc

    if column.type == "number" and column.numbers is not None:
        return len(np.unique(column.numbers[~np.isnan(column.numbers)]))
    if column.type == "date" and column.dates is not None:
        return len(np.unique(column.dates[~np.isnat(column.dates)]))
    texts = pc.utf8_lower(column.texts) if column.type == "boolean" else column.texts
    return int(pc.count_distinct(texts, mode="only_valid").as_py())


def _range(raw: RawColumn, column: Typed) -> tuple[dict[str, Any], list[str]]:
    """Least, greatest and mean, as facts and in words."""
    import numpy as np

    if column.type == "boolean" and column.numbers is not None:
        true = int(np.nansum(column.numbers))
        return {}, [f"true in {true:,}"]
    if column.type == "date" and column.dates is not None:
        known = column.dates[~np.isnat(column.dates)]
        ends: list[Any] = [date_told(moment, column.resolution) for moment in (known.min(), known.max())]
    elif column.type == "number" and column.numbers is not None:
        ends = list(_number_ends(raw, column))
    else:
        return {}, []
    facts: dict[str, Any] = {"least": ends[0], "greatest": ends[1]}
    rows = extremes_of(column)
    where = [f" (row {row + 1})" for row in rows] or ["", ""]
    told = [f"from {plainly(ends[0])}{where[0]} to {plainly(ends[1])}{where[1]}"]
    if column.type == "number" and column.numbers is not None:
        facts["mean"] = float(np.nanmean(column.numbers))
        told.append(f"mean {plainly(facts['mean'])}")
    return facts, told


def _number_ends(raw: RawColumn, column: Typed) -> tuple[int | float, int | float]:
    """Least and greatest; exact where the file has whole numbers that a float cannot tell apart."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(raw.cells.type):
        ends = pc.min_max(raw.cells).as_py()
        return ends["min"], ends["max"]
    assert column.numbers is not None
    least, greatest = float(np.nanmin(column.numbers)), float(np.nanmax(column.numbers))
    return _whole(least), _whole(greatest)


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _frequent(column: Typed) -> list[tuple[str, int]]:
    """(value, how often) of the most frequent ones, the first the most; none where no value comes twice."""
    import pyarrow.compute as pc

    texts = pc.utf8_lower(column.texts) if column.type == "boolean" else column.texts
    counted = pc.value_counts(pc.drop_null(texts))
    order = pc.select_k_unstable(counted.field("counts"), k=4 * _FREQUENT, sort_keys=[("counts", "descending")])
    found = [(str(entry["values"]), int(entry["counts"])) for entry in counted.take(order).to_pylist()]
    ranked = sorted((-count, value) for value, count in found if count > 1)
    return [(one_line(value)[:_LONGEST], -count) for count, value in ranked[:_FREQUENT]]


def _doubts(column: Typed) -> list[str]:
    doubts = []
    if column.odd:
        first = column.odd[0]
        told = one_line(column.texts[first].as_py())[:_LONGEST]
        are = "holds" if len(column.odd) == 1 else "hold"
        doubts.append(f"{len(column.odd)} {are} no {column.type} (row {first + 1}: {told!r})")
    if column.assumption:
        doubts.append(f"read with {column.assumption}")
    return doubts


def plainly(value: object) -> str:
    """A number to six digits, without an exponent where people would not write one; anything else as it is."""
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if not isinstance(value, float):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return plainly(int(value))
    if 1e-4 <= abs(value) < 1e12:
        digits = 2 if abs(value) >= 1000 else 6
        return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits == 2 else f"{value:.{digits}g}"
    return f"{value:.4g}"
