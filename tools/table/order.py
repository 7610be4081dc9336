"""What orders a table's rows: its date column, one series for each group where dates come again, or the rows' order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consilience.tools.table.dates import told
from consilience.tools.table.typed import Typed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Gap", "Order", "gaps_of", "orders_of", "pace_of"]

_YEARS = frozenset({"year", "yr", "jahr", "année", "annee", "an", "año", "ano", "anno", "jaar", "år"})
_MOST_GROUPS = 12
_DAY = 86_400.0
_MOST_GAPS = 5


@dataclass(frozen=True)
class Order:
    """Rows in the order of one series."""

    rows: NDArray[np.int64]
    """From 0, in order, shape (n,)."""
    places: NDArray[np.float64]
    """Increasing: seconds where dates order them, else years or the number of the row; shape (n,)."""
    column: int | None = None
    """The column, from 0, that orders them."""
    dates: NDArray[np.datetime64] | None = None
    resolution: str = "s"
    group: str | None = None
    """`shop North`: which of the table's series it is."""
    mean: bool = False
    """Several rows are of one date: their mean counts."""

    def at(self, place: int) -> str:
        """The date, year or row of a place, in words."""
        if self.dates is not None:
            return told(self.dates[place], self.resolution)
        return f"{self.places[place]:.0f}" if self.column is not None else f"row {self.rows[place] + 1}"


@dataclass(frozen=True)
class Gap:
    """Places between which something is missing."""

    before: int
    after: int
    missing: int | None
    """How many steps; None where the steps are not even."""


def orders_of(names: list[str], columns: list[Typed]) -> list[Order]:
    """The series that a table's rows make up; one, unless dates come again and a column tells the series apart."""
    import numpy as np

    dated = next((i for i, column in enumerate(columns) if _is_dated(column)), None)
    year = next((i for i, column in enumerate(columns) if _is_year(names[i], column)), None)
    if dated is None and year is None:
        many = len(columns[0].texts) if columns else 0
        return [Order(np.arange(many), np.arange(many, dtype=np.float64) + 1)]
    chosen = dated if dated is not None else year
    assert chosen is not None
    base = _ordered(columns[chosen], chosen)
    if _is_strict(base.places):
        return [base]
    for i, column in enumerate(columns):
        if i != chosen and column.type in ("text", "boolean") and (groups := _groups(base, names[i], column)):
            return groups
    return [replace(base, mean=True)]


def _is_dated(column: Typed) -> bool:
    return column.type == "date" and column.missing + len(column.odd) <= len(column.texts) / 5


def _is_year(name: str, column: Typed) -> bool:
    import numpy as np

    if column.type != "number" or column.numbers is None or name.strip().casefold() not in _YEARS:
        return False
    known = column.numbers[~np.isnan(column.numbers)]
    return bool(len(known) and (known == np.round(known)).all() and known.min() >= 1000 and known.max() <= 3000)


def _ordered(column: Typed, number: int) -> Order:
    import numpy as np

    if column.dates is not None:
        known = np.flatnonzero(~np.isnat(column.dates))
        rows = known[np.argsort(column.dates[known], kind="stable")]
        dates = column.dates[rows]
        return Order(rows, dates.astype(np.int64) / 1e6, number, dates, column.resolution)
    assert column.numbers is not None
    known = np.flatnonzero(~np.isnan(column.numbers))
    rows = known[np.argsort(column.numbers[known], kind="stable")]
    return Order(rows, column.numbers[rows], number)


def _is_strict(places: NDArray[np.float64]) -> bool:
    import numpy as np

    return bool((np.diff(places) > 0).all())


def _groups(base: Order, name: str, column: Typed) -> list[Order]:
    """One order for each value of a column, where that makes every date come once; else none."""
    import numpy as np

    encoded = column.texts.dictionary_encode().combine_chunks()
    values = encoded.dictionary.to_pylist()
    if not 2 <= len(values) <= _MOST_GROUPS:
        return []
    codes = np.nan_to_num(np.asarray(encoded.indices, dtype=np.float64), nan=-1)[base.rows]
    groups = []
    for code, value in enumerate(values):
        chosen = np.flatnonzero(codes == code)
        dates = base.dates[chosen] if base.dates is not None else None
        group = replace(base, rows=base.rows[chosen], places=base.places[chosen], dates=dates, group=f"{name} {value}")
        if not _is_strict(group.places):
            return []
        groups.append(group)
    return groups


def pace_of(order: Order) -> tuple[str, float]:
    """(word for the usual step, its length in units of `places`), for slopes that people can read."""
    import numpy as np

    if order.dates is None:
        return ("year", 1.0) if order.column is not None else ("row", 1.0)
    steps = np.diff(order.places)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else _DAY
    for word, least, length in (
        ("year", 360 * _DAY, 365.2425 * _DAY),
        ("quarter", 85 * _DAY, 91.3106 * _DAY),
        ("month", 27 * _DAY, 30.4369 * _DAY),
        ("week", 6.9 * _DAY, 7 * _DAY),
        ("day", 0.9 * _DAY, _DAY),
        ("hour", 3500.0, 3600.0),
        ("minute", 58.0, 60.0),
    ):
        if usual >= least:
            return word, length
    return "second", 1.0


def gaps_of(order: Order) -> list[Gap]:
    """Where steps are missing in an even order, or where an uneven one pauses for very long; the longest first."""
    import numpy as np

    if order.column is None or len(order.places) < 6:
        return []
    places = order.places if order.dates is None else _even_places(order)
    steps = np.diff(places)
    steps = steps[steps > 0]
    if len(steps) < 5:
        return []
    found = list(_gaps(np.diff(places), steps))
    return sorted(found, key=lambda gap: (-(places[gap.after] - places[gap.before]), gap.before))[:_MOST_GAPS]


def _gaps(steps: NDArray[np.float64], positive: NDArray[np.float64]) -> Iterator[Gap]:
    import numpy as np

    kinds, counts = np.unique(positive, return_counts=True)
    usual = float(kinds[counts.argmax()])
    even = counts.max() >= 0.75 * len(positive)
    bound = 2 * usual if even else 5 * float(np.quantile(positive, 0.95))
    for place in np.flatnonzero(steps >= bound):
        missing = round(float(steps[place]) / usual) - 1 if even else None
        yield Gap(int(place), int(place) + 1, missing)


def _even_places(order: Order) -> NDArray[np.float64]:
    """Places in which calendars are even: months where days of the month agree, working days where no weekend is."""
    import numpy as np

    assert order.dates is not None
    days = order.dates.astype("datetime64[D]")
    if (order.dates != days.astype("datetime64[us]")).any():
        return order.places
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64)
    last = (days + 1).astype("datetime64[M]") != months
    if (of_month == of_month[0]).all() or last.all():
        return months.astype(np.int64).astype(np.float64)
    weekdays = (days.astype(np.int64) + 3) % 7
    if (weekdays < 5).all() and len(days) >= 10 and (np.diff(days.astype(np.int64)) == 1).sum() > len(days) / 2:
        return np.busday_count(days[0], days).astype(np.float64)
    return order.places
