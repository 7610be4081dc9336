"""How a medium reaches a tool of an MCP server: inside the call, or as a place from which a local server reads it."""

from __future__ import annotations

import base64
import io
import re
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from consilience.tools.excerpt import Excerpt
from pydantic import JsonValue

from consilience.core.errors import BadConfiguration, Unobservable

__all__ = ["LOCAL", "PassAs", "passed"]

PassAs: TypeAlias = Literal["base64", "data_url", "content", "text", "path", "uri", "link"]
"""base64: a string. data_url: `data:image/png;base64,...`. content: an MCP image, audio or resource block. text: the
text itself. path, uri (`file://`) and link (an MCP resource link): for servers on this machine, which read the file."""

LOCAL: tuple[PassAs, ...] = ("path", "uri", "link")

_RATE = 16_000


@dataclass(frozen=True)
class _Carried:
    """Bytes to hand over: a file as it is, or a part of a medium as a file of its own."""

    mime: str
    suffix: str
    path: Path | None = None
    content: bytes = b""

    def read(self) -> bytes:
        return self.path.read_bytes() if self.path else self.content

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path else len(self.content)


@contextmanager
def passed(excerpt: Excerpt, how: PassAs, most_bytes: int) -> Iterator[JsonValue]:
    """What stands for the excerpt in the call; a file that it names is there until the block ends.

    Raises:
        BadConfiguration: it is too large to be put into a call.
        Unobservable: a part of such a medium cannot be handed over.
    """
    if how == "text":
        yield excerpt.text()
        return
    carried = _carried(excerpt)
    if how in LOCAL:
        with _on_disk(carried) as path:
            yield _named(path, how, excerpt, carried)
        return
    if carried.size > most_bytes:
        raise BadConfiguration(
            f"{excerpt.media.name}: {carried.size:,} bytes are too many to be put into a call ({most_bytes:,}).",
            cure="Raise most_bytes, or let a local server read the file: pass_as='path'.",
        )
    yield _inline(base64.b64encode(carried.read()).decode(), how, excerpt, carried.mime)


def _carried(excerpt: Excerpt) -> _Carried:
    media = excerpt.media
    modality = excerpt.modality or media.modality
    if not excerpt.where and modality == media.modality:
        known = re.fullmatch(r"\.[A-Za-z0-9]{1,5}", Path(media.name).suffix)
        return _Carried(media.mime, known[0].lower() if known else "", path=excerpt.path)
    if modality == "image":
        drawn = io.BytesIO()
        excerpt.image().save(drawn, format="PNG")
        return _Carried("image/png", ".png", content=drawn.getvalue())
    if modality == "audio":
        return _Carried("audio/wav", ".wav", content=_wav(excerpt))
    if modality == "text":
        return _Carried(media.mime, ".txt", content=excerpt.text().encode())
    raise Unobservable(f"this tool can only be handed a {modality} as a whole")


def _wav(excerpt: Excerpt) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes((excerpt.waveform(_RATE).clip(-1, 1) * 32767).round().astype("<i2").tobytes())
    return file.getvalue()


def _inline(data: str, how: PassAs, excerpt: Excerpt, mime: str) -> JsonValue:
    if how == "base64":
        return data
    if how == "data_url":
        return f"data:{mime};base64,{data}"
    kind = mime.partition("/")[0]
    if kind in ("image", "audio"):
        return {"type": kind, "data": data, "mimeType": mime}
    uri = f"consilience://media/{excerpt.media.id}"
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime, "blob": data}}


@contextmanager
def _on_disk(carried: _Carried) -> Iterator[Path]:
    """A file whose suffix tells its type, as many readers want it; the store's own have none."""
    with tempfile.TemporaryDirectory(prefix="consilience-") as folder:
        path = Path(folder) / f"medium{carried.suffix}"
        if carried.path:
            path.symlink_to(carried.path.resolve())
        else:
            path.write_bytes(carried.content)
        yield path


def _named(path: Path, how: PassAs, excerpt: Excerpt, carried: _Carried) -> JsonValue:
    if how == "path":
        return str(path)
    if how == "uri":
        return path.as_uri()
    return {
        "type": "resource_link",
        "uri": path.as_uri(),
        "name": excerpt.media.name,
        "mimeType": carried.mime,
        "size": carried.size,
    }
