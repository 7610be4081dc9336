"""A table as columns, however it was stored; and how rows of text become one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from consilience.core.errors import BadMedia, Unobservable
from consilience.core.settings import Limits
from consilience.observations.locator import one_line

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RawColumn", "Sheet", "check_extent", "located", "tabulate"]

# Rows that the header, and what the table is like, are judged by.
_HEAD = 200
# Cells that are held as Python strings at a time.
_CELLS_AT_ONCE = 1_000_000

_NUMBER = re.compile(r"[-+(]?\s?[$€£¥]?\s?\d[\d.,'\u00a0\u202f ]*(?:[eE][-+]?\d+)?\s?(?:%|[$€£¥])?\)?")
_DATE = re.compile(r"\d{4}-\d{1,2}(-\d{1,2}.*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*")
_YEAR = re.compile(r"(19|20)\d\d")
_MUST_BE_DECIMAL = r"[-+]?\d*{}(?:\d{{1,2}}|\d{{4,}})|[-+]?0?{}\d+"


@dataclass(frozen=True)
class RawColumn:
    """A column as it is written."""

    name: str
    cells: pa.ChunkedArray
    declared: bool = False
    """The file says of what type it is; otherwise the cells are text to be made sense of."""


@dataclass(frozen=True)
class Sheet:
    """One table."""

    columns: tuple[RawColumn, ...]
    rows: int
    notes: tuple[str, ...] = ()
    """What a reader should know of how it was read."""
    name: str | None = None
    page: int | None = None
    decimal: str | None = None
    """The decimal mark where something in the table proves it."""
    above: int = 0
    """Rows above the first one under the header."""


def check_extent(name: str, rows: int, columns: int, limits: Limits) -> None:
    """Returns where the table that people call `name` is within the limits.

    Raises:
        BadMedia: it is not.
    """
    for what, many, most in (("columns", columns, limits.table_columns), ("rows", rows, limits.table_rows)):
        if many > most:
            raise BadMedia(
                name,
                f"has too many {what} ({many:,}; the limit is {most:,}).",
                cure=f"Raise CONSILIENCE_LIMIT_TABLE_{what.upper()}, or split it.",
            )


def tabulate(rows: Iterable[Sequence[str]], name: str, limits: Limits, *, decimal: str | None = None) -> Sheet:
    """Columns of rows of text. It finds the header, and keeps the rows before it as a note.

    Args:
        rows: of any length each.
        name: what people call the medium.
        limits: for rows and columns.
        decimal: the decimal mark to believe in where the cells prove none.

    Raises:
        Unobservable: nothing is in it.
        BadMedia: too much is in it.
    """
    running = iter(rows)
    head = [[cell.strip() for cell in row] for row in islice(running, _HEAD)]
    title = _title_rows(head)
    above, head = head[:title], head[title:]
    if not head:
        raise Unobservable("the table is empty")
    header = head.pop(0) if _is_header(head[0], head[1:]) else None
    if header is not None and head and all(len(row) == len(header) + 1 and row[-1] for row in head):
        header = ["", *header]  # R names no column for the names of rows
    width = len(header or ())

    def check(rows: int, columns: int) -> None:
        check_extent(name, rows, columns, limits)

    columns, count, ragged = _transposed(chain(head, running), width, check)
    names = _names(header or [], len(columns))
    title_cells = [cell for row in above for cell in row if cell]
    told = [f"above it stands: {'; '.join(title_cells)}"] if title_cells else []
    told += [] if header is not None else ["it has no header: columns are numbered"]
    told += [f"{ragged:,} rows are of another length than the first"] if ragged else []
    return Sheet(
        columns=tuple(RawColumn(*pair) for pair in zip(names, columns, strict=True)),
        rows=count,
        notes=tuple(one_line(note)[:300] for note in told),
        decimal=_decimal(head) or decimal,
        above=title + (header is not None),
    )


def _title_rows(head: list[list[str]]) -> int:
    """How many rows stand above the table: those of few cells or none, where the others have more."""
    filled = [sum(map(bool, row)) for row in head]
    usual = Counter(count for count in filled if count).most_common(1)
    if not usual or usual[0][0] < 2:
        return next((i for i, count in enumerate(filled) if count), len(head))
    least = max(2, (usual[0][0] + 1) // 2)
    return next(i for i, count in enumerate(filled) if count >= least)


def _is_header(first: list[str], body: list[list[str]]) -> bool:
    """Whether a first row names columns: it holds words above values, words that do not come again, or years."""
    below = [[row[i] for row in body[:50] if i < len(row) and row[i]] for i in range(len(first))]
    valued = [bool(cells) and 2 * sum(map(_is_value, cells)) > len(cells) for cells in below]
    numbers = [cell for cell in first if cell and _is_value(cell)]
    if numbers:
        years = all(_YEAR.fullmatch(cell) or _DATE.fullmatch(cell) for cell in numbers)
        named = bool(first) and not _is_value(first[0])
        repeated = any(_YEAR.fullmatch(cell) for cells in below for cell in cells)
        return years and named and any(valued) and not repeated
    if any(valued) or not body:
        return any(first)
    return not any(cell in cells for cell, cells in zip(first, below, strict=True) if cell)


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _names(header: list[str], width: int) -> list[str]:
    """One name for each column, none of them twice."""
    names: list[str] = []
    taken: Counter[str] = Counter()
    for i, cell in enumerate(chain(header, [""] * (width - len(header))), 1):
        name = one_line(cell)[:120] or f"column {i}"
        taken[name] += 1
        while taken[name] > 1:
            name = f"{name} ({taken[name]})"
            taken[name] += 1
        names.append(name)
    return names


def _transposed(
    rows: Iterable[Sequence[str]], width: int, check: Callable[[int, int], None]
) -> tuple[list[pa.ChunkedArray], int, int]:
    """Columns, the number of rows without empty ones at the end, and how many rows are of another length."""
    import pyarrow as pa

    pieces: list[list[pa.Array]] = [[] for _ in range(width)]
    count = last = ragged = 0
    expected = width
    for block in _blocks(rows, width):
        expected = expected or len(block[0])
        lengths = set(map(len, block))
        ragged += sum(len(row) != expected for row in block if any(row)) if lengths != {expected} else 0
        last = next((count + i + 1 for i in range(len(block) - 1, -1, -1) if any(block[i])), last)
        widest = max(lengths)
        check(last, widest)
        pieces += [[pa.repeat(pa.scalar("", pa.string()), count)] for _ in range(widest - len(pieces))]
        across = list(zip_longest(*block, fillvalue=""))
        across += [("",) * len(block)] * (len(pieces) - len(across))
        for piece, cells in zip(pieces, across, strict=True):
            piece.append(_strings(cells))
        count += len(block)
    columns = [pa.chunked_array(piece, pa.string()).slice(0, last) for piece in pieces]
    while len(columns) > max(expected and width, 1) and _is_blank(columns[-1]):
        columns.pop()  # a delimiter at the end of each row
    return columns, last, ragged


def _strings(cells: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:  # half a character
        return pa.array([cell.encode("utf-8", "replace").decode() for cell in cells], pa.string())


def _blocks(rows: Iterable[Sequence[str]], width: int) -> Iterator[list[Sequence[str]]]:
    running = iter(rows)
    block = list(islice(running, _HEAD))
    while block:
        yield block
        widest = max(width, *map(len, block), 1)
        block = list(islice(running, max(1, min(50_000, _CELLS_AT_ONCE // widest))))


def _is_blank(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return not pc.any(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py()


def _decimal(head: list[list[str]]) -> str | None:
    """The decimal mark that some number in these rows proves: `1,5` and `0,125` do, `1,234` does not."""
    proofs = {mark: re.compile(_MUST_BE_DECIMAL.format(*(re.escape(mark),) * 2)) for mark in ",."}
    for row in head:
        for cell in row:
            for mark, proof in proofs.items():
                if proof.fullmatch(cell):
                    return mark
    return None


def located(sheet: Sheet, page: int, name: str, *notes: str) -> Sheet:
    """The sheet as one of a workbook."""
    told = (f"its first row is row {sheet.above + 1} of the sheet",) if sheet.above > 1 else ()
    return replace(sheet, page=page, name=one_line(name)[:120], notes=(*notes, *told, *sheet.notes))
