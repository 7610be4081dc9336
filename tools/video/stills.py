"""Image encoders on the pictures of a film, without a detour over the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from consilience.tools.encoder import Encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import BadMedia, Unobservable
from consilience.observations import Locator, Observation

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Seen", "look", "pictures"]

Seen: TypeAlias = tuple[float, list[Observation]]
"""Seconds from the start of the excerpt, and what is seen then."""


@dataclass(frozen=True)
class _Still(Excerpt):
    """One picture of a film, as an image encoder takes it."""

    picture: Image.Image | None = None

    def _picture(self) -> Image.Image:
        if self.picture is None:
            raise Unobservable("there is no picture")
        return self.picture


def pictures(excerpt: Excerpt, every: float, longest_side: int) -> Iterator[tuple[float, Image.Image]]:
    """As `Excerpt.frames`, up to the longest that a video may be, whatever its header says.

    Raises:
        BadMedia: it goes on after that.
        Unobservable: it cannot be decoded.
    """
    most = excerpt.settings.limits.video_seconds
    for at, picture in excerpt.frames(every=every, longest_side=longest_side):
        if at > most:
            raise BadMedia(
                excerpt.media.name,
                f"goes on for more than {most:,.0f} s.",
                cure="Raise CONSILIENCE_LIMIT_VIDEO_SECONDS, or cut it.",
            )
        yield at, picture


def look(excerpt: Excerpt, encoder: Encoder, every: float, longest_side: int, **parameters: Any) -> Iterator[Seen]:
    """What an image encoder sees in a film each `every` seconds, picture by picture.

    The regions that it sees are fractions of the whole picture.

    Raises:
        Unobservable: the film cannot be decoded.
    """
    bound = encoder.bind(parameters)
    inherited = {field.name: getattr(excerpt, field.name) for field in fields(Excerpt)}
    inherited |= {"where": Locator(region=excerpt.where.region), "modality": "image"}
    for at, picture in pictures(excerpt, every, longest_side):
        try:
            seen = list(encoder.encode(_Still(**inherited, picture=picture), **bound))
        except Unobservable:
            seen = []
        yield at, seen
