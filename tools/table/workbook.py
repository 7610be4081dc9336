"""Sheets of an Excel workbook, through calamine."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from consilience.tools.table.sheet import Sheet, located, tabulate

from consilience.core.errors import BadMedia, MissingExtra, Unobservable
from consilience.core.settings import Limits

# What the standard library stumbles over in a broken archive.
_BROKEN = (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, zlib.error)

__all__ = ["sheet_rows", "workbook_sheets"]

# A cell that holds something; those that only have a style are closed at once.
_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*?(?<!/)>')
_LONGEST_TAG = 400
_CHUNK = 1 << 20
# What calamine takes for a cell, of all in the box around those that hold something.
_CELL_BYTES = 32


def workbook_sheets(path: Path, name: str, limits: Limits, check: Callable[[], None]) -> Iterator[Sheet]:
    """The worksheets that hold something, as tables, each with its number.

    Raises:
        Unobservable: it is broken or encrypted.
        BadMedia: a sheet is larger than the limits allow.
    """
    for page, title, hidden, rows in sheet_rows(path, name, limits, check):
        try:
            sheet = tabulate(rows, name, limits, decimal=".")
        except Unobservable:
            continue  # nothing is in it
        yield located(sheet, page, title, *(["the sheet is hidden"] if hidden else []))


def sheet_rows(
    path: Path, name: str, limits: Limits, check: Callable[[], None]
) -> Iterator[tuple[int, str, bool, Iterator[list[str]]]]:
    """(number, name, whether hidden, rows from the sheet's first on) of each worksheet of a workbook.

    Raises:
        Unobservable: it is broken or encrypted.
        BadMedia: a sheet would take more memory than the limit allows.
    """
    calamine = _calamine()
    if zipfile.is_zipfile(path):  # the old format has no room for more than 17 million cells
        _check_boxes(path, name, limits, check)
    with _readable(calamine):
        workbook = calamine.load_workbook(path)
        sheets = workbook.sheets_metadata
    for page, about in enumerate(sheets, 1):
        if about.typ == calamine.SheetTypeEnum.WorkSheet:
            with _readable(calamine):
                sheet = workbook.get_sheet_by_name(about.name)
            hidden = about.visible != calamine.SheetVisibleEnum.Visible
            yield page, about.name, hidden, _rows(sheet, check, calamine)


@contextmanager
def _readable(calamine: Any) -> Iterator[None]:
    try:
        yield
    except calamine.PasswordError as problem:
        raise Unobservable("the workbook is encrypted", cure="Save a copy without a password.") from problem
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError, OSError, ValueError) as problem:
        raise Unobservable(f"the workbook cannot be read ({problem})") from problem
    except BaseException as problem:
        # What Rust code panics with is no `Exception`, so that nobody overlooks it; a broken file is reason enough.
        if type(problem).__name__ != "PanicException":
            raise
        raise Unobservable(f"the workbook cannot be read ({problem})") from problem


def _calamine() -> Any:
    try:
        import python_calamine
    except ImportError as problem:
        raise MissingExtra("python_calamine", "table", "Reading workbooks") from problem
    return python_calamine


def _rows(sheet: Any, check: Callable[[], None], calamine: Any) -> Iterator[list[str]]:
    blank: list[str] = []
    if sheet.start:
        yield from (blank for _ in range(min(sheet.start[0], 1000)))
    with _readable(calamine):
        for number, row in enumerate(sheet.iter_rows()):
            if number % 1000 == 0:
                check()
            yield [_written(cell) for cell in row]


def _written(cell: object) -> str:
    """A cell as text that means the same."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    return str(cell)


def _check_boxes(path: Path, name: str, limits: Limits, check: Callable[[], None]) -> None:
    """One cell in the last corner makes a sheet of 17,000 million cells: the box is measured before it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.namelist():
                if part.endswith(".xml") and "sharedStrings" not in part:
                    with archive.open(part) as file:
                        cells = _box(file, check)
                    if cells * _CELL_BYTES > limits.unpacked_bytes:
                        raise BadMedia(
                            name,
                            f"has a sheet that would unpack to {cells:,} cells.",
                            cure="Delete what stands far from the table, or raise CONSILIENCE_LIMIT_UNPACKED_BYTES.",
                        )
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zlib.error,
    ) as problem:
        raise Unobservable(f"the workbook cannot be read ({problem})") from problem


def _box(file: IO[bytes], check: Callable[[], None]) -> int:
    """Cells in the box around all cells of a worksheet that hold something."""
    rows: list[int] = []
    columns: list[int] = []
    rest = b""
    while piece := file.read(_CHUNK):
        check()
        window = rest + piece
        found = _CELL.findall(window)
        if found:
            numbers = [int(row) for _, row in found]
            letters = {_column(letters) for letters in {letters for letters, _ in found}}
            rows = [min([*rows, *numbers]), max([*rows, *numbers])]
            columns = [min([*columns, *letters]), max([*columns, *letters])]
        rest = window[-_LONGEST_TAG:]
    return (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1) if rows else 0


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
