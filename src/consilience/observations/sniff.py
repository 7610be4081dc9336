"""What bytes are: their type by their content, and by `extents` the size of what they hold."""

from __future__ import annotations

import codecs
import json
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia, UnsupportedMedia
from consilience.core.settings import Limits
from consilience.observations.charset import is_writing, marked
from consilience.observations.extents import measure
from consilience.observations.media import Modality

__all__ = ["Sniffed", "sniff"]

_HEAD = 65536

# Suffixes that promise a modality; a file that breaks the promise is refused rather than guessed at.
_PROMISED: dict[str, Modality] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"), "image"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac"), "audio"),
    **dict.fromkeys((".mp4", ".mkv", ".mov", ".webm", ".avi", ".mpg", ".mpeg", ".m2ts"), "video"),
    **dict.fromkeys((".pdf", ".docx", ".pptx"), "document"),
    **dict.fromkeys((".xlsx", ".xls", ".parquet"), "table"),
}
_TEXT_TYPES: dict[str, tuple[str, Modality]] = {
    ".md": ("text/markdown", "text"),
    ".markdown": ("text/markdown", "text"),
    ".csv": ("text/csv", "table"),
    ".tsv": ("text/tab-separated-values", "table"),
    ".html": ("text/html", "document"),
    ".htm": ("text/html", "document"),
    ".eml": ("message/rfc822", "document"),
    ".vtt": ("text/vtt", "text"),
    ".srt": ("application/x-subrip", "text"),
    ".rttm": ("text/x-rttm", "text"),
}
# What annotations look like whatever they are called.
_ANNOTATIONS = (
    (re.compile(r"WEBVTT(?:[ \t\n\r]|$)"), "text/vtt", ".vtt"),
    (re.compile(r"\s*\d+\s*\n\d+:\d\d:\d\d[,.]\d{1,3} --> \d+:\d\d:\d\d[,.]\d{1,3}"), "application/x-subrip", ".srt"),
    (re.compile(r"(?:SPEAKER|SPKR-INFO)(?:[ \t]+\S+){3,4}[ \t]+<NA>"), "text/x-rttm", ".rttm"),
)
# Compound files hold old workbooks and encrypted new ones; their parts' names are in UTF-16.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LONGEST_DIRECTORY = 1 << 22
_ZIP = b"PK\x03\x04"
# What a zip is follows from the one part that each kind of office document must have.
_OFFICE: dict[str, tuple[str, Modality, str]] = {
    "word/document.xml": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document",
        ".docx",
    ),
    "ppt/presentation.xml": (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "document",
        ".pptx",
    ),
    "xl/workbook.xml": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "table", ".xlsx"),
}
# MPEG transport streams are packets without a header (ISO/IEC 13818-1, 2.4.3.2); discs put a time stamp before each.
_SYNC, _PACKETS, _STREAMS = 0x47, 5, ((0, 188), (4, 192))
_RECORD = re.compile(r'\{"type": ?"header", ?"format": ?"consilience-record"|\{"schema_version": ?\d+, ?"media": ?\[')
_HTML = re.compile(r"\s*(<!doctype html|<html[\s>])", re.IGNORECASE)


@dataclass(frozen=True)
class Sniffed:
    """Type and extent of a medium; units as in `Media`."""

    mime: str
    modality: Modality
    suffix: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    channels: int | None = None
    pages: int | None = None
    characters: int | None = None

    def facts(self) -> dict[str, Any]:
        """The fields of `Media` that this settles."""
        return {key: value for key, value in vars(self).items() if key != "suffix"}


def sniff(path: Path, name: str, limits: Limits) -> Sniffed:
    """Type and extent of the file at `path`, which people call `name`.

    Raises:
        BadMedia: broken, too large, of no known type, or of another type than its name says.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    found = _by_magic(path, head, name)
    promised = _PROMISED.get(Path(name).suffix.lower())
    if (promised, found.modality) == ("audio", "video"):
        # One container serves both, and only the name says that there is but sound.
        found = replace(found, mime=found.mime.replace("video/", "audio/"), modality="audio")
    if promised and promised != found.modality:
        raise BadMedia(
            name,
            f"is named as {_a(promised)}, but its content is {_a(found.modality)} ({found.mime}).",
            cure="Rename it, or export it again.",
        )
    return replace(found, **measure(path, name, found.mime, found.modality, limits))


def _by_magic(path: Path, head: bytes, name: str) -> Sniffed:
    import puremagic

    if text := _text_type(head, name):
        return text
    if archive := _archive_type(path, head):
        return archive
    if head.startswith(_COMPOUND):
        return _compound_type(path, name)
    if _is_transport_stream(head):
        return Sniffed("video/mp2t", "video", ".ts")
    try:
        best = puremagic.magic_string(head)
    except puremagic.PureError:
        best = []
    for match in best:
        modality = _modality(match.mime_type)
        if modality:
            return Sniffed(match.mime_type, modality, match.extension)
    if not best and is_writing(name):
        raise BadMedia(name, "is no text: it holds characters that no text has.", cure="Save it as UTF-8 again.")
    if head.startswith(_ZIP) and not zipfile.is_zipfile(path):
        raise BadMedia(name, "is cut off or broken: the end of the archive is missing.", cure="Fetch or save it again.")
    told = best[0].mime_type or best[0].name if best else "nothing known"
    raise UnsupportedMedia(
        name,
        f"its type is not supported (its content looks like {told}).",
        cure="Pictures, recordings, videos, PDF, docx, pptx, xlsx, HTML, e-mail, text, Markdown, CSV and Parquet are.",
    )


def _is_transport_stream(head: bytes) -> bool:
    """Whether the first packets all begin where they should."""
    return any(
        len(starts) == _PACKETS and set(starts) == {_SYNC}
        for starts in (head[first : first + _PACKETS * length : length] for first, length in _STREAMS)
    )


def _modality(mime: str) -> Modality | None:
    kind = mime.partition("/")[0]
    if kind == "image" and "svg" not in mime:
        return "image"
    if kind == "audio" or mime == "application/ogg":
        return "audio"
    if kind == "video":
        return "video"
    return "document" if mime == "application/pdf" else None


def _text_type(head: bytes, name: str) -> Sniffed | None:
    """Text is in known characters without control characters; only then does the name settle which text."""
    suffix = Path(name).suffix.lower()
    text = _decoded(head, marked(head) or "utf-8")
    if text is None and is_writing(name):
        text = _decoded(head, "cp1252")
    if text is None or any(ord(c) < 32 and c not in "\t\n\r\f" for c in text) or text.startswith("%PDF-"):
        return None
    text = text.removeprefix("\ufeff")
    if _RECORD.match(text):
        raise UnsupportedMedia(
            name,
            "is a record of consilience, what was observed of media, and no medium itself.",
            cure="Name the media instead; `consilience export` and `consilience import` read records.",
        )
    if suffix in _TEXT_TYPES:
        mime, modality = _TEXT_TYPES[suffix]
        return Sniffed(mime, modality, suffix)
    if _HTML.match(text):
        return Sniffed("text/html", "document", ".html")
    for pattern, mime, ending in _ANNOTATIONS:
        if pattern.match(text):
            return Sniffed(mime, "text", ending)
    if suffix == ".json" and _is_coco(text):
        return Sniffed("application/vnd.coco+json", "text", suffix)
    return Sniffed("text/plain", "text", suffix or ".txt")


def _decoded(head: bytes, codec: str) -> str | None:
    try:
        # The head may end in the middle of a character.
        return codecs.getincrementaldecoder(codec)().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError:
        return None


def _is_coco(head: str) -> bool:
    """Whether a JSON text is an object with the two lists that COCO annotations must have."""
    try:
        told = json.loads(head)
    except (ValueError, RecursionError):  # not JSON, longer than the head, or nested beyond all sense
        return all(f'"{key}"' in head for key in ("images", "annotations")) and head.lstrip().startswith("{")
    return isinstance(told, dict) and {"images", "annotations"} <= told.keys()


def _archive_type(path: Path, head: bytes) -> Sniffed | None:
    """Office documents by their parts, Parquet by its two ends."""
    if head.startswith(b"PAR1"):
        return Sniffed("application/vnd.apache.parquet", "table", ".parquet")
    if not head.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    for part, (mime, modality, suffix) in _OFFICE.items():
        if part in parts:
            return Sniffed(mime, modality, suffix)
    return None


def _compound_type(path: Path, name: str) -> Sniffed:
    with path.open("rb") as file:
        directory = file.read(_LONGEST_DIRECTORY)
        file.seek(max(0, path.stat().st_size - _LONGEST_DIRECTORY))
        directory += file.read()
    if "EncryptedPackage".encode("utf-16-le") in directory:
        raise BadMedia(name, "is encrypted.", cure="Save a copy without a password.")
    if any(part.encode("utf-16-le") in directory for part in ("Workbook", "Book")):
        return Sniffed("application/vnd.ms-excel", "table", ".xls")
    raise BadMedia(name, "is in an old format of office documents.", cure="Save it as docx, pptx or xlsx.")


def _a(modality: Modality) -> str:
    return {"image": "a picture", "audio": "a recording", "text": "text", "table": "a table"}.get(
        modality, f"a {modality}"
    )
