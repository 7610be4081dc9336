"""Paragraphs in pieces of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["pieces"]

_SENTENCE_END = re.compile(r"[.!?…][\"'”)\]]*\s+")
_SPACE = re.compile(r"\s*")


def pieces(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Spans of `text`, each of at most `longest` (at least 1) characters and without white space around it.

    A piece ends at the last sentence end within its length; at a space, or hard, where there is none.
    """
    end = len(text.rstrip())
    start = _after_space(text, 0)
    while end - start > max(1, longest):
        most = start + max(1, longest)
        ends = [match.end() for match in _SENTENCE_END.finditer(text, start, most)]
        cut = ends[-1] if ends else text.rfind(" ", start, most) + 1 or most
        yield start, start + len(text[start:cut].rstrip())
        start = _after_space(text, cut)
    if end > start:
        yield start, end


def _after_space(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    return space.end() if space else start
