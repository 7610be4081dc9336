"""Numeric columns as series: trend, changes, outliers, gaps. Where there is nothing but noise, nothing is said."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from consilience.tools.bounds import Few
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.table.findings import Line, Report
from consilience.tools.table.order import Order, gaps_of, orders_of, pace_of
from consilience.tools.table.outliers import cleaned, outliers
from consilience.tools.table.shapes import LEAST, likelihood_of_chance, shape_of
from consilience.tools.table.sheet import Sheet
from consilience.tools.table.sheets import sheets_of
from consilience.tools.table.typed import Typed, typed

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations import Cell, Locator, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["series"]

# A course is fitted to at most so many values; longer series are averaged over even stretches first.
_MOST_VALUES = 1500
_IDENTIFIER = re.compile(r"(?:.*[\s_-])?(?:id|nr|no|number|index|code|zip|plz|key|row)\.?|\w*Id|#|Unnamed: 0", re.I)


@encoder(modality="table", kinds=("series",), version="3", cost="medium", extra="table")
def series(excerpt: Excerpt, *, most: Few = 5) -> Iterator[Observation]:
    """Tells trends, changes, outliers and gaps of numeric columns, ordered by date where there is one.

    Args:
        excerpt: a table, or one column of it.
        most: changes, outliers and gaps that are told, of each so many a column.
    """
    _require_ruptures()
    wanted = excerpt.where.cell.column if excerpt.where.cell else None
    looked = False
    for sheet in sheets_of(excerpt).tables:
        names = [column.name for column in sheet.columns]
        columns = [typed(column, sheet.decimal) for column in sheet.columns]
        for order in orders_of(names, columns):
            yield from _date_gaps(excerpt, sheet, order, most)
            for number, column in enumerate(columns):
                if wanted not in (None, number + 1) or not _is_measured(names[number], column, order, number):
                    continue
                looked = True
                excerpt.check()
                yield from _findings(excerpt, sheet, _line(column, names[number], number, order), most)
    if not looked:
        raise Unobservable(f"no column has {LEAST} numbers that make up a series")


def _require_ruptures() -> None:
    try:
        import ruptures  # noqa: F401
    except ImportError as problem:
        raise MissingExtra("ruptures", "table", "Finding changes in series") from problem


def _is_measured(name: str, column: Typed, order: Order, number: int) -> bool:
    """Whether a column holds measurements, and not what numbers or dates its rows."""
    import numpy as np

    if column.type != "number" or column.numbers is None or number == order.column or _IDENTIFIER.fullmatch(name):
        return False
    values = column.numbers[order.rows]
    known = values[~np.isnan(values)]
    if len(known) < LEAST or known.min() == known.max():
        return False
    return not (order.column is None and (np.diff(known) == 1).all())


def _line(column: Typed, name: str, number: int, order: Order) -> Line:
    """The column's values in order, one for each date, NaN where there is none."""
    import numpy as np

    assert column.numbers is not None
    values = column.numbers[order.rows]
    if not order.mean:
        return Line(number, name, column.unit, order, values)
    places, first, inverse = np.unique(order.places, return_index=True, return_inverse=True)
    known = ~np.isnan(values)
    sums = np.bincount(inverse[known], values[known], len(places))
    counts = np.bincount(inverse[known], minlength=len(places))
    means = np.divide(sums, counts, out=np.full(len(places), np.nan), where=counts > 0)
    dates = order.dates[first] if order.dates is not None else None
    told = "mean of the rows of a date"
    merged = Order(order.rows[first], places, order.column, dates, order.resolution, told)
    return Line(number, name, column.unit, merged, means)


def _findings(excerpt: Excerpt, sheet: Sheet, line: Line, most: int) -> Iterator[Observation]:
    import numpy as np

    known = np.flatnonzero(~np.isnan(line.values))
    if len(known) < LEAST:
        return
    values, places = line.values[known], line.order.places[known]
    steady = cleaned(values)
    size = math.ceil(len(steady) / _MOST_VALUES)
    blocks, centres = _averaged(steady, size), _averaged(places, size)
    shape = shape_of(centres, blocks)
    course = np.repeat(shape.fitted, size)[: len(values)]
    report = Report(excerpt, sheet, line, known)
    if shape.slope and shape.bend is None:
        yield report.trend(shape, likelihood_of_chance(centres, blocks, shape))
    for step in shape.steps[:most]:
        yield report.step(_refined(steady, step, size, shape.steps), step, shape)
    if len(shape.steps) > most:
        place = Locator(page=sheet.page, cell=Cell(column=line.column + 1))
        yield _untold(excerpt, len(shape.steps) - most, f"changes of {line.what}", place)
    if shape.bend is not None:
        yield report.bend(min(shape.bend * size, len(known) - 1), shape)
    found = outliers(values, course, ordered=line.order.column is not None or not shape.is_level)
    for outlier in found[:most]:
        yield report.outlier(outlier, len(found))
    yield from report.holes()


def _averaged(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Means of stretches of `size` values, the last as long as what is left."""
    import numpy as np

    if size == 1:
        return values
    starts = np.arange(0, len(values), size)
    lengths = np.minimum(size, len(values) - starts)
    return np.asarray(np.add.reduceat(values, starts) / lengths)


def _refined(values: NDArray[np.float64], step: int, size: int, steps: tuple[int, ...]) -> int:
    """The place of a step in the series itself, found where levels before and after explain the values best."""
    import numpy as np

    if size == 1:
        return step
    bounds = [0, *(other * size for other in steps), len(values)]
    at = bounds.index(step * size)
    low, high = max(bounds[at - 1] + 1, (step - 1) * size), min(bounds[at + 1] - 1, (step + 1) * size)
    before, after = float(np.mean(values[bounds[at - 1] : low])), float(np.mean(values[high : bounds[at + 1]]))
    odds = (values[low:high] - before) ** 2 - (values[low:high] - after) ** 2
    return low + int(np.argmin(np.concatenate([[0.0], np.cumsum(odds)])))


def _date_gaps(excerpt: Excerpt, sheet: Sheet, order: Order, most: int) -> Iterator[Observation]:
    gaps = gaps_of(order)
    for gap in gaps[:most]:
        assert order.column is not None
        name = sheet.columns[order.column].name
        before, after = order.at(gap.before), order.at(gap.after)
        many = (
            f"{gap.missing} {pace_of(order)[0]}{'s' if gap.missing != 1 else ''} missing" if gap.missing else "a pause"
        )
        of = f" ({order.group})" if order.group else ""
        facts = {"after": before, "before": after, "missing": gap.missing}
        row = int(order.rows[gap.after]) + 1
        yield excerpt.observe(
            "series",
            {"column": name, "finding": "gap", "unit": None, "facts": facts},
            f"{name}{of} goes from {before} to {after} (row {row}): {many}",
            locator=Locator(page=sheet.page, cell=Cell(row=row, column=order.column + 1)),
        )
    if len(gaps) > most and order.column is not None:
        place = Locator(page=sheet.page, cell=Cell(column=order.column + 1))
        yield _untold(excerpt, len(gaps) - most, f"gaps of {sheet.columns[order.column].name}", place)


def _untold(excerpt: Excerpt, left_out: int, what: str, place: Locator) -> Observation:
    return excerpt.unobserved(("series",), f"{left_out:,} more {what} are not told", locator=place)
