"""The tables of a medium, read once for all the encoders that look at it at the same time."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO
from weakref import WeakValueDictionary

from consilience.tools.excerpt import Excerpt
from consilience.tools.table.delimited import dialect_of, rows_of
from consilience.tools.table.parquet import parquet_sheet
from consilience.tools.table.sheet import Sheet, tabulate
from consilience.tools.table.workbook import workbook_sheets

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations.charset import charset_of

__all__ = ["Sheets", "sheets_of"]

_SAMPLE = 65_536
_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Sheets:
    """All tables of one medium."""

    tables: tuple[Sheet, ...]


# Held for as long as some encoder works on them, and no longer: a table may be large.
_read: WeakValueDictionary[tuple[str, str], Sheets] = WeakValueDictionary()
_one_at_a_time = threading.Lock()


def sheets_of(excerpt: Excerpt) -> Sheets:
    """The tables of the excerpt: all of them, or the one on the page asked for.

    Raises:
        Unobservable: none can be read.
        BadMedia: they are larger than the limits allow.
    """
    key = (excerpt.media.id, excerpt.settings.limits.model_dump_json())
    with _one_at_a_time:
        sheets = _read.get(key) or Sheets(tuple(_tables(excerpt)))
        _read[key] = sheets
    if not sheets.tables:
        raise Unobservable("the table is empty")
    if (page := excerpt.where.page) is None:
        return sheets
    if not (chosen := tuple(sheet for sheet in sheets.tables if sheet.page == page)):
        raise Unobservable(f"there is no table on sheet {page}")
    return Sheets(chosen)


def _tables(excerpt: Excerpt) -> Iterator[Sheet]:
    _require_arrow()
    media, limits = excerpt.media, excerpt.settings.limits
    if media.mime == "application/vnd.apache.parquet":
        yield parquet_sheet(excerpt.path, media.name, limits, excerpt.check)
    elif media.mime in ("text/csv", "text/tab-separated-values"):
        yield _delimited(excerpt)
    else:
        yield from workbook_sheets(excerpt.path, media.name, limits, excerpt.check)


def _require_arrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as problem:
        raise MissingExtra("pyarrow", "table", "Reading tables") from problem


def _delimited(excerpt: Excerpt) -> Sheet:
    try:
        charset = charset_of(excerpt.path)
    except UnicodeDecodeError as problem:
        raise Unobservable(f"the table is in no known characters ({problem.reason})") from problem
    with excerpt.path.open(encoding=charset.codec, newline="") as file:
        sample = file.read(_SAMPLE)
    whole = sample.rfind("\n") + 1 or len(sample)
    dialect = dialect_of(sample[:whole], tabs=excerpt.media.mime == "text/tab-separated-values")
    broken: list[int] = []
    decimal = "," if dialect.delimiter == ";" else None
    try:
        with excerpt.path.open(encoding=charset.codec, newline="") as file:
            lines = _watched(file, excerpt)
            for _ in range(dialect.skip):
                next(lines, None)
            rows = rows_of(lines, dialect, broken.append)
            sheet = tabulate(rows, excerpt.media.name, excerpt.settings.limits, decimal=decimal)
    except csv.Error as problem:
        raise Unobservable(f"the table cannot be read ({problem})") from problem
    told = [note for note in (charset.note, _quotes(broken, dialect.skip)) if note]
    return Sheet(sheet.columns, sheet.rows, (*told, *sheet.notes), decimal=sheet.decimal, above=sheet.above)


def _watched(file: TextIO, excerpt: Excerpt) -> Iterator[str]:
    while lines := file.readlines(_CHUNK):
        excerpt.check()
        yield from lines


def _quotes(broken: list[int], skipped: int) -> str | None:
    if not broken:
        return None
    told = ", ".join(str(line + skipped) for line in broken[:3])
    return f"quotes are broken in {len(broken):,} lines (line {told}{', ...' if len(broken) > 3 else ''})"
