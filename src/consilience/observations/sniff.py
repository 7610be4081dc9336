"""What bytes are: type, and the size of what they hold, checked whole before anything believes them."""

from __future__ import annotations

import codecs
import csv
import importlib.util
import warnings
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits
from consilience.observations.media import Modality

__all__ = ["Sniffed", "sniff"]

_HEAD = 65536

# EXIF orientations that lay a picture on its side.
_SIDEWAYS = range(5, 9)

# Suffixes that promise a modality; a file that breaks the promise is refused rather than guessed at.
_PROMISED: dict[str, Modality] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"), "image"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac"), "audio"),
    **dict.fromkeys((".mp4", ".mkv", ".mov", ".webm", ".avi"), "video"),
    **dict.fromkeys((".pdf",), "document"),
}
_TEXT_TYPES = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
}


@dataclass(frozen=True)
class Sniffed:
    """Type and extent of a medium; units as in `Media`."""

    mime: str
    modality: Modality
    suffix: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
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
    measure = {
        "image": _measure_image,
        "audio": _measure_audio,
        "text": _measure_text,
        "table": _measure_text,
    }
    return measure[found.modality](path, name, found, limits) if found.modality in measure else found


def _by_magic(path: Path, head: bytes, name: str) -> Sniffed:
    import puremagic

    text = _text_type(head, name)
    if text:
        return text
    try:
        best = puremagic.magic_string(head)
    except puremagic.PureError:
        best = []
    for match in best:
        modality = _modality(match.mime_type)
        if modality:
            return Sniffed(match.mime_type, modality, match.extension)
    told = best[0].mime_type or best[0].name if best else "nothing known"
    raise BadMedia(
        name,
        f"its type is not supported (its content looks like {told}).",
        cure="Pictures, recordings, text, Markdown and CSV are.",
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
    """Text is UTF-8 without control characters; only then does the name settle which text."""
    try:
        # The head may end in the middle of a character.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError:
        return None
    if any(ord(c) < 32 and c not in "\t\n\r\f" for c in text) or text.startswith("%PDF-"):
        return None
    suffix = Path(name).suffix.lower()
    mime = _TEXT_TYPES.get(suffix, "text/plain")
    return Sniffed(mime, "table" if mime in ("text/csv", "text/tab-separated-values") else "text", suffix or ".txt")


def _measure_image(path: Path, name: str, found: Sniffed, limits: Limits) -> Sniffed:
    from PIL import ExifTags, Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Our own limit decides, before a pixel is decoded; Pillow's would only warn, as it does of broken EXIF.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                width, height = image.size
                if width * height > limits.pixels:
                    raise BadMedia(
                        name,
                        f"would unpack to {width} x {height} pixels; the limit is {limits.pixels:,} in all.",
                        cure="Raise CONSILIENCE_LIMIT_PIXELS if you trust it.",
                    )
                image.load()
                # Loading turns a TIFF, and only a TIFF, upright.
                sideways = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
                width, height = reversed(image.size) if sideways else image.size
                mime = Image.MIME.get(image.format or "", found.mime)
    except Image.DecompressionBombError as problem:
        raise BadMedia(name, f"is a decompression bomb ({problem}).", cure="Do not open it.") from problem
    except UnidentifiedImageError as problem:
        raise BadMedia(name, f"is no readable picture ({found.mime}).", cure="Export it as PNG or JPEG.") from problem
    except BadMedia:
        raise
    except Exception as problem:
        # Pillow's decoders raise whatever it is that a broken file makes them stumble over.
        told = str(problem) or type(problem).__name__
        raise BadMedia(name, f"is broken or cut off ({told}).", cure="Copy or export it again.") from problem
    return replace(found, mime=mime, width=width, height=height)


def _measure_audio(path: Path, name: str, found: Sniffed, limits: Limits) -> Sniffed:
    seconds = _wav_seconds(path, name) if "wav" in found.mime else _container_seconds(path, name)
    if seconds is not None and seconds > limits.audio_seconds:
        raise BadMedia(
            name,
            f"is too long ({seconds:,.0f} s; the limit is {limits.audio_seconds:,.0f} s).",
            cure="Raise CONSILIENCE_LIMIT_AUDIO_SECONDS, or cut it.",
        )
    return replace(found, seconds=seconds)


def _wav_seconds(path: Path, name: str) -> float | None:
    """Seconds of sound; None where only a decoder can tell (a compressed or extensible WAV)."""
    try:
        with wave.open(str(path), "rb") as file:
            frames, width = file.getnframes(), file.getsampwidth() * file.getnchannels()
            promised, rate = frames * width, file.getframerate()
            there = len(file.readframes(frames))
    except EOFError as problem:
        raise BadMedia(name, "is cut off inside its header.", cure="Copy or record it again.") from problem
    except (wave.Error, RuntimeError) as problem:
        if "unknown format" in str(problem):
            return _container_seconds(path, name)
        told = str(problem) or "its parts are longer than the whole"
        raise BadMedia(name, f"is no readable WAV ({told}).", cure="Export it again.") from problem
    if there < promised:
        raise BadMedia(
            name,
            f"is cut off: {promised:,} bytes of sound promised, {there:,} there.",
            cure="Copy or record it again.",
        )
    if not frames or not rate:
        raise BadMedia(name, "holds no sound.", cure="Record it again.")
    return round(frames / rate, 3)


def _container_seconds(path: Path, name: str) -> float | None:
    if importlib.util.find_spec("av") is None:
        return None
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise BadMedia(name, "holds no sound.", cure="Record it again.")
            return round(container.duration / 1_000_000, 3) if container.duration else None
    except av.FFmpegError as problem:
        raise BadMedia(name, f"is no readable recording ({problem.strerror}).", cure="Export it again.") from problem


def _measure_text(path: Path, name: str, found: Sniffed, limits: Limits) -> Sniffed:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadMedia(name, f"is not UTF-8 throughout (byte {problem.start}).", cure="Save it as UTF-8.") from problem
    if len(text) > limits.text_characters:
        raise BadMedia(
            name,
            f"is too long ({len(text):,} characters; the limit is {limits.text_characters:,}).",
            cure="Raise CONSILIENCE_LIMIT_TEXT_CHARACTERS, or split it.",
        )
    if not text.strip():
        raise BadMedia(name, "holds nothing but white space.", cure="Save it again.")
    if found.modality == "table":
        _check_rows(text, name, limits)
    return replace(found, characters=len(text))


def _check_rows(text: str, name: str, limits: Limits) -> None:
    try:
        rows = sum(1 for _ in csv.reader(text.splitlines()))
    except csv.Error as problem:
        raise BadMedia(name, f"is no readable table ({problem}).", cure="Export it as CSV again.") from problem
    if rows > limits.table_rows:
        raise BadMedia(
            name,
            f"has too many rows ({rows:,}; the limit is {limits.table_rows:,}).",
            cure="Raise CONSILIENCE_LIMIT_TABLE_ROWS, or split it.",
        )


def _a(modality: Modality) -> str:
    return {"image": "a picture", "audio": "a recording", "text": "text", "table": "a table"}.get(
        modality, f"a {modality}"
    )
