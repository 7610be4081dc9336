"""What shows an observation: the marked picture, key frame or page, or the sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from consilience.tools.excerpt import Excerpt
from consilience.tools.render.picture import mark_region
from consilience.tools.render.sound import cut_clip

from consilience.core.settings import Settings
from consilience.observations import (
    Locator,
    Media,
    Modality,
    Observation,
    Region,
    Shot,
    TimeRange,
    Track,
    TrackPoint,
)

__all__ = ["Shown", "show"]

# Nobody listens to an hour as evidence: what is cited as a whole is played from its beginning.
_LONGEST_CLIP = 60.0


@dataclass(frozen=True)
class Shown:
    """What an answer shows or plays."""

    kind: Literal["crop", "clip"]
    content: bytes
    mime: str


def show(observation: Observation, media: Media, path: Path, settings: Settings) -> Shown | None:
    """What shows this observation on the medium whose bytes lie at `path`; None where only its words do.

    What is heard is played. What is seen is shown with its place marked: the picture, the picture on screen of a film,
    the page of a PDF, the picture inside a document.

    Raises:
        ConsilienceError: it cannot be decoded, or what that needs is not installed.
    """
    modality, where = observation.provenance.modality, observation.locator
    if modality == "audio":
        time = where.time or TimeRange(start=0, end=min(media.seconds or _LONGEST_CLIP, _LONGEST_CLIP))
        time = TimeRange(start=time.start, end=min(time.end, time.start + _LONGEST_CLIP))
        return Shown("clip", cut_clip(media, path, time, track=where.track), "audio/wav")
    place = _on_screen(observation) if media.modality == "video" else where
    if not _is_seen(media, modality, place):
        return None
    whole = place.model_copy(update={"region": None})
    picture = Excerpt(media, path, whole, settings=settings, modality=modality).image()
    return Shown("crop", mark_region(picture, place.region), "image/png")


def _is_seen(media: Media, modality: Modality, place: Locator) -> bool:
    if media.modality == "document":
        return place.page is not None if media.mime == "application/pdf" else modality == "image"
    return media.modality in ("image", "video")


def _on_screen(observation: Observation) -> Locator:
    """When, and where on the screen, what was seen in a film shows best."""
    where = observation.locator
    if observation.kind == "shot":
        return _at(observation.as_(Shot).key_frame, where.region)
    if observation.kind == "track":
        return _midway(observation.as_(Track).points)
    return where


def _midway(points: Sequence[TrackPoint]) -> Locator:
    """Half-way in time, on the line between the points around it."""
    if not points:
        return Locator()
    middle = (points[0].t + points[-1].t) / 2
    before = [point for point in points if point.t <= middle][-1]
    after = next((point for point in points if point.t >= middle), before)
    share = (middle - before.t) / (after.t - before.t) if after.t > before.t else 0.0
    x, y, w, h = (getattr(before, n) + share * (getattr(after, n) - getattr(before, n)) for n in "xywh")
    return _at(middle, Region.from_pixels((x, y, x + w, y + h), width=1, height=1))


def _at(seconds: float, region: Region | None) -> Locator:
    return Locator(time=TimeRange(start=seconds, end=seconds), region=region)
