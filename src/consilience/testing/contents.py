"""Bytes that hide in text: what belongs into the store and must not travel in an observation."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["bytes_in"]

_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.IGNORECASE)
# One run, or lines of it. Words and numbers do not run on for so long; hashes do not either.
_RUN = re.compile(r"(?:[A-Za-z0-9+/_-]{48,}={0,2}\s?)+")
_LONG = 256


def bytes_in(value: Any) -> str | None:
    """Where in a JSON value bytes are hidden, or None: a data URL, or a long run of base64 or hexadecimal digits."""
    if isinstance(value, bytes | bytearray | memoryview):
        return "raw bytes"
    if isinstance(value, dict):
        return next(filter(None, map(bytes_in, [*value, *value.values()])), None)
    if isinstance(value, list | tuple):
        return next(filter(None, map(bytes_in, value)), None)
    if not isinstance(value, str):
        return None
    if _DATA_URL.search(value):
        return "a data URL"
    if "\x00" in value:
        return "a null character"
    return next((f"encoded: {run[0][:20]}..." for run in _RUN.finditer(value) if _is_encoded(run[0])), None)


def _is_encoded(run: str) -> bool:
    """Long, with digits mixed into letters throughout, as no language writes them."""
    return len(run) >= _LONG and len(re.findall(r"\d", run)) > len(run) / 25 and bool(re.search("[A-Za-z]", run))
