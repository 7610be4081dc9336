"""Where in a medium something was observed.

The wire form is a W3C Media Fragment (`t`, `xywh`, `track`: https://www.w3.org/TR/media-frags/), extended by the
fragment keys that other standards define for what it lacks: `page` (RFC 8118, PDF), `char` (RFC 5147, plain text)
and `cell` (RFC 7111, CSV). Parsing and printing round-trip.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["Cell", "CharRange", "Locator", "Region", "TimeRange", "one_line"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TimeRange(_Frozen):
    """Seconds from the start of the medium, half-open: `start <= t < end`. Kept to the millisecond."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)

    @field_validator("start", "end")
    @classmethod
    def _to_milliseconds(cls, seconds: float) -> float:
        return round(seconds, 3) + 0.0  # -0.0 would print, and hash, unlike 0.0

    @model_validator(mode="after")
    def _in_order(self) -> TimeRange:
        if self.end < self.start:
            raise ValueError(f"time range ends ({self.end} s) before it starts ({self.start} s)")
        return self

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)}"

    @property
    def seconds(self) -> float:
        """Length."""
        return self.end - self.start

    def overlap(self, other: TimeRange) -> float:
        """Seconds that both cover; 0 when they do not touch."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


class Region(_Frozen):
    """A box as fractions of width and height, 0 to 1, from the top left corner. Kept to a millionth."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    w: float = Field(ge=0, le=1)
    h: float = Field(ge=0, le=1)

    @field_validator("x", "y", "w", "h")
    @classmethod
    def _to_millionths(cls, fraction: float) -> float:
        return round(fraction, 6) + 0.0

    @model_validator(mode="after")
    def _inside(self) -> Region:
        if self.x + self.w > 1.000002 or self.y + self.h > 1.000002:
            raise ValueError("region reaches beyond the picture")
        return self

    @classmethod
    def from_pixels(cls, box: tuple[float, float, float, float], *, width: int, height: int) -> Region:
        """Region of `box` = (left, top, right, bottom) in pixels, clipped to a picture of `width` x `height`."""
        left, right = sorted(min(max(edge / width, 0.0), 1.0) for edge in (box[0], box[2]))
        top, bottom = sorted(min(max(edge / height, 0.0), 1.0) for edge in (box[1], box[3]))
        return cls(x=left, y=top, w=right - left, h=bottom - top)

    def to_pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) in whole pixels, at least one pixel each way."""
        left, top = min(round(self.x * width), width - 1), min(round(self.y * height), height - 1)
        right = min(width, max(left + 1, round((self.x + self.w) * width)))
        bottom = min(height, max(top + 1, round((self.y + self.h) * height)))
        return left, top, right, bottom

    def within(self, outer: Region) -> Region:
        """This region, given as fractions of `outer`, as fractions of the whole picture."""
        x, y = min(outer.x + self.x * outer.w, 1.0), min(outer.y + self.y * outer.h, 1.0)
        return Region(x=x, y=y, w=min(self.w * outer.w, 1 - x), h=min(self.h * outer.h, 1 - y))


class CharRange(_Frozen):
    """Characters counted from 0, half-open: `start <= i < end`."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> CharRange:
        if self.end < self.start:
            raise ValueError("character range ends before it starts")
        return self


class Cell(_Frozen):
    """A table cell, or with one of the two a whole row or column; both counted from 1, the header is row 0."""

    row: int | None = Field(None, ge=0)
    column: int | None = Field(None, ge=1)


class Locator(_Frozen):
    """A place in a medium; fields combine (a region during a time range). An empty one means the whole medium."""

    time: TimeRange | None = None
    region: Region | None = None
    page: int | None = Field(None, ge=1, description="Counted from 1.")
    chars: CharRange | None = None
    cell: Cell | None = None
    track: str | None = Field(None, description="Track, channel or speaker.")

    def __bool__(self) -> bool:
        return self != Locator()

    def __str__(self) -> str:
        return self.to_fragment()

    def to_fragment(self) -> str:
        """The part of a URL behind `#`; empty for the whole medium."""
        return "&".join(f"{key}={value}" for key, value in self._pairs())

    def _pairs(self) -> Iterator[tuple[str, str]]:
        if self.time:
            yield "t", f"{_decimal(self.time.start)},{_decimal(self.time.end)}"
        if self.region:
            box = (self.region.x, self.region.y, self.region.w, self.region.h)
            yield "xywh", "percent:" + ",".join(_decimal(fraction * 100) for fraction in box)
        if self.page is not None:
            yield "page", str(self.page)
        if self.chars:
            yield "char", f"{self.chars.start},{self.chars.end}"
        if self.cell:
            yield "cell", ",".join("*" if i is None else str(i) for i in (self.cell.row, self.cell.column))
        if self.track is not None:
            yield "track", quote(self.track, safe="")

    @classmethod
    def from_fragment(cls, fragment: str) -> Locator:
        """The locator that `to_fragment` printed. Unknown keys are ignored, as the standard asks.

        Raises:
            ValueError: a known key with a value it cannot have.
        """
        fields: dict[str, Any] = {}
        for pair in filter(None, fragment.removeprefix("#").split("&")):
            key, _, text = pair.partition("=")
            if key in _PARSERS:
                name, parse = _PARSERS[key]
                fields[name] = parse(text)
        return cls(**fields)

    def describe(self) -> str:
        """For people and prompts: `0:01.2-0:03.4, page 2`; empty where only a region says where."""
        told = [str(self.time)] if self.time else []
        if self.page is not None:
            told.append(f"page {self.page}")
        if self.cell and self.cell.row is not None:
            told.append(f"row {self.cell.row}")
        if self.track is not None:
            told.append(one_line(self.track))
        return ", ".join(filter(None, told))


def one_line(text: str) -> str:
    """`text` in printable characters with single spaces, so that it cannot pass for a line of its own in a prompt."""
    # Nearly every text is printable, and there may be thousands to look at.
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def _parse_time(text: str) -> TimeRange:
    start, _, end = text.removeprefix("npt:").partition(",")
    return TimeRange(start=float(start or 0), end=float(end))


def _parse_region(text: str) -> Region:
    unit, _, numbers = text.partition(":")
    if unit != "percent":
        raise ValueError(f"region {text!r} is not in percent")
    x, y, w, h = (float(number) / 100 for number in numbers.split(","))
    return Region(x=x, y=y, w=w, h=h)


def _parse_chars(text: str) -> CharRange:
    start, end = (int(number) for number in text.split(","))
    return CharRange(start=start, end=end)


def _parse_cell(text: str) -> Cell:
    row, column = (None if number == "*" else int(number) for number in text.split(","))
    return Cell(row=row, column=column)


_PARSERS: dict[str, tuple[str, Any]] = {
    "t": ("time", _parse_time),
    "xywh": ("region", _parse_region),
    "page": ("page", int),
    "char": ("chars", _parse_chars),
    "cell": ("cell", _parse_cell),
    "track": ("track", unquote),
}


def _decimal(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"
