"""The pages of PDF documents as pictures, drawn by PDFium, and the pictures inside office documents and e-mails."""

from __future__ import annotations

import io
import threading
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.settings import Limits

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PDFIUM", "embedded_picture", "page_picture"]

PDFIUM = threading.Lock()
"""PDFium is not thread-safe: whoever calls it holds this."""

_POINTS_PER_INCH = 72


def page_picture(path: Path, page: int, limits: Limits, *, dpi: int = 144) -> Image.Image:
    """Page `page` (counted from 1) of a PDF as RGB at `dpi`, or coarser where that would be more pixels than allowed.

    Raises:
        Unobservable: there is no such page, or it cannot be drawn.
    """
    try:
        import pypdfium2
    except ImportError as problem:
        raise MissingExtra("pypdfium2", "document", "Drawing the pages of PDFs") from problem
    with PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
            try:
                if page > len(document):
                    raise Unobservable(f"it has no page {page}")
                leaf = document[page - 1]
                width, height = leaf.get_size()
                scale = dpi / _POINTS_PER_INCH
                pixels = width * height * scale * scale
                if pixels > limits.pixels:
                    scale *= (limits.pixels / pixels) ** 0.5
                picture: Image.Image = leaf.render(scale=scale).to_pil().convert("RGB")
            finally:
                document.close()
        except pypdfium2.PdfiumError as problem:
            raise Unobservable(f"page {page} cannot be drawn ({problem})") from problem
    return picture


def embedded_picture(path: Path, member: str, limits: Limits) -> Image.Image:
    """The picture `member` of a zipped office document, as upright RGB.

    Raises:
        Unobservable: there is none of that name, or it is broken, too large, or of no known type.
    """
    from PIL import Image, ImageOps

    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(member).file_size > limits.media_bytes:
                raise Unobservable(f"{member} is too large")
            content = archive.read(member)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > limits.pixels:
                    raise Unobservable(f"{member} has too many pixels")
                return ImageOps.exif_transpose(opened).convert("RGB")
    except Unobservable:
        raise
    except Exception as problem:
        # Archives and Pillow's decoders raise whatever a broken file makes them stumble over.
        told = str(problem) or type(problem).__name__
        raise Unobservable(f"the picture {member} cannot be opened ({told})") from problem
