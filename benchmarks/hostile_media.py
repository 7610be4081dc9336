"""Real files of every format, what may happen to a file, and media that are hostile by design."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[1] / "src/consilience/apps/samples"


def formats() -> dict[str, bytes]:
    """One real file of each format, by suffix."""
    files = {path.suffix[1:]: path.read_bytes() for path in sorted(SAMPLES.glob("sample.*"))}
    picture = Image.open(SAMPLES / "sample.jpg").convert("RGB").resize((320, 200))
    for suffix in ("png", "gif", "webp", "bmp", "tiff"):
        buffer = io.BytesIO()
        picture.save(buffer, format=suffix.upper())
        files[suffix] = buffer.getvalue()
    codecs = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "m4a": "aac"}
    files |= {suffix: convert(SAMPLES / "sample.ogg", suffix, sound=codec) for suffix, codec in codecs.items()}
    films = {"mkv": ("libx264", "aac"), "webm": ("libvpx", "libopus"), "avi": ("mpeg4", "libmp3lame")}
    files |= {s: convert(SAMPLES / "sample.mp4", s, sound=a, pictures=v) for s, (v, a) in films.items()}
    return files


def convert(source: Path, suffix: str, *, sound: str, pictures: str | None = None) -> bytes:
    """The same sound and pictures in another container."""
    buffer = io.BytesIO()
    container_format = {"m4a": "ipod", "mkv": "matroska"}.get(suffix, suffix)
    with av.open(str(source)) as given, av.open(buffer, "w", format=container_format) as made:
        rate = 48_000 if sound == "libopus" else 16_000
        heard = made.add_stream(sound, rate=rate, layout="mono")
        seen = made.add_stream(pictures, rate=10) if pictures else None
        if seen:
            seen.width, seen.height, seen.pix_fmt = 240, 160, "yuv420p"
            for number, frame in enumerate(given.decode(video=0)):
                frame.pts, frame.time_base = number, Fraction(1, 10)
                made.mux(seen.encode(frame.reformat(format="yuv420p")))
            made.mux(seen.encode())
            given.seek(0)
        resampler = av.AudioResampler(
            format=heard.format, layout="mono", rate=rate, frame_size=heard.frame_size or 1024
        )
        for frame in (*given.decode(audio=0), None):
            for block in resampler.resample(frame):
                made.mux(heard.encode(block))
        made.mux(heard.encode())
    return buffer.getvalue()


def _flipped(content: bytes, seed: int, share: float) -> bytes:
    rng = np.random.default_rng(seed)
    raw = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, len(raw), max(1, int(len(raw) * share)))
    raw[places] ^= rng.integers(1, 256, len(places)).astype(np.uint8)
    return raw.tobytes()


def _middle(content: bytes, filling: Callable[[bytes], bytes]) -> bytes:
    third = len(content) // 3
    return content[:third] + filling(content[third : 2 * third]) + content[2 * third :]


FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda c: c,
    "empty": lambda c: b"",
    "one byte": lambda c: c[:1],
    "head only": lambda c: c[:64],
    "half": lambda c: c[: len(c) // 2],
    "tail cut": lambda c: c[:-16],
    "head cut": lambda c: c[16:],
    "zeroed": lambda c: _middle(c, lambda m: bytes(len(m))),
    "hole": lambda c: _middle(c, lambda m: b""),
    "doubled": lambda c: c + c,
    "appended": lambda c: c + bytes(range(256)) * 40,
    "flipped 1": lambda c: _flipped(c, 1, 0.001),
    "flipped 2": lambda c: _flipped(c, 2, 0.01),
    "flipped 3": lambda c: _flipped(c, 3, 0.1),
    "huge sizes": lambda c: c.replace(b"\x00\x00\x00", b"\x7f\xff\xff", 3),
    "newlines": lambda c: c.replace(b"\n", b"\r\n"),
}
"""What may happen to any file."""


def specials() -> Iterator[tuple[str, str, bytes]]:
    """(name, file name, content) of media that are hostile by design."""
    for rate in (8_000, 11_025, 22_050, 44_100, 96_000, 192_000):
        yield f"{rate} Hz", "a.wav", _wav(np.sin(np.arange(rate * 2) / rate * 2 * np.pi * 220) * 9000, rate)
    yield "1 Hz", "a.wav", _wav(np.arange(30), 1)
    yield "one sample", "a.wav", _wav(np.array([5]), 16_000)
    yield "silence", "a.wav", _wav(np.zeros(32_000), 16_000)
    yield (
        "header of 4 GB",
        "a.wav",
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
        + b"data\xff\xff\xff\xff"
        + bytes(32_000),
    )
    for size in ((1, 1), (1, 2000), (2000, 1), (3, 5)):
        yield f"{size[0]} x {size[1]}", "a.png", _png(Image.new("RGB", size, "red"))
    yield "100 megapixels", "a.png", _png(Image.new("1", (10_000, 10_000)))
    yield "60 megapixels", "a.png", _png(Image.new("L", (7_740, 7_740), 200))
    yield "100,000 x 100,000", "a.png", _bomb(100_000, 100_000)
    yield "SVG", "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
    yield "zip bomb", "a.docx", _zip({"word/document.xml": bytes(2 << 30)})
    yield "XML bomb", "a.docx", _zip({"word/document.xml": _laughs(), "[Content_Types].xml": b"<Types/>"})
    yield "XML bomb", "a.xlsx", _zip({"xl/workbook.xml": _laughs(), "[Content_Types].xml": b"<Types/>"})
    yield "10,000 files", "a.pptx", _zip({"ppt/presentation.xml": b"<p/>", **{f"x/{i}": b"" for i in range(10_000)}})
    yield "plain zip", "a.zip", _zip({"a.txt": b"hello"})
    yield "encrypted", "a.pdf", _encrypted_pdf()
    yield "no pages", "a.pdf", _pdf_of_pages("[]", 0)
    yield "page of itself", "a.pdf", _pdf_of_pages("[2 0 R]", 9)
    yield "no frames", "a.mp4", _film(0)
    yield "one frame", "a.mp4", _film(1)
    yield "2 x 2", "a.mp4", _film(10, size=(2, 2))
    yield "sound named as film", "a.mp4", convert(SAMPLES / "sample.ogg", "m4a", sound="aac")
    yield "film named as sound", "a.wav", (SAMPLES / "sample.mp4").read_bytes()
    yield "picture named as film", "a.mp4", (SAMPLES / "sample.jpg").read_bytes()
    yield "open quote", "a.csv", b'a,b\n"1,2\n3,4\n' * 50
    yield "ragged", "a.csv", b"a,b\n1\n1,2,3,4\n\n,,,,\n"
    yield "10,000 columns", "a.csv", (",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join("1" * 10_000)).encode()
    yield "one long line", "a.txt", b"word " * 900_000
    yield "formulas", "a.csv", b"name,total\n=cmd|' /C calc'!A0,@SUM(1)\n"
    yield "NUL", "a.txt", b"hello\x00world"
    yield "deep HTML", "a.html", b"<html>" + b"<div>" * 50_000 + b"text"
    yield "deep JSON", "a.json", b'{"images":' + b"[" * 100_000 + b',"annotations":[]}'
    yield "nested mail", "a.eml", b"From: a@b\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" * 500 + b"x"


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


def _bomb(width: int, height: int) -> bytes:
    """A tiny PNG that says it is that large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


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


def _film(frames: int, size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_image(Image.new("RGB", size, (number * 20 % 255, 0, 0)))
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return buffer.getvalue()


def cells(only: set[str]) -> Iterator[tuple[str, str, str, bytes]]:
    """(row, column, file name, content)."""
    for suffix, content in formats().items():
        if not only or suffix in only:
            for fault, break_ in FAULTS.items():
                yield suffix, fault, f"a.{suffix}", break_(content)
    for fault, name, content in specials():
        if not only or name[2:] in only:
            yield name[2:], f"special: {fault}", name, content
