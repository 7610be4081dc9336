"""Real files of every format, and what may happen to a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from hostile_specials import Content, specials
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[1] / "src/consilience/apps/samples"


def formats() -> dict[str, bytes]:
    """One real file of each format, by suffix."""
    files = {path.suffix[1:]: path.read_bytes() for path in sorted(SAMPLES.glob("sample.*"))}
    picture = Image.open(SAMPLES / "sample.jpg").convert("RGB").resize((320, 200))
    for suffix in ("png", "gif", "webp", "bmp", "tiff", "avif"):
        buffer = io.BytesIO()
        picture.save(buffer, format=suffix.upper())
        files[suffix] = buffer.getvalue()
    codecs = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "m4a": "aac", "aac": "aac"}
    files |= {suffix: convert(SAMPLES / "sample.ogg", suffix, sound=codec) for suffix, codec in codecs.items()}
    films = {"mkv": ("libx264", "aac"), "webm": ("libvpx", "libopus"), "avi": ("mpeg4", "libmp3lame")}
    films |= {"ts": ("libx264", "aac"), "mov": ("libx264", "aac")}
    files |= {s: convert(SAMPLES / "sample.mp4", s, sound=a, pictures=v) for s, (v, a) in films.items()}
    return files


def convert(source: Path, suffix: str, *, sound: str, pictures: str | None = None) -> bytes:
    """The same sound and pictures in another container."""
    buffer = io.BytesIO()
    container_format = {"aac": "adts", "m4a": "ipod", "mkv": "matroska", "ts": "mpegts"}.get(suffix, suffix)
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


def cells(only: set[str]) -> Iterator[tuple[str, str, str, Content]]:
    """(row, column, file name, content)."""
    for suffix, content in formats().items():
        if not only or suffix in only:
            for fault, break_ in FAULTS.items():
                yield suffix, fault, f"a.{suffix}", break_(content)
    for fault, name, special in specials():
        if not only or name[2:] in only:
            yield name[2:], f"special: {fault}", name, special
