"""What is attached to an e-mail, and the pictures that a web page carries in itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from consilience.core.errors import Unobservable

__all__ = ["Attachment", "attached_picture", "attachments", "data_urls", "is_attached", "open_mail"]

_TRACK = re.compile(r"(attachment|picture) (\d+)\b")
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+((?:;[a-z0-9=.+-]+)*),([^\"'\s)>]+)", re.IGNORECASE)


class Attachment(NamedTuple):
    """A part of an e-mail that is not its text."""

    track: str
    """`attachment 2: photo.png`: what locators call it."""
    name: str
    mime: str
    message: EmailMessage

    @property
    def content(self) -> bytes:
        """Its bytes, decoded."""
        content = self.message.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""


def open_mail(path: Path) -> EmailMessage:
    """The e-mail at `path` (RFC 5322, RFC 2045); what is broken in it is read as far as it goes."""
    with path.open("rb") as file:
        return BytesParser(policy=policy.default).parse(file)


def attachments(message: EmailMessage) -> Iterator[Attachment]:
    """Everything in it that is neither its text nor a container of parts, numbered from 1."""
    body = {id(part) for kind in ("plain", "html") if (part := message.get_body((kind,)))}
    number = 0
    for part in message.walk():
        if part.is_multipart() or id(part) in body or not isinstance(part, EmailMessage):
            continue
        number += 1
        name = part.get_filename() or part.get_content_type()
        yield Attachment(f"attachment {number}: {name}", name, part.get_content_type(), part)


def data_urls(html: str) -> Iterator[bytes]:
    """The pictures that a web page carries in itself (RFC 2397), decoded, in order."""
    for parameters, data in _DATA_URL.findall(html):
        raw = unquote_to_bytes(data)
        yield base64.b64decode(raw + b"=" * (-len(raw) % 4)) if "base64" in parameters.lower() else raw


def is_attached(track: str) -> bool:
    """Whether a track names an attachment of an e-mail or a picture of a web page."""
    return bool(_TRACK.match(track))


def attached_picture(path: Path, track: str) -> bytes:
    """The bytes of what `track` names: `attachment 2: photo.png` of an e-mail, `picture 1` of a web page.

    Raises:
        Unobservable: there is none of that name.
    """
    found = _TRACK.match(track)
    if found and found[1] == "attachment":
        for attachment in attachments(open_mail(path)):
            if attachment.track == track:
                return attachment.content
    elif found:
        for number, content in enumerate(data_urls(path.read_text(encoding="utf-8-sig")), 1):
            if number == int(found[2]):
                return content
    raise Unobservable(f"it has no {track}")
