"""The pages of PDF documents as pictures, drawn by PDFium, and the pictures inside office documents and e-mails."""

from __future__ import annotations

import io
import warnings
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.decoding.attachments import attached_picture, is_attached
from consilience.tools.decoding.pdfium import PDFIUM, open_pdf, switch_off_bombs
from consilience.tools.decoding.pictures import as_shown

from consilience.core.errors import Unobservable
from consilience.core.settings import Limits

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["embedded_picture", "page_picture"]

_POINTS_PER_INCH = 72
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
    with PDFIUM:
        document = open_pdf(path)
        try:
            return _draw(document, page, limits, dpi)
        finally:
            document.close()


def _draw(document: Any, page: int, limits: Limits, dpi: int) -> Image.Image:
    import pypdfium2

    try:
        if not 1 <= page <= len(document):
            raise Unobservable(f"it has no page {page}")
        leaf = document[page - 1]
        width, height = leaf.get_size()
        scale = dpi / _POINTS_PER_INCH
        pixels = max(width * scale, 1) * max(height * scale, 1)
        if pixels > limits.pixels:
            scale *= (limits.pixels / pixels) ** 0.5
        switch_off_bombs(leaf, limits)
        picture: Image.Image = leaf.render(scale=scale).to_pil().convert("RGB")
    except (pypdfium2.PdfiumError, MemoryError, ValueError) as problem:
        raise Unobservable(f"page {page} cannot be drawn ({problem})") from problem
    return picture


def embedded_picture(path: Path, member: str, limits: Limits) -> Image.Image:
    """The picture `member` of a zipped office document, an e-mail or a web page, as upright RGB.

    Raises:
        Unobservable: there is none of that name, or it is broken, too large, or of no known type.
    """
    from PIL import Image

    try:
        content = attached_picture(path, member) if is_attached(member) else _unzipped(path, member, limits)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
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
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(member).file_size > limits.media_bytes:
            raise Unobservable(f"{member} is too large")
        return archive.read(member)
