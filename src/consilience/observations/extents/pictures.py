"""The extent of pictures."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_picture"]

# EXIF orientations that lay a picture on its side.
_SIDEWAYS = range(5, 9)


def measure_picture(path: Path, name: str, mime: str, limits: Limits) -> dict[str, Any]:
    """Width and height of the upright picture, in pixels, and its exact type.

    Raises:
        BadMedia: too large, broken, or cut off; it is decoded whole to know.
    """
    from PIL import ExifTags, Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Our own limit decides, before a pixel is decoded; Pillow's would only warn, as it does of broken EXIF.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                width, height = image.size
                if width * height > limits.pixels:
                    raise BadMedia(
                        name,
                        f"would unpack to {width} x {height} pixels; the limit is {limits.pixels:,} in all.",
                        cure="Raise CONSILIENCE_LIMIT_PIXELS if you trust it.",
                    )
                image.load()
                # Loading turns a TIFF, and only a TIFF, upright.
                sideways = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
                width, height = reversed(image.size) if sideways else image.size
                mime = Image.MIME.get(image.format or "", mime)
    except Image.DecompressionBombError as problem:
        raise BadMedia(name, f"is a decompression bomb ({problem}).", cure="Do not open it.") from problem
    except UnidentifiedImageError as problem:
        raise BadMedia(name, f"is no readable picture ({mime}).", cure="Export it as PNG or JPEG.") from problem
    except BadMedia:
        raise
    except Exception as problem:
        # Pillow's decoders raise whatever it is that a broken file makes them stumble over.
        told = str(problem) or type(problem).__name__
        raise BadMedia(name, f"is broken or cut off ({told}).", cure="Copy or export it again.") from problem
    return {"mime": mime, "width": width, "height": height}
