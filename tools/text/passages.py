"""Passages of plain text and Markdown, with the characters they stand at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.observations import CharRange, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["PROSE", "Stretch", "passages", "stretches_of"]

PROSE = ("text/plain", "text/markdown")
"""Types of text that people wrote to be read; subtitles and other annotations are not."""

_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_SENTENCE_END = re.compile(r"[.!?…][\"'”)\]]*\s+")


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


@encoder(modality="text", kinds=("passage",), version="2", mimes=PROSE)
def passages(excerpt: Excerpt, *, longest: int = 400) -> Iterator[Observation]:
    """Cuts text into paragraphs, long ones at sentence ends; in Markdown each knows the headings above it.

    Args:
        excerpt: a text, or a stretch of one.
        longest: characters; longer paragraphs are cut.
    """
    for stretch in stretches_of(excerpt, longest):
        context = f"{' > '.join(stretch.headings)}: " if stretch.headings else ""
        value = {"text": stretch.text, "headings": list(stretch.headings)}
        yield excerpt.observe("passage", value, context + stretch.text, locator=stretch.locator)


def stretches_of(excerpt: Excerpt, longest: int = 400) -> Iterator[Stretch]:
    """The passages of a text, each of at most `longest` characters, headings of Markdown aside."""
    text = excerpt.text()
    markdown = excerpt.media.mime == "text/markdown"
    headings: list[tuple[int, str]] = []
    for start, end in _paragraphs(text, markdown):
        heading = _HEADING.match(text[start:end]) if markdown else None
        if heading:
            level = len(heading[1])
            headings = [(upper, title) for upper, title in headings if upper < level]
            headings.append((level, heading[2]))
            continue
        above = tuple(title for _, title in headings)
        for first, last in _pieces(text, start, end, longest):
            if one_line(text[first:last]):  # else nothing but invisible characters
                yield Stretch(text[first:last], first, above)


def _paragraphs(text: str, markdown: bool) -> Iterator[tuple[int, int]]:
    """Stretches between blank lines, without white space around them; a Markdown heading is one of its own."""
    for match in _PARAGRAPH.finditer(text):
        start, end = match.start(), match.start() + len(match[0].rstrip())
        if not markdown:
            yield start, end
            continue
        for line in re.finditer(r"(?:#{1,6}[ \t].*)|(?:(?!#{1,6}[ \t]).+(?:\n(?!#{1,6}[ \t]).+)*)", text[start:end]):
            yield start + line.start(), start + len(line[0].rstrip()) + line.start()


def _pieces(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Cuts at the last sentence end before `longest` characters; at a space, or hard, where there is none."""
    while end - start > longest:
        ends = [match.end() for match in _SENTENCE_END.finditer(text, start, start + longest)]
        space = text.rfind(" ", start + 1, start + longest)
        cut = ends[-1] if ends else space + 1 if space > 0 else start + longest
        yield start, start + len(text[start:cut].rstrip())
        start = cut
    yield start, end
