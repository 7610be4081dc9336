"""The characters of a PDF page, and the words that they make, as PDFium's text page has them."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from consilience.tools.document.layout import Box, Frame, Word, hull, quarter

__all__ = ["Glyph", "glyphs", "words"]

_REPLACEMENT = 0xFFFD
_PRIVATE = range(0xE000, 0xF900)
# What PDFium puts between lines and words of its own accord: spaces and line breaks.
_MAY_BE_GENERATED = frozenset((10, 13, 32))
# What it has in place of a hyphen at the end of a line.
_LINE_END_HYPHEN = 2
_SPACE = 0.2
"""Of the size: letters further apart are of two words."""


class Style(NamedTuple):
    """What all characters of a text object have in common."""

    turn: int | None = 0
    """Degrees, clockwise, as `Word.turn`."""
    bold: bool = False
    colour: tuple[int, int, int] | None = None
    """Red, green and blue in 0-255 that they are filled with; None where they are not, or not only."""


class Glyph(NamedTuple):
    """A character on the page as it is seen."""

    text: str
    box: Box
    style: Style
    run: int
    """Address of its text object."""
    unreadable: bool
    """The file does not say what it means."""

    @property
    def size(self) -> float:
        """Points from the font's ascent to its descent."""
        return self.box.width if self.style.turn in (90, 270) else self.box.height


def glyphs(page: Any, frame: Frame, most: int) -> tuple[list[Glyph], int]:
    """The first `most` characters of an open PDFium page, spaces among them; and how many there are."""
    import pypdfium2.raw as pdfium

    text = page.get_textpage()
    try:
        count = max(0, pdfium.FPDFText_CountChars(text.raw))
        return list(_read(text.raw, min(count, most), frame)), count
    finally:
        text.close()


def _read(text: Any, count: int, frame: Frame) -> Iterator[Glyph]:
    import pypdfium2.raw as pdfium

    area, pointer = pdfium.FS_RECTF(), ctypes.c_void_p
    styles: dict[int, Style] = {}
    for i in range(count):
        code = pdfium.FPDFText_GetUnicode(text, i)
        if not code or (code in _MAY_BE_GENERATED and pdfium.FPDFText_IsGenerated(text, i) == 1):
            continue
        if code == _LINE_END_HYPHEN and pdfium.FPDFText_IsHyphen(text, i) == 1:
            code = ord("-")
        pdfium.FPDFText_GetLooseCharBox(text, i, area)
        thing = pdfium.FPDFText_GetTextObject(text, i)
        run = ctypes.cast(thing, pointer).value or 0
        if run not in styles:
            angle = pdfium.FPDFText_GetCharAngle(text, i)
            styles[run] = _style(thing if run else None, quarter(angle, frame.turn))
        unreadable = pdfium.FPDFText_HasUnicodeMapError(text, i) == 1 or _means_nothing(code)
        box = frame.box(area.left, area.bottom, area.right, area.top)
        if math.isfinite(sum(box)):
            yield Glyph(chr(code), box, styles[run], run, unreadable)


def _means_nothing(code: int) -> bool:
    """Control characters, private ones, and what stands where a character is not known."""
    return (code < 32 and not chr(code).isspace()) or code == _REPLACEMENT or code in _PRIVATE


def _style(thing: Any, turn: int | None) -> Style:
    import pypdfium2.raw as pdfium

    if thing is None:
        return Style(turn)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    known = pdfium.FPDFPageObj_GetFillColor(thing, red, green, blue, alpha)
    mode = pdfium.FPDFTextObj_GetTextRenderMode(thing)
    filled = mode in (pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP)
    font, name = pdfium.FPDFTextObj_GetFont(thing), ctypes.create_string_buffer(256)
    if font:
        pdfium.FPDFFont_GetBaseFontName(font, name, len(name))
    bold = any(weight in name.value.lower() for weight in (b"bold", b"black"))
    return Style(turn, bold, (red.value, green.value, blue.value) if known and filled else None)


def words(read: Sequence[Glyph], visible: Sequence[bool]) -> tuple[list[Word], int]:
    """Words of what can be seen, in the order of the file, and how many characters cannot be seen."""
    found: list[Word] = []
    hidden = 0
    for start, end in _runs(read):
        letters = read[start:end]
        # A full stop may leave no trace in a coarse drawing; most of a word must.
        if 2 * sum(visible[start:end]) < len(letters):
            hidden += len(letters)
            continue
        # Characters beyond the basic plane come as surrogate pairs.
        text = "".join(g.text for g in letters).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        if text:
            size, style = max(g.size for g in letters), letters[0].style
            found.append(Word(text, hull([g.box for g in letters]), size, style.turn, style.bold))
    return found, hidden


def _runs(read: Sequence[Glyph]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) glyph of each word."""
    start = 0
    for i, glyph in enumerate(read):
        if glyph.text.isspace():
            if i > start:
                yield start, i
            start = i + 1
        elif i > start and _apart(read[i - 1], glyph):
            yield start, i
            start = i
    if len(read) > start:
        yield start, len(read)


def _apart(one: Glyph, other: Glyph) -> bool:
    """Whether a word ends between two glyphs that follow each other in the file."""
    turn = one.style.turn
    if turn != other.style.turn:
        return True
    if turn is None:
        return one.run != other.run
    a, b = one.box, other.box
    if turn in (90, 270):
        a, b = Box(a.top, a.left, a.bottom, a.right), Box(b.top, b.left, b.bottom, b.right)
    size = max(a.bottom - a.top, b.bottom - b.top, 0.1)
    if abs(a.top + a.bottom - b.top - b.bottom) > size:
        return True
    return max(b.left - a.right, a.left - b.right) > _SPACE * size
