"""The process that PDFium runs in: one request a line of JSON, one answer a line of JSON, then bytes if it names any.

- `{"do": "hello"}`: `{}`
- `{"do": "count", "path"}`: `{"pages"}`
- `{"do": "leaf", "path", "page", "most", "pixels"}`: a `Leaf` as JSON
- `{"do": "picture", "path", "page", "dpi", "pixels"}`: `{"width", "height", "bytes"}`, then RGB rows

`memory` in a request is how many bytes of address space it may take. What cannot be done is `{"unobservable": reason}`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

from consilience.tools.document.leaves import read_leaf
from consilience.tools.document.things import switch_off_bombs

from consilience.core.errors import Unobservable

__all__ = ["main"]

_POINTS_PER_INCH = 72


class _Documents:
    """The document asked for last stays open."""

    def __init__(self) -> None:
        self._path, self._document = "", None

    def open(self, path: str) -> Any:
        import pypdfium2

        if path != self._path:
            if self._document is not None:
                self._document.close()
            self._path, self._document = "", None
            self._document, self._path = pypdfium2.PdfDocument(path), path
        return self._document


def main() -> None:
    """Answers until nobody asks any more."""
    # Whatever else prints must not come between the answers.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    documents = _Documents()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit(request.get("memory"))
        answer, content = _answer(documents, request)
        out.write(json.dumps(answer).encode() + b"\n" + content)
        out.flush()


def _answer(documents: _Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    if request["do"] == "hello":
        return {}, b""
    import pypdfium2

    try:
        document = documents.open(request["path"])
        count = len(document)
        if request["do"] == "count":
            return {"pages": count}, b""
        number = request["page"]
        if not 1 <= number <= count:
            raise Unobservable(f"it has no page {number}")
        page = document[number - 1]
        try:
            if request["do"] == "leaf":
                return read_leaf(page, number, request["most"], request["pixels"]).to_json(), b""
            return _picture(page, request["dpi"], request["pixels"])
        finally:
            page.close()
    except (pypdfium2.PdfiumError, Unobservable, MemoryError, ValueError) as problem:
        what = f"page {request['page']}" if "page" in request else "the document"
        told = str(problem) if isinstance(problem, Unobservable) else f"{what} cannot be read ({problem})"
        return {"unobservable": told}, b""


def _picture(page: Any, dpi: int, most_pixels: int) -> tuple[dict[str, Any], bytes]:
    """The page at `dpi`, or coarser where that would be too many pixels."""
    width, height = page.get_size()
    scale = dpi / _POINTS_PER_INCH
    pixels = max(width * scale, 1) * max(height * scale, 1)
    if pixels > most_pixels:
        scale *= (most_pixels / pixels) ** 0.5
    switch_off_bombs(page, most_pixels)
    picture = page.render(scale=scale).to_pil().convert("RGB")
    content = picture.tobytes()
    return {"width": picture.width, "height": picture.height, "bytes": len(content)}, content


def _limit(memory: int | None) -> None:
    """Bounds the address space, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = memory or hard
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


if __name__ == "__main__":
    main()
