"""Text documents (docx), opened by python-docx: headings, paragraphs, lists, tables, pictures, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consilience.tools.bounds import Few, Length, Many
from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.document.office import Pictures, opened
from consilience.tools.document.outline import Outline
from consilience.tools.document.wordml import Styles, W, Writing, blocks, is_on, setting
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Locator, Observation

__all__ = ["word"]

_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
_VML = "{urn:schemas-microsoft-com:vml}imagedata"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_EXTENT = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}extent"
_BESIDE = {"header": "Page header", "footer": "Page footer", "footnotes": "Footnotes", "endnotes": "Endnotes"}


@encoder(
    modality="document",
    kinds=("passage", "table", "cell", "part"),
    version="2",
    cost="light",
    extra="document",
    mimes=("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
)
def word(
    excerpt: Excerpt, *, longest: Length = 400, most_cells: Many = 20_000, most_pictures: Few = 200
) -> Iterator[Observation]:
    """Reads a docx: paragraphs under their headings, lists, tables cell by cell; pictures go to image encoders.

    Args:
        excerpt: a docx document.
        longest: characters of a passage; longer paragraphs are cut at sentence ends.
        most_cells: cells of tables that are told, all in all.
        most_pictures: pictures that are handed to image encoders.
    """
    document = opened(excerpt, "docx", _load)
    outline = Outline(excerpt, longest, most_cells)
    reader = _Reader(outline, Pictures(outline, most_pictures), _writing(document))
    told = 0
    for observation in reader.document(document.part):
        told += 1
        yield observation
    if not told:
        raise Unobservable("there is nothing to read or to see in it")


def _load(path: str) -> Any:
    import docx

    return docx.Document(path)


def _writing(document: Any) -> Writing:
    numbering = next((p for p in _related(document.part, "numbering")), None)
    return Writing(Styles(document.styles.element), None if numbering is None else numbering.element)


def _related(part: Any, kind: str) -> Iterator[Any]:
    """Parts of this kind that a part refers to."""
    for relation in part.rels.values():
        if relation.reltype.rsplit("/", 1)[-1] == kind and not relation.is_external:
            yield relation.target_part


@dataclass
class _Reader:
    outline: Outline
    pictures: Pictures
    writing: Writing
    _tables: int = 0

    def document(self, part: Any) -> Iterator[Observation]:
        """The body, then what stands beside it."""
        yield from self._blocks(part.element.body, part)
        for kind, heading in _BESIDE.items():
            told: set[str] = set()
            for beside in _related(part, kind):
                root = _root(beside)
                for paragraph in root.iter(f"{W}p"):
                    text = self.writing.text(paragraph)
                    if text and text not in told:
                        told.add(text)
                        yield from self.outline.heading(0, heading, Locator())
                        yield from self.outline.passage(text)
                    yield from self._pictures(paragraph, beside)
        for comments in _related(part, "comments"):
            for comment in _root(comments).iter(f"{W}comment"):
                text = " ".join(filter(None, (self.writing.text(p) for p in comment.iter(f"{W}p"))))
                if text:
                    yield from self.outline.heading(0, "Comments", Locator())
                    yield from self.outline.passage(f"{comment.get(f'{W}author', 'somebody')}: {text}")
        if self.writing.hidden:
            told_ = f"hidden text left out: {self.writing.hidden:,} characters that nobody can see"
            yield self.outline.unobserved(("passage",), told_)
        yield from self.pictures.close()
        yield from self.outline.close()

    def _blocks(self, parent: Any, part: Any) -> Iterator[Observation]:
        for block in blocks(parent, f"{W}p", f"{W}tbl"):
            self.outline.excerpt.check()
            if block.tag == f"{W}tbl":
                yield from self._table(block, part)
            else:
                yield from self._paragraph(block, part)

    def _paragraph(self, paragraph: Any, part: Any) -> Iterator[Observation]:
        text = self.writing.text(paragraph)
        level = self.writing.level(paragraph)
        if text and level is not None:
            yield from self.outline.heading(level, text, Locator())
        elif text:
            yield from self.outline.passage(self.writing.mark(paragraph) + text)
        yield from self._pictures(paragraph, part)
        for box in _outermost(paragraph, f"{W}txbxContent"):
            yield from self._blocks(box, part)

    def _pictures(self, paragraph: Any, part: Any) -> Iterator[Observation]:
        for blip in paragraph.iter(_BLIP, _VML):
            key = blip.get(f"{_RELATION}embed") or blip.get(f"{_RELATION}id") or blip.get(f"{_RELATION}link")
            if key not in part.rels:
                continue
            sized = next((e for a in blip.iterancestors() for e in a.findall(_EXTENT)), None)
            extent = None if sized is None else (_whole(sized.get("cx")), _whole(sized.get("cy")))
            yield from self.pictures(part.rels[key], extent, Locator())

    def _table(self, table: Any, part: Any) -> Iterator[Observation]:
        grid = _grid(table, self.writing)
        if grid.width < 2 or grid.height < 2:
            # Frames and layouts: what stands in them is read as text.
            for row in blocks(table, f"{W}tr"):
                for cell in blocks(row, f"{W}tc"):
                    yield from self._blocks(cell, part)
        elif grid.told:
            self._tables += 1
            yield from self.outline.table(grid, self._tables)
            yield from self._pictures(table, part)


def _root(part: Any) -> Any:
    """The XML of a part that python-docx may or may not have parsed."""
    from docx.oxml.parser import parse_xml

    return part.element if hasattr(part, "element") else parse_xml(part.blob)


def _outermost(paragraph: Any, tag: str) -> Iterator[Any]:
    """Text boxes, but not those within others, nor the copies kept for old programs."""
    for found in paragraph.iter(tag):
        around = [a.tag for a in found.iterancestors() if a is not paragraph]
        if tag not in around and not any(str(a).endswith("}Fallback") for a in around):
            yield found


def _grid(table: Any, writing: Writing) -> Grid:
    """Cells with what they span (17.4.17 gridSpan, 17.4.84 vMerge); those that go on with one above are that one."""
    cells: list[GridCell] = []
    above: dict[int, int] = {}
    marked = 0
    for number, row in enumerate(blocks(table, f"{W}tr")):
        properties = row.find(f"{W}trPr")
        marked += marked == number and is_on(properties, "tblHeader")
        column = _whole(setting(properties, "gridBefore"))
        for cell in blocks(row, f"{W}tc"):
            about = cell.find(f"{W}tcPr")
            across = max(1, min(_whole(setting(about, "gridSpan")) or 1, 1000))
            if setting(about, "vMerge") in ("", "continue") and column in above:
                first = cells[above[column]]
                cells[above[column]] = GridCell(
                    first.text, first.row, first.column, number - first.row + 1, first.columns
                )
            else:
                text = " ".join(filter(None, (writing.text(p) for p in cell.iter(f"{W}p"))))
                above[column] = len(cells)
                cells.append(GridCell(text, number, column, 1, across))
            column += across
    return Grid(tuple(cells), marked=marked or None)


def _whole(told: str | None) -> int:
    return int(told) if told and told.isdigit() else 0
