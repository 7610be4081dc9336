"""Which of a page's characters can be seen: those that leave a trace when the page is drawn.

Text that nobody sees but a program reads (white on white, drawn invisibly, under a picture, beside the page, smaller
than dust) is how instructions are smuggled to language models. The page is drawn twice, with its text and without;
a character is seen where the two differ, and where its colour is not that of what lies beneath.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from consilience.tools.document.glyphs import Glyph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["seen"]

# Of 255: below this, a reader takes two shades for one (a contrast of about 1.2 to 1 on white).
_LEAST_CONTRAST = 24
# Points from ascent to descent, which is a little more than the font's size of 2.
_LEAST_SIZE = 2.3
_MOST_PIXELS = 4_000_000


def seen(texts: Sequence[Glyph], page: Any, text_objects: Sequence[Any]) -> list[bool]:
    """Whether each character of an open PDFium page can be seen.

    The text objects are switched off on the way and are on again afterwards.
    """
    import numpy as np
    import pypdfium2.raw as pdfium

    if not texts:
        return []
    width, height = page.get_size()
    scale = min(1.0, (_MOST_PIXELS / (width * height)) ** 0.5)
    whole = _picture(page, scale)
    for thing in text_objects:
        pdfium.FPDFPageObj_SetIsActive(thing, False)
    bare = _picture(page, scale)
    for thing in text_objects:
        pdfium.FPDFPageObj_SetIsActive(thing, True)
    boxes = np.array([glyph.box for glyph in texts], float) * scale
    high, wide = whole.shape[:2]
    edges = np.clip(
        np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1), 0, (wide, high, wide, high)
    ).astype(np.int64)
    colours = np.array([glyph.style.colour or (-255, -255, -255) for glyph in texts], float)
    grounds = bare[_samples(edges[:, 1], edges[:, 3]), _samples(edges[:, 0], edges[:, 2])]
    stands_out = (np.abs(grounds - colours) >= _LEAST_CONTRAST).any(axis=(0, 2))
    large = np.array([glyph.size for glyph in texts]) >= _LEAST_SIZE
    traces = _within(_sums(_differ(whole, bare)), edges) > 0
    return [bool(told) for told in traces & stands_out & large]


def _picture(page: Any, scale: float) -> NDArray[np.uint8]:
    """The page of shape (height, width, 3), 0-255."""
    import numpy as np

    drawn = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False).to_numpy()
    return np.asarray(drawn[:, :, :3], np.uint8)


def _differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a reader tells two drawings apart, of shape (height, width)."""
    import numpy as np

    apart = (np.maximum(one, other) - np.minimum(one, other)) >= _LEAST_CONTRAST
    seen_there: NDArray[np.bool_] = apart[:, :, 0] | apart[:, :, 1] | apart[:, :, 2]
    return seen_there


def _samples(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pixels near the edges and in the middle of each span, of shape (3, n)."""
    import numpy as np

    inside = np.maximum(last - 1, 0)
    return np.stack([np.minimum(first, inside), np.minimum((first + last) // 2, inside), inside])


def _sums(picture: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Summed-area table, one row and column larger (Crow 1984)."""
    import numpy as np

    return np.pad(picture.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))


def _within(sums: NDArray[np.int32], edges: NDArray[np.int64]) -> NDArray[np.int32]:
    """Sum over each box of shape (n, 4) as left, top, right, bottom in pixels."""
    left, top, right, bottom = edges.T
    total: NDArray[np.int32] = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return total
