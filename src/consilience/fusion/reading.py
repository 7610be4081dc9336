"""Reading a line of text for the facts in it, one reader after the other, each over what the earlier ones left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from consilience.fusion.amounts import labels, measures, numbers, phones, prices
from consilience.fusion.dates import dates, weekdays
from consilience.fusion.fact import Fact
from consilience.fusion.numerals import Digits, digits
from consilience.fusion.times import times
from consilience.fusion.vocabulary import NEGATIONS, STATES

__all__ = ["Line", "read"]

# No reader takes it for a letter, a digit, a space, or the end.
_TAKEN = "\x00"
_NEGATED = re.compile(rf"{NEGATIONS}\s+(?:the\s+)?$")
_STATES = {
    (dimension, value): re.compile(pattern) for dimension, values in STATES.items() for value, pattern in values.items()
}


@dataclass(frozen=True)
class Line:
    """A text and what it says, in order."""

    digits: Digits
    facts: tuple[Fact, ...]

    @property
    def about(self) -> str:
        """The text without its facts, position by position."""
        rest = self.digits.text
        for fact in self.facts:
            rest = _blank(rest, fact)
        return rest


# The same lines are read again with every question about the same media.
@lru_cache(maxsize=1024)
def read(text: str, language: str) -> Line:
    """The facts of a text, which is in one of en, de, fr, es (figures are read in any language)."""
    line = digits(text, language)
    rest, found = line.text, list[Fact]()
    for reader in _READERS:
        # Of two of a reader's that share a character, the first is the more telling.
        for fact in list(reader(rest)):
            if _TAKEN not in rest[fact.start : fact.end]:
                negated = bool(_NEGATED.search(line.text[: fact.start]))
                found.append(replace(fact, negated=negated))
                rest = _blank(rest, fact)
    return Line(line, tuple(sorted(found, key=lambda fact: (fact.start, fact.end))))


def _states(text: str) -> Iterator[Fact]:
    for (dimension, value), pattern in _STATES.items():
        for match in pattern.finditer(text):
            yield Fact.of(f"state:{dimension}", [value], match.span())


# Times before amounts, since "20 Uhr" has a number; telephone numbers before ranges; named numbers before counts.
_READERS: tuple[Callable[[str], Iterator[Fact]], ...] = (
    _states,
    dates,
    prices,
    times,
    weekdays,
    phones,
    measures,
    labels,
    numbers,
)


def _blank(text: str, fact: Fact) -> str:
    return text[: fact.start] + _TAKEN * (fact.end - fact.start) + text[fact.end :]
