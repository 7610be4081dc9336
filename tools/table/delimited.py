"""Tables written as text (RFC 4180, and what spreadsheets make of it): their dialect and their rows."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Dialect", "dialect_of", "rows_of"]

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*[,;\t|][^'\n]*'(?:[,;\t|]|$)", re.MULTILINE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")

# No cell has more lines than this: a quote that is open for longer was never meant as one.
_LONGEST_CELL = 100


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
    feed, width = _Feed(lines), 0
    while not feed.ended:
        reader = csv.reader(
            feed,
            delimiter=dialect.delimiter,
            quotechar=dialect.quotechar,
            escapechar=dialect.escapechar,
            doublequote=dialect.escapechar is None,
        )
        try:
            for row in reader:
                if _is_broken(row, feed, dialect, width):
                    break
                width = width or len(row)
                feed.taken.clear()
                if row:
                    yield row
        except _OpenQuote:
            pass
        if feed.taken:
            first, *rest = feed.taken
            feed.give_back(rest)
            if on_broken:
                on_broken(feed.number)
            yield _unquoted(first, dialect)


class _OpenQuote(Exception):
    """A row goes on for more lines than any cell has."""


class _Feed:
    """Hands out lines and knows which of them the row at hand is made of."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.ended = False
        self.number = 0
        """Of the last line handed out."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LONGEST_CELL:
            raise _OpenQuote
        line = self._back.popleft() if self._back else next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)
        self.taken.clear()
        self.ended = False


def _is_broken(row: list[str], feed: _Feed, dialect: Dialect, width: int) -> bool:
    """Whether a quote swallowed what are rows: up to the end, or up to the next quote there is."""
    if feed.ended:
        return _is_open(feed.taken, dialect)
    several = len(feed.taken) > 1 and len(row) != width
    return several and len(_unquoted(feed.taken[0], dialect)) == width


def _is_open(lines: list[str], dialect: Dialect) -> bool:
    """Whether the last cell of these lines' one row lacks its closing quote."""
    strict = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quotechar,
        escapechar=dialect.escapechar,
        doublequote=dialect.escapechar is None,
        strict=True,
    )
    try:
        for _ in strict:
            pass
    except csv.Error as problem:
        return "unexpected end" in str(problem)
    return False


def _unquoted(line: str, dialect: Dialect) -> list[str]:
    plain = csv.reader([line], delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE, quotechar=None)
    return [cell.strip().strip(dialect.quotechar) for cell in next(plain)]
