"""Media that are hostile by design."""

from __future__ import annotations

import base64
import io
import os
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[1] / "src/consilience/apps/samples"

Content: TypeAlias = bytes | Callable[[Path], Any]
"""Bytes of a file, or what makes it: there are files that nobody can write."""

Special: TypeAlias = tuple[str, str, Content]
"""What it is, what it is called, what is in it."""


def specials() -> Iterator[Special]:
    """All of them."""
    for kind in (_recordings, _pictures, _archives, _documents, _films, _writing, _streams):
        yield from kind()


def _recordings() -> Iterator[Special]:
    for rate in (8_000, 11_025, 22_050, 44_100, 96_000, 192_000):
        yield f"{rate} Hz", "a.wav", _wav(np.sin(np.arange(rate * 2) / rate * 2 * np.pi * 220) * 9000, rate)
    yield "1 Hz", "a.wav", _wav(np.arange(30), 1)
    yield "one sample", "a.wav", _wav(np.array([5]), 16_000)
    yield "silence", "a.wav", _wav(np.zeros(32_000), 16_000)
    size = struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + size + b"data\xff\xff\xff\xff"
    yield "header of 4 GB", "a.wav", head + bytes(32_000)
    long = _silence(hours=5)
    yield "5 hours", "a.flac", long
    yield "5 hours untold", "a.flac", _of_samples(long, 0)
    yield "5 hours told as 1 s", "a.flac", _of_samples(long, 8000)
    yield "1 s told as 5 hours", "a.flac", _of_samples(_silence(hours=1 / 3600), 5 * 3600 * 8000)


def _pictures() -> Iterator[Special]:
    for size in ((1, 1), (1, 2000), (2000, 1), (3, 5)):
        yield f"{size[0]} x {size[1]}", "a.png", _png(Image.new("RGB", size, "red"))
    yield "100 megapixels", "a.png", _png(Image.new("1", (10_000, 10_000)))
    yield "60 megapixels", "a.png", _png(Image.new("L", (7_740, 7_740), 200))
    yield "100,000 x 100,000", "a.png", _bomb(100_000, 100_000)
    yield "bomb in a remark", "a.png", _bomb(10, 10, b"zTXt", b"remark\0\0" + zlib.compress(bytes(50_000_000)))
    frames = [Image.new("P", (64, 64), shade % 256) for shade in range(3000)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    yield "3,000 frames", "a.gif", buffer.getvalue()
    yield "SVG", "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'


def _archives() -> Iterator[Special]:
    parts = {"docx": "word/document.xml", "pptx": "ppt/presentation.xml", "xlsx": "xl/workbook.xml"}
    for suffix, part in parts.items():
        yield "zip bomb", f"a.{suffix}", _zip({part: bytes(2 << 30)})
        yield "XML bomb", f"a.{suffix}", _zip({part: _laughs(), "[Content_Types].xml": b"<Types/>"})
    yield "picture bomb", "a.docx", _with_picture(_bomb(100_000, 100_000))
    yield "10,000 files", "a.pptx", _zip({"ppt/presentation.xml": b"<p/>", **{f"x/{i}": b"" for i in range(10_000)}})
    yield "plain zip", "a.zip", _zip({"a.txt": b"hello"})


def _documents() -> Iterator[Special]:
    yield "encrypted", "a.pdf", _encrypted_pdf()
    yield "no pages", "a.pdf", _pdf_of_pages("[]", 0)
    yield "page of itself", "a.pdf", _pdf_of_pages("[2 0 R]", 9)
    yield "2 billion pages", "a.pdf", _pdf_of_pages("[3 0 R]", 2_000_000_000)
    yield (
        "stream bomb",
        "a.pdf",
        _pdf_of_stream(zlib.compress(zlib.compress(bytes(2 << 30))), "[/FlateDecode/FlateDecode]"),
    )
    yield "page of 10,000 km", "a.pdf", _pdf_of_stream(zlib.compress(b"0 0 9 9 re f"), "/FlateDecode", side="1e10")
    yield "endless drawing", "a.pdf", _pdf_of_stream(zlib.compress(b"0 0 m 9e9 9e9 l S " * 2_000_000), "/FlateDecode")
    yield "deep HTML", "a.html", b"<html>" + b"<div>" * 50_000 + b"text"
    bomb = base64.b64encode(_bomb(100_000, 100_000))
    yield "picture bomb", "a.html", b"<html><p>words</p><img src='data:image/png;base64," + bomb + b"'></html>"
    yield "nested mail", "a.eml", b"From: a@b\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" * 500 + b"x"


def _films() -> Iterator[Special]:
    film = _film(10, container="matroska")
    yield "no frames", "a.mkv", film[: film.index(b"\x1f\x43\xb6\x75")]
    yield "one frame", "a.mp4", _film(1)
    yield "2 x 2", "a.mp4", _film(10, size=(2, 2))
    place = film.index(b"\x44\x89\x88") + 3
    for seconds in (0.0, 0.1, 3600.0, 1e9, float("nan")):
        yield (
            f"1 s told as {seconds:g} s",
            "a.mkv",
            film[:place] + struct.pack(">d", seconds * 1000) + film[place + 8 :],
        )
    yield "live, no end told", "a.mkv", _film(10, container="matroska", options={"live": "1"})
    sound = (SAMPLES / "sample.ogg").read_bytes()
    yield "sound named as film", "a.mp4", sound
    yield "film named as sound", "a.wav", (SAMPLES / "sample.mp4").read_bytes()
    yield "picture named as film", "a.mp4", (SAMPLES / "sample.jpg").read_bytes()


def _writing() -> Iterator[Special]:
    yield "open quote", "a.csv", b'a,b\n"1,2\n3,4\n' * 50
    yield "quotes inside", "a.csv", b'a,b\n1"2,"3"4\n"5""6,7\n"8"\n' * 50
    yield "cell of 10 MB", "a.csv", b'a,b\n"' + b"x" * 10_000_000 + b'",1\n'
    yield "ragged", "a.csv", b"a,b\n1\n1,2,3,4\n\n,,,,\n"
    yield "10,000 columns", "a.csv", (",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join("1" * 10_000)).encode()
    yield "2,000,000 rows", "a.csv", b"1,2\n" * 2_000_000
    yield "formulas", "a.csv", b"name,total\n=cmd|' /C calc'!A0,@SUM(1)\n"
    yield "one long line", "a.txt", b"word " * 900_000
    yield "60 MB", "a.txt", b"word " * 12_000_000
    yield "NUL", "a.txt", b"hello\x00world"
    yield "deep JSON", "a.json", b'{"images":' + b"[" * 100_000 + b',"annotations":[]}'


def _streams() -> Iterator[Special]:
    """What never ends, or has no end that anybody could wait for."""
    yield "pipe", "a.mp3", os.mkfifo
    yield "endless device", "a.wav", lambda path: path.symlink_to("/dev/zero")
    yield "folder", "a.pdf", lambda path: path.mkdir()
    yield "hole of 1 TB", "a.mp4", lambda path: os.truncate(_touched(path), 1 << 40)


def _touched(path: Path) -> Path:
    path.touch()
    return path


def _wav(samples: np.ndarray[Any, Any], rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def _silence(hours: float) -> bytes:
    """A FLAC of silence at 8 kHz."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as made:
        stream = made.add_stream("flac", rate=8000, layout="mono")
        block = np.zeros((1, 16_000), np.int16)
        for start in range(0, round(hours * 3600 * 8000), 16_000):
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return buffer.getvalue()


def _of_samples(flac: bytes, samples: int) -> bytes:
    """A FLAC whose header promises so many samples (RFC 9639, 8.2)."""
    changed = bytearray(flac)
    place = 8 + 13
    changed[place] = changed[place] & 0xF0 | samples >> 32
    changed[place + 1 : place + 5] = struct.pack(">I", samples & 0xFFFFFFFF)
    return bytes(changed)


def _bomb(width: int, height: int, *more: bytes) -> bytes:
    """A tiny PNG that says it is that large; `more` are the name and the content of another chunk."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + (chunk(*more) if more else b"")
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def _zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _with_picture(picture: bytes) -> bytes:
    """A text document with this picture in the place of a good one."""
    import docx

    document, buffer = docx.Document(), io.BytesIO()
    document.add_picture(str(SAMPLES / "sample.jpg"))
    document.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        parts = {name: picture if "/media/" in name else archive.read(name) for name in archive.namelist()}
    return _zip(parts)


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha" * 10}">' for i in range(10))
    return f"<?xml version='1.0'?><!DOCTYPE d [{entities}]><d>&l9;</d>".encode()


def _encrypted_pdf() -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption("secret", ownerPassword="owner"))
    canvas.drawString(100, 700, "nobody may read this")
    canvas.save()
    return buffer.getvalue()


def _pdf_of_pages(kids: str, count: int) -> bytes:
    tree = f"2 0 obj<</Type/Pages/Kids{kids}/Count {count}>>endobj"
    return f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n{tree}\ntrailer<</Root 1 0 R>>".encode()


def _pdf_of_stream(content: bytes, filters: str, side: str = "600") -> bytes:
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox[0 0 {side} {side}]>>".encode(),
        f"<</Length {len(content)}/Filter {filters}>>stream\n".encode() + content + b"\nendstream",
    ]
    file = b"%PDF-1.4\n" + b"".join(b"%d 0 obj%b endobj\n" % numbered for numbered in enumerate(objects, 1))
    return file + b"trailer<</Root 1 0 R>>"


def _film(
    frames: int, size: tuple[int, int] = (64, 48), container: str = "mp4", options: dict[str, str] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=options or {}) as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_image(Image.new("RGB", size, (number * 20 % 255, 0, 0)))
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return buffer.getvalue()
