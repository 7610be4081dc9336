"""The pages of PDF documents as pictures, drawn by PDFium, and the pictures inside office documents and e-mails."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from consilience.tools.decoding.attachments import attached_picture, is_attached
from consilience.tools.decoding.pdfium import ask_pdfium
from consilience.tools.decoding.pictures import as_shown

from consilience.core.errors import Unobservable
from consilience.core.settings import Limits
from consilience.observations.extents.pictures import opened_picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["address_space", "embedded_picture", "page_picture"]

_LONGEST = 60.0
_OWN_BYTES = 1 << 30
_PIECE = 1 << 20
# Scans are mostly made at 200 to 300 dpi; small print needs 200 to be read.
_DPI = 200


def page_picture(path: Path, page: int, limits: Limits, *, dpi: int = _DPI) -> Image.Image:
    """Page `page` (counted from 1) of a PDF as RGB at `dpi`, or coarser where that would be more pixels than allowed.

    Raises:
        Unobservable: there is no such page, or it cannot be drawn.
    """
    # Every image encoder asks for the same page, one after the other.
    return _drawn(path, path.stat().st_mtime_ns, page, limits, dpi).copy()


@lru_cache(maxsize=2)
def _drawn(path: Path, _changed: int, page: int, limits: Limits, dpi: int) -> Image.Image:
    from PIL import Image

    request = {"do": "picture", "path": str(path.resolve()), "page": page, "dpi": dpi, "pixels": limits.pixels}
    told, content = ask_pdfium({**request, "memory": address_space(limits)}, seconds=_LONGEST)
    return Image.frombytes("RGB", (told["width"], told["height"]), content)


def address_space(limits: Limits) -> int:
    """Bytes that the reader of PDFs may take: its own, what streams may unpack to, and a picture in several forms."""
    return _OWN_BYTES + limits.unpacked_bytes + 16 * limits.pixels


def embedded_picture(path: Path, member: str, limits: Limits) -> Image.Image:
    """The picture `member` of a zipped office document, an e-mail or a web page, as upright RGB.

    Raises:
        Unobservable: there is none of that name, or it is broken, too large, or of no known type.
    """
    try:
        content = attached_picture(path, member) if is_attached(member) else _unzipped(path, member, limits)
        with opened_picture(io.BytesIO(content), limits.pixels) as opened:
            if opened.width * opened.height > limits.pixels:
                raise Unobservable(f"{member} has too many pixels")
            return as_shown(opened)
    except Unobservable:
        raise
    except Exception as problem:
        # Archives and Pillow's decoders raise whatever a broken file makes them stumble over.
        told = str(problem) or type(problem).__name__
        raise Unobservable(f"the picture {member} cannot be opened ({told})") from problem


def _unzipped(path: Path, member: str, limits: Limits) -> bytes:
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        # Not at once: then all of it would be unpacked, whatever size its header tells.
        content = bytearray()
        while piece := file.read(_PIECE):
            content += piece
            if len(content) > limits.media_bytes:
                raise Unobservable(f"{member} is too large")
        return bytes(content)
