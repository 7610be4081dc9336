"""One thing that a line of text says and that another can dispute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["NUMBER", "OF", "RANGE", "Fact", "Quantity"]

Quantity: TypeAlias = float | str | tuple[int, int]

NUMBER = "number"
"""Dimension of a number that nothing says what it is of."""
RANGE = "range"
"""Dimension of a span of values, which disputes none of them."""
OF = "of:"
"""Begins the dimension of a number that counts, or stands behind, a word: `of:egg`."""


@dataclass(frozen=True)
class Fact:
    """A value and what kind of value it is, at `start` to `end` (half-open) of the text it was read in.

    The value is a set of alternatives: "half past six" is 6:30 or 18:30, 3/4 the third of April or the fourth of March.
    """

    dimension: str
    """`time`, `date`, `weekday`, `money`, `mass`, `label:platform`, `of:egg`, `state:access`, `number`, ..."""
    values: frozenset[Quantity]
    start: int
    end: int
    negated: bool = False
    """It is told as what is not so, or is so no longer."""

    @classmethod
    def of(cls, dimension: str, values: Iterable[Quantity], span: tuple[int, int]) -> Fact:
        """A fact at `span`; numbers are kept to a millionth, so that 0.1 kg is 100 g."""
        kept = frozenset(round(value, 6) if isinstance(value, float) else value for value in values)
        return cls(dimension, kept, *span)

    def agrees(self, other: Fact) -> bool:
        """Some alternative is common to both."""
        return bool(self.values & other.values)
