"""PDF documents, page by page: passages in reading order, tables cell by cell, figures and scans for image encoders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from consilience.tools.bounds import Few, Length, Many, Share, Window
from consilience.tools.document.aligned import aligned
from consilience.tools.document.figures import figures, is_garbled, is_scan
from consilience.tools.document.grids import Grid
from consilience.tools.document.layout import Leaf, Word, hull
from consilience.tools.document.leaves import Leaves
from consilience.tools.document.outline import Outline
from consilience.tools.document.reading import Paragraph, columns, lines_of, paragraphs
from consilience.tools.document.upright import Upright, without_tables
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.pieces import pieces

from consilience.core.errors import Unobservable
from consilience.observations import Locator, Observation

__all__ = ["pdf"]

_HEADING = 1.15
_LONGEST_HEADING = 200
_MARGIN = 0.08
_PAGE_NUMBER = re.compile(r"\W*(?:page|seite|p\.)?\s*\d+\s*(?:(?:of|von|/)\s*\d+)?\W*", re.IGNORECASE)
_MOST_REMEMBERED = 1000


@encoder(
    modality="document",
    kinds=("passage", "table", "cell", "part"),
    version="1",
    cost="medium",
    extra="document",
    mimes=("application/pdf",),
)
def pdf(
    excerpt: Excerpt,
    *,
    longest: Length = 400,
    smallest_figure: Share = 0.01,
    most_figures: Few = 200,
    most_cells: Many = 20_000,
    most_on_page: Many = 100_000,
    page_seconds: Window = 30.0,
) -> Iterator[Observation]:
    """Reads a PDF: paragraphs, tables cell by cell, each with page and box; its figures and scans go to image encoders.

    Args:
        excerpt: a PDF, one page of it, or a region of a page.
        longest: characters of a passage; longer paragraphs are cut at sentence ends.
        smallest_figure: share of the page that a picture covers at least to be looked at.
        most_figures: pictures and scanned pages that are handed to image encoders, all in all.
        most_cells: cells of tables that are told, all in all.
        most_on_page: characters of a page, and things drawn on it, that are looked at.
        page_seconds: longest that reading a page may take.
    """
    reader = _Reader(Outline(excerpt, longest, most_cells), smallest_figure, most_figures)
    limits = excerpt.settings.limits
    leaves = Leaves(excerpt.path, limits, most=most_on_page, seconds=page_seconds)
    numbers = [excerpt.where.page] if excerpt.where.page else range(1, min(leaves.count, limits.pages) + 1)
    for number, leaf in leaves.each(numbers):
        excerpt.check()
        if isinstance(leaf, Unobservable):
            reader.observed = True
            yield reader.outline.unobserved(("passage", "table", "part"), str(leaf), Locator(page=number))
        else:
            yield from reader.page(leaf.cropped(excerpt.where.region) if excerpt.where.region else leaf)
    if not excerpt.where.page and leaves.count > limits.pages:
        told = f"only the first {limits.pages:,} of {leaves.count:,} pages were read"
        yield reader.outline.unobserved(("passage",), told)
    yield from reader.close()
    if not reader.observed:
        raise Unobservable("there is nothing to read or to see in it")


@dataclass
class _Continued:
    """A table that may go on at the top of the next page."""

    page: int
    edges: tuple[float, ...]
    columns: tuple[str, ...]
    header: tuple[str, ...]


@dataclass
class _Reader:
    """What is remembered from page to page."""

    outline: Outline
    smallest_figure: float
    most_figures: int
    observed: bool = False
    _sizes: Counter[float] = field(default_factory=Counter)
    _furniture: set[str] = field(default_factory=set)
    _pictures: set[str] = field(default_factory=set)
    _looked_at: int = 0
    _left_out: int = 0
    _above: _Continued | None = None

    def page(self, leaf: Leaf) -> Iterator[Observation]:
        for observation in self._page(leaf):
            self.observed = True
            yield observation

    def _page(self, leaf: Leaf) -> Iterator[Observation]:
        here = Locator(page=leaf.number)
        if leaf.cut:
            yield self.outline.unobserved(("passage",), f"page {leaf.number}: {leaf.cut}", here)
        if leaf.hidden:
            told = f"hidden text left out on page {leaf.number}: {leaf.hidden:,} characters that nobody can see"
            yield self.outline.unobserved(("passage",), told, here)
        if is_scan(leaf):
            yield from self._scan(leaf, here)
            leaf = replace(leaf, pictures=(), words=() if is_garbled(leaf) else leaf.words)
        yield from self._words(leaf)
        yield from self._figures(leaf)

    def _scan(self, leaf: Leaf, here: Locator) -> Iterator[Observation]:
        if is_garbled(leaf):
            told = f"the text layer of page {leaf.number} cannot be read: its fonts do not say what their glyphs mean"
            yield self.outline.unobserved(("passage",), told, here)
        if self._may_look():
            yield self.outline.part("image", "scan", here)

    def _may_look(self) -> bool:
        if self._looked_at >= self.most_figures:
            self._left_out += 1
            return False
        self._looked_at += 1
        return True

    def _figures(self, leaf: Leaf) -> Iterator[Observation]:
        for box, key in figures(leaf, self.smallest_figure):
            # A logo on every page is looked at once.
            if key.strip() and key in self._pictures:
                continue
            if len(self._pictures) < _MOST_REMEMBERED:
                self._pictures.add(key)
            if self._may_look():
                yield self.outline.part("image", "figure", Locator(page=leaf.number, region=leaf.region(box)))

    def _words(self, leaf: Leaf) -> Iterator[Observation]:
        """Text of every direction by itself, the most used first, as if the page were turned so that it is level."""
        turns = Counter(word.turn for word in leaf.words for _ in word.text)
        for turn, _ in turns.most_common():
            words = tuple(word for word in leaf.words if word.turn == turn)
            if turn is None:
                box = hull(word.box for word in words)
                yield from self.outline.passage(
                    " ".join(word.text for word in words), Locator(page=leaf.number, region=leaf.region(box))
                )
            else:
                yield from self._level(Upright(leaf, turn, words), first=turn == turns.most_common(1)[0][0])

    def _level(self, upright: Upright, first: bool) -> Iterator[Observation]:
        leaf = upright.leaf
        grids = list(upright.tables()) if first else []
        words = without_tables(leaf.words, grids)
        blocks: list[list[Word]] = []
        for block in columns(words):
            found = list(aligned(block)) if first else []
            blocks.append(without_tables(block, found, len(grids)))
            grids += found
        for word in leaf.words:
            self._sizes[round(word.size, 1)] += len(word.text)
        body = self._sizes.most_common(1)[0][0] if self._sizes else 0.0
        number = 0
        for paragraph in chain.from_iterable(paragraphs(lines_of(block)) for block in blocks):
            if paragraph.table is not None:
                number += 1
                yield from self._table(grids[paragraph.table], number, upright)
            elif not self._is_furniture(paragraph, leaf):
                yield from self._paragraph(paragraph, upright, body)

    def _is_furniture(self, paragraph: Paragraph, leaf: Leaf) -> bool:
        """Whether it is a page number, or a header or footer that an earlier page had too."""
        box = paragraph.box
        if box.bottom > _MARGIN * leaf.height and box.top < (1 - _MARGIN) * leaf.height:
            return False
        text = paragraph.joined()[0]
        if _PAGE_NUMBER.fullmatch(text):
            return True
        key = re.sub(r"\d+", "#", text)
        if key in self._furniture:
            return True
        if len(self._furniture) < _MOST_REMEMBERED:
            self._furniture.add(key)
        return False

    def _paragraph(self, paragraph: Paragraph, upright: Upright, body: float) -> Iterator[Observation]:
        text, starts = paragraph.joined()
        page = upright.leaf.number
        if paragraph.size >= _HEADING * body and len(text) <= _LONGEST_HEADING:
            # Larger letters are higher headings.
            where = Locator(page=page, region=upright.region(paragraph.box))
            yield from self.outline.heading(-round(paragraph.size), text, where)
            return
        for start, end in pieces(text, self.outline.longest):
            ends = [next_start for next_start, _ in starts[1:]] + [len(text)]
            boxes = [box for (at, box), to in zip(starts, ends, strict=True) if at < end and to > start]
            where = Locator(page=page, region=upright.region(hull(boxes or [paragraph.box])))
            yield from self.outline.passage(text[start:end], where)

    def _table(self, grid: Grid, number: int, upright: Upright) -> Iterator[Observation]:
        """A table; one that goes on from the page before keeps its header, repeated or not."""
        leaf, box = upright.leaf, grid.box or upright.leaf.frame
        edges = tuple(sorted({round(cell.box.left) for cell in grid.cells if cell.box}))
        names, note = grid.names, ""
        above = self._above
        goes_on = (
            above is not None
            and above.page == leaf.number - 1
            and len(above.columns) == grid.width
            and _same(above.edges, edges)
            and box.top < 0.25 * leaf.height
        )
        if above and goes_on:
            note = f"it goes on from page {above.page}"
            if names != above.header:
                grid = replace(grid, marked=0)
                names = above.columns
        columns = tuple(name or f"column {i}" for i, name in enumerate(names, 1))
        cells = tuple(replace(cell, region=upright.region(cell.box)) if cell.box else cell for cell in grid.cells)
        where = Locator(page=leaf.number, region=upright.region(box))
        yield from self.outline.table(replace(grid, cells=cells), number, where, names=names, note=note)
        low = box.bottom > 0.6 * leaf.height
        self._above = _Continued(leaf.number, edges, columns, names) if low else None

    def close(self) -> Iterator[Observation]:
        yield from self.outline.close()
        if self._left_out:
            told = f"{self._left_out:,} figures and scanned pages were not looked at: only {self.most_figures} are"
            yield self.outline.unobserved(("part",), told)


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= 3 for a, b in zip(one, other, strict=True))
