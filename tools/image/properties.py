"""Measured facts of a picture: size, colours, brightness, sharpness, camera data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from pydantic import Field

from consilience.observations import Observation
from consilience.observations.extents.pictures import opened_picture

__all__ = ["properties"]

_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (200, 30, 30),
    "orange": (240, 140, 30),
    "yellow": (240, 220, 50),
    "green": (40, 150, 60),
    "turquoise": (60, 190, 180),
    "blue": (40, 80, 200),
    "light blue": (140, 190, 235),
    "purple": (130, 50, 160),
    "pink": (240, 150, 190),
    "brown": (120, 75, 40),
    "beige": (225, 205, 170),
}
_GPS = 0x8825
_DATE = re.compile(r"\d{4}:\d{2}:\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
"""As EXIF has it: `2026:05:03 12:00:00`."""

_Colours: TypeAlias = Annotated[int, Field(ge=1, le=64)]


@encoder(modality="image", kinds=("properties",), version="3")
def properties(excerpt: Excerpt, *, colours: _Colours = 3, gps: bool = False) -> Iterator[Observation]:
    """Measures size, dominant colours, brightness and sharpness; camera data without the place unless `gps`.

    Args:
        excerpt: a picture, or a region of one.
        colours: how many dominant colours, the most frequent first.
        gps: whether to tell the place that the camera wrote down; it may be somebody's home.
    """
    import numpy as np

    picture = excerpt.image()
    width, height = picture.size
    picture.thumbnail((512, 512))
    luma = np.asarray(picture.convert("L"), dtype=np.float64) / 255
    dominant = _dominant(picture, colours)
    brightness, sharpness = float(luma.mean()), _laplacian_variance(luma)
    exif = _exif(excerpt, gps)
    value = {
        "width": width,
        "height": height,
        "colours": [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in dominant],
        "brightness": round(brightness, 4),
        "sharpness": round(sharpness, 6),
        "exif": exif,
    }
    named = ", ".join(dict.fromkeys(_name(colour) for colour in dominant))
    light = "dark" if brightness < 0.3 else "bright" if brightness > 0.7 else "of medium brightness"
    focus = "blurred" if sharpness < 0.0005 else "sharp"
    # Whoever writes camera data writes anything there; only a date is told.
    taken = f"; taken {exif['DateTime']}" if _DATE.fullmatch(exif.get("DateTime", "")) else ""
    yield excerpt.observe("properties", value, f"{width} x {height} pixels, mostly {named}, {light}, {focus}{taken}")


def _dominant(picture: Any, count: int) -> list[tuple[int, int, int]]:
    """The most frequent colours after median-cut quantisation, most frequent first."""
    from PIL import Image

    reduced = picture.quantize(colors=max(count * 4, 8), method=Image.Quantize.MEDIANCUT)
    palette = reduced.getpalette() or []
    frequent = sorted(reduced.getcolors() or [], reverse=True)[:count]
    return [(palette[3 * i], palette[3 * i + 1], palette[3 * i + 2]) for _, i in frequent]


def _name(colour: tuple[int, int, int]) -> str:
    return min(_COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(_COLOURS[name], colour, strict=True)))


def _laplacian_variance(luma: Any) -> float:
    """Variance of the 4-neighbour Laplacian; 0 for a picture too small to have one."""
    if min(luma.shape) < 3:
        return 0.0
    inner = luma[1:-1, 1:-1]
    return float((luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inner).var())


def _exif(excerpt: Excerpt, gps: bool) -> dict[str, str]:
    from PIL import ExifTags

    if excerpt.media.modality != "image":
        return {}
    try:
        with opened_picture(excerpt.path, (excerpt.media.width or 0) * (excerpt.media.height or 0)) as opened:
            data = opened.getexif()
            told = {ExifTags.TAGS.get(tag, str(tag)): value for tag, value in data.items() if tag != _GPS}
            if gps:
                told |= {ExifTags.GPSTAGS.get(tag, str(tag)): value for tag, value in data.get_ifd(_GPS).items()}
    except Exception:
        # The picture itself was decoded; Pillow's parsers raise whatever broken camera data makes them stumble over.
        return {}
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: object) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return "".join(c for c in text if c.isprintable())[:200]
