"""The extent of writing: texts, and tables written as text."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_writing"]


def measure_writing(path: Path, name: str, mime: str, limits: Limits) -> dict[str, Any]:
    """Characters of a text or of a table written as text.

    Raises:
        BadMedia: not UTF-8, blank, too long, or a table that cannot be read or has too many rows.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadMedia(name, f"is not UTF-8 throughout (byte {problem.start}).", cure="Save it as UTF-8.") from problem
    if len(text) > limits.text_characters:
        raise BadMedia(
            name,
            f"is too long ({len(text):,} characters; the limit is {limits.text_characters:,}).",
            cure="Raise CONSILIENCE_LIMIT_TEXT_CHARACTERS, or split it.",
        )
    if not text.strip():
        raise BadMedia(name, "holds nothing but white space.", cure="Save it again.")
    if mime in ("text/csv", "text/tab-separated-values"):
        _check_rows(text, name, limits)
    return {"characters": len(text)}


def _check_rows(text: str, name: str, limits: Limits) -> None:
    try:
        rows = sum(1 for _ in csv.reader(text.splitlines()))
    except csv.Error as problem:
        raise BadMedia(name, f"is no readable table ({problem}).", cure="Export it as CSV again.") from problem
    if rows > limits.table_rows:
        raise BadMedia(
            name,
            f"has too many rows ({rows:,}; the limit is {limits.table_rows:,}).",
            cure="Raise CONSILIENCE_LIMIT_TABLE_ROWS, or split it.",
        )
