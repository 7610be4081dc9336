"""The order in which a page is read: columns, lines, paragraphs.

Pages are cut recursively where nothing stands (the XY-cut of Nagy and Seth 1984), but columns as tall as they can be
come before the gaps between paragraphs, so that a page of two columns is read column by column.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consilience.tools.document.layout import Box, Word, hull

__all__ = ["Line", "Paragraph", "columns", "lines_of", "paragraphs"]

_BULLET = re.compile(r"([•●◦▪‣·*\u2013-]|\(?(\d{1,3}|[a-zA-Z])[.)])(?=\s)")
_ENDED = re.compile(r"[.!?:…][\"'”)\]]*$")
_BROKEN = re.compile(r"[^\W\d_]-$")
_SOFT_HYPHEN = "\xad"
# Of the size: spaces between words are narrower, but in justified lines.
_LEAST_GAP = 0.55
_FLOWING = 3.0


@dataclass(frozen=True)
class Line:
    """Words beside each other, in the order they are read."""

    words: tuple[Word, ...]

    @property
    def box(self) -> Box:
        """Around all words."""
        return hull(word.box for word in self.words)

    @property
    def text(self) -> str:
        """With a space between words."""
        return " ".join(word.text for word in self.words)

    @property
    def segments(self) -> list[tuple[Word, ...]]:
        """The words between gaps that are wider than a space; left to right."""
        least = _LEAST_GAP * self.size
        found: list[list[Word]] = []
        for word in sorted(self.words, key=lambda w: w.box.left):
            if found and word.table is None and word.box.left - found[-1][-1].box.right < least:
                found[-1].append(word)
            else:
                found.append([word])
        return [tuple(words) for words in found]

    @property
    def size(self) -> float:
        """Of most of its characters, points."""
        return statistics.median_high([word.size for word in self.words for _ in word.text] or [0.0])

    @property
    def bold(self) -> bool:
        """Throughout."""
        return all(word.bold for word in self.words)

    @property
    def table(self) -> int | None:
        """Which table it stands for."""
        return self.words[0].table


@dataclass(frozen=True)
class Paragraph:
    """Lines that belong together; a table is a paragraph of its own."""

    lines: tuple[Line, ...]

    @property
    def box(self) -> Box:
        """Around all lines."""
        return hull(line.box for line in self.lines)

    @property
    def size(self) -> float:
        """Of its largest line, points."""
        return max(line.size for line in self.lines)

    @property
    def bold(self) -> bool:
        """Throughout."""
        return all(line.bold for line in self.lines)

    @property
    def table(self) -> int | None:
        """Which table it stands for."""
        return self.lines[0].table

    def joined(self) -> tuple[str, list[tuple[int, Box]]]:
        """Its text, and where in the text each line's begins, with the line's box; broken words are whole again."""
        text, starts = "", list[tuple[int, Box]]()
        for line in self.lines:
            told = line.text
            if text.endswith(_SOFT_HYPHEN) or (_BROKEN.search(text) and told[:1].islower()):
                text = text[:-1]
            elif text:
                text += " "
            starts.append((len(text), line.box))
            text += told
        return text.replace(_SOFT_HYPHEN, ""), starts


def columns(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Blocks of words, each of one column, in reading order."""
    strips = _strips(words)
    start = 0
    while start < len(strips):
        end, gutter = _tallest(strips, start)
        inside = [word for strip in strips[start:end] for word in strip]
        if gutter is None:
            yield inside
        else:
            yield from columns([word for word in inside if word.box.middle[0] < gutter])
            yield from columns([word for word in inside if word.box.middle[0] >= gutter])
        start = end


def _strips(words: Sequence[Word]) -> list[list[Word]]:
    """Words between gaps that go all across, top to bottom."""
    strips: list[list[Word]] = []
    bottom = float("-inf")
    for word in sorted(words, key=lambda w: w.box.top):
        if not strips or word.box.top >= bottom:
            strips.append([])
        strips[-1].append(word)
        bottom = max(bottom, word.box.bottom)
    return strips


def _tallest(strips: list[list[Word]], start: int) -> tuple[int, float | None]:
    """Where the strips from `start` on that share a gutter end, and the gutter's middle.

    Where they share none: the end of those before the next ones that do.
    """
    end, gutter = _shared(strips, start)
    if gutter is not None:
        return end, gutter
    for later in range(start + 1, len(strips)):
        if _shared(strips, later)[1] is not None:
            return later, None
    return len(strips), None


def _shared(strips: list[list[Word]], start: int) -> tuple[int, float | None]:
    """The longest run of strips from `start` on with one gutter, and the gutter's middle."""
    covered: list[tuple[float, float]] = []
    runs: list[tuple[int, list[tuple[float, float]]]] = []
    for end in range(start, len(strips)):
        covered = _joined([*covered, *((w.box.left, w.box.right) for w in strips[end])])
        gaps = [(b[0] - a[1], (a[1] + b[0]) / 2) for a, b in pairwise(covered)]
        if not gaps and end > start:
            break
        if runs and len(runs[-1][1]) == len(gaps):
            runs.pop()  # the same gutters, only longer
        runs.append((end + 1, gaps))
    for end, gaps in reversed(runs):
        inside = [word for strip in strips[start:end] for word in strip]
        least = 0.8 * statistics.median(word.size for word in inside)
        for width, middle in sorted(gaps, reverse=True):
            if width >= least and _flows(inside, middle):
                return end, middle
    return start + 1, None


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if joined and left <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], right))
        else:
            joined.append((left, right))
    return joined


def _flows(words: list[Word], gutter: float) -> bool:
    """Whether running text stands on both sides: several lines of several words each. In tables, cells are short."""
    for side in (False, True):
        lines = lines_of([word for word in words if (word.box.middle[0] >= gutter) == side])
        segments = [words for line in lines for words in line.segments]
        if len(lines) < 2 or sum(map(len, segments)) < _FLOWING * len(segments):
            return False
    return True


def lines_of(words: Sequence[Word]) -> list[Line]:
    """Lines of a block, top to bottom; words whose middles are less than half a size apart share one."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (w.box.middle[1], w.box.left)):
        beside = next((line for line in reversed(lines[-3:]) if _level(line, word)), None)
        if beside is None:
            lines.append([word])
        else:
            beside.append(word)
    return [Line(tuple(_in_order(line))) for line in lines]


def _level(line: list[Word], word: Word) -> bool:
    if word.table is not None or line[0].table is not None:
        return False
    tallest = max(line, key=lambda w: w.size)
    return abs(tallest.box.middle[1] - word.box.middle[1]) < 0.5 * max(tallest.size, word.size)


def _in_order(line: list[Word]) -> list[Word]:
    """Left to right; right to left where most words are in a script that is written so."""
    from unicodedata import bidirectional

    leftward = sum(1 for word in line if any(bidirectional(c) in ("R", "AL") for c in word.text))
    return sorted(line, key=lambda w: w.box.left, reverse=2 * leftward > len(line))


def paragraphs(lines: Sequence[Line]) -> Iterator[Paragraph]:
    """Lines of one column, divided where the distance, the size, the indent or a bullet says so."""
    if not lines:
        return
    right = max(line.box.right for line in lines)
    left = min(line.box.left for line in lines)
    steps = [
        (below.box.bottom - above.box.bottom) / max(above.size, 0.1)
        for above, below in pairwise(lines)
        if _alike(above, below)
    ]
    step = min(statistics.median_low(steps), 1.6) if steps else 1.2
    begun = [lines[0]]
    for line in lines[1:]:
        if _parted(begun[-1], line, step, (left, right)):
            yield Paragraph(tuple(begun))
            begun = []
        begun.append(line)
    yield Paragraph(tuple(begun))


def _alike(above: Line, below: Line) -> bool:
    return abs(above.size - below.size) <= 0.08 * max(above.size, below.size) and above.table is below.table is None


def _parted(above: Line, below: Line, step: float, edges: tuple[float, float]) -> bool:
    """Whether a paragraph ends between two lines; `step` is the usual distance, in sizes."""
    if not _alike(above, below) or above.bold != below.bold:
        return True
    distance = (below.box.bottom - above.box.bottom) / max(above.size, 0.1)
    if distance > step * 1.25 + 0.05 or _BULLET.match(below.text + " "):
        return True
    left, right = edges
    indented = below.box.left - left > 0.8 * below.size and above.box.left - left < 0.4 * below.size
    short = right - above.box.right > 0.25 * (right - left)
    return bool(_ENDED.search(above.text)) and (indented or short)
