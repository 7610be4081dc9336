"""Passages of plain text and Markdown, with the characters they stand at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import CharRange, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["passages"]

_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_SENTENCE_END = re.compile(r"[.!?…][\"'”)\]]*\s+")


@encoder(modality="text", kinds=("passage",), version="1")
def passages(excerpt: Excerpt, *, longest: int = 400) -> Iterator[Observation]:
    """Cuts text into paragraphs, long ones at sentence ends; in Markdown each knows the headings above it."""
    text = excerpt.text()
    if not one_line(text):
        raise Unobservable("there is nothing written in it")
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
            passage = text[first:last]
            if not one_line(passage):
                continue  # nothing but invisible characters
            context = f"{' > '.join(above)}: " if above else ""
            yield excerpt.observe(
                "passage",
                {"text": passage, "headings": list(above)},
                context + passage,
                locator=Locator(chars=CharRange(start=first, end=last)),
            )


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
