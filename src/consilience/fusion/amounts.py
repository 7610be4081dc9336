"""Amounts: prices, measures, numbers that name (platform 4), and numbers that count (three eggs)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from consilience.core.words import LETTER
from consilience.fusion.fact import NUMBER, OF, RANGE, Fact
from consilience.fusion.terms import is_content, stem
from consilience.fusion.vocabulary import CURRENCIES, LABELS, UNITS

__all__ = ["labels", "measures", "numbers", "phones", "prices"]

_FIGURE = r"\d{1,3}(?:[.,' ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?"
_FREE = r"(?<![\w.,:])"
_ENDS = r"(?!\w|[.,:]\d)"


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_CURRENCY = _any(word for word in CURRENCIES if CURRENCIES[word] != "cent")
_CENT = _any(word for word in CURRENCIES if CURRENCIES[word] == "cent")
_UNIT = _any(UNITS)
_LABEL = _any(LABELS)
_WORD = rf"(?:{LETTER}){{2,}}"

_PRICES = (
    re.compile(rf"(?P<c>[€$£])\s?(?P<n>{_FIGURE}){_ENDS}"),
    re.compile(rf"{_FREE}(?P<n>\d+) (?P<f>\d\d)\s?(?P<c>{_CURRENCY})(?!\w)"),
    re.compile(
        rf"{_FREE}(?P<n>{_FIGURE})\s?(?P<c>{_CURRENCY})(?!\w)"
        rf"(?:\s(?:and |und |et |y |con )?(?P<f>\d\d?)(?:\s(?:{_CENT})\b|{_ENDS}))?"
    ),
    re.compile(rf"{_FREE}(?P<f>\d{{1,2}})\s?(?P<c>{_CENT})(?!\w)"),
)
_MEASURE = re.compile(rf"{_FREE}(?P<minus>-\s?|minus )?(?P<n>{_FIGURE})\s?(?P<u>{_UNIT})(?!\w)(?P<half> and a half)?")
_HALF_HOUR = re.compile(r"\b(?:half an hour|eine halbe stunde|halbe stunde|une demi-heure|media hora)\b")
_SPAN = re.compile(
    rf"{_FREE}(?:{_FIGURE})\s?(?:{_UNIT})?\s*(?:-|\u2013|to|bis|à)\s*(?:{_FIGURE})(?:\s?(?:{_UNIT})(?!\w))?{_ENDS}"
)
_LABELLED = re.compile(
    rf"\b(?P<l>{_LABEL})(?![^\W\d])\s*(?:number|nr\.?|no\.?|n°|:|#)?\s*(?P<v>(?:[a-z] ?)?\d+(?: ?[a-z](?!\w))?){_ENDS}"
)
_ORDINAL = re.compile(rf"{_FREE}(?P<v>\d+)(?:st|nd|rd|th|e|er|ère|ème|º|ª|\.) (?P<l>{_LABEL})(?!\w)")
_PHONE = re.compile(r"(?<![\w.,:])\+?\d[\d ()/-]{5,}\d(?![\w.,]\w)")
_NAMED = re.compile(rf"(?P<w>{_WORD})(?:\s*[:=]\s*|\s+(?:of|von|de)\s+)(?P<n>-?(?:{_FIGURE})){_ENDS}")
_COUNTED = re.compile(rf"{_FREE}(?P<n>{_FIGURE}) (?P<w>{_WORD})")
_CODED = re.compile(rf"(?P<w>{_WORD}) (?P<n>{_FIGURE}){_ENDS}")
_BARE = re.compile(rf"{_FREE}-?(?:{_FIGURE}){_ENDS}")


def prices(text: str) -> Iterator[Fact]:
    """Sums of money in whole units of their currency: `money:EUR`."""
    for pattern in _PRICES:
        for match in pattern.finditer(text):
            found = match.groupdict()
            whole = _number(found["n"]) if found.get("n") else 0.0
            cents = int(found["f"]) / 100 if found.get("f") else 0.0
            currency = CURRENCIES[found["c"]]
            # Cents are of whatever currency the other side has; nearly always it is the euro.
            yield Fact.of(f"money:{'EUR' if currency == 'cent' else currency}", [whole + cents], match.span())


def phones(text: str) -> Iterator[Fact]:
    """Telephone numbers: seven digits or more in a row, whatever divides them."""
    for match in _PHONE.finditer(text):
        bare = re.sub(r"\D", "", match[0])
        groups = [len(group) for group in re.findall(r"\d+", match[0])]
        # A pair of years, or the ends of a range, are none.
        dialled = match[0][0] in "+0(" or len(groups) >= 3 or groups == [3, 4]
        if 7 <= len(bare) <= 15 and dialled and not re.fullmatch(_FIGURE, match[0]):
            yield Fact.of("phone", [bare], match.span())


def measures(text: str) -> Iterator[Fact]:
    """Amounts with a unit, in the base unit of their dimension; spans of them are ranges."""
    yield from (Fact.of(RANGE, [], match.span()) for match in _SPAN.finditer(text))
    for match in _HALF_HOUR.finditer(text):
        yield Fact.of("duration", [1800.0], match.span())
    for match in _MEASURE.finditer(text):
        dimension, factor = UNITS[match["u"]]
        number = _number(match["n"]) + (0.5 if match["half"] else 0.0)
        yield Fact.of(dimension, [(-number if match["minus"] else number) * factor], match.span())


def labels(text: str) -> Iterator[Fact]:
    """Numbers that name one of several: `label:platform`, whatever the language calls it."""
    for pattern in (_LABELLED, _ORDINAL):
        for match in pattern.finditer(text):
            name = match["v"].replace(" ", "").upper().lstrip("0")
            yield Fact.of(f"label:{LABELS[match['l']]}", [name], match.span())


def numbers(text: str) -> Iterator[Fact]:
    """The numbers that are left: of what they count or stand behind (`of:egg`), or of nothing that is said."""
    for pattern in (_COUNTED, _NAMED, _CODED):
        for match in pattern.finditer(text):
            if is_content(match["w"]):
                yield Fact.of(f"{OF}{stem(match['w'])}", [_number(match["n"])], match.span())
    for match in _BARE.finditer(text):
        yield Fact.of(NUMBER, [_number(match[0])], match.span())


def _number(figure: str) -> float:
    """1,200 and 1.200 are twelve hundred, 1,20 and 1.2 are not."""
    sign, bare = (-1.0, figure[1:]) if figure.startswith("-") else (1.0, figure)
    if re.fullmatch(r"\d{1,3}(?:[.,' ]\d{3})+", bare):
        return sign * float(re.sub(r"\D", "", bare))
    return sign * float(bare.replace(",", "."))
