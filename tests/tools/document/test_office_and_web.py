"""Text documents, presentations, web pages and e-mails, as their own programs and libraries write them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
from consilience.tools import Encoder, Runner
from consilience.tools.document.html import html
from consilience.tools.document.mail import mail
from consilience.tools.document.slides import slides
from consilience.tools.document.word import word
from consilience.tools.image.text import text
from docx.shared import Inches, Pt, RGBColor
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches as SlideInches

from consilience.core.settings import Settings
from consilience.observations import Locator, Observation, ObservationStore, Source, ingest
from consilience.testing import EncoderConformance


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def minutes(sign: bytes | None = None) -> bytes:
    """Minutes of a meeting, as Word writes them."""
    document = docx.Document()
    document.add_heading("Minutes", 0)
    document.add_heading("Decisions", 1)
    document.add_paragraph("The office moves on Friday.")
    document.add_paragraph("Pack the boxes", style="List Number")
    document.add_paragraph("Water the plants", style="List Number")
    document.add_paragraph("Keys", style="List Bullet")
    table = document.add_table(3, 3)
    table.cell(0, 1).merge(table.cell(0, 2)).text = "Rooms"
    for place, told in {
        (0, 0): "Floor",
        (1, 1): "old",
        (1, 2): "new",
        (2, 0): "Third",
        (2, 1): "5",
        (2, 2): "9",
    }.items():
        table.cell(*place).text = told
    if sign:
        document.add_picture(io.BytesIO(sign), width=Inches(3))
    document.sections[0].footer.paragraphs[0].text = "Not for the press"
    return saved(document)


def show(sign: bytes | None = None, *, secrets: bool = False) -> bytes:
    """A presentation with a table, a chart, a picture and notes; with a hidden slide and text beside another."""
    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[5])
    first.shapes.title.text = "Harvest"
    table = first.shapes.add_table(2, 2, SlideInches(1), SlideInches(2), SlideInches(4), SlideInches(1)).table
    for place, told in {(0, 0): "Field", (0, 1): "Tonnes", (1, 0): "East", (1, 1): "14"}.items():
        table.cell(*place).text = told
    box = first.shapes.add_textbox(SlideInches(6), SlideInches(5), SlideInches(3), SlideInches(1))
    box.text_frame.text = "Rain came late."
    if secrets:
        away = first.shapes.add_textbox(SlideInches(40), SlideInches(1), SlideInches(3), SlideInches(1))
        away.text_frame.text = "secret order"
    if sign:
        first.shapes.add_picture(io.BytesIO(sign), SlideInches(1), SlideInches(4), width=SlideInches(4))
    first.notes_slide.notes_text_frame.text = "Thank the drivers."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Prices"
    data = CategoryChartData()
    data.categories = ["wheat", "rye"]
    data.add_series("Euros", (210.5, 180))
    size = (SlideInches(1), SlideInches(2), SlideInches(5), SlideInches(4))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *size, data)
    if secrets:
        hidden = presentation.slides.add_slide(presentation.slide_layouts[5])
        hidden.shapes.title.text = "secret order"
        hidden._element.set("show", "0")
    return saved(presentation)


PAGE = """<!doctype html><html><head><title>Shop</title>
<style>.gone, #away { display : none } @media print { .paper { visibility:hidden } }</style>
<script>var order = "secret order"</script></head><body>
<h1>Prices</h1><p>Tea is <b>che</b>ap to<wbr>day.<br>Come in!</p>
<p class="gone">secret order</p><p id=away>secret order</p><p style="font-size:0">secret order</p>
<p hidden>secret order</p>
<div style="COLOR: #fff">secret order</div><!-- secret order --><noscript>secret order</noscript>
<template>secret order</template><p style="position:absolute; left:-9999px">secret order</p>
<div style="background:#000;color:white">White on black.</div>
<ul><li>Milk<li>Eggs</ul>
<table><thead><tr><th rowspan=2>Item<th colspan=2>Price</tr><tr><th>small<th>large</thead>
<tr><td>Tea<td>3.50<td>4.50<tr><td>Cake<td>4<td>6</table>
<table role="presentation"><tr><td><p>Left.</p><td><p>Right.</p></table>
<h2>End</h2></body></html>"""


CLEAN = (
    "<!doctype html><title>Shop</title><h1>Prices</h1><p>Tea is cheap.</p><table><tr><th>a<th>b<tr><td>1<td>2</table>"
)


def letter(sign: bytes | None = None) -> bytes:
    """An e-mail in plain text and HTML; with a sign, also a ticket is attached."""
    message = EmailMessage()
    message["From"], message["To"] = "Ada <ada@example.org>", "Bob <bob@example.org>"
    message["Subject"], message["Date"] = "Journey to Zürich", "Tue, 24 Nov 2026 10:00:00 +0100"
    message.set_content("Hello Bob,\n\nthe train leaves at 10:32.\n")
    message.add_alternative("<p>Hello Bob, the train leaves at 10:32.</p>", subtype="html")
    if sign:
        message.add_attachment(sign, maintype="image", subtype="png", filename="sign.png")
        message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="ticket.pdf")
    return message.as_bytes()


class FromFile(EncoderConformance):
    """The suite over bytes that need a name to be known by."""

    name: str
    make: Callable[[], bytes]

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self._path = tmp_path / self.name
        self._path.write_bytes(type(self).make())

    def source(self) -> Source:
        return self._path


class TestWord(FromFile):
    encoder, name, make = word, "minutes.docx", minutes


class TestSlides(FromFile):
    encoder, name, make = slides, "show.pptx", show


class TestHtml(FromFile):
    encoder, name = html, "shop.html"
    make = CLEAN.encode


class TestMail(FromFile):
    encoder, name, make = mail, "letter.eml", letter


def told(found: tuple[Observation, ...], *kinds: str) -> list[str]:
    return [o.text for o in found if o.kind in kinds]


async def test_a_text_document_is_read_in_order(read: Any, sign: bytes) -> None:
    found = await read(minutes(sign), word)
    assert told(found, "passage", "table") == [
        "Minutes > Decisions: The office moves on Friday.",
        "Minutes > Decisions: 1. Pack the boxes",
        "Minutes > Decisions: 2. Water the plants",
        "Minutes > Decisions: • Keys",
        "Minutes > Decisions > table of 1 row with the columns Floor, Rooms old, Rooms new",
        "Page footer: Not for the press",
    ]
    assert told(found, "cell") == ["Floor: Third", "Third, Rooms old: 5", "Third, Rooms new: 9"]
    assert [o.locator.track for o in found if o.kind == "part"] == ["word/media/image1.png"]


@pytest.mark.parametrize(
    ("make", "encoder"), [(minutes, word), (PAGE.encode, html), (letter, mail)], ids=["word", "html", "mail"]
)
async def test_what_is_on_no_page_has_its_place_in_the_text(read: Any, make: Any, encoder: Encoder) -> None:
    found = [o for o in await read(make(), encoder, parameters={"longest": 20}) if o.kind != "unobserved"]
    places = [o.locator.chars for o in found if o.kind in ("passage", "cell")]
    assert places
    assert all(before.end <= after.start for before, after in pairwise(places))
    told = [o for o in found if o.kind in ("passage", "cell")]
    assert all(o.locator.chars.end - o.locator.chars.start == len(o.value["text"]) for o in told)
    for table in (o.locator.chars for o in found if o.kind == "table"):
        assert any(table.start < o.locator.chars.start <= o.locator.chars.end <= table.end for o in told)


async def test_hidden_and_deleted_text_of_a_document_is_left_out(read: Any) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Seen")
    for change in ("hidden", "white", "tiny"):
        run = paragraph.add_run(" secret")
        run.font.hidden = change == "hidden"
        run.font.size = Pt(1) if change == "tiny" else None
        if change == "white":
            run.font.color.rgb = RGBColor(255, 255, 255)
    deleted = paragraph._p.makeelement("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}del", {})
    deleted.append(paragraph.add_run(" deleted")._r)
    paragraph._p.append(deleted)
    paragraph.add_run(" only.")
    found = await read(saved(document), word)
    assert told(found, "passage") == ["Seen only."]
    assert told(found, "unobserved") == ["hidden text left out: 21 characters that nobody can see"]


async def test_a_presentation_is_read_by_slide(read: Any, sign: bytes) -> None:
    found = await read(show(sign, secrets=True), slides)
    assert [(o.locator.page, o.text) for o in found if o.kind in ("passage", "table")] == [
        (1, "Harvest > table of 1 row with the columns Field, Tonnes"),
        (1, "Harvest: Rain came late."),
        (1, "Harvest > Speaker notes: Thank the drivers."),
        (2, "Prices > table of 2 rows with the columns chart, Euros"),
    ]
    assert "rye, Euros: 180" in told(found, "cell")
    assert told(found, "unobserved") == [
        "hidden text left out on slide 1: 12 characters that nobody can see",
        "slide 3 is hidden and was left out",
    ]
    rain = next(o for o in found if o.text.endswith("late."))
    assert rain.locator.region
    assert (rain.locator.region.x, rain.locator.region.y) == (0.6, pytest.approx(5 / 7.5, abs=1e-3))
    assert [(o.locator.page, o.locator.track) for o in found if o.kind == "part"] == [(1, "ppt/media/image1.png")]


@pytest.mark.parametrize("page", [None, 1])
async def test_a_slide_with_nothing_but_a_title_is_read(read: Any, page: int | None) -> None:
    presentation = pptx.Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "Thank you"
    buffer = io.BytesIO()
    presentation.save(buffer)
    (found,) = await read(buffer.getvalue(), slides, where=Locator(page=page))
    assert (found.kind, found.text, found.locator.page) == ("passage", "Thank you", 1)


async def test_one_slide_can_be_looked_at(read: Any) -> None:
    found = await read(show(), slides, where=Locator(page=2))
    assert {o.locator.page for o in found} == {2}


async def test_a_web_page_is_read_as_it_is_seen(read: Any) -> None:
    found = await read(PAGE.encode(), html)
    assert told(found, "passage", "table") == [
        "Shop > Prices: Tea is cheap today.",
        "Shop > Prices: Come in!",
        "Shop > Prices: White on black.",
        "Shop > Prices: • Milk",
        "Shop > Prices: • Eggs",
        "Shop > Prices > table of 2 rows with the columns Item, Price small, Price large",
        "Shop > Prices: Left.",
        "Shop > Prices: Right.",
        "Shop > Prices: End",
    ]
    assert "Cake, Price large: 6" in told(found, "cell")
    assert not any("secret" in o.text for o in found)
    assert told(found, "unobserved") == ["hidden text left out: 72 characters that nobody can see"]


async def test_an_e_mail_is_read_with_its_headers_and_attachments(read: Any, sign: bytes) -> None:
    found = await read(letter(sign), mail, name="letter.eml")
    assert told(found, "passage") == [
        "From: Ada <ada@example.org>",
        "To: Bob <bob@example.org>",
        "Date: Tue, 24 Nov 2026 10:00:00 +0100",
        "Subject: Journey to Zürich",
        "Hello Bob,",
        "the train leaves at 10:32.",
        f"attachment 1: sign.png (image/png, {len(sign):,} bytes)",
        "attachment 2: ticket.pdf (application/pdf, 8 bytes)",
    ]
    assert told(found, "unobserved") == ["attachment 2: ticket.pdf was not opened: add it as a file of its own"]
    assert [o.locator.track for o in found if o.kind == "part"] == ["attachment 1: sign.png"]


async def test_an_e_mail_of_html_only_is_read_as_it_is_seen(read: Any) -> None:
    message = EmailMessage()
    message["From"] = "a@example.org"
    message.set_content("<p>Pay today.</p><p style='display:none'>secret order</p>", subtype="html")
    found = await read(message.as_bytes(), mail, name="a.eml")
    assert told(found, "passage") == ["From: a@example.org", "Pay today."]
    assert len(told(found, "unobserved")) == 1


@pytest.mark.parametrize("kind", ["docx", "pptx", "html", "eml"])
async def test_pictures_inside_are_read(kind: str, store: ObservationStore, tmp_path: Path, sign: bytes) -> None:
    """From the document to the image encoders, through the runner."""
    inline = f"<!doctype html><p>Look:</p><img src='data:image/png;base64,{base64.b64encode(sign).decode()}'>"
    content = {"docx": minutes, "pptx": show, "eml": letter, "html": lambda _: inline.encode()}[kind](sign)
    runner = Runner(store, [word, slides, html, mail, text], settings=Settings(cache_dir=tmp_path))
    read = [
        o
        async for encoding in runner.perceive([ingest(content, store, name=f"a.{kind}")])
        for o in encoding.observations
        if o.kind == "text"
    ]
    assert [o.value["text"] for o in read] == ["PLATFORM SEVEN"]
    assert read[0].locator.track
    assert read[0].locator.page == (1 if kind == "pptx" else None)
