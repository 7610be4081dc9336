"""The extent of pictures."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["measure_picture", "opened_picture"]

# EXIF orientations that lay a picture on its side.
_SIDEWAYS = range(5, 9)
# Pillow's limit on pixels is one for the whole process.
_opening = threading.Lock()


@contextmanager
def opened_picture(source: Path | IO[bytes], pixels: int) -> Iterator[Image.Image]:
    """A picture opened by Pillow, not yet decoded. Pillow's own limit gives way to `pixels` where that is higher.

    Pillow lets up to twice its limit pass: compare the size with ours before decoding.

    Raises:
        PIL.Image.DecompressionBombError: it has more than twice as many pixels as `pixels` and as Pillow's limit.
    """
    from PIL import Image

    with warnings.catch_warnings():
        # Ours is the limit that decides; Pillow's would only warn, as it does of broken EXIF.
        warnings.simplefilter("ignore")
        with _opening:
            usual = Image.MAX_IMAGE_PIXELS
            Image.MAX_IMAGE_PIXELS = usual and max(usual, pixels)
            try:
                picture = Image.open(source)
            finally:
                Image.MAX_IMAGE_PIXELS = usual
        with picture:
            yield picture


def measure_picture(path: Path, name: str, mime: str, limits: Limits) -> dict[str, Any]:
    """Width and height of the upright picture, in pixels, and its exact type.

    Raises:
        BadMedia: too large, broken, or cut off; it is decoded whole to know.
    """
    from PIL import ExifTags, Image, UnidentifiedImageError

    try:
        with opened_picture(path, limits.pixels) as image:
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
