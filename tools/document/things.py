"""What is drawn on the pages of PDFs, as PDFium has it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

__all__ = ["Matrix", "switch_off_bombs", "things"]

# Forms may be nested, even in themselves.
_DEEPEST = 12
_MOST_THINGS = 200_000


class Matrix(NamedTuple):
    """x' = a x + c y + e; y' = b x + d y + f (ISO 32000-1, 8.3.3)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        """Where a point comes to lie."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def then(self, outer: Matrix) -> Matrix:
        """This one first, then `outer`."""
        a, b, c, d = self[:4]
        return Matrix(
            outer.a * a + outer.c * b,
            outer.b * a + outer.d * b,
            outer.a * c + outer.c * d,
            outer.b * c + outer.d * d,
            *outer(self.e, self.f),
        )


def things(page: Any) -> Iterator[tuple[Any, int, Matrix]]:
    """(raw object, its type, what takes its space to the page's), in drawing order; forms are gone into."""
    import pypdfium2.raw as pdfium

    def walk(get: Any, count: int, outer: Matrix, depth: int) -> Iterator[tuple[Any, int, Matrix]]:
        for i in range(max(0, count)):
            thing = get(i)
            kind = pdfium.FPDFPageObj_GetType(thing)
            matrix = _matrix(thing).then(outer)
            if kind != pdfium.FPDF_PAGEOBJ_FORM:
                yield thing, kind, matrix
            elif depth < _DEEPEST:
                inside = pdfium.FPDFFormObj_CountObjects(thing)
                yield from walk(lambda k, form=thing: pdfium.FPDFFormObj_GetObject(form, k), inside, matrix, depth + 1)

    count = pdfium.FPDFPage_CountObjects(page)
    yield from walk(lambda i: pdfium.FPDFPage_GetObject(page, i), count, Matrix(), 0)


def switch_off_bombs(page: Any, most_pixels: int) -> int:
    """Pictures of more pixels than that are not drawn; how many there are."""
    import pypdfium2.raw as pdfium

    off = 0
    for thing, kind, _ in islice(things(page), _MOST_THINGS):
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE and _pixels(thing) > most_pixels:
            pdfium.FPDFPageObj_SetIsActive(thing, False)
            off += 1
    return off


def _pixels(picture: Any) -> int:
    """How many an image object unpacks to, by its own word, which is what PDFium makes room for."""
    import pypdfium2.raw as pdfium

    width, height = ctypes.c_uint(), ctypes.c_uint()
    pdfium.FPDFImageObj_GetImagePixelSize(picture, width, height)
    return width.value * height.value


def _matrix(thing: Any) -> Matrix:
    import pypdfium2.raw as pdfium

    found = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(thing, found):
        return Matrix()
    return Matrix(found.a, found.b, found.c, found.d, found.e, found.f)
