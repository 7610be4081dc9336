"""Presentations (pptx), opened by python-pptx: each slide a page, each shape a region of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from consilience.tools.bounds import Few, Length, Many
from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.document.layout import Box
from consilience.tools.document.office import EMU_PER_POINT, Pictures, opened
from consilience.tools.document.outline import Outline
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Locator, Observation, Region

__all__ = ["slides"]

_LEAST_SIZE = 2 * EMU_PER_POINT
_ROW = 0.04
_DEEPEST = 20


@encoder(
    modality="document",
    kinds=("passage", "table", "cell", "part"),
    version="2",
    cost="light",
    extra="document",
    mimes=("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
)
def slides(
    excerpt: Excerpt, *, longest: Length = 400, most_cells: Many = 20_000, most_pictures: Few = 200
) -> Iterator[Observation]:
    """Reads a presentation: texts, tables, charts and speaker notes by slide and place; pictures go to image encoders.

    Args:
        excerpt: a pptx presentation, or one slide of it.
        longest: characters of a passage; longer paragraphs are cut at sentence ends.
        most_cells: cells of tables that are told, all in all.
        most_pictures: pictures that are handed to image encoders.
    """
    show = opened(excerpt, "pptx", _load)
    outline = Outline(excerpt, longest, most_cells)
    reader = _Reader(outline, Pictures(outline, most_pictures), show.slide_width or 1, show.slide_height or 1)
    told = 0
    for observation in reader.slides(show.slides, excerpt.where.page):
        told += 1
        yield observation
    if not told:
        raise Unobservable("there is nothing to read or to see in it")


def _load(path: str) -> Any:
    import pptx

    return pptx.Presentation(path)


class _Placed(NamedTuple):
    """A shape that is no group, and its box in EMU from the slide's top left corner."""

    shape: Any
    box: Box


@dataclass
class _Reader:
    outline: Outline
    pictures: Pictures
    width: int
    height: int

    def slides(self, slides: Any, wanted: int | None) -> Iterator[Observation]:
        """All slides, or the one of this number; then what was left out."""
        for number, slide in enumerate(slides, 1):
            if wanted in (None, number):
                yield from self.slide(slide, number)
        yield from self.pictures.close()
        yield from self.outline.close()

    def slide(self, slide: Any, number: int) -> Iterator[Observation]:
        """Title first, then the shapes from top to bottom, then the notes."""
        self.outline.excerpt.check()
        here = Locator(page=number)
        if slide._element.get("show") in ("0", "false"):
            yield self.outline.unobserved(("passage",), f"slide {number} is hidden and was left out", here)
            return
        title = slide.shapes.title
        if title is not None and _text(title)[0]:
            box = next(p.box for p in _placed(slide.shapes) if p.shape._element is title._element)
            yield from self.outline.heading(1, _text(title)[0], Locator(page=number, region=self._region(box)))
        else:
            self.outline.forget(1)
        hidden = tables = 0
        for shape, box in sorted(_placed(slide.shapes), key=self._place):
            if title is not None and shape._element is title._element:
                continue
            text, unseen = _text(shape) if shape.has_text_frame else ("", 0)
            off = box.right <= 0 or box.bottom <= 0 or box.left >= self.width or box.top >= self.height
            if off or _is_hidden(shape):
                hidden += len(text) + unseen
                continue
            hidden += unseen
            where = Locator(page=number, region=self._region(box))
            if grid := _table(shape) or _chart(shape):
                tables += 1
                yield from self.outline.table(grid, tables, where)
            yield from self._paragraphs(shape, where)
            yield from self._picture(shape, slide, box, here)
        yield from self._notes(slide, here)
        yield from self.outline.end()
        if hidden:
            told = f"hidden text left out on slide {number}: {hidden:,} characters that nobody can see"
            yield self.outline.unobserved(("passage",), told, here)

    def _place(self, placed: _Placed) -> tuple[int, float]:
        """Rows of shapes from top to bottom, each from left to right."""
        return round(placed.box.top / (_ROW * self.height)), placed.box.left

    def _region(self, box: Box) -> Region:
        fractions = (box.left / self.width, box.top / self.height, box.right / self.width, box.bottom / self.height)
        return Region.from_pixels(fractions, width=1, height=1)

    def _paragraphs(self, shape: Any, where: Locator) -> Iterator[Observation]:
        if shape.has_text_frame:
            for paragraph in shape.text_frame.paragraphs:
                text, _ = _runs(paragraph)
                yield from self.outline.passage(text, where)

    def _picture(self, shape: Any, slide: Any, box: Box, here: Locator) -> Iterator[Observation]:
        blips = shape._element.xpath(".//a:blip/@r:embed | .//a:blip/@r:link")
        for key in blips:
            if key in slide.part.rels:
                yield from self.pictures(slide.part.rels[key], (int(box.width), int(box.height)), here)

    def _notes(self, slide: Any, here: Locator) -> Iterator[Observation]:
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            told = slide.notes_slide.notes_text_frame.text
            if told.strip():
                yield from self.outline.heading(2, "Speaker notes", here)
                yield from self.outline.passage(told, here)


def _placed(shapes: Any, scale: tuple[float, float, float, float] = (1, 0, 1, 0), depth: int = 0) -> Iterator[_Placed]:
    """Shapes with their boxes; groups are gone into. `scale` takes x to `scale[0] x + scale[1]`, and y likewise."""
    for shape in shapes:
        left, top = (shape.left or 0) * scale[0] + scale[1], (shape.top or 0) * scale[2] + scale[3]
        box = Box(left, top, left + (shape.width or 0) * scale[0], top + (shape.height or 0) * scale[2])
        if not hasattr(shape, "shapes"):
            yield _Placed(shape, box)
        elif depth < _DEEPEST:
            yield from _placed(shape.shapes, _inner(shape, box), depth + 1)


def _inner(group: Any, box: Box) -> tuple[float, float, float, float]:
    """From the space of a group's children to the slide's (ECMA-376, part 1, 20.1.7.5 grpSpPr xfrm)."""
    xfrm = group._element.grpSpPr.find("{http://schemas.openxmlformats.org/drawingml/2006/main}xfrm")
    inner = None if xfrm is None else xfrm.find("{http://schemas.openxmlformats.org/drawingml/2006/main}chExt")
    start = None if xfrm is None else xfrm.find("{http://schemas.openxmlformats.org/drawingml/2006/main}chOff")
    if inner is None or start is None:
        return 1, box.left, 1, box.top
    wide, high = int(inner.get("cx", 0)) or 1, int(inner.get("cy", 0)) or 1
    x, y = box.width / wide, box.height / high
    return x, box.left - int(start.get("x", 0)) * x, y, box.top - int(start.get("y", 0)) * y


def _is_hidden(shape: Any) -> bool:
    return bool(shape._element.xpath("./*/p:cNvPr[@hidden='1' or @hidden='true']"))


def _text(shape: Any) -> tuple[str, int]:
    """What a shape says, and how many characters of it are too small to be seen."""
    told = [_runs(paragraph) for paragraph in shape.text_frame.paragraphs]
    return " ".join(text for text, _ in told if text), sum(unseen for _, unseen in told)


def _runs(paragraph: Any) -> tuple[str, int]:
    if not any(run.font.size is not None and run.font.size < _LEAST_SIZE for run in paragraph.runs):
        return paragraph.text.replace("\v", " ").strip(), 0
    seen = [run.text for run in paragraph.runs if run.font.size is None or run.font.size >= _LEAST_SIZE]
    return "".join(seen).strip(), sum(len(run.text) for run in paragraph.runs) - sum(map(len, seen))


def _table(shape: Any) -> Grid | None:
    if not shape.has_table:
        return None
    table = shape.table
    cells = [
        GridCell(
            " ".join(cell.text.split()),
            r,
            c,
            cell.span_height if cell.is_merge_origin else 1,
            cell.span_width if cell.is_merge_origin else 1,
        )
        for r, row in enumerate(table.rows)
        for c, cell in enumerate(row.cells)
        if not cell.is_spanned
    ]
    return Grid(tuple(cells), marked=None if table.first_row else 0)


def _chart(shape: Any) -> Grid | None:
    """The figures that a chart draws, as a table: a row for each category, a column for each series."""
    if not shape.has_chart:
        return None
    chart = shape.chart
    title = chart.chart_title.text_frame.text if chart.has_title and chart.chart_title.has_text_frame else ""
    plots = list(chart.plots)
    if not plots:
        return None
    categories, series = [str(c) for c in plots[0].categories], [s for plot in plots for s in plot.series]
    rows = [[title or "chart", *(s.name for s in series)]]
    rows += [
        [category, *(_figure(s.values[i]) if i < len(s.values) else "" for s in series)]
        for i, category in enumerate(categories)
    ]
    cells = [GridCell(text, r, c) for r, row in enumerate(rows) for c, text in enumerate(row)]
    return Grid(tuple(cells), marked=1) if len(rows) > 1 and series else None


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
