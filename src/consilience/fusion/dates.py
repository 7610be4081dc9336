"""Days: dates in figures and words, and weekdays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from consilience.fusion.fact import RANGE, Fact
from consilience.fusion.vocabulary import MONTHS, WEEKDAYS

__all__ = ["dates", "weekdays"]

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_DAY = r"(?P<d>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|º|\.)?"
_NAMED = (
    re.compile(rf"(?<![\w.]){_DAY}\s+(?:of\s+|de\s+)?(?P<m>{_MONTH})\b\.?"),
    re.compile(rf"\b(?P<m>{_MONTH})\.?\s+(?:the\s+)?{_DAY}(?!\w|[.,:]\d)"),
)
_FIGURES = (
    (re.compile(r"(?<!\d)(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)"), False),
    (re.compile(r"(?<![\d.])(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4}|\d\d)?(?!\d)"), False),
    (re.compile(r"(?<![\d/])(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4}|\d\d)(?![\d/])"), True),
)
_DAYS = re.compile(rf"\b(?:{_WEEKDAY})\s*(?:-|\u2013|to|through|bis|à|au|a)\s*(?:{_WEEKDAY})\b")
_ONE_DAY = re.compile(rf"\b(?:{_WEEKDAY})\b")


def dates(text: str) -> Iterator[Fact]:
    """Days of the year in a folded text with its number words as digits, as (month, day). Years are not compared."""
    for pattern in _NAMED:
        for match in pattern.finditer(text):
            yield Fact.of("date", [(MONTHS[match["m"]], int(match["d"]))], match.span())
    for pattern, either in _FIGURES:
        for match in pattern.finditer(text):
            day, month = int(match["d"]), int(match["m"])
            found = {(month, day), (day, month)} if either else {(month, day)}
            if valid := [(m, d) for m, d in found if 1 <= m <= 12 and 1 <= d <= 31]:
                yield Fact.of("date", valid, match.span())


def weekdays(text: str) -> Iterator[Fact]:
    """Days of the week, Monday 0; spans of them are ranges."""
    yield from (Fact.of(RANGE, [], match.span()) for match in _DAYS.finditer(text))
    for match in _ONE_DAY.finditer(text):
        yield Fact.of("weekday", [float(WEEKDAYS[match[0]])], match.span())
