"""What a seat may ask to see: lines that were left out of its prompt, or a place that an encoder reads again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from consilience.agents.prompts import prompt
from consilience.agents.schemas import list_of, number, one_of, string
from consilience.agents.turn import LookAgain
from pydantic import BaseModel, ConfigDict, Field

from consilience.observations import Modality, Record, Region, Span, TimeRange, between_quotes

__all__ = ["LookReply", "Offer", "ReadReply", "offered_to", "placed", "read_again_schema", "told_offers"]

PlaceKind: TypeAlias = Literal["time", "box", "page", "row"]

_MOST_SETTINGS = 2
_VALUE = 40
_AROUND_SECONDS = 1.0
_LEAST_SIDE = 0.1
"""Of a picture: a crop of less shows too little around the line for a reader of text to find it."""
# For what each kind of place is asked with, in this order.
_PLACES: dict[PlaceKind, str] = {
    "time": '"start" and "end" in seconds',
    "page": '"page"',
    "row": '"row"',
    "box": '"box" in percent (left, top, right, bottom)',
}


@dataclass(frozen=True)
class Offer:
    """An encoder that may read a medium of the record again."""

    medium: str
    """By the name that prompts show."""
    encoder: str
    modalities: tuple[Modality, ...]
    """Of the medium, and as which it is read: seats that see neither are not offered it."""
    places: tuple[PlaceKind, ...] = ()
    """By what it can be narrowed."""
    parameters: tuple[str, ...] = ()
    """What of the encoder can be set."""


def offered_to(view: Sequence[Modality] | None, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Those for a seat that sees these modalities; all where it sees everything."""
    return tuple(offer for offer in offers if view is None or not set(view).isdisjoint(offer.modalities))


def told_offers(offers: Sequence[Offer]) -> str:
    """The sentences of a prompt that say what may be read again; empty where nothing may."""
    if not offers:
        return ""
    by_medium: dict[str, dict[str, tuple[str, ...]]] = {}
    for offer in offers:
        by_medium.setdefault(offer.medium, {})[offer.encoder] = offer.parameters
    media: dict[str, list[str]] = {}
    for medium, encoders in by_medium.items():
        told = ", ".join(f"{name} ({', '.join(had)})" if had else name for name, had in encoders.items())
        media.setdefault(told, []).append(f'"{between_quotes(medium)}"')
    choices = "; ".join(f"{', '.join(names)}: {told}" for told, names in media.items())
    places = ", ".join(told for kind, told in _PLACES.items() if any(kind in offer.places for offer in offers))
    narrowed = f'; "near" the label of a line that lies there, or else {places}; "" and zeros mean all of it'
    return prompt("read_again", choices=choices, places=narrowed if places else "")


def read_again_schema(offers: Sequence[Offer], labels: Sequence[str] = ()) -> dict[str, Any]:
    """The part of a turn's schema in which it asks: only media, encoders and settings that are offered."""
    asked: dict[str, Any] = {
        "medium": one_of(_each(offer.medium for offer in offers)),
        "encoder": one_of(_each(offer.encoder for offer in offers)),
    }
    kinds = {kind for offer in offers for kind in offer.places}
    if kinds:
        asked["near"] = one_of(["", *labels])
    if "time" in kinds:
        asked |= {"start": number(), "end": number()}
    asked |= {kind: {"type": "integer", "minimum": 0} for kind in ("page", "row") if kind in kinds}
    if "box" in kinds:
        share = {"type": "number", "minimum": 0, "maximum": 100}
        asked["box"] = {"type": "array", "items": share, "minItems": 4, "maxItems": 4}
    if settings := _each(name for offer in offers for name in offer.parameters):
        asked["settings"] = list_of("setting", {"name": one_of(settings), "value": string(_VALUE)}, _MOST_SETTINGS)
    return list_of("reading", asked, 1)


def _each(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True, allow_inf_nan=False)


class LookReply(_Asked):
    """A request for what was left out."""

    medium: str
    words: str = ""
    start: float = 0
    end: float = 0

    def request(self, left_out: Sequence[Span]) -> LookAgain:
        """As the contract has it, among spans of which at least one is of this medium.

        The numbers are what that medium is counted in: seconds, pages or rows. Those that make no stretch mean all.
        """
        of_it = [span for span in left_out if span.media == self.medium]
        named = Span(media=self.medium)
        words = " ".join(self.words.split())
        first, last = int(self.start), int(self.end)
        if self.start < 0 or self.end <= 0 or self.end < self.start:
            return LookAgain(span=named, words=words)
        if any(span.time for span in of_it):
            named = Span(media=self.medium, time=TimeRange(start=self.start, end=self.end))
        elif any(span.pages for span in of_it):
            named = Span(media=self.medium, pages=(first, last))
        elif any(span.rows for span in of_it):
            named = Span(media=self.medium, rows=(first, last))
        return LookAgain(span=named, words=words)


class SettingReply(_Asked):
    """A parameter of an encoder."""

    name: str
    value: str | int | float | bool | None = ""


class ReadReply(_Asked):
    """A request that an encoder read a place again. What is wrong with it costs no turn: the controller refuses it."""

    medium: str
    encoder: str
    near: str = ""
    start: float = 0
    end: float = 0
    page: int = 0
    row: int = 0
    box: list[float] = Field(default_factory=list)
    settings: list[SettingReply] = Field(default_factory=list)

    def request(self) -> LookAgain:
        """As the contract has it; numbers that make no place mean all of the medium."""
        span = Span(
            media=self.medium,
            time=TimeRange(start=self.start, end=self.end) if 0 <= self.start < self.end < float("inf") else None,
            pages=(self.page, self.page) if self.page > 0 else None,
            rows=(self.row, self.row) if self.row > 0 else None,
        )
        settings = {one.name: str(one.value) for one in self.settings if one.value not in ("", None)}
        return LookAgain(
            span=span,
            encoder=self.encoder,
            region=_region(self.box),
            near=self.near or None,
            parameters=tuple(sorted(settings.items())),
        )


def placed(request: LookAgain, record: Record) -> LookAgain:
    """The request with the place of the line that it names: its medium, page and row, its box and seconds widened.

    Where the record has no such line it is left as it is, for the controller to refuse.
    """
    if request.near is None or request.near not in record:
        return request
    observation = record[request.near]
    where, medium = observation.locator, record.medium_of(observation)
    span = Span(
        media=medium.name if medium else observation.provenance.media,
        time=where.time and _around(where.time),
        pages=(where.page, where.page) if where.page is not None else None,
        rows=(where.cell.row, where.cell.row) if where.cell and where.cell.row else None,
    )
    return request.model_copy(update={"span": span, "region": where.region and _widened(where.region), "near": None})


def _around(time: TimeRange) -> TimeRange:
    return TimeRange(start=max(0.0, time.start - _AROUND_SECONDS), end=time.end + _AROUND_SECONDS)


def _widened(box: Region) -> Region:
    """Twice as wide and three times as high, and no side shorter than a tenth, around the same middle if it may be."""
    w, h = min(1.0, max(2 * box.w, _LEAST_SIDE)), min(1.0, max(3 * box.h, _LEAST_SIDE))
    x, y = (
        min(max(middle - side / 2, 0.0), 1 - side) for middle, side in ((box.x + box.w / 2, w), (box.y + box.h / 2, h))
    )
    return Region(x=x, y=y, w=w, h=h)


def _region(box: Sequence[float]) -> Region | None:
    """Of (left, top, right, bottom) in percent, clipped to the picture; None where that leaves nothing, or all."""
    if len(box) != 4 or not all(abs(edge) < float("inf") for edge in box):
        return None
    left, top, right, bottom = (min(max(edge, 0.0), 100.0) for edge in box)
    if left >= right or top >= bottom or (left, top, right, bottom) == (0, 0, 100, 100):
        return None
    found = Region.from_pixels((left, top, right, bottom), width=100, height=100)
    return found if found.w and found.h else None
