"""Tables written as text (RFC 4180, and what spreadsheets make of it): their dialect and their rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

__all__ = ["Dialect", "dialect_of", "rows_of"]

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*[,;\t|][^'\n]*'(?:[,;\t|]|$)", re.MULTILINE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")

# No cell has more lines than this: a quote that is open for longer was never meant as one.
_LONGEST_CELL = 100
_BLOCK = 5000


@dataclass(frozen=True)
class Dialect:
    """How cells are set apart."""

    delimiter: str
    quotechar: str = '"'
    escapechar: str | None = None
    skip: int = 0
    """Lines before the table: remarks, and Excel's `sep=;`."""


def dialect_of(sample: str, *, tabs: bool = False) -> Dialect:
    """The dialect of a table whose first lines are `sample`; `tabs` where its name promises tabs."""
    lines = sample.splitlines(keepends=True)
    if lines and (told := _SEPARATOR_LINE.fullmatch(lines[0])):
        return Dialect(told[1], skip=1)
    remarks = 0
    while remarks < len(lines) and lines[remarks].startswith("#"):
        remarks += 1
    skip = remarks if remarks < len(lines) else 0
    table = "".join(lines[skip:])
    quote = "'" if '"' not in table and _SINGLE_QUOTED.search(table) else '"'
    escape = "\\" if '\\"' in table and '""' not in table else None
    candidates = [Dialect(mark, quote, escape, skip) for mark in _DELIMITERS]
    if tabs and "\t" in table:
        return candidates[_DELIMITERS.index("\t")]
    return max(candidates, key=lambda dialect: _fit(lines[skip : skip + 200], dialect))


def _fit(lines: list[str], dialect: Dialect) -> float:
    """How well a dialect explains the lines: as many cells in each, and no other delimiter left in them."""
    rows = [row for row in rows_of(lines, dialect) if any(cell.strip() for cell in row)]
    if not rows:
        return 0.0
    width, share = Counter(map(len, rows)).most_common(1)[0]
    if width < 2:
        return 0.0
    others = [mark for mark in _DELIMITERS if mark != dialect.delimiter]
    cells = [cell for row in rows for cell in row if cell]
    clean = sum(not any(mark in cell for mark in others) or bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    header = 1.0 if len(rows[0]) == width else 0.6
    return share / len(rows) * header * (0.5 + clean / max(len(cells), 1) / 2) * (1 - 0.2 / width)


def rows_of(
    lines: Iterable[str], dialect: Dialect, on_broken: Callable[[int], None] | None = None
) -> Iterator[list[str]]:
    """The rows of a table, blank lines aside.

    A quote that nothing closes would swallow the rest of the table. A line with such a quote is read without quoting,
    `on_broken` is told its number (counted from 1, the skipped ones aside), and the next line begins a row again.

    Raises:
        csv.Error: a cell of more than `csv.field_size_limit()` characters.
    """
    running, table = iter(lines), _Rows(dialect)
    block: list[str] = []
    number = 0
    while True:
        fresh = list(islice(running, _BLOCK))
        block += fresh
        while block:
            yield from table.read(block, ended=not fresh)
            number += table.taken
            block = block[table.taken :]
            if not table.stuck:
                break  # the last row may go on in the next block
            if on_broken:
                on_broken(number + 1)
            if row := _unquoted(block[0], dialect):
                yield row
            number, block = number + 1, block[1:]
        if not fresh:
            return


class _Rows:
    """Reads rows from lines as far as quotes allow."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._width = 0
        self.taken = 0
        """Lines whose rows were given."""
        self.stuck = False
        """The line behind them has a broken quote; otherwise its row is not yet at its end."""

    def read(self, lines: list[str], *, ended: bool) -> Iterator[list[str]]:
        """The rows of these lines; `ended` where no others follow."""
        self.taken, self.stuck = 0, False
        reader = _reader(lines, self._dialect)
        try:
            for row in reader:
                end = reader.line_num
                if end - self.taken > 1 or end == len(lines):
                    several = lines[self.taken : end]
                    is_open = end == len(lines) and "unexpected end" in _complaint(several, self._dialect)
                    if is_open and not ended and len(several) <= _LONGEST_CELL:
                        return
                    if is_open or self._is_swallowed(row, several):
                        self.stuck = True
                        return
                self.taken = end
                if row:
                    self._width = self._width or len(row)
                    yield row
        except csv.Error:
            if len(lines[self.taken]) > csv.field_size_limit():
                raise
            self.stuck = True

    def _is_swallowed(self, row: list[str], lines: list[str]) -> bool:
        """Whether a quote made one row of what are several."""
        if len(lines) < 2 or len(lines) > _LONGEST_CELL:
            return len(lines) > _LONGEST_CELL
        if len(_unquoted(lines[0], self._dialect)) != self._width:
            return False
        return len(row) != self._width or bool(_complaint(lines, self._dialect))


def _reader(lines: Iterable[str], dialect: Dialect, *, strict: bool = False) -> Any:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quotechar,
        escapechar=dialect.escapechar,
        doublequote=dialect.escapechar is None,
        strict=strict,
    )


def _complaint(lines: list[str], dialect: Dialect) -> str:
    """What a strict reader has against the quotes in these lines; empty where it has nothing."""
    try:
        for _ in _reader(lines, dialect, strict=True):
            pass
    except csv.Error as problem:
        return str(problem)
    return ""


def _unquoted(line: str, dialect: Dialect) -> list[str]:
    plain = csv.reader([line], delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE, quotechar=None)
    return [cell.strip().strip(dialect.quotechar) for cell in next(plain)]
