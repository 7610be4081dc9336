"""Media that nobody should have to read: empty, broken, cut off, and larger than most."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from consilience.observations import Modality, Source

__all__ = ["HUGE_TYPES", "broken", "huge"]

HUGE_TYPES: Mapping[Modality, str] = {
    "image": "image/png",
    "audio": "audio/wave",
    "video": "video/mp4",
    "document": "application/pdf",
    "text": "text/plain",
    "table": "text/csv",
}
"""Type of what `huge` makes."""

_SECONDS, _RATE, _PAGES, _ROWS = 240, 16_000, 200, 20_000


def broken(content: bytes) -> dict[str, bytes]:
    """Ways in which a file goes bad, by name."""
    third = len(content) // 3
    middle = bytes(byte ^ 0xA5 for byte in content[third : 2 * third])
    return {
        "empty": b"",
        "something else": bytes(range(256)) * 4,
        "cut off": content[: len(content) // 2],
        "scrambled": content[:third] + middle + content[2 * third :],
    }


def huge(modality: Modality) -> Source | None:
    """A large and dull medium: much to read and nothing in it; None where it takes a package that is not installed."""
    if modality == "image":
        return _picture()
    if modality == "audio":
        return _recording()
    if modality == "video":
        return _film() if find_spec("av") else None
    if modality == "document":
        return _pdf()
    if modality == "text":
        return "word" * 25_000
    return "".join(f"{row},{row % 7},{row % 11},\n" for row in range(_ROWS)).encode()


def _picture() -> Source:
    """12 megapixels, eight times as wide as high."""
    from PIL import Image

    return Image.new("L", (9800, 1225), 255)


def _recording() -> bytes:
    """Silence on two channels."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(bytes(_SECONDS * _RATE * 4))
    return file.getvalue()


def _film() -> bytes:
    """A minute of nothing."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        frame: Any = av.VideoFrame(160, 120, "yuv420p")
        for number in range(600):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _pdf() -> bytes:
    """200 pages of a line each (ISO 32000-1, 7.5)."""
    kids = " ".join(f"{number} 0 R" for number in range(4, 4 + 2 * _PAGES, 2))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {_PAGES}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number in range(_PAGES):
        drawn = f"BT /F 12 Tf 20 100 Td (line {number + 1}) Tj ET"
        objects += [
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<</Font<</F 3 0 R>>>>"
            f"/Contents {5 + 2 * number} 0 R>>",
            f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        ]
    file, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    trailer = f"trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{len(file)}\n%%EOF\n"
    return f"{file}xref\n0 {count}\n0000000000 65535 f \n{table}{trailer}".encode()
