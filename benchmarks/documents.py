"""Documents: table cells exact, characters wrong on scans, pages a second; bare pdfplumber and OCR in the same run.

All documents are generated: tables by reportlab from random content of fixed seeds, scans from our own text pages,
drawn at 200 dpi, skewed, blurred and noisy, and wrapped as PDFs without a text layer.
`documents.py 100` makes the tables from the seeds from 100 on.
"""

from __future__ import annotations

import asyncio
import io
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import machine
import numpy as np
import pdfplumber
from consilience.tools import Runner
from consilience.tools.document.pdf import pdf
from consilience.tools.image.text import text
from PIL import Image, ImageFilter
from rapidocr import RapidOCR
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest
from consilience.observations.observation import Observation

FIRST = int(sys.argv[1]) if len(sys.argv) > 1 else 0
SEEDS = range(FIRST, FIRST + 5)
STYLES = getSampleStyleSheet()
WORDS = (
    "river stone paper lamp garden market winter bridge copper window letter island engine harvest signal pepper "
    "canvas ribbon meadow anchor cellar violin marble saddle timber"
).split()
UNITS = ("EUR", "kg", "%", "m", "kWh", "°C", "h", "km/h")
Cells = dict[tuple[int, int, int, int], str]
"""(page, table of the page, row, column) -> text; the header's rows are left out, rows count from 1 below it."""


@dataclass
class Case:
    """A document with tables, and what its cells say."""

    name: str
    content: bytes
    cells: Cells = field(default_factory=dict)


def phrase(dice: random.Random, least: int = 1, most: int = 2) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(least, most)))


def rows(dice: random.Random, count: int, *, wordy: bool = False) -> list[list[str]]:
    """A header and `count` rows: an item, a number, a quantity with its unit, a text."""
    body = [["Item", "Pieces", "Amount", "Remark"]]
    for i in range(count):
        unit = dice.choice(UNITS)
        body.append(
            [
                f"{dice.choice(WORDS)} {i + 1}",
                f"{dice.randint(1, 9999):,}",
                f"{dice.choice(('', '-'))}{dice.uniform(0.01, 900):.2f} {unit}",
                phrase(dice, 6, 12) if wordy else phrase(dice),
            ]
        )
    return body


def expected(body: list[list[str]], page: int = 1, table: int = 1, header: int = 1) -> Cells:
    return {
        (page, table, r - header + 1, c + 1): cell
        for r, row in enumerate(body)
        for c, cell in enumerate(row)
        if r >= header and cell
    }


def built(*parts: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, pagesize=A4, invariant=1, **options).build(list(parts))
    return buffer.getvalue()


def prose(dice: random.Random, sentences: int = 4) -> Paragraph:
    told = ". ".join(phrase(dice, 6, 14).capitalize() for _ in range(sentences)) + "."
    return Paragraph(told, STYLES["BodyText"])


GRID = ("GRID", (0, 0), (-1, -1), 0.5, colors.black)
HEAD = [("BACKGROUND", (0, 0), (-1, 0), colors.navy), ("TEXTCOLOR", (0, 0), (-1, 0), colors.white)]
FOOT = ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black)
BOOK = [("LINEABOVE", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black)]


def ruled(dice: random.Random) -> tuple[bytes, Cells]:
    body = rows(dice, 12)
    return built(prose(dice), Spacer(1, 12), Table(body, style=[GRID, *HEAD]), prose(dice)), expected(body)


def unruled(dice: random.Random) -> tuple[bytes, Cells]:
    body = rows(dice, 12)
    style = [("ALIGN", (1, 0), (2, -1), "RIGHT")]
    return built(prose(dice), Spacer(1, 12), Table(body, style=style), Spacer(1, 12), prose(dice)), expected(body)


def booktabs(dice: random.Random) -> tuple[bytes, Cells]:
    body = rows(dice, 10)
    style = [*BOOK, FOOT]
    return built(prose(dice), Spacer(1, 12), Table(body, style=style), Spacer(1, 12), prose(dice)), expected(body)


def open_sides(dice: random.Random) -> tuple[bytes, Cells]:
    """Ruled between rows and columns, but not around."""
    body = rows(dice, 10)
    style = [("INNERGRID", (0, 0), (-1, -1), 0.5, colors.black), *BOOK, FOOT]
    return built(prose(dice), Spacer(1, 12), Table(body, style=style)), expected(body)


def striped(dice: random.Random) -> tuple[bytes, Cells]:
    """No lines; every other row has a coloured ground."""
    body = rows(dice, 12)
    style = [*HEAD, ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.lightgrey])]
    return built(prose(dice), Spacer(1, 12), Table(body, style=style)), expected(body)


def merged(dice: random.Random) -> tuple[bytes, Cells]:
    """A heading over two columns, and regions over two rows each."""
    body = [["Region", "Shop", "First half", ""], ["", "", "Spring", "Summer"]]
    style = [GRID, ("SPAN", (2, 0), (3, 0)), ("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (1, 1))]
    for _ in range(4):
        top = len(body)
        body.append([phrase(dice), phrase(dice), str(dice.randint(1, 999)), f"{dice.uniform(1, 99):.1f} %"])
        body.append(["", phrase(dice), str(dice.randint(1, 999)), f"{dice.uniform(1, 99):.1f} %"])
        style.append(("SPAN", (0, top), (0, top + 1)))
    return built(prose(dice), Spacer(1, 12), Table(body, style=style)), expected(body, header=2)


def pages(dice: random.Random) -> tuple[bytes, Cells]:
    """One table over several pages, its header repeated."""
    body = rows(dice, 90)
    content = built(prose(dice), Spacer(1, 12), Table(body, style=[GRID, *HEAD], repeatRows=1))
    cells: Cells = {}
    row = 1
    with pdfplumber.open(io.BytesIO(content)) as document:
        for number, page in enumerate(document.pages, 1):
            here = sum(1 for line in page.extract_text_lines() if line["text"].split(" ")[0] in WORDS and any(
                c.isdigit() for c in line["text"]))  # fmt: skip
            cells |= expected([body[0], *body[row : row + here]], page=number)
            row += here
    assert row == len(body), "the generated document is not as it was meant"
    return content, cells


def several(dice: random.Random) -> tuple[bytes, Cells]:
    """Three tables a page, ruled, unruled, and ruled again."""
    bodies = [rows(dice, dice.randint(4, 6)) for _ in range(3)]
    parts: list[Any] = []
    for i, body in enumerate(bodies):
        parts += [prose(dice, 2), Spacer(1, 12), Table(body, style=[GRID] if i != 1 else []), Spacer(1, 12)]
    return built(*parts), {k: v for i, body in enumerate(bodies) for k, v in expected(body, table=i + 1).items()}


def wrapped(dice: random.Random) -> tuple[bytes, Cells]:
    """Texts over several lines in ruled cells."""
    body = rows(dice, 8, wordy=True)
    cells = [[Paragraph(cell, STYLES["BodyText"]) for cell in row] for row in body]
    table = Table(cells, style=[GRID, ("VALIGN", (0, 0), (-1, -1), "TOP")], colWidths=[80, 60, 90, 130])
    return built(prose(dice), Spacer(1, 12), table), expected(body)


def wrapped_unruled(dice: random.Random) -> tuple[bytes, Cells]:
    """Texts over several lines in cells that no line parts."""
    body = rows(dice, 8, wordy=True)
    cells = [[Paragraph(cell, STYLES["BodyText"]) for cell in row] for row in body]
    table = Table(cells, style=[("VALIGN", (0, 0), (-1, -1), "TOP")], colWidths=[80, 60, 90, 130])
    return built(prose(dice), Spacer(1, 12), table), expected(body)


def two_columns(dice: random.Random) -> tuple[bytes, Cells]:
    """A list of names and amounts, without lines."""
    body = [["Post", "Sum"]] + [[phrase(dice), f"{dice.uniform(1, 900):.2f} EUR"] for _ in range(9)]
    return built(prose(dice), Spacer(1, 12), Table(body, colWidths=[200, 90]), Spacer(1, 12), prose(dice)), expected(
        body
    )


def gaps(dice: random.Random) -> tuple[bytes, Cells]:
    """Ruled, a third of the cells empty."""
    body = rows(dice, 12)
    body[1:] = [[cell if c == 0 or dice.random() > 0.34 else "" for c, cell in enumerate(row)] for row in body[1:]]
    return built(Table(body, style=[GRID, *HEAD])), expected(body)


def no_table(dice: random.Random) -> tuple[bytes, Cells]:
    """Prose only: whatever cell is told of it is wrong."""
    return built(*(prose(dice, 8) for _ in range(6)), PageBreak(), *(prose(dice, 3) for _ in range(6))), {}


KINDS: tuple[Callable[[random.Random], tuple[bytes, Cells]], ...] = (
    ruled, open_sides, merged, gaps, wrapped, pages, several, booktabs, striped, unruled, two_columns, wrapped_unruled,
    no_table,
)  # fmt: skip


def cases() -> Iterator[Case]:
    for kind in KINDS:
        for seed in SEEDS:
            content, cells = kind(random.Random(f"{kind.__name__} {seed}"))
            yield Case(kind.__name__, content, cells)


def by_plumber(content: bytes, skip: int) -> Cells:
    """What bare pdfplumber finds, merged cells where they begin; it tells no header, so `skip` rows are left out."""
    cells: Cells = {}
    with pdfplumber.open(io.BytesIO(content)) as document:
        for number, page in enumerate(document.pages, 1):
            for t, table in enumerate(page.extract_tables(), 1):
                for r, row in enumerate(table):
                    for c, cell in enumerate(row):
                        if cell and cell.strip() and r >= skip:
                            cells[(number, t, r - skip + 1, c + 1)] = " ".join(cell.split())
            page.extract_text()
    return cells


def ours(observations: tuple[Observation, ...]) -> Cells:
    return {
        (o.locator.page or 0, int(o.value["table"]), int(o.value["row"]), int(o.value["column"])): str(o.value["text"])  # type: ignore[arg-type]
        for o in observations
        if o.kind == "cell"
    }


async def observe(runner: Runner, content: bytes) -> tuple[tuple[Observation, ...], float]:
    media = ingest(content, runner.store)
    encoding = await runner.encode(media, pdf)
    assert encoding.failure is None, encoding.failure
    return encoding.observations, encoding.seconds


async def tables(runner: Runner) -> None:
    print("\nTable cells, exact by page, table, row, column and text (white space aside); 5 documents of each kind")
    print(f"{'kind':16} {'cells':>6} {'ours':>8} {'wrong':>6} {'pdfplumber':>11} {'wrong':>6} {'time ratio':>11}")
    total = [0, 0, 0]
    for kind in KINDS:
        want = right = extra = bare_right = bare_extra = 0
        ratios: list[float] = []
        for case in (c for c in CASES if c.name == kind.__name__):
            observations, seconds = await observe(runner, case.content)
            found = ours(observations)
            start = time.perf_counter()
            bare = by_plumber(case.content, 2 if kind is merged else 1)
            ratios.append(seconds / (time.perf_counter() - start))
            want += len(case.cells)
            right += sum(found.get(key) == cell for key, cell in case.cells.items())
            extra += sum(case.cells.get(key) != cell for key, cell in found.items())
            bare_right += sum(bare.get(key) == cell for key, cell in case.cells.items())
            bare_extra += sum(case.cells.get(key) != cell for key, cell in bare.items())
        total = [total[0] + want, total[1] + right, total[2] + bare_right]
        print(
            f"{kind.__name__:16} {want:6} {right / want if want else 1:8.1%} {extra:6} "
            f"{bare_right / want if want else 1:11.1%} {bare_extra:6} {statistics.median(ratios):11.2f}"
        )
    print(f"{'all':16} {total[0]:6} {total[1] / total[0]:8.1%} {'':6} {total[2] / total[0]:11.1%}")


CASES: list[Case] = []


def letter(dice: random.Random) -> tuple[bytes, str]:
    """A page of prose, and its text."""
    paragraphs = [
        ". ".join(phrase(dice, 5, 12).capitalize() for _ in range(4)) + f". It costs {dice.randint(10, 999)} euros."
        for _ in range(5)
    ]
    style = ParagraphStyle("letter", parent=STYLES["Normal"], fontSize=11, leading=15, spaceAfter=12)
    return built(*(Paragraph(told, style) for told in paragraphs)), " ".join(paragraphs)


def scanned(content: bytes, dice: random.Random, *, skew: float, noise: float) -> tuple[bytes, Image.Image]:
    """The page at 200 dpi, turned by `skew` degrees, blurred and noisy, as a PDF without text; and the picture."""
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    picture = document[0].render(scale=200 / 72).to_pil().convert("L")
    document.close()
    picture = picture.rotate(skew, fillcolor=255, resample=Image.Resampling.BICUBIC)
    if noise:
        picture = picture.filter(ImageFilter.GaussianBlur(0.8))
        grain = np.random.default_rng(dice.randrange(2**32)).normal(0, noise, (picture.height, picture.width))
        picture = Image.fromarray(np.clip(np.asarray(picture, float) + grain, 0, 255).astype(np.uint8))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=70)
    buffer = io.BytesIO()
    paper = canvas.Canvas(buffer, pagesize=A4)
    paper.drawImage(ImageReader(jpeg), 0, 0, *A4)
    paper.save()
    return buffer.getvalue(), Image.open(jpeg)


def squeezed(told: str) -> str:
    return "".join(told.split())


def in_order(found: Any) -> str:
    """The lines of bare OCR from top to bottom; on these pages there is one line a row."""
    lines = sorted(zip(found.boxes, found.txts, strict=True), key=lambda line: sum(y for _, y in line[0]))
    return " ".join(line for _, line in lines)


async def scans(runner: Runner) -> None:
    print("\nScans: characters wrong (jiwer, white space aside), from the PDF to the lines of image.text; 2 pages each")
    print(f"{'scan':28} {'characters':>10} {'ours':>7} {'bare OCR':>9} {'time ratio':>11}")
    kinds = {
        "clean": (0.0, 0.0),
        "skewed 1 degree": (1.0, 0.0),
        "noisy": (0.0, 20.0),
        "skewed 2 degrees, noisy": (2.0, 20.0),
    }
    bare = RapidOCR(params={"Global.log_level": "error"})
    for kind, (skew, noise) in kinds.items():
        errors = bare_errors = characters = 0.0
        ours_seconds = bare_seconds = 0.0
        for seed in range(2):
            dice = random.Random(f"scan {seed}")
            content, told = letter(dice)
            scan, picture = scanned(content, dice, skew=skew, noise=noise)
            start = time.perf_counter()
            read = [
                o.text
                async for encoding in runner.perceive([ingest(scan, runner.store)])
                for o in encoding.observations
                if o.kind == "text"
            ]
            ours_seconds += time.perf_counter() - start
            start = time.perf_counter()
            found = bare(np.asarray(picture.convert("RGB"))[:, :, ::-1])
            bare_seconds += time.perf_counter() - start
            characters += len(squeezed(told))
            errors += jiwer.cer(squeezed(told), squeezed(" ".join(read))) * len(squeezed(told))
            bare_errors += jiwer.cer(squeezed(told), squeezed(in_order(found))) * len(squeezed(told))
        print(
            f"{kind:28} {characters:10.0f} {errors / characters:7.2%} {bare_errors / characters:9.2%} "
            f"{ours_seconds / bare_seconds:11.2f}"
        )


async def speed(runner: Runner) -> None:
    dice = random.Random(7)
    parts: list[Any] = []
    for page in range(200):
        parts += [Paragraph(f"Chapter {page + 1}", STYLES["Heading1"]), *(prose(dice, 5) for _ in range(5))]
        parts += [Table(rows(dice, 8), style=[GRID]), prose(dice, 5), PageBreak()]
    content = built(*parts)
    media = ingest(content, runner.store)
    encoding = await runner.encode(media, pdf)
    assert encoding.failure is None, encoding.failure
    start = time.perf_counter()
    with pdfplumber.open(io.BytesIO(content)) as document:
        for page in document.pages[:40]:
            page.extract_text()
            page.extract_tables()
            page.close()
    bare = 40 / (time.perf_counter() - start)
    print(f"\n{media.pages} pages of prose, each with a table of 32 cells: {len(encoding.observations):,} observations")
    print(f"ours {media.pages / encoding.seconds:.1f} pages a second, pdfplumber (text and tables) {bare:.1f}; "
          f"peak {machine.peak_memory():.0f} MiB in all")  # fmt: skip


async def main() -> None:
    print(machine.describe())
    CASES.extend(cases())
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(cache_dir=Path(folder))
        (settings.cache_dir / "weights").symlink_to(Settings().weights_dir)
        store = ObservationStore.open(settings)
        runner = Runner(store, [pdf, text], settings=settings)
        await observe(runner, CASES[0].content)  # imports
        await tables(runner)
        await speed(runner)
        await scans(runner)


if __name__ == "__main__":
    asyncio.run(main())
