"""Passages of plain text and Markdown, with the characters they stand at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from consilience.tools.bounds import Length
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.pieces import pieces

from consilience.core.errors import Unobservable
from consilience.observations import CharRange, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["PROSE", "Stretch", "passages", "stretches_of"]

PROSE = ("text/plain", "text/markdown")
"""Types of text that people wrote to be read; subtitles and other annotations are not."""

_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*")
_MARKS = re.compile(r"#{1,6}(?=[ \t]+[^\s#])")
_HEADING_OR_PROSE = re.compile(r"(?:#{1,6}[ \t].*)|(?:(?!#{1,6}[ \t]).+(?:\n(?!#{1,6}[ \t]).+)*)")
# Closes every heading, as the end of a text does.
_END = (0, 0, 1)


@dataclass(frozen=True)
class Stretch:
    """A passage and where it stands in the text, in characters."""

    text: str
    start: int
    headings: tuple[str, ...] = ()
    """Above it, the outermost first."""

    @property
    def locator(self) -> Locator:
        """Where it stands."""
        return Locator(chars=CharRange(start=self.start, end=self.start + len(self.text)))


@encoder(modality="text", kinds=("passage",), version="3", mimes=PROSE)
def passages(excerpt: Excerpt, *, longest: Length = 400) -> Iterator[Observation]:
    """Cuts text into paragraphs, long ones at sentence ends; in Markdown each knows the headings above it.

    Args:
        excerpt: a text, or a stretch of one.
        longest: characters; longer paragraphs are cut.
    """
    told = 0
    for stretch in stretches_of(excerpt, longest):
        told += 1
        context = f"{' > '.join(stretch.headings)}: " if stretch.headings else ""
        value = {"text": stretch.text, "headings": list(stretch.headings)}
        yield excerpt.observe("passage", value, context + stretch.text, locator=stretch.locator)
    if not told:
        raise Unobservable("it holds no words")


def stretches_of(excerpt: Excerpt, longest: int = 400) -> Iterator[Stretch]:
    """The passages of a text, each of at most `longest` characters.

    A heading of Markdown is told with what stands below it; one that nothing stands below is a passage itself.
    """
    text = excerpt.text()
    above: list[tuple[int, str]] = []
    blocks = _blocks(text, markdown=excerpt.media.mime == "text/markdown")
    for (start, end, level), (*_, next_level) in pairwise(chain(blocks, [_END])):
        if level:
            above = [(upper, title) for upper, title in above if upper < level]
        if not level or 0 < next_level <= level:
            headings = tuple(title for _, title in above)
            for first, last in pieces(text[start:end], longest):
                if one_line(text[start + first : start + last]):  # else nothing but invisible characters
                    yield Stretch(text[start + first : start + last], start + first, headings)
        if level:
            above.append((level, text[start:end]))


def _blocks(text: str, *, markdown: bool) -> Iterator[tuple[int, int, int]]:
    """(start, end, 0) of stretches between blank lines, without white space around them.

    In Markdown a heading is a block of its own: (start of its words, their end, its level from 1).
    """
    for match in _PARAGRAPH.finditer(text):
        start, end = match.start(), match.start() + len(match[0].rstrip())
        if not markdown:
            yield start, end, 0
            continue
        for line in _HEADING_OR_PROSE.finditer(text, start, end):
            marks = _MARKS.match(line[0])
            title = _title(line[0][marks.end() :]) if marks else line[0]
            first = line.start() + line[0].index(title)
            yield first, first + len(title), marks.end() if marks else 0


def _title(told: str) -> str:
    """The words of a heading, without the marks that may close it."""
    words = told.strip()
    opened = words.rstrip("#")
    return opened.rstrip() if opened[-1].isspace() else words
