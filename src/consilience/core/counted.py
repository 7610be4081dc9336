"""Numbers with their nouns."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """`1 observation`, `2 observations`.

    >>> counted(0, "record")
    '0 records'
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
