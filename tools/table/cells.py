"""Cells of worksheets that are forms and no tables: labels with values beside them, here and there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from consilience.tools.bounds import Many
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.table.workbook import sheet_rows

from consilience.core.errors import Unobservable
from consilience.observations import Cell, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["cells"]

_WORKBOOKS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
)
# A form fits on a few pages, and most of it is empty.
_LONGEST_FORM = 300
_FULLEST_FORM = 0.6
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


@encoder(modality="table", kinds=("cell",), version="2", extra="table", mimes=_WORKBOOKS)
def cells(excerpt: Excerpt, *, most: Many = 500) -> Iterator[Observation]:
    """Reads worksheets that are filled in like forms, cell by cell, each with its label.

    Args:
        excerpt: a workbook, or one sheet of it.
        most: cells of a workbook, the first ones.
    """
    seen = 0
    limits = excerpt.settings.limits
    for page, _, _, rows in sheet_rows(excerpt.path, excerpt.media.name, limits, excerpt.check):
        if excerpt.where.page not in (None, page):
            continue
        sheet = list(islice(rows, _LONGEST_FORM + 1))
        if not _is_form(sheet):
            continue
        filled = [(r, c) for r, row in enumerate(sheet) for c, cell in enumerate(row) if one_line(cell)]
        shown = filled[: most - seen]
        seen += len(shown)
        for r, c in shown:
            yield _observe(excerpt, sheet, page, r, c)
        if left_out := len(filled) - len(shown):
            told = f"{left_out:,} cells were not read: only the first {most} of a workbook's forms are"
            yield excerpt.unobserved(("cell",), told, locator=Locator(page=page))
    if not seen:
        raise Unobservable("its sheets are tables, which are read row by row, or empty")


def _is_form(sheet: list[list[str]]) -> bool:
    """Whether a sheet is short, and much of the box around what is filled in is empty."""
    counts = [sum(bool(one_line(cell)) for cell in row) for row in sheet]
    used = [i for i, count in enumerate(counts) if count]
    if len(sheet) > _LONGEST_FORM or not used:
        return False
    width = max(len(row) for row in sheet)
    box = width * (used[-1] - used[0] + 1)
    return box > 1 and sum(counts) <= _FULLEST_FORM * box


def _observe(excerpt: Excerpt, sheet: list[list[str]], page: int, r: int, c: int) -> Observation:
    text = one_line(sheet[r][c])
    label = _label(sheet, r, c)
    value = {"text": text, "row": r + 1, "column": c + 1, "header": label}
    told = f"{_letters(c)}{r + 1}, {label}: {text}" if label else f"{_letters(c)}{r + 1}: {text}"
    return excerpt.observe("cell", value, told, locator=Locator(page=page, cell=Cell(row=r + 1, column=c + 1)))


def _label(sheet: list[list[str]], r: int, c: int) -> str | None:
    """The nearest words to the left, else straight above."""
    left = (sheet[r][i] for i in range(c - 1, -1, -1))
    above = (sheet[i][c] for i in range(r - 1, max(r - 2, -1), -1) if c < len(sheet[i]))
    for cell in (*left, *above):
        words = one_line(cell)
        if words and not _NUMBER.fullmatch(words):
            return words.rstrip(":")[:80]
    return None


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
