"""Dates and times as people write them: one form for a column, found from all of its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["COMPACT", "Dates", "dates", "resolution_of", "told"]


@dataclass(frozen=True)
class Dates:
    """A column's dates."""

    values: NDArray[np.datetime64]
    """Microseconds; NaT where a cell holds no date. Times with an offset are in UTC."""
    resolution: str
    """`M`, `D`, `m` (minutes) or `s`: what they are told to."""
    assumption: str | None = None
    """What nothing in the column proves."""


@dataclass(frozen=True)
class _Form:
    pattern: re.Pattern[str]
    form: str
    resolution: str = "D"


_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:[AaPp][Mm])?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
_MONTH = r"[A-Za-z]{3,9}\.?"
COMPACT = "^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$"
"""Dates without marks between, as a regular expression."""

_FORMS = (
    _Form(re.compile(r"\d{4}-\d{1,2}-\d{1,2}"), "%Y-%m-%d"),
    _Form(re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), "%Y/%m/%d"),
    _Form(re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}\.?"), "%Y.%m.%d"),
    _Form(re.compile(COMPACT), "%Y%m%d"),
    _Form(re.compile(r"\d{4}-\d{1,2}"), "%Y-%m", "M"),
    _Form(re.compile(r"\d{1,2}/\d{4}"), "%m/%Y", "M"),
    _Form(re.compile(rf"{_MONTH},?[ -]\d{{4}}"), "%b %Y", "M"),
    _Form(re.compile(rf"\d{{1,2}}\.?[ -]{_MONTH},?[ -]\d{{4}}"), "%d %b %Y"),
    _Form(re.compile(rf"{_MONTH} \d{{1,2}},? \d{{4}}"), "%b %d %Y"),
    _Form(re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), "%d.%m.%Y"),
    _Form(re.compile(r"\d{1,2}\.\d{1,2}\.\d{2}"), "%d.%m.%y"),
    _Form(re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "%d/%m/%Y"),
    _Form(re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "%m/%d/%Y"),
    _Form(re.compile(r"\d{1,2}/\d{1,2}/\d{2}"), "%d/%m/%y"),
    _Form(re.compile(r"\d{1,2}/\d{1,2}/\d{2}"), "%m/%d/%y"),
    _Form(re.compile(r"\d{1,2}-\d{1,2}-\d{4}"), "%d-%m-%Y"),
    _Form(re.compile(r"\d{1,2}-\d{1,2}-\d{4}"), "%m-%d-%Y"),
)
_QUARTER = re.compile(r"(?:Q([1-4])[ /-]?(\d{4})|(\d{4})[ -]?Q([1-4]))")
_PARTS = (
    r"^(?P<date>.*?)(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?\s?"
    r"(?P<half>[AaPp][Mm])?\s?(?P<zone>Z|UTC|[-+]\d{2}:?\d{2})?)?$"
)
# So many cells are looked at to find the form; all are read by it.
_SAMPLE = 60


def told(moment: np.datetime64, resolution: str) -> str:
    """ISO 8601 to the resolution: `2024-03`, `2024-03-01`, `2024-03-01 12:30:00`."""
    return str(moment.astype(f"datetime64[{resolution}]")).replace("T", " ")


def dates(cells: pa.ChunkedArray) -> Dates | None:
    """The dates of a column of trimmed text, null where there is none to read; None where they are not dates."""
    import pyarrow.compute as pc

    whole = pc.drop_null(cells)
    sample = list(dict.fromkeys(whole.slice(0, 50 * _SAMPLE).to_pylist()))[:_SAMPLE]
    if not sample or not any(character.isdigit() for character in sample[0]):
        return None
    if all(_QUARTER.fullmatch(cell) for cell in sample):
        return _quarters(cells)
    timed = [re.fullmatch(rf"(.*?){_TIME}", cell) for cell in sample]
    days = [match[1].strip() for match in timed if match]
    fitting = [form for form in _FORMS if 5 * sum(bool(form.pattern.fullmatch(day)) for day in days) >= 4 * len(sample)]
    read = [(form, _read(cells, form)) for form in fitting]
    found = [(form, values) for form, values in read if values is not None]
    if not found:
        return None
    most = max(_many(values) for _, values in found)
    best = [(form, values) for form, values in found if _many(values) == most]
    form, values = best[0] if len(best) == 1 else _likelier(best)
    ambiguous = len(best) > 1 and {form.form[:2] for form, _ in best} == {"%d", "%m"}
    order = "day before month" if form.form.startswith("%d") else "month before day"
    return Dates(
        values,
        form.resolution if form.resolution == "M" else resolution_of(values),
        f"{order}, which nothing proves" if ambiguous else None,
    )


def _many(values: NDArray[np.datetime64]) -> int:
    import numpy as np

    return int((~np.isnat(values)).sum())


def _likelier(
    readings: list[tuple[_Form, NDArray[np.datetime64]]],
) -> tuple[_Form, NDArray[np.datetime64]]:
    """The reading in which the dates stand in order; else the month first where slashes part them."""
    import numpy as np

    for form, values in readings:
        steps = np.diff(values[~np.isnat(values)].astype(np.int64))
        if len(steps) > 2 and ((steps >= 0).all() or (steps <= 0).all()):
            return form, values
    slashes = [reading for reading in readings if reading[0].form.startswith("%m/")]
    return (slashes or readings)[0]


def _read(cells: pa.ChunkedArray, form: _Form) -> NDArray[np.datetime64] | None:
    """All cells by one form, with a time behind the date or without; NaT where one does not fit."""
    import numpy as np
    import pandas as pd
    import pyarrow.compute as pc

    parts = pc.extract_regex(cells, _PARTS)
    days = pc.struct_field(parts, "date")
    if "%b" in form.form:
        spaced = pc.replace_substring_regex(pc.replace_substring_regex(days, r"[.,]", ""), "-", " ")
        days = pc.replace_substring_regex(spaced, r"([A-Za-z]{3})[A-Za-z]*", r"\1")
    read = pd.to_datetime(_series(days), format=form.form, errors="coerce").to_numpy().astype("datetime64[us]")
    if not pc.any(pc.not_equal(pc.struct_field(parts, "hour"), "")).as_py():
        return read
    hour, minute, second = (_numbers(pc.struct_field(parts, name)) for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(pc.struct_field(parts, "half"))
    late, early = (np.asarray(pc.fill_null(pc.equal(half, word), False)) for word in ("pm", "am"))
    hour = np.where(late & (hour < 12), hour + 12, np.where(early & (hour == 12), 0, hour))
    sound = (hour < 24) & (minute < 60) & (second < 61)
    micros = np.where(sound, ((hour * 60 + minute) * 60 + second) * 1e6, 0).round().astype("timedelta64[us]")
    zones = _offsets(pc.struct_field(parts, "zone"))
    return np.asarray(np.where(sound, read, np.datetime64("NaT")) + micros - zones, dtype="datetime64[us]")


def _numbers(digits: pa.ChunkedArray) -> NDArray[np.float64]:
    """Digits as numbers; 0 where there are none."""
    import numpy as np
    import pyarrow.compute as pc

    filled = pc.if_else(pc.equal(digits, ""), "0", pc.replace_substring(digits, ",", "."))
    return np.nan_to_num(np.asarray(pc.cast(filled, "float64"), dtype=np.float64))


def _offsets(zones: pa.ChunkedArray) -> NDArray[np.timedelta64]:
    import numpy as np

    encoded = zones.dictionary_encode().combine_chunks()
    names = encoded.dictionary.to_pylist()
    minutes = [_minutes(name) for name in names] or [0]
    codes = np.nan_to_num(np.asarray(encoded.indices, dtype=np.float64)).astype(np.int64)
    return np.asarray(minutes, dtype="timedelta64[m]").astype("timedelta64[us]")[codes]


def _minutes(zone: str) -> int:
    digits = zone[1:].replace(":", "")
    if len(digits) != 4 or not digits.isdigit():
        return 0
    return (-1 if zone[0] == "-" else 1) * (60 * int(digits[:2]) + int(digits[2:]))


def _series(cells: pa.ChunkedArray) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(cells.to_numpy(zero_copy_only=False), dtype=object)


def _quarters(cells: pa.ChunkedArray) -> Dates:
    import numpy as np

    def first_day(cell: str | None) -> np.datetime64:
        match = _QUARTER.fullmatch(cell or "")
        if not match:
            return np.datetime64("NaT")
        quarter, year = (match[1], match[2]) if match[1] else (match[4], match[3])
        return np.datetime64(f"{year}-{3 * int(quarter) - 2:02}")

    known = {cell: first_day(cell) for cell in cells.unique().to_pylist()}
    values = np.array([known[cell] for cell in cells.to_pylist()], dtype="datetime64[us]")
    return Dates(values, "M")


def resolution_of(values: NDArray[np.datetime64]) -> str:
    """The coarsest of days, minutes and seconds that loses nothing, or loses less than a second."""
    import numpy as np

    known = values[~np.isnat(values)]
    return next((unit for unit in "Dm" if (known == known.astype(f"datetime64[{unit}]").astype("M8[us]")).all()), "s")
