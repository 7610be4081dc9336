"""E-mails (RFC 5322): who wrote to whom and when, the text, and what is attached."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage, MIMEPart

from consilience.tools.bounds import Few, Length, Many
from consilience.tools.decoding.attachments import attachments, open_mail
from consilience.tools.document.html import seen
from consilience.tools.document.outline import Outline
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["mail"]

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_RASTER = frozenset(f"image/{kind}" for kind in ("bmp", "gif", "jpeg", "jpg", "png", "tiff", "webp"))
_LONGEST_HEADER = 2000


@encoder(
    modality="document",
    kinds=("passage", "table", "cell", "part"),
    version="3",
    extra="document",
    mimes=("message/rfc822",),
)
def mail(
    excerpt: Excerpt, *, longest: Length = 400, most_cells: Many = 20_000, most_pictures: Few = 50
) -> Iterator[Observation]:
    """Reads an e-mail: sender, recipients, date, subject, text, attachments by name; pictures go to image encoders.

    Args:
        excerpt: an e-mail as a file.
        longest: characters of a passage; longer paragraphs are cut at sentence ends.
        most_cells: cells of tables that are told, all in all.
        most_pictures: attached pictures that are handed to image encoders.
    """
    outline = Outline(excerpt, longest, most_cells)
    message = open_mail(excerpt.path)
    headers = [(name, one_line(_header(message, name))) for name in _HEADERS]
    if not any(told for _, told in headers):
        raise Unobservable("it is no readable e-mail: it has neither sender nor recipient, date or subject")
    for name, told in headers:
        if told:
            yield from outline.passage(f"{name}: {told}")
    yield from _body(message, outline)
    yield from _attached(message, outline, most_pictures)
    yield from outline.close()


def _header(message: EmailMessage, name: str) -> str:
    """A header as people read it; what is broken in it does not matter."""
    try:
        told = ", ".join(str(value) for value in message.get_all(name, ()))
    except Exception:
        # The standard library's parsers of structured headers raise what a broken one makes them stumble over.
        told = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return told[:_LONGEST_HEADER].encode("utf-8", "replace").decode()


def _body(message: EmailMessage, outline: Outline) -> Iterator[Observation]:
    """The text as its sender wrote it: plain where there is plain text, else the HTML as a reader sees it."""
    plain = message.get_body(("plain",))
    text = _text(plain) if plain is not None else ""
    if text.strip():
        for paragraph in text.replace("\r", "").split("\n\n"):
            yield from outline.passage(paragraph.strip())
        return
    page = message.get_body(("html",))
    if page is not None:
        yield from seen(outline, _text(page))
        return
    yield outline.unobserved(("passage",), "the e-mail has no text that can be read")


def _text(part: MIMEPart) -> str:
    """A part's text; an unknown character set is read as UTF-8."""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        content = part.get_payload(decode=True)
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _attached(message: EmailMessage, outline: Outline, most: int) -> Iterator[Observation]:
    looked_at = 0
    for attachment in attachments(message):
        size = len(attachment.content)
        where = Locator(track=attachment.track)
        yield from outline.passage(f"{attachment.track} ({attachment.mime}, {size:,} bytes)", where)
        if attachment.mime not in _RASTER:
            told = f"{attachment.track} was not opened: add it as a file of its own"
            yield outline.unobserved(("passage",), told, where)
        elif looked_at < most:
            looked_at += 1
            yield outline.part("image", "figure", where)
        else:
            yield outline.unobserved(("part",), f"{attachment.track} was not looked at: only {most} are", where)
