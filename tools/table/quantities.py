"""Numbers as people write them: with units, currencies, separators of thousands, and a decimal mark of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Quantities", "quantities", "unit_in"]

_CURRENCIES = r"US\$|R\$|[$€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|ZAR"
_SPACES = r" \x{00a0}\x{202f}\x{2009}'\x{2019}"
_MINUS = r"\-\x{2212}\x{2013}"
# RE2, with one group for each part of a quantity.
_QUANTITY = (
    rf"^(?P<open>\()?(?P<sign>[{_MINUS}+]?)\s?(?P<before>{_CURRENCIES})?\s?(?P<inner>[{_MINUS}+]?)"
    rf"(?P<body>\d[\d.,{_SPACES}]*|[.,]\d+)(?P<exponent>[eE][-+]?\d+)?"
    r"(?P<gap>\s?)(?P<after>[^\s\d.,;()'\x{2019}][^\s,;()]{0,11})?(?P<close>\))?$"
)
_WHOLE = r"^(\d{1,3}([GROUP]\d{2,3})*[GROUP]\d{3}|\d+)?(MARK\d+)?$"

# Identifiers: leading zeros, or more digits than a float can tell apart.
_CODE = r"^\s*(0\d+|\d{16,})\s*$"

_PREFIXED = r"(?:[kKMGTµuμmncdh]|da)?(?:m|g|s|W|Wh|V|A|Hz|B|b|bit|bps|J|N|Pa|l|L|eV|mol|cd|lm|lx|Ω|bar|cal|ha|t)"
_OTHER = (
    r"%|‰|°|°C|°F|K|C|F|rad|deg|min|h|hr|hrs|d|day|days|hour|hours|minute|minutes|sec|second|seconds|week|weeks|month|"
    r"months|year|years|yr|ppm|ppb|dB|dBA|dBFS|in|ft|yd|mi|mile|miles|mph|lb|lbs|oz|gal|psi|rpm|fps|px|pt|KiB|MiB|GiB|"
    r"TiB|kB|KB|MB|GB|TB|pH|pct|percent|people|persons|pcs|units?|bn|mn|EUR|USD|GBP|" + _CURRENCIES
)
_FACTOR = rf"(?:{_PREFIXED}|{_OTHER})(?:\^?-?[23]|[²³⁻¹]+)?"
_UNIT = re.compile(rf"{_FACTOR}(?:\s?[/·*]\s?{_FACTOR})*|1/{_FACTOR}")
_LOOSE = re.compile(r"[^\W\d_]{2,12}")
_NO_UNIT = frozenset({"am", "pm", "st", "nd", "rd", "th", "to", "and", "of", "or", "bis", "und"})

_IN_HEADER = (
    re.compile(r".*\S\s*[(\[{]\s*(?:in\s+)?([^()\[\]{}]{1,16}?)\s*[)\]}]\s*"),
    re.compile(r".+\S\s+in\s+(\S{1,12})\s*"),
    re.compile(r".+\S\s*,\s*(\S{1,12})\s*"),
    re.compile(r".+\S\s+/\s+(\S{1,12})\s*"),
)
_SUFFIXES = {
    **{unit.lower(): unit for unit in "kg km cm mm ms ns kWh MWh kW Hz kHz MHz GHz dB ml mg MB GB EUR USD GBP".split()},
    **{"pct": "%", "percent": "%", "seconds": "s", "secs": "s", "sec": "s", "minutes": "min", "hours": "h"},
    **{"days": "d", "celsius": "°C", "degc": "°C", "metres": "m", "meters": "m", "euros": "EUR", "dollars": "USD"},
}
_UNDERSCORED = re.compile(r".+[_\s]([A-Za-z]{2,10})")


@dataclass(frozen=True)
class Quantities:
    """A column's numbers."""

    values: NDArray[np.float64]
    """NaN where a cell holds no number."""
    unit: str | None = None
    assumption: str | None = None
    """What nothing in the column proves."""


def unit_in(header: str) -> str | None:
    """The unit that a column's name tells: `Weight (kg)`, `speed [km/h]`, `price in EUR`, `length / m`, `delay_ms`."""
    for pattern in _IN_HEADER:
        if (told := pattern.fullmatch(header)) and is_unit(told[1]):
            return told[1]
    suffix = _UNDERSCORED.fullmatch(header)
    return _SUFFIXES.get(suffix[1].lower()) if suffix else None


def is_unit(text: str) -> bool:
    """Whether `text` is a unit of measurement or a currency."""
    return bool(_UNIT.fullmatch(text))


def quantities(cells: pa.ChunkedArray, decimal: str | None) -> Quantities | None:
    """The numbers of a column of trimmed text, null where there is none to read; None where they are not numbers.

    Args:
        cells: strings or nulls.
        decimal: the decimal mark of the table, where it is known.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(cells, _CODE)).as_py():
        return None
    try:
        plain = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        plain = None
    if plain is None or (decimal == "," and pc.any(pc.match_substring(cells, ".")).as_py()):
        parts = pc.extract_regex(cells, _QUANTITY)
        if parts.null_count == len(parts):
            return None
        return _with_parts(parts, decimal)
    return Quantities(_floats(plain))


def _with_parts(parts: pa.ChunkedArray, decimal: str | None) -> Quantities | None:
    import numpy as np
    import pyarrow.compute as pc

    def part(name: str) -> pa.ChunkedArray:
        return pc.struct_field(parts, name)

    apart = pc.or_(pc.not_equal(part("gap"), ""), pc.match_substring_regex(part("body"), rf"[{_SPACES}]$"))
    known, unit = _unit_of(part("before"), part("after"), apart=bool(pc.any(apart).as_py()))
    if not known:
        return None
    bodies = pc.replace_substring_regex(pc.utf8_trim_whitespace(part("body")), rf"[{_SPACES}]", "_")
    mark, assumption = _decimal_of(bodies, decimal)
    if mark is None:
        return None
    group = "." if mark == "," else ","
    pattern = _WHOLE.replace("GROUP", f"{group}_").replace("MARK", re.escape(mark))
    sound = pc.match_substring_regex(bodies, pattern)
    digits = pc.replace_substring(pc.replace_substring_regex(bodies, f"[{group}_]", ""), mark, ".")
    written = pc.binary_join_element_wise(digits, part("exponent"), "")
    values = _floats(pc.cast(pc.if_else(sound, written, None), "float64"))
    minus = [pc.match_substring_regex(part(name), f"^[{_MINUS}]$") for name in ("sign", "inner")]
    bracketed = pc.and_(pc.equal(part("open"), "("), pc.equal(part("close"), ")"))
    negative = pc.fill_null(pc.or_(pc.or_(*minus), bracketed), False).to_numpy(zero_copy_only=False)
    return Quantities(np.where(negative, -values, values), unit, assumption)


def _unit_of(before: pa.ChunkedArray, after: pa.ChunkedArray, *, apart: bool) -> tuple[bool, str | None]:
    """Whether what stands around the numbers is one and the same unit, and which; `apart`: behind a space."""
    befores, afters = _words(before), _words(after)
    around = befores | afters
    if not around:
        return True, None
    if len(around) > 1:
        return False, None
    (unit,) = around
    loose = apart and not befores and _LOOSE.fullmatch(unit) and unit.lower() not in _NO_UNIT
    return bool(is_unit(unit) or loose), unit


def _words(cells: pa.ChunkedArray) -> set[str]:
    import pyarrow.compute as pc

    return {word for word in pc.unique(cells).to_pylist() if word}


def _decimal_of(bodies: pa.ChunkedArray, hint: str | None) -> tuple[str | None, str | None]:
    """The decimal mark of these digits, None where they contradict each other; and what is assumed in saying so."""
    import pyarrow.compute as pc

    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(bodies, pattern)).as_py())

    has = {mark: some(re.escape(mark)) for mark in ",."}
    if not any(has.values()):
        return ".", None
    proven = {
        mark: some(rf"{dot}(\d{{1,2}}|\d{{4,}})$|^0?{dot}\d+$|{re.escape(other)}.*{dot}|_.*{dot}")
        for mark, other in ((",", "."), (".", ","))
        if (dot := re.escape(mark))
    }
    if all(proven.values()):
        return None, None
    for mark in ",.":
        if proven[mark]:
            return mark, None
    for mark, other in ((",", "."), (".", ",")):
        if some(rf"{re.escape(mark)}\d{{3}}{re.escape(mark)}\d{{3}}"):
            return other, None
    if hint:
        return hint, None
    return ".", "commas taken for separators of thousands" if has[","] else None


def _floats(array: pa.ChunkedArray) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(array, dtype=np.float64)
