"""The pages of a PDF as values: words, rules, pictures; read by PDFium, one page in memory at a time."""

from __future__ import annotations

import ctypes
import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from consilience.tools.decoding.pdfium import PDFIUM, Matrix, open_pdf, switch_off_bombs, things
from consilience.tools.document.layout import Box, Leaf, Rule, Word, quarter
from consilience.tools.document.visibility import Drawn, seen

from consilience.core.errors import Unobservable
from consilience.core.settings import Limits

__all__ = ["Leaves", "open_leaves"]

_THIN = 3.0
_STRAIGHT = 0.7
_LEAST_PICTURE = 100.0
_REPLACEMENT = "\ufffd"


class Leaves:
    """An open PDF. Its document stays open between pages, but PDFium's lock is held for one page at a time."""

    def __init__(self, document: Any, limits: Limits, most: int) -> None:
        self._document = document
        self._most = most
        self._limits = limits
        with PDFIUM:
            self.count = len(document)

    def read(self, number: int) -> Leaf:
        """Page `number`, counted from 1.

        Raises:
            Unobservable: there is no such page, or it cannot be read.
        """
        import pypdfium2

        with PDFIUM:
            if not 1 <= number <= self.count:
                raise Unobservable(f"it has no page {number}")
            try:
                page = self._document[number - 1]
            except pypdfium2.PdfiumError as problem:
                raise Unobservable(f"page {number} cannot be read ({problem})") from problem
            try:
                return _Reading(page, number, self._limits, self._most).leaf()
            except pypdfium2.PdfiumError as problem:
                raise Unobservable(f"page {number} cannot be read ({problem})") from problem
            finally:
                page.close()


@contextmanager
def open_leaves(path: Path, limits: Limits, *, most: int = 100_000) -> Iterator[Leaves]:
    """The pages of the PDF at `path`; of each, at most the first `most` characters and as many drawn things.

    Raises:
        Unobservable: it is encrypted, broken, or has no pages.
        MissingExtra: PDFium is not installed.
    """
    with PDFIUM:
        document = open_pdf(path)
    try:
        yield Leaves(document, limits, most)
    finally:
        with PDFIUM:
            document.close()


class _Reading:
    """One page while PDFium holds it."""

    def __init__(self, page: Any, number: int, limits: Limits, most: int) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium, self._page, self._number, self._limits, self._most = pdfium, page, number, limits, most
        self._turn = page.get_rotation() % 360
        left, bottom, right, top = page.get_bbox()
        self._frame = (left, bottom, right, top)
        wide, high = right - left, top - bottom
        self.width, self.height = (high, wide) if self._turn in (90, 270) else (wide, high)
        if min(self.width, self.height) < 1:
            raise Unobservable(f"page {number} has no area")
        self._rules: list[Rule] = []
        self._pictures: list[tuple[Box, str]] = []
        self._texts: dict[int, tuple[Drawn, bool]] = {}
        self._text_objects: list[Any] = []
        self._drawings = 0
        self._cut: list[str] = []

    def leaf(self) -> Leaf:
        pdfium = self._pdfium
        self._collect()
        if bombs := switch_off_bombs(self._page, self._limits):
            self._cut.append(f"{bombs} pictures of more than {self._limits.pixels:,} pixels were not drawn")
        glyphs = self._glyphs()
        unreadable = sum(1 for glyph in glyphs if glyph.unreadable)
        legible = [glyph for glyph in glyphs if not glyph.unreadable]
        visible = seen(
            [(glyph.box, self._drawn(glyph.run)) for glyph in legible], self._page, self._text_objects, pdfium
        )
        words, hidden = _words(legible, visible)
        return Leaf(
            number=self._number,
            width=self.width,
            height=self.height,
            words=tuple(words),
            rules=tuple(self._rules),
            pictures=tuple(self._pictures),
            drawings=self._drawings,
            hidden=hidden,
            unreadable=unreadable,
            cut="; ".join(self._cut),
        )

    def _upright(self, x: float, y: float) -> tuple[float, float]:
        """From PDF user space to the page as it is seen."""
        left, bottom, right, top = self._frame
        if self._turn == 90:
            return y - bottom, x - left
        if self._turn == 180:
            return right - x, y - bottom
        if self._turn == 270:
            return top - y, right - x
        return x - left, top - y

    def _box(self, *corners: tuple[float, float]) -> Box:
        xs, ys = zip(*(self._upright(*corner) for corner in corners), strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

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
        box = self._box(matrix(0, 0), matrix(1, 0), matrix(0, 1), matrix(1, 1))
        box = box.clipped(Box(0, 0, self.width, self.height))
        if box.width > 0 and box.height > 0 and box.area >= _LEAST_PICTURE:
            self._pictures.append((box, self._hash(thing)))

    def _hash(self, thing: Any) -> str:
        size = self._pdfium.FPDFImageObj_GetImageDataRaw(thing, None, 0)
        if not 0 < size <= self._limits.media_bytes:
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
        lines = list(self._lines(thing, matrix))
        if not lines:
            return
        box = Box(*(edge(values) for edge, values in zip((min, min, max, max), _spans(lines), strict=True)))
        if not stroke.value and box.width > 0.9 * self.width and box.height > 0.9 * self.height:
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
                yield self._box(last, here)
            last = here
            if pdfium.FPDFPathSegment_GetClose(piece) and start:
                yield self._box(here, start)
                last = start

    def _drawn(self, run: int) -> Drawn:
        return self._texts[run][0] if run in self._texts else Drawn()

    def _glyphs(self) -> list[_Glyph]:
        pdfium = self._pdfium
        text = self._page.get_textpage()
        try:
            count = pdfium.FPDFText_CountChars(text.raw)
            if count > self._most:
                self._cut.append(f"only its first {self._most:,} characters were read")
            read = (self._glyph(text.raw, i) for i in range(min(count, self._most)))
            return [glyph for glyph in read if glyph]
        finally:
            text.close()

    def _glyph(self, text: Any, i: int) -> _Glyph | None:
        pdfium = self._pdfium
        code = pdfium.FPDFText_GetUnicode(text, i)
        if pdfium.FPDFText_IsGenerated(text, i) == 1 or not code:
            return None
        area = pdfium.FS_RECTF()
        pdfium.FPDFText_GetLooseCharBox(text, i, area)
        box = self._box((area.left, area.top), (area.right, area.bottom))
        angle = quarter(pdfium.FPDFText_GetCharAngle(text, i) + math.radians(self._turn))
        thing = pdfium.FPDFText_GetTextObject(text, i)
        run = ctypes.cast(thing, ctypes.c_void_p).value or 0
        if run and run not in self._texts:
            self._texts[run] = (_drawn(thing, pdfium), _is_bold(thing, pdfium))
        bold = run in self._texts and self._texts[run][1]
        character = chr(code)
        unreadable = pdfium.FPDFText_HasUnicodeMapError(text, i) == 1 or _means_nothing(character)
        return _Glyph(character, box, angle, run, bold, unreadable)


class _Glyph(NamedTuple):
    text: str
    box: Box
    turn: int | None
    run: int
    bold: bool
    unreadable: bool

    @property
    def size(self) -> float:
        return self.box.width if self.turn in (90, 270) else self.box.height


def _means_nothing(character: str) -> bool:
    """Control characters, private ones, and what stands where a character is not known."""
    code = ord(character)
    return (code < 32 and not character.isspace()) or character == _REPLACEMENT or 0xE000 <= code <= 0xF8FF


def _spans(lines: list[Box]) -> Iterator[tuple[float, ...]]:
    yield from zip(*lines, strict=True)


def _straight(line: Box) -> Box | None:
    """The line made exactly level or upright; None where it is neither."""
    if line.height <= _STRAIGHT:
        y = (line.top + line.bottom) / 2
        return Box(line.left, y, line.right, y)
    if line.width <= _STRAIGHT:
        x = (line.left + line.right) / 2
        return Box(x, line.top, x, line.bottom)
    return None


def _drawn(thing: Any, pdfium: Any) -> Drawn:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    known = pdfium.FPDFPageObj_GetFillColor(thing, red, green, blue, alpha)
    mode = pdfium.FPDFTextObj_GetTextRenderMode(thing)
    filled = mode in (pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP)
    return Drawn(colour=(red.value, green.value, blue.value) if known and filled else None)


def _is_bold(thing: Any, pdfium: Any) -> bool:
    font = pdfium.FPDFTextObj_GetFont(thing)
    if not font:
        return False
    name = ctypes.create_string_buffer(256)
    pdfium.FPDFFont_GetBaseFontName(font, name, len(name))
    return b"bold" in name.value.lower() or b"black" in name.value.lower()


def _words(glyphs: list[_Glyph], visible: list[bool]) -> tuple[list[Word], int]:
    """Words of what can be seen, and how many characters cannot."""
    words: list[Word] = []
    hidden = 0
    for start, end in _runs(glyphs):
        word = glyphs[start:end]
        lost = visible[start:end].count(False)
        # A full stop may leave no trace in a coarse drawing; most of a word must.
        if 2 * lost > len(word):
            hidden += len(word)
            continue
        box = Box(
            min(g.box.left for g in word),
            min(g.box.top for g in word),
            max(g.box.right for g in word),
            max(g.box.bottom for g in word),
        )
        text = "".join(g.text for g in word)
        # Characters beyond the basic plane come as surrogate pairs.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        if text:
            size = max(g.size for g in word)
            words.append(Word(text, box, size, word[0].turn, all(g.bold for g in word)))
    return words, hidden


def _runs(glyphs: list[_Glyph]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) glyph of each word."""
    start = 0
    for i, glyph in enumerate(glyphs):
        if glyph.text.isspace():
            if i > start:
                yield start, i
            start = i + 1
        elif i > start and _apart(glyphs[i - 1], glyph):
            yield start, i
            start = i
    if len(glyphs) > start:
        yield start, len(glyphs)


def _apart(one: _Glyph, other: _Glyph) -> bool:
    """Whether a word ends between two glyphs that follow each other in the file."""
    if one.turn != other.turn:
        return True
    if one.turn is None:
        return one.run != other.run
    across = one.turn in (90, 270)
    first, second = (_swapped(one.box), _swapped(other.box)) if across else (one.box, other.box)
    size = max(one.size, other.size, 0.1)
    if abs(first.middle[1] - second.middle[1]) > 0.5 * size:
        return True
    gap = max(second.left - first.right, first.left - second.right)
    return gap > 0.2 * size


def _swapped(box: Box) -> Box:
    return Box(box.top, box.left, box.bottom, box.right)
