"""Taking an input in: from whatever the caller holds to a `Media` whose bytes are in the store.

What an input is follows from its bytes. A name is only believed where the bytes agree.
"""

from __future__ import annotations

import base64
import io
import re
import tempfile
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits
from consilience.observations.digests import digest_of
from consilience.observations.media import Media
from consilience.observations.sniff import Sniffed, sniff
from consilience.observations.store import ObservationStore

__all__ = ["Source", "ingest"]

Source: TypeAlias = Any
"""A path, bytes, text, a PIL image, `(samples, rate)` of sound, a DataFrame, a LangChain content block, or a Media.

A `str` is a path when such a file exists or when it looks like a file name; otherwise it is the text itself.
"""

_FILE_NAME = re.compile(r"[^\n]*\.[A-Za-z0-9]{1,5}")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)

_MOST_CHANNELS, _HIGHEST_RATE = 64, 1_000_000

# What becomes of a picture whose mode PNG does not have.
_PNG_MODES = {
    "CMYK": "RGB",
    "HSV": "RGB",
    "I": "I;16",
    "PA": "RGBA",
    "RGBX": "RGB",
    "RGBa": "RGBA",
    "YCbCr": "RGB",
}


def ingest(source: Source, store: ObservationStore, *, limits: Limits | None = None, name: str | None = None) -> Media:
    """Checks one input, keeps its bytes in `store`, and gives its `Media`. Blocks.

    Raises:
        BadMedia: missing, empty, truncated, too large, of no known type, or not what its name says.
    """
    limits = limits or Limits()
    if isinstance(source, Media):
        store.path(source)
        return source
    if isinstance(source, str) and _is_path(source):
        source = Path(source)
    if isinstance(source, Path):
        return _from_path(source, store, limits, name or source.name)
    content, fallback = _to_bytes(source)
    called = name or fallback
    return _from_bytes(content, store, limits, called if Path(called).suffix else called + Path(fallback).suffix)


def _is_path(text: str) -> bool:
    if not text or "\n" in text or "://" in text or len(text) > 1000:
        return False
    try:
        if Path(text).exists():
            return True
    except OSError:
        return False
    return bool(_FILE_NAME.fullmatch(text)) and (" " not in text or "/" in text)


def _from_path(path: Path, store: ObservationStore, limits: Limits, name: str) -> Media:
    _check_size(name, _size_of(path), limits)
    known = store.known(digest_of(path, limits.media_bytes) or "")
    if known and _settled(known, name, limits):
        return _renamed(known, name, store)
    sniffed = sniff(path, name, limits)
    digest = store.put_file(path, limits.media_bytes)
    return _keep(digest, store.blob(digest).stat().st_size, name, sniffed, store)


def _settled(known: Media, name: str, limits: Limits) -> bool:
    """Whether sniffing would find out again what is known, and these limits allow it.

    It is worth asking for what must be decoded to be sniffed. For other types a name may say another thing.
    """
    return (
        known.modality in ("image", "audio", "video")
        and Path(known.name).suffix.lower() == Path(name).suffix.lower()
        and (known.width or 0) * (known.height or 0) <= limits.pixels
        and (known.seconds or 0) <= (limits.video_seconds if known.modality == "video" else limits.audio_seconds)
    )


def _renamed(known: Media, name: str, store: ObservationStore) -> Media:
    shown = _printable(name)
    if known.name == shown:
        return known
    media = known.model_copy(update={"name": shown})
    store.put_media(media)
    return media


def _size_of(path: Path) -> int:
    try:
        size = path.stat().st_size
        regular = path.is_file()
        if regular:
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError) as problem:
        raise BadMedia(
            str(path), "there is no such file.", cure="Check the path; it is taken from the current folder."
        ) from problem
    except OSError as problem:
        raise BadMedia(str(path), f"cannot be read ({problem.strerror}).", cure="Check its rights.") from problem
    if not regular:
        raise BadMedia(str(path), "is not a file.", cure="Name the files one by one.")
    return size


def _from_bytes(content: bytes, store: ObservationStore, limits: Limits, name: str) -> Media:
    _check_size(name, len(content), limits)
    with tempfile.NamedTemporaryFile(dir=store.root, suffix=".partial") as file:
        file.write(content)
        file.flush()
        sniffed = sniff(Path(file.name), name, limits)
    called = name if "." in name else name + sniffed.suffix
    return _keep(store.put_bytes(content), len(content), called, sniffed, store)


def _keep(digest: str, size: int, name: str, sniffed: Sniffed, store: ObservationStore) -> Media:
    media = Media(id=f"sha256:{digest}", name=_printable(name), size=size, **sniffed.facts())
    store.put_media(media)
    return media


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[-255:]


def _check_size(name: str, size: int, limits: Limits) -> None:
    if size == 0:
        raise BadMedia(name, "is empty (0 bytes).", cure="Export or copy it again.")
    if size > limits.media_bytes:
        raise BadMedia(
            name,
            f"is too large ({size:,} bytes; the limit is {limits.media_bytes:,}).",
            cure="Raise CONSILIENCE_LIMIT_MEDIA_BYTES if you trust it.",
        )


def _to_bytes(source: object) -> tuple[bytes, str]:
    """The bytes of an in-memory input, and what to call it."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "bytes"
    if isinstance(source, str):
        return _text_to_bytes(source), "text"
    if isinstance(source, Mapping):
        return _block_to_bytes(source)
    if isinstance(source, tuple) and len(source) == 2:
        return _samples_to_wav(*source), "recording.wav"
    if hasattr(source, "to_csv") and hasattr(source, "columns"):
        return _text_to_bytes(source.to_csv(index=False)), "table.csv"
    if hasattr(source, "save") and hasattr(source, "getbbox"):
        return _picture_to_png(source), "picture.png"
    raise BadMedia(
        type(source).__name__,
        "this type of input is not understood.",
        cure="Pass a path, bytes, text, a PIL image, (samples, rate), a DataFrame or a LangChain content block.",
    )


def _text_to_bytes(text: str) -> bytes:
    if _URL.fullmatch(text):
        raise _not_fetched(text)
    try:
        return text.encode()
    except UnicodeEncodeError as problem:
        raise BadMedia("text", f"holds half a character ({problem}).", cure="Read it as UTF-8 again.") from problem


def _picture_to_png(picture: Any) -> bytes:
    """PNG of the upright picture."""
    from PIL import ImageOps

    buffer = io.BytesIO()
    try:
        upright = ImageOps.exif_transpose(picture)
        upright.convert(_PNG_MODES.get(upright.mode, upright.mode)).save(buffer, format="PNG")
    except (OSError, SyntaxError, ValueError) as problem:
        raise BadMedia(
            "picture", f"cannot be kept as PNG ({problem}).", cure="Open it again, or convert it to RGB."
        ) from problem
    return buffer.getvalue()


def _samples_to_wav(samples: Any, rate: Any) -> bytes:
    """16-bit WAV of an array of shape (frames,) or (frames, channels): floats in -1 to 1, or int16."""
    import numpy as np

    try:
        array = np.asarray(samples)
    except ValueError:  # ragged
        array = np.empty(0)
    whole_rate = isinstance(rate, int | np.integer) and 0 < rate <= _HIGHEST_RATE
    known = array.dtype.kind == "f" or (array.dtype.kind, array.dtype.itemsize) == ("i", 2)
    channels = array.shape[1] if array.ndim == 2 else 1
    if not (whole_rate and known and array.size and array.ndim in (1, 2) and channels <= _MOST_CHANNELS):
        raise BadMedia(
            "recording",
            f"(samples, rate) is no sound: {array.dtype} of shape {array.shape} at {rate!r}.",
            cure="Pass floats in -1 to 1 or int16, shaped (frames,) or (frames, channels), and a whole rate in hertz.",
        )
    if array.dtype.kind == "f":
        array = np.round(np.nan_to_num(np.clip(array, -1, 1)) * 32767)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes(array.astype("<i2").tobytes())
    return buffer.getvalue()


def _block_to_bytes(block: Mapping[str, Any]) -> tuple[bytes, str]:
    """A LangChain content block, or an OpenAI one."""
    kind = str(block.get("type", ""))
    if kind in ("text", "text-plain") and isinstance(block.get("text"), str):
        return _text_to_bytes(block["text"]), "text"
    if kind == "input_audio":
        sound = block.get("input_audio")
        return _decode(sound.get("data") if isinstance(sound, Mapping) else None, "recording"), "recording"
    url = block.get("image_url", block.get("url"))
    if isinstance(url, Mapping):
        url = url.get("url")
    if isinstance(url, str):
        return _data_url(url, kind), kind
    return _decode(block.get("base64", block.get("data")), kind or "content block"), kind or "content block"


def _data_url(url: str, name: str) -> bytes:
    if not url.startswith("data:"):
        raise _not_fetched(url)
    header, _, data = url.partition(",")
    return _decode(data, name) if header.endswith(";base64") else unquote_to_bytes(data)


def _not_fetched(url: str) -> BadMedia:
    return BadMedia(url[:80], "URLs are not fetched.", cure="Download it and pass the file.")


def _decode(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise BadMedia(name, "this content block carries no base64 data.", cure="Pass the file itself.")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as problem:
        raise BadMedia(name, f"its base64 data is broken ({problem}).", cure="Encode it again.") from problem
