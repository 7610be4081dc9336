"""Pictures for an answer: what was cited, with the cited region marked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from consilience.observations import Region

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["mark_region"]

_LONGEST_SIDE = 1280


def mark_region(picture: Image.Image, region: Region | None) -> bytes:
    """PNG of an RGB picture, at most 1280 pixels a side, with a frame around `region`."""
    from PIL import ImageDraw

    picture = picture.copy()
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    if region:
        left, top, right, bottom = region.to_pixels(*picture.size)
        width = max(3, max(picture.size) // 250)
        # Two frames, so that one of them shows on any ground.
        draw = ImageDraw.Draw(picture)
        for grow, colour in ((2 * width, "white"), (width, "#d6006c")):
            box = (max(0, left - grow), max(0, top - grow), right + grow, bottom + grow)
            draw.rectangle(box, outline=colour, width=width)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
