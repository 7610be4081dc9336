"""The pages of a PDF as values: words, rules, pictures; read by PDFium, one page at a time."""

from __future__ import annotations

import ctypes
import hashlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from consilience.tools.decoding.pages import address_space
from consilience.tools.decoding.pdfium import ask_pdfium
from consilience.tools.document.glyphs import glyphs, words
from consilience.tools.document.layout import Box, Frame, Leaf, Rule, hull
from consilience.tools.document.things import Matrix, switch_off_bombs, things
from consilience.tools.document.visibility import seen

from consilience.core.errors import Unobservable
from consilience.core.settings import Limits

__all__ = ["Leaves", "read_leaf"]

_THIN = 3.0
_STRAIGHT = 0.7
_LEAST_PICTURE = 100.0
_MOST_HASHED = 1 << 24


class Leaves:
    """The pages of a PDF, one in memory at a time."""

    def __init__(self, path: Path, limits: Limits, *, most: int, seconds: float) -> None:
        """Takes of each page at most the first `most` characters and as many drawn things, in at most `seconds`.

        Raises:
            Unobservable: it is encrypted, broken, or no PDF.
            MissingExtra: PDFium is not installed.
        """
        self._seconds = seconds
        self._request = {
            "path": str(path.resolve()),
            "most": most,
            "pixels": limits.pixels,
            "memory": address_space(limits),
        }
        self.count = int(ask_pdfium({**self._request, "do": "count"}, seconds=seconds)[0]["pages"])

    def read(self, number: int) -> Leaf:
        """Page `number`, counted from 1.

        Raises:
            Unobservable: there is no such page, it cannot be read, or not in that time.
        """
        request = {**self._request, "do": "leaf", "page": number}
        return Leaf.from_json(ask_pdfium(request, seconds=self._seconds)[0])

    def each(self, numbers: Sequence[int]) -> Iterator[tuple[int, Leaf | Unobservable]]:
        """These pages with their numbers, or why one cannot be read; while one is looked at, the next is read."""
        with ThreadPoolExecutor(1, "pdf page") as ahead:
            coming = ahead.submit(self.read, numbers[0]) if numbers else None
            for number, following in zip_longest(numbers, numbers[1:]):
                assert coming
                leaf: Leaf | Unobservable
                try:
                    leaf = coming.result()
                except Unobservable as reason:
                    leaf = reason
                coming = ahead.submit(self.read, following) if following else None
                yield number, leaf


def read_leaf(page: Any, number: int, most: int, most_pixels: int) -> Leaf:
    """An open PDFium page as a value; at most the first `most` characters and as many drawn things.

    Raises:
        Unobservable: it has no area.
    """
    return _Reading(page, number, most, most_pixels).leaf()


class _Reading:
    """One page while PDFium holds it."""

    def __init__(self, page: Any, number: int, most: int, most_pixels: int) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium, self._page, self._number = pdfium, page, number
        self._most, self._most_pixels = most, most_pixels
        left, bottom, right, top = page.get_bbox()
        self._frame = Frame(left, bottom, right, top, page.get_rotation() % 360)
        if min(self._frame.width, self._frame.height) < 1:
            raise Unobservable(f"page {number} has no area")
        self._rules: list[Rule] = []
        self._pictures: list[tuple[Box, str]] = []
        self._text_objects: list[Any] = []
        self._drawings = 0
        self._cut: list[str] = []

    def leaf(self) -> Leaf:
        self._collect()
        if bombs := switch_off_bombs(self._page, self._most_pixels):
            self._cut.append(f"{bombs} pictures of more than {self._most_pixels:,} pixels were not drawn")
        read, count = glyphs(self._page, self._frame, self._most)
        if count > self._most:
            self._cut.append(f"only its first {self._most:,} characters were read")
        legible = [glyph for glyph in read if not glyph.unreadable]
        visible = seen(legible, self._page, self._text_objects)
        found, hidden = words(legible, visible)
        return Leaf(
            number=self._number,
            width=self._frame.width,
            height=self._frame.height,
            words=tuple(found),
            rules=tuple(self._rules),
            pictures=tuple(self._pictures),
            drawings=self._drawings,
            hidden=hidden,
            unreadable=len(read) - len(legible),
            cut="; ".join(self._cut),
        )

    def _collect(self) -> None:
        """Rules, pictures and text objects."""
        pdfium = self._pdfium
        found = things(self._page)
        for thing, kind, matrix in islice(found, self._most):
            if kind == pdfium.FPDF_PAGEOBJ_TEXT:
                self._text_objects.append(thing)
            elif kind == pdfium.FPDF_PAGEOBJ_PATH:
                self._path(thing, matrix)
            elif kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                self._picture(thing, matrix)
        if next(found, None):
            self._cut.append(f"only the first {self._most:,} things drawn on it were looked at")

    def _picture(self, thing: Any, matrix: Matrix) -> None:
        box = self._frame.around(matrix(0, 0), matrix(1, 0), matrix(0, 1), matrix(1, 1))
        box = box.clipped(Box(0, 0, self._frame.width, self._frame.height))
        if box.width > 0 and box.height > 0 and box.area >= _LEAST_PICTURE:
            self._pictures.append((box, self._hash(thing)))

    def _hash(self, thing: Any) -> str:
        size = self._pdfium.FPDFImageObj_GetImageDataRaw(thing, None, 0)
        if not 0 < size <= _MOST_HASHED:
            return ""
        buffer = ctypes.create_string_buffer(size)
        self._pdfium.FPDFImageObj_GetImageDataRaw(thing, buffer, size)
        return hashlib.sha256(buffer.raw).hexdigest()

    def _path(self, thing: Any, matrix: Matrix) -> None:
        """Rules are the straight sides of what is stroked, filled, or so thin that it looks like a line."""
        pdfium = self._pdfium
        self._drawings += 1
        fill, stroke = ctypes.c_int(), pdfium.FPDF_BOOL()
        if not pdfium.FPDFPath_GetDrawMode(thing, fill, stroke) or not (fill.value or stroke.value):
            return
        lines = [line for line in self._lines(thing, matrix) if math.isfinite(sum(line))]
        if not lines:
            return
        box = hull(lines)
        if not stroke.value and box.width > 0.9 * self._frame.width and box.height > 0.9 * self._frame.height:
            return  # the page's background
        if not stroke.value and min(box.width, box.height) <= _THIN:
            x, y = box.middle
            thin = Box(box.left, y, box.right, y) if box.width >= box.height else Box(x, box.top, x, box.bottom)
            self._rules.append(Rule(thin))
            return
        self._rules += [Rule(line) for line in map(_straight, lines) if line]

    def _lines(self, thing: Any, matrix: Matrix) -> Iterator[Box]:
        """The straight pieces of a path; those that are neither level nor upright have width and height."""
        pdfium = self._pdfium
        x, y = ctypes.c_float(), ctypes.c_float()
        start = last = None
        for i in range(min(pdfium.FPDFPath_CountSegments(thing), self._most)):
            piece = pdfium.FPDFPath_GetPathSegment(thing, i)
            pdfium.FPDFPathSegment_GetPoint(piece, x, y)
            here = matrix(x.value, y.value)
            kind = pdfium.FPDFPathSegment_GetType(piece)
            if kind == pdfium.FPDF_SEGMENT_MOVETO:
                start = here
            elif kind == pdfium.FPDF_SEGMENT_LINETO and last:
                yield self._frame.around(last, here)
            last = here
            if pdfium.FPDFPathSegment_GetClose(piece) and start:
                yield self._frame.around(here, start)
                last = start


def _straight(line: Box) -> Box | None:
    """The line made exactly level or upright; None where it is neither."""
    if line.height <= _STRAIGHT:
        y = (line.top + line.bottom) / 2
        return Box(line.left, y, line.right, y)
    if line.width <= _STRAIGHT:
        x = (line.left + line.right) / 2
        return Box(x, line.top, x, line.bottom)
    return None
