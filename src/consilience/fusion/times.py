"""Times of day in figures and in words: 18:30, half past six, halb sieben, six heures et demie, las seis y media."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from consilience.fusion.fact import RANGE, Fact
from consilience.fusion.vocabulary import AFTERNOON, CURRENCIES, LABELS, MORNING, UNITS

__all__ = ["times"]

_HALF_DAY, _DAY = 12 * 60, 24 * 60
_H, _M = r"(?P<h>[01]?\d|2[0-4])", r"(?P<m>[0-5]\d)"
_FREE = r"(?<![\w.,:])"
_ENDS = r"(?!\w|[.,:]\d)"
_WORDS = "|".join(sorted({re.escape(word) for word in (*UNITS, *CURRENCIES)} - {"h"}, key=len, reverse=True))
_NO_UNIT = rf"(?!\s*(?:{_WORDS})(?!\w))"
_LABEL = "|".join(LABELS)

# Each: pattern with groups h and m, and minutes to add to the hour where m is missing or told otherwise.
_PHRASES: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    (rf"half past {_H}{_ENDS}", lambda h, m: 60 * h + 30),
    (rf"(?:a )?quarter (?:past|after) {_H}{_ENDS}", lambda h, m: 60 * h + 15),
    (rf"(?:a )?quarter (?:to|before) {_H}{_ENDS}", lambda h, m: 60 * h - 15),
    (rf"(?P<m>[0-5]?\d)(?: minutes?)? (?:past|after) {_H}{_ENDS}", lambda h, m: 60 * h + m),
    (rf"(?P<m>[0-5]?\d)(?: minutes?)? to {_H}{_ENDS}{_NO_UNIT}", lambda h, m: 60 * h - m),
    (rf"dreiviertel {_H}{_ENDS}", lambda h, m: 60 * h - 15),
    (rf"halb {_H}{_ENDS}", lambda h, m: 60 * h - 30),
    (rf"viertel nach {_H}{_ENDS}", lambda h, m: 60 * h + 15),
    (rf"viertel vor {_H}{_ENDS}", lambda h, m: 60 * h - 15),
    (rf"(?P<m>[0-5]?\d)(?: minuten)? nach {_H}{_ENDS}", lambda h, m: 60 * h + m),
    (rf"(?P<m>[0-5]?\d)(?: minuten)? vor {_H}{_ENDS}", lambda h, m: 60 * h - m),
    (rf"{_H} heures? et demie?{_ENDS}", lambda h, m: 60 * h + 30),
    (rf"{_H} heures? et quart{_ENDS}", lambda h, m: 60 * h + 15),
    (rf"{_H} heures? moins le quart{_ENDS}", lambda h, m: 60 * h - 15),
    (rf"{_H} heures? moins (?P<m>[0-5]?\d){_ENDS}", lambda h, m: 60 * h - m),
    (rf"las? {_H} y media{_ENDS}", lambda h, m: 60 * h + 30),
    (rf"las? {_H} y cuarto{_ENDS}", lambda h, m: 60 * h + 15),
    (rf"las? {_H} menos cuarto{_ENDS}", lambda h, m: 60 * h - 15),
    (rf"las? {_H} menos (?P<m>[0-5]?\d){_ENDS}", lambda h, m: 60 * h - m),
    (rf"las? {_H} y (?P<m>[0-5]?\d){_ENDS}", lambda h, m: 60 * h + m),
    (r"(?:midnight|mitternacht|minuit|medianoche)\b", lambda h, m: 0),
    (r"(?:noon|midday|zwölf uhr mittags|midi|mediodía)\b", lambda h, m: _HALF_DAY),
    (rf"{_H}[:.h]\s?{_M}(?:\s?(?:uhr|h|heures|o'clock))?{_ENDS}{_NO_UNIT}", lambda h, m: 60 * h + m),
    (rf"{_H} ?(?:uhr|h|heures?) {_M}{_ENDS}{_NO_UNIT}", lambda h, m: 60 * h + m),
    (rf"{_H}(?: ?uhr| ?h| heures?| o'? ?clock){_ENDS}", lambda h, m: 60 * h),
    (rf"{_H} ?(?=[ap]\.?m\b)", lambda h, m: 60 * h),
    (rf"(?<!\d ){_H} {_M}{_ENDS}{_NO_UNIT}", lambda h, m: 60 * h + m),
    (
        rf"(?:(?<=\bat )|(?<=\bum )|(?<=\blas )|(?<=\bby )|(?<=\buntil )|(?<=\bgegen )|(?<=\bfrom ))"
        rf"{_H}(?=\s*(?:$|[.,;!?)]|{MORNING}|{AFTERNOON}|(?:on|this|today|tomorrow|and|for|in|en|am|there)\b))",
        lambda h, m: 60 * h,
    ),
)
_COMPILED = tuple((re.compile(_FREE + pattern), minutes) for pattern, minutes in _PHRASES)
_JOIN = r"\s*(?:-|\u2013|bis|to|till|until|à|a|hasta)\s*(?:las )?"
_HOURS = re.compile(
    rf"{_FREE}\d{{1,2}}(?:[:.h]\d\d)?(?: ?(?:uhr|h|am|pm))?{_JOIN}\d{{1,2}}(?:[:.h]\d\d)?"
    rf"(?: ?(?:uhr|h\b|heures|am\b|pm\b|o'clock)|(?<=[:.h]\d\d)){_ENDS}"
)
_HALVES = ((re.compile(rf"\s*{MORNING}"), 0), (re.compile(rf"\s*{AFTERNOON}"), 1))
_LABELLED = re.compile(rf"(?:{_LABEL})\s*$")
# With a point between, figures are a time only where something says so: 4.50 may be a price.
_SAYS_TIME = re.compile(r"\b(?:at|um|ab|from|until|till|by|à|a las|las)\s*$")


def times(text: str) -> Iterator[Fact]:
    """Times of day in a folded text with its number words as digits, and ranges of them.

    Values are minutes since midnight; a time that may be before or after noon has both.
    """
    yield from (Fact.of(RANGE, [], match.span()) for match in _HOURS.finditer(text))
    for pattern, minutes in _COMPILED:
        for match in pattern.finditer(text):
            if _is_time(text, match):
                yield _time(text, match, minutes)


def _is_time(text: str, match: re.Match[str]) -> bool:
    if _LABELLED.search(text[: match.start()]):
        return False
    if re.fullmatch(r"\d{1,2}\.\d\d", match[0]):
        return bool(_SAYS_TIME.search(text[: match.start()]))
    return True


def _time(text: str, match: re.Match[str], minutes: Callable[[int, int], int]) -> Fact:
    found = match.groupdict()
    hour = int(found.get("h") or 0)
    at = minutes(hour, int(found.get("m") or 0)) % _DAY
    for pattern, half in _HALVES:
        if said := pattern.match(text, match.end()):
            return Fact.of("time", [_in_half(at, half)], (match.start(), said.end()))
    # 18:30 and 06:30 are of a clock with 24 hours, and so are midnight and noon.
    certain = hour > 12 or (found.get("h") or "00").startswith("0")
    alternatives = [at] if certain else [at % _HALF_DAY, at % _HALF_DAY + _HALF_DAY]
    return Fact.of("time", [float(minute) for minute in alternatives], match.span())


def _in_half(minute: int, half: int) -> float:
    return float(minute % _HALF_DAY + half * _HALF_DAY)
