"""Documents made to deceive or to exhaust: every one ends in observations, `unobserved`, or a named error."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import docx
import pytest
from consilience.tools.decoding.pages import embedded_picture
from consilience.tools.document.html import html
from consilience.tools.document.mail import mail
from consilience.tools.document.pdf import pdf
from consilience.tools.document.slides import slides
from consilience.tools.document.word import word
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilience.core.errors import BadMedia, Unobservable
from consilience.core.settings import Limits
from consilience.observations import ObservationStore, ingest

FONT = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
HELLO = b"BT /F1 12 Tf 100 500 Td (hello reader) Tj ET"


def raw_pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, the first of which is the catalogue."""
    out, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + table + end


def stream(data: bytes, about: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), about, data)


def one_page(content: bytes, *more: bytes, page: bytes = b"/MediaBox [0 0 612 792]", xobjects: bytes = b"") -> bytes:
    """A PDF of one page with this content stream object; `more` objects are numbered from 5, `/F1` is Helvetica."""
    font = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << %b %b >> %b >>" % (font, xobjects, page),
        content,
        *more,
    )


def form(content: bytes, inner: int) -> bytes:
    """A form that can draw the object `inner` as `/X`."""
    about = b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] /Resources << /XObject << /X %d 0 R >> >> " % inner
    return stream(content, about)


def unicodeless() -> bytes:
    """A font whose glyphs are numbered, and nothing says which is which letter."""
    described = b"<< /Type /FontDescriptor /FontName /Foo /Flags 4 /FontBBox [0 0 1000 1000] /Ascent 800 /Descent -200 "
    described += b"/ItalicAngle 0 /StemV 80 >>"
    system = b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
    descendant = b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Foo /CIDSystemInfo %b /DW 600 /FontDescriptor %b >>"
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /Foo /Encoding /Identity-H /DescendantFonts [%b] >>"
    return font % (descendant % (system, described))


BOMB = zlib.compress(b"\0" * 100_000_000, 9)
READABLE = {
    "inverted box": one_page(stream(HELLO), page=b"/MediaBox [612 792 0 0]"),
    "box left of the origin": one_page(
        stream(b"BT /F1 12 Tf -200 -200 Td (hello reader) Tj ET"), page=b"/MediaBox [-300 -400 0 0]"
    ),
    "enormous page": one_page(stream(HELLO), page=b"/MediaBox [0 0 1e7 1e7]"),
    "script": one_page(
        stream(HELLO), page=b"/MediaBox [0 0 612 792] /AA << /O << /S /JavaScript /JS (app.alert) >> >>"
    ),
    "numbers beyond all bounds": one_page(
        stream(b"1e38 1e38 m 3e38 3e38 l S BT /F1 1e38 Tf 1e38 0 0 1e38 1e38 1e38 Tm (x) Tj ET " + HELLO)
    ),
    "no area": one_page(stream(HELLO), page=b"/MediaBox [0 0 0 0]"),
}


@pytest.mark.parametrize("name", READABLE)
async def test_odd_pages_are_read(read: Any, name: str) -> None:
    found = await read(READABLE[name])
    assert any(o.kind == "passage" and o.value["text"] == "hello reader" for o in found)


UNREADABLE = {
    "forms within forms": (
        one_page(
            stream(b"/X Do"), *(form(b"/X Do " * 10, n + 6) for n in range(9)), xobjects=b"/XObject << /X 5 0 R >>"
        ),
        "page 1",
    ),
    "pages within themselves": (
        raw_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        "page 1 cannot be read",
    ),
    "stream that unpacks without end": (
        one_page(stream(zlib.compress(BOMB), b"/Filter [/FlateDecode /FlateDecode] ")),
        "nothing to read",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_says_so(read: Any, name: str) -> None:
    content, told = UNREADABLE[name]
    found = await read(content, parameters={"page_seconds": 2.0})
    assert {o.kind for o in found} == {"unobserved"}
    assert told in found[0].text


async def test_after_a_page_that_never_ends_the_next_document_is_read(read: Any) -> None:
    endless, _ = UNREADABLE["forms within forms"]
    assert {o.kind for o in await read(endless, parameters={"page_seconds": 2.0})} == {"unobserved"}
    assert [o.text for o in await read(READABLE["script"])] == ["hello reader"]


async def test_a_picture_of_too_many_pixels_is_not_drawn(read: Any) -> None:
    about = b"/Type /XObject /Subtype /Image /Width 30000 /Height 30000 /BitsPerComponent 8 /ColorSpace /DeviceGray "
    picture = stream(BOMB, about + b"/Filter /FlateDecode ")
    content = one_page(stream(b"q 400 0 0 400 50 50 cm /I Do Q " + HELLO), picture, xobjects=b"/XObject << /I 5 0 R >>")
    found = await read(content)
    assert "pictures of more than 64,000,000 pixels" in found[0].text
    assert "hello reader" in [o.value.get("text") for o in found]


async def test_fonts_that_hide_their_letters_make_a_page_a_scan(read: Any) -> None:
    content = stream(b"BT /F2 12 Tf 100 500 Td <0001000200030004000500060007> Tj ET")
    page = b"/MediaBox [0 0 612 792] /Resources << /Font << /F2 %b >> >>" % unicodeless()
    document = raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R %b >>" % page,
        content,
    )
    found = await read(document)
    assert [o.kind for o in found] == ["unobserved", "part"]
    assert found[1].value["role"] == "scan"


HIDING = {
    "white on white": lambda paper: (paper.setFillColorRGB(1, 1, 1), paper.drawString(100, 500, "secret order")),
    "invisible": lambda paper: paper.drawText(invisible(paper)),
    "transparent": lambda paper: (paper.setFillAlpha(0), paper.drawString(100, 500, "secret order")),
    "tiny": lambda paper: (paper.setFont("Helvetica", 1), paper.drawString(100, 500, "secret order")),
    "beside the page": lambda paper: paper.drawString(2000, 500, "secret order"),
    "covered": lambda paper: (paper.drawString(100, 500, "secret order"), paper.setFillColorRGB(0.9, 0.9, 1),
                              paper.rect(90, 490, 200, 40, fill=1, stroke=0)),
    "over visible text": lambda paper: (paper.setFillColorRGB(1, 1, 1), paper.drawString(100, 702, "secret order")),
}  # fmt: skip


def invisible(paper: Any) -> Any:
    told = paper.beginText(100, 500)
    told.setTextRenderMode(3)
    told.textLine("secret order")
    return told


@pytest.mark.parametrize("way", HIDING)
async def test_text_that_nobody_sees_is_left_out_and_said_so(read: Any, drawn_pdf: Any, way: str) -> None:
    def draw(paper: Any) -> None:
        paper.drawString(100, 700, "Everybody can see this line.")
        HIDING[way](paper)

    found = await read(drawn_pdf(draw))
    assert [o.kind for o in found] == ["unobserved", "passage"]
    assert "hidden text left out on page 1: 11 characters" in found[0].text
    assert found[1].text == "Everybody can see this line."


async def test_white_text_on_a_dark_ground_is_seen(read: Any, drawn_pdf: Any) -> None:
    def draw(paper: Any) -> None:
        paper.setFillColorRGB(0, 0, 0.4)
        paper.rect(90, 490, 200, 40, fill=1, stroke=0)
        paper.setFillColorRGB(1, 1, 1)
        paper.drawString(100, 505, "white on blue")

    assert [o.text for o in await read(drawn_pdf(draw))] == ["white on blue"]


async def test_limits_are_told(read: Any, drawn_pdf: Any) -> None:
    def draw(paper: Any) -> None:
        for line in range(30):
            paper.drawString(100, 800 - 20 * line, f"line number {line} of the page")

    found = await read(drawn_pdf(draw), parameters={"most_on_page": 100})
    assert "only its first 100 characters were read" in found[0].text


def test_documents_are_refused_at_the_door(store: ObservationStore, drawn_pdf: Any) -> None:
    def pages(count: int) -> bytes:
        return bytes(drawn_pdf(lambda paper: [paper.showPage() for _ in range(count)]))

    with pytest.raises(BadMedia, match="too many pages"):
        ingest(pages(30), store, limits=Limits(pages=20), name="long.pdf")
    with pytest.raises(BadMedia, match="no readable PDF"):
        ingest(pages(3)[:300], store, name="short.pdf")


async def test_empty_pages_say_that_they_are(read: Any, drawn_pdf: Any) -> None:
    (found,) = await read(drawn_pdf(lambda paper: [paper.showPage() for _ in range(200)]))
    assert "nothing to read" in found.text


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return buffer.getvalue()


LAUGHS = b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><l>&b;</l>"


def test_xml_that_declares_entities_is_refused(store: ObservationStore) -> None:
    for content in (LAUGHS, LAUGHS.decode().encode("utf-16")):
        with pytest.raises(BadMedia, match="declares a document type"):
            ingest(zipped(word__document=content), store, name="laughs.docx")


def test_archives_that_unpack_to_too_much_are_refused(store: ObservationStore) -> None:
    bomb = zipped(word__document=b"<a>" + b" " * 5_000_000 + b"</a>")
    with pytest.raises(BadMedia, match="would unpack to more than"):
        ingest(bomb, store, limits=Limits(unpacked_bytes=1_000_000), name="bomb.docx")


def understated(name: str, told: int, held: int) -> bytes:
    """An archive with a part of `held` zeros whose directory tells `told`, and the checksum of so many."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<a/>")
        archive.writestr(name, bytes(held))
        part = archive.getinfo(name)
        part.file_size, part.CRC = told, zlib.crc32(bytes(told))
    return buffer.getvalue()


@pytest.mark.parametrize(("told", "held"), [(10, 50_000_000), (50_000_000, 10)])
def test_archives_that_lie_about_their_size_are_refused(store: ObservationStore, told: int, held: int) -> None:
    with pytest.raises(BadMedia, match="is broken"):
        ingest(understated("word/media/image1.png", told, held), store, name="liar.docx")


def test_what_a_part_holds_beyond_its_told_size_is_never_in_memory(tmp_path: Path) -> None:
    path, member = tmp_path / "liar.docx", "word/media/image1.png"
    path.write_bytes(understated(member, 10, 50_000_000))
    tracemalloc.start()
    with pytest.raises(Unobservable, match="cannot be opened"):
        embedded_picture(path, member, Limits(media_bytes=1_000_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000


async def test_a_package_without_its_parts_is_unobserved(read: Any) -> None:
    for content, encoder in ((zipped(word__document=b"<a/>"), word), (zipped(ppt__presentation=b"<a/>"), slides)):
        (found,) = await read(content, encoder)
        assert (found.kind, "cannot be opened" in found.text) == ("unobserved", True)


async def test_deep_nesting_is_read(read: Any) -> None:
    deep = "<html><body>" + "<div>" * 20_000 + "deep" + "</div>" * 20_000 + "</body></html>"
    assert [o.text for o in await read(deep.encode(), html, name="deep.html")] == ["deep"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_broken_bytes_never_take_anything_down(read: Any, data: st.DataObject) -> None:
    """Real documents with bytes changed at random: observations, or an error of ours."""
    kinds = {
        "a.pdf": (READABLE["script"], pdf),
        "a.docx": (simple_docx(), word),
        "a.html": (PAGE, html),
        "a.eml": (MAIL, mail),
    }
    name = data.draw(st.sampled_from(sorted(kinds)))
    content, encoder = kinds[name]
    broken = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=20)):
        broken[place] = data.draw(st.integers(0, 255))
    with suppress(BadMedia):
        assert all(o.text for o in await read(bytes(broken), encoder, name=name))


PAGE = b"<!doctype html><html><head><title>T</title></head><body><h1>H</h1><table><tr><th>a<th>b<tr><td>1<td>2</table>"
MAIL = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\n\r\nhello\r\n"


def simple_docx() -> bytes:
    document, buffer = docx.Document(), io.BytesIO()
    document.add_paragraph("hello")
    document.save(buffer)
    return buffer.getvalue()
