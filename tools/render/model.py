"""Media as models take them: small pictures and short recordings."""

from __future__ import annotations

import io
from pathlib import Path

from consilience.tools.excerpt import Excerpt
from consilience.tools.render.sound import cut_clip

from consilience.core.settings import Settings
from consilience.observations import Media, TimeRange

__all__ = ["LONGEST_SOUND", "jpeg_of", "wav_of"]

_SIDES = (1024, 768, 512, 256)
_MOST_BYTES = 400_000
LONGEST_SOUND = 45.0
"""Seconds; 1.4 MB."""


def jpeg_of(media: Media, path: Path, settings: Settings) -> bytes:
    """JPEG of a picture, at most 1,024 pixels a side, fewer where it would exceed 400 kB.

    Raises:
        Unobservable: it cannot be decoded.
    """
    picture = Excerpt(media, path, settings=settings).image()
    content = b""
    for side in _SIDES:
        picture.thumbnail((side, side))
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=85)
        content = buffer.getvalue()
        if len(content) <= _MOST_BYTES:
            break
    return content


def wav_of(media: Media, path: Path) -> bytes:
    """16-bit mono WAV at 16 kHz of a recording's first 45 seconds.

    Raises:
        Unobservable: there is no sound in it.
    """
    return cut_clip(media, path, TimeRange(start=0, end=LONGEST_SOUND), margin=0)
