"""In which characters writing is written, and the text of it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Charset", "charset_of", "is_writing", "marked", "read_text"]

_CHUNK = 1 << 20

# UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


# Under these names bytes that are not UTF-8 are writing all the same.
_WRITING = frozenset(".csv .eml .htm .html .log .markdown .md .rttm .srt .text .tsv .txt .vtt".split())


@dataclass(frozen=True)
class Charset:
    """A codec of Python's by name."""

    codec: str
    guessed: bool = False
    """Neither a byte order mark nor the bytes themselves prove it."""

    @property
    def note(self) -> str | None:
        """What a reader should know of it."""
        return "read as Windows-1252, a guess: it is not UTF-8" if self.guessed else None


def is_writing(name: str) -> bool:
    """Whether a file's name promises writing, so that its characters may be guessed at."""
    return Path(name).suffix.lower() in _WRITING


def marked(head: bytes) -> str | None:
    """The codec that a byte order mark at the beginning names."""
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), None)


def charset_of(path: Path) -> Charset:
    """The characters of the writing at `path`: by its byte order mark, UTF-8 where all of it is, else Windows-1252.

    Windows-1252 holds all of Latin-1's letters, and is what spreadsheets of Western Europe write.

    Raises:
        UnicodeDecodeError: it is none of these.
    """
    with path.open("rb") as file:
        codec = marked(file.read(4)) or "utf-8"
    try:
        _decode(path, codec)
    except UnicodeDecodeError:
        if codec != "utf-8":
            raise
        _decode(path, "cp1252")
        return Charset("cp1252", guessed=True)
    return Charset(codec)


def read_text(path: Path) -> str:
    """All of the writing at `path`, its line ends as newlines.

    Raises:
        UnicodeDecodeError: see `charset_of`.
    """
    return path.read_text(encoding=charset_of(path).codec)


def _decode(path: Path, codec: str) -> None:
    decoder = codecs.getincrementaldecoder(codec)()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(_CHUNK), b""):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
