"""Having a place read again: who may be asked, what a request comes to, and what it would take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consilience.agents import LookAgain, Offer
from consilience.graphs.state import Look
from consilience.tools import Encoder, Runner, estimated_seconds
from pydantic import BaseModel, ConfigDict

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.observations import Cell, Locator, Media, Modality, TimeRange
from consilience.observations.observation import canonical_json
from consilience.observations.places import lacking

__all__ = ["Looks", "Outcome", "Reading", "offers", "reading_of"]

# Of these modalities another place, or another setting, may show something that the first reading did not.
_UNNAMED = frozenset[Modality]({"image", "audio"})
_READ_AS: Mapping[Modality, tuple[Modality, ...]] = {"video": ("image", "audio"), "document": ("image",)}
_PDF = "application/pdf"
_MOMENT = 0.25
"""Seconds that one picture of a film stands for."""


@dataclass(frozen=True)
class Looks:
    """What seats may have encoders read again."""

    requests: int = 4
    """Readings in a run; what several seats ask for is read once."""
    seconds: float = 120.0
    """That encoders may work for it in a run."""
    encoders: tuple[str, ...] | None = None
    """Who may be asked, by name; None: those that read pictures and sound, and cost no money."""
    unasked: float = 10.0
    """Seconds that a reading may take without a person being asked, where the protocol pauses at a `look`."""

    def __post_init__(self) -> None:
        if self.requests < 1 or not self.seconds > 0:
            raise ValueError(f"looks are one or more, in more than 0 s: not {self.requests} in {self.seconds} s")

    def spent(self, looks: Iterable[Look]) -> tuple[int, float]:
        """Readings so far, lost ones included, and the seconds they took."""
        asked = [look for look in looks if look.request.encoder]
        return sum(look.lost + (look.refused is None) for look in asked), sum(look.seconds for look in asked)

    def exhausted(self, looks: Iterable[Look]) -> bool:
        """Whether nothing more may be asked for."""
        made, seconds = self.spent(looks)
        return made >= self.requests or seconds >= self.seconds

    def objection(self, reading: Reading, looks: Iterable[Look], seconds_left: float) -> str | None:
        """Why a reading is too much after these looks, with so many seconds left to the run; None: it may be made."""
        made, seconds = self.spent(looks)
        if made >= self.requests:
            return f"a run may have {self.requests} places read again"
        wanted, left = reading.seconds, min(self.seconds - seconds, seconds_left)
        return f"it may take {wanted:.0f} s, and {max(left, 0):.0f} s are left for it" if wanted > left else None


@dataclass(frozen=True)
class Reading:
    """What a request comes to."""

    medium: Media
    encoder: Encoder
    where: Locator
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """All of the encoder's, defaults filled in."""

    @property
    def key(self) -> str:
        """The same for requests that come to the same."""
        name, place = self.encoder.name, self.where.to_fragment()
        return canonical_json([self.medium.id, self.medium.mime, name, place, dict(self.parameters)])

    @property
    def seconds(self) -> float:
        """What it may take."""
        return estimated_seconds(self.encoder, self.medium, self.where)


class Outcome(BaseModel):
    """What became of a reading. Journals hold it: what was refused for want of time is not read when time is no matter.

    Attributes:
        refused: why it was not made.
        observations: their ids; they are in the store.
        seconds: that the encoder took.
        cached: the encoding was remembered.
        failure: why the encoder observed nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    refused: str | None = None
    observations: tuple[str, ...] = ()
    seconds: float = 0.0
    cached: bool = False
    failure: str | None = None


def offers(runner: Runner, media: Sequence[Media], looks: Looks) -> tuple[Offer, ...]:
    """What may be asked for: each medium with each encoder that may read it again.

    Raises:
        UnknownName: `looks` names an encoder that is not there.
    """
    for name in looks.encoders or ():
        if name not in runner.encoders:
            raise UnknownName("encoder", name, runner.encoders)
    return tuple(
        Offer(
            medium=medium.name,
            encoder=encoder.name,
            modalities=(medium.modality, encoder.modality),
            places=tuple(_places(encoder, medium)),
            parameters=tuple(encoder.parameters.model_fields),
        )
        for medium in media
        for encoder in runner.encoders.values()
        if _may_read(encoder, medium, looks, biometrics=runner.settings.biometrics)
    )


def _may_read(encoder: Encoder, medium: Media, looks: Looks, *, biometrics: bool) -> bool:
    if encoder.divides or (encoder.biometric and not biometrics):
        return False
    named = encoder.name in (looks.encoders or ())
    if not named and (looks.encoders is not None or encoder.modality not in _UNNAMED or encoder.cost == "remote"):
        return False
    if encoder.reads(medium.modality, medium.mime):
        return True
    if encoder.mimes or encoder.modality not in _READ_AS.get(medium.modality, ()):
        return False
    return (
        medium.mime == _PDF if medium.modality == "document" else encoder.modality == "image" or bool(medium.channels)
    )


def _places(encoder: Encoder, medium: Media) -> Iterable[Any]:
    if medium.modality in ("audio", "video"):
        yield "time"
    if medium.modality == "document" and medium.pages:
        yield "page"
    if medium.modality == "table":
        yield "row"
    if encoder.modality == "image":
        yield "box"


def reading_of(request: LookAgain, runner: Runner, media: Sequence[Media], looks: Looks) -> Reading | str:
    """What a request that names an encoder comes to; or in words why it comes to nothing."""
    if request.near is not None:
        return f"there is no line {request.near!r}"
    named = [medium for medium in media if request.span.media in (medium.name, medium.id)]
    if not named:
        return f"there is no medium {request.span.media!r}"
    offered = [offer for offer in offers(runner, named, looks) if offer.medium in {medium.name for medium in named}]
    found = next((offer for offer in offered if offer.encoder == request.encoder), None)
    if found is None:
        others = ", ".join(dict.fromkeys(offer.encoder for offer in offered)) or "nobody"
        return f"{request.encoder} is not asked to read it again (who may be: {others})"
    encoder = runner.encoders[found.encoder]
    medium = next(one for one in named if _may_read(encoder, one, looks, biometrics=runner.settings.biometrics))
    where = _place(request, found, medium)
    if isinstance(where, str):
        return where
    if told := lacking(medium, where):
        return f"it has no {told}"
    try:
        parameters = encoder.bind(dict(request.parameters))
    except BadConfiguration as problem:
        return str(problem)
    reading = Reading(medium, encoder, where, parameters)
    return _needless(reading, runner) or reading


def _place(request: LookAgain, offer: Offer, medium: Media) -> Locator | str:
    span = request.span
    asked = {"time": span.time, "page": span.pages, "row": span.rows, "box": request.region}
    if wrong := [kind for kind, place in asked.items() if place is not None and kind not in offer.places]:
        return f"{offer.encoder} does not read it by {wrong[0]}"
    if any(place is not None and place[0] != place[1] for place in (span.pages, span.rows)):
        return "one page, or one row, is read at a time"
    if request.region and not (request.region.w and request.region.h):
        return "there is nothing in a box of no size"
    time = span.time
    if time is not None:
        end = time.end if medium.seconds is None else min(time.end, medium.seconds)
        if medium.seconds is not None and time.start >= medium.seconds:
            return f"it lasts only {medium.seconds:.1f} s"
        if end <= time.start:
            return "there is nothing in a stretch of no length"
        time = TimeRange(start=time.start, end=end)
    if medium.modality == "video" and "image" in offer.modalities:
        if time is None:
            return "of a film, one moment is looked at: the request names none"
        time = TimeRange(start=time.start, end=min(time.end, time.start + _MOMENT))
    cell = Cell(row=span.rows[0]) if span.rows else None
    return Locator(time=time, region=request.region, page=span.pages[0] if span.pages else None, cell=cell)


def _needless(reading: Reading, runner: Runner) -> str | None:
    medium, encoder = reading.medium, reading.encoder
    unasked = encoder in runner.fitting(medium.modality, medium.mime)
    if unasked and not reading.where and reading.parameters == encoder.bind():
        return "the record has that already"
    length = reading.where.time.seconds if reading.where.time else medium.seconds
    if encoder.stretch is not None and length is not None and length > encoder.stretch:
        return f"{encoder.name} reads {encoder.stretch:g} s at once, and these are {length:.0f} s"
    return None
