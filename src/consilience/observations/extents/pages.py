"""The extent of PDF documents."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_pdf"]

# FPDF_ERR_PASSWORD of PDFium.
_PASSWORD = 4
# PDFium is not thread-safe.
_one_at_a_time = threading.Lock()


def measure_pdf(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    """Pages; empty where no reader is installed. No page is opened: what they hold may be hostile.

    Raises:
        BadMedia: encrypted, broken, without pages, or with too many.
    """
    if importlib.util.find_spec("pypdfium2") is None:
        return {}
    import pypdfium2

    with _one_at_a_time:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as problem:
            if getattr(problem, "err_code", None) == _PASSWORD or "password" in str(problem).lower():
                raise BadMedia(name, "is encrypted.", cure="Save a copy without a password.") from problem
            raise BadMedia(name, f"is no readable PDF ({problem}).", cure="Export it again.") from problem
        try:
            pages = len(document)
        finally:
            document.close()
    if not pages:
        raise BadMedia(name, "has no pages.", cure="Export it again.")
    if pages > limits.pages:
        raise BadMedia(
            name,
            f"has too many pages ({pages:,}; the limit is {limits.pages:,}).",
            cure="Raise CONSILIENCE_LIMIT_PAGES, or split it.",
        )
    return {"pages": pages}
