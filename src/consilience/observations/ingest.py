"""Taking an input in: from whatever the caller holds to a `Media` whose bytes are in the store.

What an input is follows from its bytes. A name is only believed where the bytes agree.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits
from consilience.observations.media import Media
from consilience.observations.sniff import Sniffed, sniff
from consilience.observations.store import ObservationStore

__all__ = ["Source", "ingest"]

Source: TypeAlias = Any
"""A path, bytes, text, a PIL image, `(samples, rate)` of sound, a DataFrame, a LangChain content block, or a Media.

A `str` is a path when such a file exists or when it looks like a file name; otherwise it is the text itself.
"""

_FILE_NAME = re.compile(r"[^\n]*\.[A-Za-z0-9]{1,5}")


def ingest(source: Source, store: ObservationStore, *, limits: Limits | None = None, name: str | None = None) -> Media:
    """Checks one input, keeps its bytes in `store`, and gives its `Media`. Blocks.

    Raises:
        BadMedia: missing, empty, truncated, too large, of no known type, or not what its name says.
    """
    limits = limits or Limits()
    if isinstance(source, Media):
        store.path(source)
        return source
    if isinstance(source, str):
        source = Path(source) if _is_path(source) else source.encode()
    if isinstance(source, Path):
        return _from_path(source, store, limits, name or source.name)
    content, fallback = _to_bytes(source)
    return _from_bytes(content, store, limits, name or fallback)


def _is_path(text: str) -> bool:
    if "\n" in text or len(text) > 1000:
        return False
    try:
        if Path(text).exists():
            return True
    except OSError:
        return False
    return bool(_FILE_NAME.fullmatch(text)) and (" " not in text or "/" in text)


def _from_path(path: Path, store: ObservationStore, limits: Limits, name: str) -> Media:
    if not path.exists():
        raise BadMedia(str(path), "there is no such file.", cure="Check the path; it is taken from the current folder.")
    if not path.is_file():
        raise BadMedia(str(path), "is not a file.", cure="Name the files one by one.")
    _check_size(name, path.stat().st_size, limits)
    sniffed = sniff(path, name, limits)
    return _keep(store.put_file(path), path.stat().st_size, name, sniffed, store)


def _from_bytes(content: bytes, store: ObservationStore, limits: Limits, name: str) -> Media:
    _check_size(name, len(content), limits)
    digest = store.put_bytes(content)
    try:
        sniffed = sniff(store.blob(digest), name, limits)
    except BadMedia:
        store.blob(digest).unlink(missing_ok=True)
        raise
    return _keep(digest, len(content), name if "." in name else name + sniffed.suffix, sniffed, store)


def _keep(digest: str, size: int, name: str, sniffed: Sniffed, store: ObservationStore) -> Media:
    shown = "".join(c if c.isprintable() else "?" for c in name)[-255:]
    media = Media(id=f"sha256:{digest}", name=shown, size=size, **sniffed.facts())
    store.put_media(media)
    return media


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
    if isinstance(source, Mapping):
        return _block_to_bytes(source)
    if isinstance(source, tuple) and len(source) == 2:
        return _samples_to_wav(*source), "recording.wav"
    if hasattr(source, "to_csv") and hasattr(source, "columns"):
        return source.to_csv(index=False).encode(), "table.csv"
    if hasattr(source, "save") and hasattr(source, "getbbox"):
        buffer = io.BytesIO()
        source.save(buffer, format="PNG")
        return buffer.getvalue(), "picture.png"
    raise BadMedia(
        type(source).__name__,
        "this type of input is not understood.",
        cure="Pass a path, bytes, text, a PIL image, (samples, rate), a DataFrame or a LangChain content block.",
    )


def _samples_to_wav(samples: Any, rate: Any) -> bytes:
    """16-bit WAV of an array of shape (frames,) or (frames, channels): floats in -1 to 1, or int16."""
    import numpy as np

    array = np.asarray(samples)
    if array.ndim not in (1, 2) or array.size == 0 or not isinstance(rate, int) or rate <= 0:
        raise BadMedia(
            "recording",
            "samples must be of shape (frames,) or (frames, channels) with a whole rate in hertz.",
        )
    if array.dtype.kind == "f":
        array = np.round(np.nan_to_num(np.clip(array, -1, 1)) * 32767)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if array.ndim == 1 else array.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array.astype("<i2").tobytes())
    return buffer.getvalue()


def _block_to_bytes(block: Mapping[str, Any]) -> tuple[bytes, str]:
    """A LangChain content block, or an OpenAI one."""
    kind = str(block.get("type", ""))
    if kind in ("text", "text-plain") and isinstance(block.get("text"), str):
        return block["text"].encode(), "text"
    if kind == "input_audio":
        return _decode(block.get("input_audio", {}).get("data"), "recording"), "recording"
    url = block.get("image_url", block.get("url"))
    if isinstance(url, Mapping):
        url = url.get("url")
    if isinstance(url, str):
        if not url.startswith("data:"):
            raise BadMedia(url[:80], "URLs are not fetched.", cure="Download it and pass the file.")
        return _decode(url.partition(",")[2], kind), kind
    return _decode(block.get("base64", block.get("data")), kind or "content block"), kind or "content block"


def _decode(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise BadMedia(name, "this content block carries no base64 data.")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as problem:
        raise BadMedia(name, f"its base64 data is broken ({problem}).") from problem
