"""Still pictures of every mode as what a viewer shows: upright, eight bits a colour, nothing transparent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["as_shown", "cropped"]

_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_BRIGHT = 200
"""Mean luma of what is visible, 0 to 255, from which on a transparent picture is laid on black rather than white."""


def as_shown(picture: Image.Image) -> Image.Image:
    """`picture` as RGB, turned as its EXIF orientation says.

    Deep greys are scaled, not cut off, to eight bits: by their range where that is that of 16 bits or of 0 to 1. What
    is transparent is laid on white, or on black where what is to be seen is bright.
    """
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode in _DEEP:
        return _eight_bits(upright).convert("RGB")
    return _opaque(upright.convert("RGBA")) if upright.has_transparency_data else upright.convert("RGB")


def cropped(picture: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of `picture` in `box`: left, top, right, bottom, in pixels inside it.

    As `Image.crop`, which takes a large part of a huge picture for a decompression bomb.
    """
    from PIL import Image

    left, top, right, bottom = box
    part = Image.new(picture.mode, (right - left, bottom - top))
    part.paste(picture, (-left, -top))
    return part


def _eight_bits(picture: Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    grey = np.nan_to_num(np.asarray(picture, np.float32))
    highest = float(grey.max(initial=0))
    if picture.mode.startswith("I;16") or highest > 255:
        scale = 255 / max(65535, highest)
    else:
        scale = 255.0 if picture.mode == "F" and highest <= 1 else 1.0
    return Image.fromarray(np.clip(np.rint(grey * scale), 0, 255).astype(np.uint8))


def _opaque(picture: Image.Image) -> Image.Image:
    from PIL import Image, ImageStat

    alpha = picture.getchannel("A")
    visible = alpha.point(lambda opacity: 255 * (opacity > 127))
    seen = ImageStat.Stat(picture.convert("L"), mask=visible)
    ground = "black" if seen.count[0] and seen.mean[0] >= _BRIGHT else "white"
    shown = Image.new("RGB", picture.size, ground)
    shown.paste(picture.convert("RGB"), mask=alpha)
    return shown
