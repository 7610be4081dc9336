"""Web pages: their main text under its headings, their tables, and the pictures that they carry in themselves."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.bounds import Few, Length, Many
from consilience.tools.decoding.attachments import data_urls
from consilience.tools.document.markup import parse
from consilience.tools.document.outline import Outline
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Locator, Observation

__all__ = ["html", "seen"]


@encoder(
    modality="document",
    kinds=("passage", "table", "cell", "part"),
    version="2",
    extra="document",
    mimes=("text/html",),
)
def html(
    excerpt: Excerpt, *, longest: Length = 400, most_cells: Many = 20_000, most_pictures: Few = 200
) -> Iterator[Observation]:
    """Reads a web page: title, passages under their headings, tables cell by cell; nothing that is hidden in it.

    Args:
        excerpt: an HTML page. Nothing that it refers to is fetched.
        longest: characters of a passage; longer paragraphs are cut at sentence ends.
        most_cells: cells of tables that are told, all in all.
        most_pictures: pictures inside the page that are handed to image encoders.
    """
    outline = Outline(excerpt, longest, most_cells)
    content = excerpt.path.read_bytes()
    told = 0
    for observation in seen(outline, content):
        told += 1
        yield observation
    for number, _ in enumerate(data_urls(content.decode("utf-8", "replace")), 1):
        excerpt.check()
        told += 1
        if number > most_pictures:
            yield outline.unobserved(("part",), f"only {most_pictures} of the pictures in the page were looked at")
            break
        yield outline.part("image", "figure", Locator(track=f"picture {number}"))
    if not told:
        raise Unobservable("there is nothing to read in it")


def seen(outline: Outline, content: bytes | str) -> Iterator[Observation]:
    """What a reader of the page sees, the title as the outermost heading."""
    page = parse(content, outline.excerpt.check)
    if page.title:
        yield from outline.heading(0, page.title, Locator())
    tables = 0
    for block in page.blocks():
        outline.excerpt.check()
        if block.grid:
            tables += 1
            yield from outline.table(block.grid, tables)
        elif block.level:
            if block.text != page.title:
                yield from outline.heading(block.level, block.text, Locator())
        else:
            yield from outline.passage(block.marked + block.text)
    if page.hidden:
        told = f"hidden text left out: {page.hidden:,} characters that nobody can see"
        yield outline.unobserved(("passage",), told)
    yield from outline.close()
