"""Whether what was observed lies where it can lie: inside its medium, inside the part that was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from consilience.observations import Locator, Media, Modality, Observation, Shot, TimeRange, Track, Transcript
from consilience.observations.places import lacking

__all__ = ["FOREIGN", "misplaced", "outside"]

_LEFT_HALF = "xywh=percent:0,0,50,100"

FOREIGN: Mapping[Modality, tuple[str, ...]] = {
    "image": ("t=0,1", "page=1", "char=0,1", "cell=1,1"),
    "audio": (_LEFT_HALF, "page=1", "char=0,1", "cell=1,1"),
    "video": ("page=1", "char=0,1", "cell=1,1"),
    "document": ("t=0,1",),
    "text": (_LEFT_HALF, "page=1", "cell=1,1"),
    "table": ("t=0,1", _LEFT_HALF),
}
"""Places that no medium of a modality has."""

_SECONDS, _FRACTION = 0.05, 1e-4
_DELIMITED = ("text/csv", "text/tab-separated-values")


def misplaced(observation: Observation, media: Media, path: Path) -> str | None:
    """What is wrong with an observation's place in its medium, whose bytes are at `path`; None when nothing is."""
    where = observation.locator
    if Locator.from_fragment(where.to_fragment()) != where:
        return f"{where} does not survive being written as a fragment"
    return next(_faults(observation, media, path), None)


def _faults(observation: Observation, media: Media, path: Path) -> Iterator[str]:
    where = observation.locator
    # Annotations mark regions of other media, which their tracks name.
    foreign = media.modality == "text" and where.track is not None
    own = where.model_copy(update={"region": None}) if foreign else where
    if media.modality == "document":  # whose text only its encoder has
        own = own.model_copy(update={"chars": None})
    for place in (own, *(Locator(time=time) for time in _times_of(observation))):
        if told := lacking(media, place):
            yield f"{where}: it has no {told}"
        if place.time and media.seconds is not None and place.time.end > media.seconds + _SECONDS:
            yield f"{where}: {place.time} reaches beyond the end ({media.seconds} s)"
    if own.chars and media.characters is not None and own.chars.end > media.characters:
        yield f"{where}: there are {media.characters} characters"
    if where.cell and media.mime in _DELIMITED:
        rows, columns = _table(path)
        if (where.cell.row or 0) > rows or (where.cell.column or 0) > columns:
            yield f"{where}: there are at most {rows} rows and {columns} columns"


def _times_of(observation: Observation) -> Iterator[TimeRange]:
    """Times inside the value."""
    if observation.kind == "transcript":
        yield from (TimeRange(start=w.start, end=w.end) for w in observation.as_(Transcript).words)
    elif observation.kind == "track":
        yield from (TimeRange(start=p.t, end=p.t) for p in observation.as_(Track).points)
    elif observation.kind == "shot":
        frame = observation.as_(Shot).key_frame
        yield TimeRange(start=frame, end=frame)


def _table(path: Path) -> tuple[int, int]:
    """The most rows and columns that a delimited table can have."""
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return len(lines), 1 + max((line.count(mark) for line in lines for mark in ",;\t|"), default=0)


def outside(inner: Locator, outer: Locator) -> str | None:
    """How `inner` leaves the part `outer` of a medium; None when it does not."""
    if outer.time and not (
        inner.time and inner.time.start >= outer.time.start - _SECONDS and inner.time.end <= outer.time.end + _SECONDS
    ):
        return f"{inner.time} is not within {outer.time}"
    if outer.region and not (
        inner.region
        and inner.region.x >= outer.region.x - _FRACTION
        and inner.region.y >= outer.region.y - _FRACTION
        and inner.region.x + inner.region.w <= outer.region.x + outer.region.w + _FRACTION
        and inner.region.y + inner.region.h <= outer.region.y + outer.region.h + _FRACTION
    ):
        return f"{inner.region} is not within {outer.region}"
    if outer.chars and not (
        inner.chars and inner.chars.start >= outer.chars.start and inner.chars.end <= outer.chars.end
    ):
        return f"{inner.chars} is not within {outer.chars}"
    if outer.page is not None and inner.page != outer.page:
        return f"page {inner.page} is not page {outer.page}"
    return None
