"""Types of columns: numbers with units, dates, booleans, and what is neither."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from consilience.tools.table.dates import told
from consilience.tools.table.quantities import unit_in
from consilience.tools.table.sheet import RawColumn
from consilience.tools.table.typed import Typed, typed
from hypothesis import given
from hypothesis import strategies as st


def understood(cells: list[str], name: str = "x", decimal: str | None = None) -> Typed:
    return typed(RawColumn(name, pa.chunked_array([pa.array(cells, pa.string())])), decimal)


def numbers(cells: list[str], decimal: str | None = None) -> list[float | None]:
    column = understood(cells, decimal=decimal)
    assert column.type == "number", column.type
    assert column.numbers is not None
    return [None if np.isnan(number) else float(number) for number in column.numbers]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "+3", "4.5"], [1, -2, 3, 4.5]),
        (["1e3", "2.5E-2"], [1000, 0.025]),
        (["1,234.50", "12.00", "1,234,567.00"], [1234.5, 12, 1234567]),
        (["1.234,50", "12,00", "0,5"], [1234.5, 12, 0.5]),
        (["1 234,5", "12,25"], [1234.5, 12.25]),
        (["1\u00a0234", "12\u202f345"], [1234, 12345]),
        (["1'234.5", "2.25"], [1234.5, 2.25]),
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["(12.5)", "3"], [-12.5, 3]),
        (["\u22125", "5"], [-5, 5]),
        (["1", "n/a", "", "-", "3"], [1, None, None, None, 3]),
        (["12,34,567", "1,00,000"], [1234567, 100000]),
    ],
)
def test_numbers(cells: list[str], expected: list[float | None]) -> None:
    assert numbers(cells) == expected


def test_a_comma_before_three_digits_proves_nothing_by_itself() -> None:
    assert numbers(["1,234", "5,678"]) == [1234, 5678]
    assert understood(["1,234", "5,678"]).assumption == "commas taken for separators of thousands"
    assert numbers(["1,234", "5,678"], decimal=",") == [1.234, 5.678]
    assert numbers(["1.234", "5.678"]) == [1.234, 5.678]
    assert numbers(["1.234", "5.678"], decimal=",") == [1234, 5678]


@pytest.mark.parametrize(
    ("cells", "unit", "first"),
    [
        (["5 kg", "6 kg"], "kg", 5),
        (["5kg", "6kg"], "kg", 5),
        (["12.5%", "3 %"], "%", 12.5),
        (["$1,234.50", "$2"], "$", 1234.5),
        (["1.234,50 €", "2,00 €"], "€", 1234.5),
        (["EUR 12", "EUR 13"], "EUR", 12),
        (["-$5", "$6"], "$", -5),
        (["3 m/s", "4 m/s"], "m/s", 3),
        (["20 °C", "-4 °C"], "°C", 20),
        (["3 rooms", "4 rooms"], "rooms", 3),
    ],
)
def test_units_beside_values(cells: list[str], unit: str, first: float) -> None:
    column = understood(cells)
    assert (column.type, column.unit) == ("number", unit)
    assert column.numbers is not None
    assert column.numbers[0] == first


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("Weight (kg)", "kg"),
        ("speed [km/h]", "km/h"),
        ("price in EUR", "EUR"),
        ("length / m", "m"),
        ("Temperature, °C", "°C"),
        ("Share (%)", "%"),
        ("delay_ms", "ms"),
        ("energy (kWh/m²)", "kWh/m²"),
        ("rate_pct", "%"),
        ("Sales (2024)", None),
        ("name (first)", None),
        ("is_a", None),
        ("group", None),
        ("made in Rome", None),
        ("", None),
    ],
)
def test_units_in_headers(header: str, unit: str | None) -> None:
    assert unit_in(header) == unit


@pytest.mark.parametrize(
    "cells",
    [
        ["A12", "B13"],
        ["01234", "98765"],
        ["12345678901234567", "12345678901234568"],
        ["5 kg", "6 lb"],
        ["12:30", "13:45"],
        ["1.5", "1,5"],
        ["10am", "11am"],
        ["1.2.3", "1.2.4"],
        ["=1+1", "=2+2"],
        ["12 Main St", "14 High St"],
    ],
)
def test_what_only_looks_like_numbers_is_text(cells: list[str]) -> None:
    assert understood(cells).type == "text"


def test_a_few_odd_cells_are_told() -> None:
    column = understood([str(i) for i in range(40)] + ["see note"])
    assert (column.type, column.odd, column.missing) == ("number", (40,), 0)
    assert understood([str(i) for i in range(10)] + ["see note"]).type == "text"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-01-31", "2024-02-01"], ["2024-01-31", "2024-02-01"]),
        (["31.01.2024", "1.2.2024"], ["2024-01-31", "2024-02-01"]),
        (["31/01/2024", "01/02/2024"], ["2024-01-31", "2024-02-01"]),
        (["01/31/2024", "02/01/2024"], ["2024-01-31", "2024-02-01"]),
        (["31-01-24", "31-01-2024"], None),
        (["31.01.24", "01.02.24"], ["2024-01-31", "2024-02-01"]),
        (["20240131", "20240201"], ["2024-01-31", "2024-02-01"]),
        (["Jan 31, 2024", "February 1, 2024"], ["2024-01-31", "2024-02-01"]),
        (["31 Jan 2024", "1 Feb 2024"], ["2024-01-31", "2024-02-01"]),
        (["2024-01", "2024-02"], ["2024-01", "2024-02"]),
        (["Jan 2024", "Feb 2024"], ["2024-01", "2024-02"]),
        (["Q1 2024", "Q3 2024"], ["2024-01", "2024-07"]),
        (["2024Q4"], ["2024-10"]),
        (["2024-01-31 08:30", "2024-02-01T09:00"], ["2024-01-31 08:30", "2024-02-01 09:00"]),
        (["1/31/2024 8:30 PM", "1/31/2024 12:05 am"], ["2024-01-31 20:30", "2024-01-31 00:05"]),
        (["2024-01-31T08:30:00Z", "2024-01-31T08:30:00+02:00"], ["2024-01-31 08:30", "2024-01-31 06:30"]),
        (["2024-01-31T08:30:05.5"], ["2024-01-31 08:30:05"]),
        (["2024-02-30", "2024-13-01"], None),
    ],
)
def test_dates(cells: list[str], expected: list[str] | None) -> None:
    column = understood(cells)
    if expected is None:
        assert column.type == "text"
        return
    assert column.dates is not None
    assert [told(moment, column.resolution) for moment in column.dates] == expected


def test_what_decides_between_day_and_month() -> None:
    unproven = understood(["03/04/2024", "01/02/2024", "05/06/2024"])
    assert unproven.assumption == "month before day, which nothing proves"
    in_order = understood(["03/04/2024", "04/05/2024", "05/06/2024", "01/07/2024"])
    assert in_order.dates is not None
    assert told(in_order.dates[0], "D") == "2024-04-03"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["true", "False"], "boolean"),
        (["yes", "no", "n/a"], "boolean"),
        (["ja", "nein"], "boolean"),
        (["Y", "N"], "boolean"),
        (["Y", "Y"], "text"),
        (["no", "maybe"], "text"),
        (["0", "1"], "number"),
        (["", "n/a", "-"], "empty"),
        (["", ""], "empty"),
    ],
)
def test_booleans_and_nothing(cells: list[str], kind: str) -> None:
    assert understood(cells).type == kind


def test_marks_of_nothing_are_words_among_words() -> None:
    assert understood(["NA", "DE", "FR"]).missing == 0
    assert understood(["NA", "1", "2"]).missing == 1


@pytest.mark.parametrize(
    ("array", "kind", "missing"),
    [
        (pa.array([1, None, 3]), "number", 1),
        (pa.array([1.5, float("nan"), float("inf")]), "number", 2),
        (pa.array([True, None]), "boolean", 1),
        (pa.array([datetime.date(2024, 1, 1), None]), "date", 1),
        (pa.array([datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)]), "date", 0),
        (pa.array([None, None]), "empty", 2),
        (pa.array(["1", "2"]), "text", 0),
    ],
)
def test_files_that_declare_types_are_believed(array: Any, kind: str, missing: int) -> None:
    column = typed(RawColumn("x", pa.chunked_array([array]), declared=True))
    assert (column.type, column.missing) == (kind, missing)


@given(st.lists(st.floats(-1e12, 1e12).map(lambda x: round(x, 3)), min_size=1, max_size=30), st.sampled_from(".,"))
def test_grouped_numbers_are_read_back(values: list[float], mark: str) -> None:
    swap = str.maketrans(",.", ".,") if mark == "," else {}
    cells = [f"{value:,.3f}".translate(swap) for value in values]
    assert numbers(cells, decimal=mark) == pytest.approx(values)


@given(st.lists(st.dates(datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)), min_size=1, max_size=30))
def test_iso_dates_are_read_back(days: list[datetime.date]) -> None:
    column = understood([day.isoformat() for day in days])
    assert column.dates is not None
    assert [told(moment, "D") for moment in column.dates] == [day.isoformat() for day in days]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=20))
def test_any_cells_have_a_type(cells: list[str]) -> None:
    column = understood([cell.encode("utf-8", "replace").decode() for cell in cells])
    assert column.type in ("number", "date", "boolean", "text", "empty")
    assert 0 <= column.missing <= len(cells)
