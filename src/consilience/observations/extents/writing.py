"""The extent of writing: texts, and tables written as text."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits
from consilience.observations.charset import charset_of, is_writing

__all__ = ["measure_writing"]

_CHUNK = 1 << 20


def measure_writing(path: Path, name: str, mime: str, limits: Limits) -> dict[str, Any]:
    """Characters of a text or of a table written as text.

    Raises:
        BadMedia: in no known characters, blank, too long, or a table that cannot be read or is too large.
    """
    try:
        charset = charset_of(path)
    except UnicodeDecodeError as problem:
        raise _unreadable(name, problem.start) from problem
    if charset.guessed and not is_writing(name):
        raise _unreadable(name, _first_alien(path))
    is_table = mime in ("text/csv", "text/tab-separated-values")
    characters, blank = 0, True
    with path.open(encoding=charset.codec) as file:
        for piece in iter(lambda: file.read(_CHUNK), ""):
            characters += len(piece)
            blank = blank and not piece.strip()
            if not is_table and characters > limits.text_characters:
                raise BadMedia(
                    name,
                    f"is too long (over {limits.text_characters:,} characters, the limit).",
                    cure="Raise CONSILIENCE_LIMIT_TEXT_CHARACTERS, or split it.",
                )
    if blank:
        raise BadMedia(name, "holds nothing but white space.", cure="Save it again.")
    if is_table:
        _check_table(path, charset.codec, name, limits)
    return {"characters": characters}


def _unreadable(name: str, byte: int) -> BadMedia:
    return BadMedia(name, f"is not UTF-8 throughout (byte {byte}).", cure="Save it as UTF-8.")


def _first_alien(path: Path) -> int:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        return problem.start
    return 0


def _check_table(path: Path, codec: str, name: str, limits: Limits) -> None:
    """Counts rows with any delimiter: a line break in quotes ends none."""
    rows, widest = 0, 0
    try:
        with path.open(encoding=codec, newline="") as file:
            for row in csv.reader(file):
                rows += 1
                widest = max(widest, len(row))
    except csv.Error as problem:
        # A quote that nothing closes swallows the rest, which what reads the table mends; a giant line cannot be read.
        with path.open(encoding=codec) as file:
            lengths = [len(line) for line in file]
        rows = len(lengths)
        if max(lengths) > csv.field_size_limit():
            raise BadMedia(name, f"is no readable table ({problem}).", cure="Export it as CSV again.") from problem
    for what, many, most in (("rows", rows, limits.table_rows), ("columns", widest, limits.table_columns)):
        if many > most:
            raise BadMedia(
                name,
                f"has too many {what} ({many:,}; the limit is {most:,}).",
                cure=f"Raise CONSILIENCE_LIMIT_TABLE_{what.upper()}, or split it.",
            )
