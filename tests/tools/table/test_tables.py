"""Encoders of tables on real files: rows, columns, series, cells; from CSV, Excel and Parquet; whole and broken."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from consilience.tools import Runner
from consilience.tools.encoder import Encoder
from consilience.tools.table.cells import cells
from consilience.tools.table.columns import columns, plainly
from consilience.tools.table.rows import rows
from consilience.tools.table.series import series
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits, Settings
from consilience.observations import Column, Locator, Media, ObservationStore, Series, Source, ingest
from consilience.testing import EncoderConformance

Bench = tuple[Runner, Media]
Look = Callable[..., Any]

SALES = """date;shop;Umsatz in EUR;Gewicht (kg);open
01.01.2024;North;1.200,50;1,5;ja
02.01.2024;South;980,00;2,25;nein
03.01.2024;North;n/a;;ja
05.01.2024;North;2.300,00;1,75;ja
"""


def frame(n: int = 90, seed: int = 3) -> pd.DataFrame:
    """Daily measurements with a trend, a step, an outlier, a gap of dates, a gap of values, and noise."""
    rng = np.random.default_rng(seed)
    place = np.arange(n)
    made = pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=n),
            "sales (EUR)": 100 + 2 * place + rng.normal(0, 5, n),
            "load": np.where(place < 40, 10, 25) + rng.normal(0, 1.5, n),
            "noise": rng.normal(size=n),
            "temp": rng.normal(20, 1, n),
        }
    )
    made.loc[60, "temp"] = 95
    made.loc[20:27, "noise"] = np.nan
    return made.drop(index=[10, 11, 12]).round({name: 2 for name in made.columns[1:]})


def workbook(*sheets: tuple[str, list[list[object]]], hidden: str = "") -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for name, lines in sheets:
            sheet = book.add_worksheet(name)
            for number, line in enumerate(lines):
                sheet.write_row(number, 0, line)
            if name == hidden:
                sheet.hide()
    return buffer.getvalue()


def parquet(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer)
    return buffer.getvalue()


FORM = [["Invoice"], [], ["Number", "2024-17", None, "Date", "2024-05-01"], ["Total", 99.5]]


class TestColumns(EncoderConformance):
    encoder = columns

    def source(self) -> Source:
        return frame()

    async def test_tells_types_units_and_extremes(self, bench: Bench) -> None:
        facts = {o.as_(Column).name: o.as_(Column) for o in (await self.observe(bench)).observations}
        made = frame()
        assert facts["date"].type == "date"
        assert (facts["date"].least, facts["date"].greatest) == ("2024-01-01", "2024-03-30")
        sales = facts["sales (EUR)"]
        assert (sales.type, sales.unit, sales.values, sales.missing) == ("number", "EUR", 87, 0)
        assert (sales.least, sales.greatest) == (made["sales (EUR)"].min(), made["sales (EUR)"].max())
        assert sales.mean == pytest.approx(made["sales (EUR)"].mean())
        assert facts["noise"].missing == 8

    async def test_one_column_may_be_asked_for(self, bench: Bench) -> None:
        (found,) = (await self.observe(bench, where=Locator.from_fragment("cell=*,3"))).observations
        assert (found.as_(Column).name, found.locator.to_fragment()) == ("load", "cell=*,3")

    async def test_says_how_many_columns_it_left_out(self, bench: Bench) -> None:
        *told, last = (await self.observe(bench, parameters={"most": 2})).observations
        assert [o.kind for o in told] == ["column", "column"]
        assert (last.kind, last.text.partition(":")[0]) == ("unobserved", "3 columns were not described")


class TestSeries(EncoderConformance):
    encoder = series

    def source(self) -> Source:
        return frame()

    async def test_finds_what_was_put_in_and_nothing_else(self, bench: Bench) -> None:
        found = (await self.observe(bench)).observations
        told = {(o.as_(Series).column, o.as_(Series).finding): o for o in found}
        assert set(told) == {
            ("date", "gap"),
            ("sales (EUR)", "trend"),
            ("load", "change"),
            ("noise", "gap"),
            ("temp", "outlier"),
        }
        trend = told["sales (EUR)", "trend"].as_(Series)
        assert trend.facts["slope"] == pytest.approx(2, rel=0.05)
        assert (trend.unit, trend.facts["per"]) == ("EUR", "day")
        assert "rises by about" in told["sales (EUR)", "trend"].text
        change = told["load", "change"]
        assert change.as_(Series).facts["at"] == "2024-02-10"
        assert change.locator.to_fragment() == "cell=38,3"
        assert told["temp", "outlier"].locator.to_fragment() == "cell=58,5"
        assert told["date", "gap"].as_(Series).facts["missing"] == 3
        assert "8 missing" in told["noise", "gap"].text

    async def test_says_what_it_does_not_tell(self, bench: Bench) -> None:
        runner, _ = bench
        months = pd.date_range("2020-01-01", periods=60, freq="MS").delete([5, 15, 25, 35, 45])
        levels = np.repeat([10, 30, 60, 20, 90], 11) + np.random.default_rng(1).normal(0, 1, 55)
        media = ingest(pd.DataFrame({"month": months, "v": levels.round(2)}), runner.store)
        whole = (await runner.encode(media, series)).observations
        found = [o.as_(Series).finding for o in whole if o.kind == "series"]
        few = (await runner.encode(media, series, parameters={"most": 2})).observations
        assert [o.text for o in few if o.kind == "unobserved"] == [
            f"{found.count('gap') - 2} more gaps of month are not told",
            f"{found.count('change') - 2} more changes of v are not told",
        ]

    async def test_groups_are_series_of_their_own(self, bench: Bench) -> None:
        runner, _ = bench
        rng = np.random.default_rng(0)
        months = list(pd.date_range("2022-01-01", periods=24, freq="MS").strftime("%Y-%m"))
        rising, level = np.arange(24) * 3 + rng.normal(0, 2, 24), rng.normal(50, 2, 24)
        long = pd.DataFrame(
            {"month": months * 2, "shop": ["N"] * 24 + ["S"] * 24, "v": np.concatenate([rising, level]).round(2)}
        )
        (found,) = (await runner.encode(ingest(long, runner.store), series)).observations
        assert found.text.startswith("v (shop N) rises by about")
        assert found.as_(Series).facts["per"] == "month"

    async def test_a_table_without_series_is_unobserved(self, bench: Bench) -> None:
        runner, _ = bench
        (found,) = (await runner.encode(ingest(b"id,x\n1,2\n2,3\n", runner.store, name="a.csv"), series)).observations
        assert found.kind == "unobserved"


class TestCells(EncoderConformance):
    encoder = cells

    async def test_says_how_many_cells_it_left_out(self, bench: Bench) -> None:
        *told, last = (await self.observe(bench, parameters={"most": 2})).observations
        assert [o.kind for o in told] == ["cell", "cell"]
        assert last.text.startswith("5 cells were not read")

    def source(self) -> Source:
        return workbook(("Table", [["a", "b"], [1, 2], [3, 4]]), ("Form", FORM))

    async def test_reads_forms_with_their_labels(self, bench: Bench) -> None:
        found = (await self.observe(bench)).observations
        assert [o.text for o in found] == [
            "A1: Invoice",
            "A3: Number",
            "B3, Number: 2024-17",
            "D3, 2024-17: Date",
            "E3, Date: 2024-05-01",
            "A4, Number: Total",
            "B4, Total: 99.5",
        ]
        assert {o.locator.page for o in found} == {2}
        assert found[2].locator.to_fragment() == "page=2&cell=3,2"


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    chosen = Settings(cache_dir=tmp_path, limits=Limits(table_rows=2000, table_columns=300, unpacked_bytes=50_000_000))
    return Runner(ObservationStore.open(chosen), [rows, columns, series, cells], settings=chosen)


@pytest.fixture
def look(runner: Runner) -> Look:
    async def see(content: bytes, name: str, encoder: Encoder = columns, where: Locator | None = None) -> Any:
        media = ingest(content, runner.store, limits=runner.settings.limits, name=name)
        return await runner.encode(media, encoder, where=where)

    return see


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
async def test_a_european_csv_in_any_characters(look: Look, codec: str, ends: str) -> None:
    text = SALES.replace("South", "Süd").replace("\n", ends)
    content = b"\xff\xfe" + text.encode("utf-16-le") if codec == "utf-16-le-bom" else text.encode(codec)
    date, shop, turnover, weight, is_open = (o.as_(Column) for o in (await look(content, "sales.csv")).observations)
    assert (date.type, date.least, date.greatest) == ("date", "2024-01-01", "2024-01-05")
    assert (shop.type, shop.distinct, shop.frequent) == ("text", 2, ("North",))
    assert (turnover.type, turnover.unit, turnover.missing) == ("number", "EUR", 1)
    assert (turnover.least, turnover.greatest) == (980, 2300)
    assert (weight.unit, weight.mean) == ("kg", pytest.approx(5.5 / 3))
    assert is_open.type == "boolean"


async def test_a_guess_at_characters_is_told(look: Look) -> None:
    table, *_ = (await look(SALES.replace("South", "Süd").encode("cp1252"), "sales.csv", rows)).observations
    assert "read as Windows-1252, a guess" in table.text


async def test_mixed_line_ends_and_formulas_stay_data(look: Look) -> None:
    content = b'a,b\r\n=HYPERLINK("http://x"),1\n@SUM(1),2\r"+1",3\n'
    _, *body = (await look(content, "a.csv", rows)).observations
    assert [o.value["cells"]["a"] for o in body] == ['=HYPERLINK("http://x")', "@SUM(1)", "+1"]


async def test_the_rows_of_extremes_are_shown(look: Look) -> None:
    content = "n,v\n" + "".join(f"{i},{500 - abs(i - 700)}\n" for i in range(1000))
    table, *body = (await look(content.encode(), "a.csv", rows)).observations
    assert len(body) == 202
    peak = next(o for o in body if "greatest v" in o.text)
    assert (peak.locator.to_fragment(), peak.value["cells"]) == ("cell=701,*", {"n": "700", "v": "500"})
    assert "only the first 200 rows" in table.text


async def test_any_row_may_be_asked_for(look: Look) -> None:
    content = "n,v\n" + "".join(f"{i},x{i}\n" for i in range(1000))
    (found,) = (await look(content.encode(), "a.csv", rows, Locator.from_fragment("cell=900,*"))).observations
    assert found.value["cells"] == {"n": "899", "v": "x899"}
    (none,) = (await look(content.encode(), "a.csv", rows, Locator.from_fragment("cell=1001,*"))).observations
    assert (none.kind, "there is no row 1001" in none.text) == ("unobserved", True)


async def test_excel_has_its_sheets_by_number(look: Look) -> None:
    lines: list[list[object]] = [
        ["Report"],
        [],
        ["day", "n", "ok"],
        ["2024-01-01", 1.5, True],
        ["2024-01-02", 2, False],
    ]
    content = workbook(("First", [["x"], [1]]), ("Empty", []), ("Sales", lines), hidden="Sales")
    found = (await look(content, "a.xlsx", rows)).observations
    first, sales = (o for o in found if o.kind == "table")
    assert (first.locator.page, sales.locator.page) == (1, 3)
    assert sales.text.startswith("sheet 'Sales': table of 2 rows with the columns day, n, ok")
    assert "the sheet is hidden" in sales.text
    assert "its first row is row 4 of the sheet" in sales.text
    types = [o.as_(Column).type for o in (await look(content, "a.xlsx", where=Locator(page=3))).observations]
    assert types == ["date", "number", "boolean"]


async def test_parquet_keeps_its_types(look: Look) -> None:
    content = parquet(
        day=pa.array(pd.date_range("2024-01-01", periods=3)),
        number=pa.array([2**60, 2**60 + 1, None]),
        digits=pa.array(["1", "2", "3"]),
        flag=pa.array([True, False, None]),
        nested=pa.array([{"a": 1}, {"a": 2}, None]),
        raw=pa.array([b"xy", b"\xff", None]),
        packed=pa.array(["a", "a", "b"]).dictionary_encode(),
        price=pa.array([1, 2, 3], pa.decimal128(10, 2)),
    )
    found = {o.as_(Column).name: o.as_(Column) for o in (await look(content, "a.parquet")).observations}
    assert [column.type for column in found.values()] == [
        "date", "number", "text", "boolean", "text", "text", "text", "number",
    ]  # fmt: skip
    assert (found["number"].least, found["number"].greatest) == (2**60, 2**60 + 1)
    _, first, *_ = (await look(content, "a.parquet", rows)).observations
    assert first.value["cells"]["nested"] == '{"a": 1}'


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%S"])
async def test_dates_that_parquet_keeps_as_text_order_the_rows(look: Look, form: str) -> None:
    days = [day.strftime(form) for day in pd.date_range("2024-01-01", periods=60)]
    sales = 2 * np.arange(60) + np.random.default_rng(0).normal(size=60)
    content = parquet(day=pa.array([*days[::-1], "n/a"]), sales=pa.array([*sales[::-1], None]))
    column, _ = (await look(content, "a.parquet", columns)).observations
    assert (column.as_(Column).type, column.as_(Column).missing) == ("date", 1)
    told = " ".join(o.text for o in (await look(content, "a.parquet", series)).observations)
    assert re.search(r"rises by about [12]\.\d+ per day from 2024-01-01 to 2024-02-29", told), told


# Bad media


async def ends_well(look: Look, content: bytes, name: str) -> str:
    """What becomes of a medium: refused at the door, unobserved, a clear failure, or observed."""
    fates = set()
    for encoder in (rows, columns, series, cells) if name.endswith("x") else (rows, columns, series):
        try:
            encoding = await look(content, name, encoder)
        except BadMedia as problem:
            return f"refused: {problem}"
        assert "Error:" not in (encoding.failure or ""), encoding.failure
        kinds = {o.kind for o in encoding.observations}
        fates.add(encoding.failure or ("unobserved" if kinds == {"unobserved"} else "observed"))
    return "; ".join(sorted(fates))


@pytest.mark.parametrize(
    ("content", "name", "fate"),
    [
        (b"a,b\n" + b"1,2\n" * 2001, "a.csv", "too many rows"),
        (b",".join(b"%d" % i for i in range(301)), "a.csv", "too many columns"),
        (b",".join(b"%d" % i for i in range(1_000_000)), "a.csv", "too many columns"),
        (b"x" * 300_000, "a.csv", "is no readable table"),
        (b"a,b\n1,\0\n", "a.csv", "holds characters that no text has"),
        (b"\xef\xbb\xbf", "a.csv", "nothing but white space"),
        (b"a,b\n\x81\x8d\n", "a.csv", "holds characters that no text has"),
        (b'a,b\n"1,2\n3,4\n', "a.csv", "observed"),
        (b"PAR1" + bytes(100), "a.parquet", "unobserved"),
        (b"PAR1" + b"\xff" * 1000 + b"PAR1", "a.parquet", "unobserved"),
        (parquet(x=pa.array(range(2001))), "a.parquet", "too many rows"),
        (parquet(x=pa.array([], pa.int64())), "a.parquet", "observed"),
        (workbook(("S", [["a"], *[[i] for i in range(2001)]])), "a.xlsx", "too many rows"),
        (workbook(("S", [])), "a.xlsx", "unobserved"),
        (workbook(("S", [["a", "b"], [1, 2]]))[:-100], "a.xlsx", "refused"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "is encrypted",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "Workbook".encode("utf-16-le"), "a.xls", "unobserved"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "a.doc", "an old format"),
    ],
    ids=range(18),
)
async def test_bad_tables_end_well(look: Look, content: bytes, name: str, fate: str) -> None:
    assert fate in await ends_well(look, content, name)


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet is this XML."""
    book = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(("S", [["a"]])))) as old, zipfile.ZipFile(book, "w", 8) as new:
        for part in old.namelist():
            new.writestr(part, xml if part == "xl/worksheets/sheet1.xml" else old.read(part))
    return book.getvalue()


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = "</sheetData></worksheet>"


async def test_a_cell_in_the_last_corner_does_not_take_all_memory(look: Look) -> None:
    corners = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    assert "would unpack to 17,179,869,184 cells" in await ends_well(look, with_sheet(HEAD + corners + TAIL), "a.xlsx")


async def test_a_million_empty_rows_are_none(look: Look) -> None:
    filled = "".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c><c r="B{i}"><v>{i}</v></c></row>' for i in range(1, 6))
    empty = "".join(f'<row r="{i}"><c r="A{i}" s="0"/><c r="B{i}" s="0"/></row>' for i in range(6, 1_000_000, 3))
    content = with_sheet(HEAD + filled + empty + TAIL)
    table, *_ = (await look(content, "a.xlsx", rows)).observations
    assert table.value["rows"] == 5


async def test_a_parquet_bomb_is_not_unpacked(look: Look) -> None:
    one = "x" * 1_000_000
    content = parquet(
        x=pa.DictionaryArray.from_arrays(pa.array([0] * 60, pa.int32()), pa.array([one])).cast(pa.string())
    )
    assert len(content) < 1_000_000
    assert "would unpack to more than" in await ends_well(look, content, "a.parquet")


GOOD = {
    "a.csv": SALES.encode(),
    "a.xlsx": workbook(("S", [["a", "b"], [1, "x"], [2, "y"]])),
    "a.parquet": parquet(a=pa.array([1, 2, 3]), b=pa.array(["x", "y", "z"])),
}


@pytest.mark.parametrize("name", list(GOOD))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_damaged_tables_end_in_a_value(look: Look, name: str, data: st.DataObject) -> None:
    content = bytearray(GOOD[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    if content:
        assert await ends_well(look, bytes(content), name)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (12_345, "12,345"), (0.5, "0.5"), (1234.567, "1,234.57"), (1e-9, "1e-09"), (5.0, "5"), ("x", "x")],
)
def test_numbers_are_told_plainly(value: object, text: str) -> None:
    assert plainly(value) == text
