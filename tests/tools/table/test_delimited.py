"""Dialects, quotes, headers: how text becomes a table."""

from __future__ import annotations

import csv
import io
import string

import pytest
from consilience.tools.table.delimited import Dialect, dialect_of, rows_of
from consilience.tools.table.sheet import Sheet, tabulate
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import BadMedia, Unobservable
from consilience.core.settings import Limits

COMMA = Dialect(",")


def read(text: str, dialect: Dialect = COMMA) -> tuple[list[list[str]], list[int]]:
    broken: list[int] = []
    return list(rows_of(text.splitlines(keepends=True), dialect, broken.append)), broken


def table(text: str, limits: Limits | None = None) -> Sheet:
    dialect = dialect_of(text)
    lines = text.splitlines(keepends=True)[dialect.skip :]
    return tabulate(rows_of(lines, dialect), "table.csv", limits or Limits())


def names(text: str) -> list[str]:
    return [column.name for column in table(text).columns]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("1,5;2,5;3,5\n2,5;1,25;7\n", ";"),
        ("a\tb\n1,5\t2\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("name,notes\nAnn,one; two; three\nBob,four\n", ","),
        ('"a;b",c\n"d;e",f\n', ","),
        ("sep=;\na;b\n1;2\n", ";"),
        ("# made by hand; on Monday\na,b\n1,2\n", ","),
    ],
)
def test_delimiters_are_found(text: str, delimiter: str) -> None:
    assert dialect_of(text).delimiter == delimiter


def test_a_name_may_promise_tabs() -> None:
    assert dialect_of("a,b\tc,d\n1,2\t3,4\n", tabs=True).delimiter == "\t"


def test_single_quotes_and_backslashes_quote_too() -> None:
    assert dialect_of("a,b\n'x, y',2\n").quotechar == "'"
    dialect = dialect_of('a,b\n"say \\"hi\\", Ann",2\n')
    assert read('"say \\"hi\\", Ann",2\n', dialect)[0] == [['say "hi", Ann', "2"]]


cells = st.text(st.sampled_from(string.ascii_letters + '0123456789 ,;"\n.-éß漢'), max_size=8)


@given(st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1)))
def test_what_is_written_by_the_standard_is_read_back(rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)
    broken: list[int] = []
    lines = buffer.getvalue().splitlines(keepends=True)
    assert list(rows_of(io.StringIO(buffer.getvalue(), newline=""), COMMA, broken.append)) == rows
    assert not broken
    assert lines


def test_rows_may_straddle_blocks_of_lines() -> None:
    text = "a,b\n" + "1,2\n" * 4998 + '"two\nlines",9\n' + "3,4\n" * 4998 + '"x\ny",8\n'
    rows, broken = read(text)
    assert len(rows) == 1 + 4998 + 1 + 4998 + 1
    assert (rows[4999], rows[-1], broken) == (["two\nlines", "9"], ["x\ny", "8"], [])


@pytest.mark.parametrize(
    ("text", "rows", "broken"),
    [
        ('a,b\n1,2\n"x,1\ny,2\n', [["x", "1"], ["y", "2"]], [3]),
        ('a,b\n1,2\n"x,1', [["x", "1"]], [3]),
        ('a,b\n1,2\n"x,1\ny,2\n"q",3\n', [["x", "1"], ["y", "2"], ["q", "3"]], [3]),
        ('a,b\n1,2\nx "quoted" in the middle,1\n', [['x "quoted" in the middle', "1"]], []),
    ],
)
def test_a_quote_that_nothing_closes_costs_no_rows(text: str, rows: list[list[str]], broken: list[int]) -> None:
    found, told = read(text)
    assert (found[2:], told) == (rows, broken)


def test_a_stray_quote_far_from_the_next_one_costs_no_rows() -> None:
    rows, broken = read('a,b\n"x,1\n' + "y,2\n" * 12_000 + '"z",3\n')
    assert (len(rows), broken, rows[1], rows[-1]) == (12_003, [2], ["x", "1"], ["z", "3"])


def test_a_cell_beyond_all_measure_is_an_error() -> None:
    with pytest.raises(csv.Error, match="field larger"):
        read("a," + "b" * 200_000 + "\n")


# From rows to a table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", ["a", "b"]),
        ("1,2\n3,4\n", ["column 1", "column 2"]),
        ("country,2019,2020\nDE,1,2\nFR,3,4\n", ["country", "2019", "2020"]),
        ("2019,1\n2020,2\n2021,3\n", ["column 1", "column 2"]),
        ("city,colour\nYork,red\nBath,blue\n", ["city", "colour"]),
        ("York,red\nBath,red\nHull,blue\n", ["column 1", "column 2"]),
        ("a,,a\n1,2,3\n", ["a", "column 2", "a (2)"]),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"]),
        ("a,b\nx,1,2\ny,3,4\n", ["column 1", "a", "b"]),
        ("Sales of 2024,,\n,,\nid,amount,note\n1,2,x\n2,3,y\n", ["id", "amount", "note"]),
    ],
)
def test_headers_are_told_from_rows(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_what_stands_above_is_kept_as_a_note() -> None:
    sheet = table("Sales of 2024,,\n,,\nid,amount,note\n1,2,x\n2,3,y\n")
    assert sheet.notes == ("above it stands: Sales of 2024",)
    assert (sheet.rows, sheet.above) == (2, 3)


def test_ragged_rows_are_told_and_lose_nothing() -> None:
    sheet = table("a,b\n1,2\n3\n4,5,6\n")
    assert [column.cells.to_pylist() for column in sheet.columns] == [["1", "3", "4"], ["2", "", "5"], ["", "", "6"]]
    assert "2 rows are of another length than the first" in sheet.notes


def test_rows_without_anything_at_the_end_are_none() -> None:
    assert table("a,b\n1,2\n,\n3,4\n,\n,\n").rows == 3


def test_extents_are_limited() -> None:
    limits = Limits(table_rows=10, table_columns=3)
    assert table("a,b,c\n" + "1,2,3\n" * 10, limits).rows == 10
    with pytest.raises(BadMedia, match=r"table\.csv: has too many rows \(11; the limit is 10\).*LIMIT_TABLE_ROWS"):
        table("a,b,c\n" + "1,2,3\n" * 11, limits)
    with pytest.raises(BadMedia, match=r"too many columns \(4; the limit is 3\).*LIMIT_TABLE_COLUMNS"):
        table("a,b,c,d\n1,2,3,4\n", limits)


def test_nothing_is_no_table() -> None:
    with pytest.raises(Unobservable, match="the table is empty"):
        table(",,\n,,\n")


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_none(text: str) -> None:
    try:
        sheet = table(text)
    except (Unobservable, csv.Error):
        return
    assert all(len(column.cells) == sheet.rows for column in sheet.columns)
    assert len({column.name for column in sheet.columns}) == len(sheet.columns)
