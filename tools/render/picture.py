"""Pictures for an answer: the cited picture with the cited region marked."""

from __future__ import annotations

import io
from pathlib import Path

from consilience.observations import Region

__all__ = ["mark_region"]

_LONGEST_SIDE = 1280


def mark_region(path: Path, region: Region | None) -> bytes:
    """PNG of the upright picture, at most 1280 pixels a side, with a frame around `region`."""
    from PIL import Image, ImageDraw, ImageOps

    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
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
