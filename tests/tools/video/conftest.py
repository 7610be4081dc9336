"""Films of photographs, written by PyAV."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import skimage.data
from PIL import Image

from consilience.core.settings import Settings
from consilience.observations import ObservationStore

WIDTH, HEIGHT, FPS, RATE = 320, 180, 25, 16_000


def photograph(name: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    path = next(p for p in Path(skimage.data.__file__).parent.glob(f"{name}.*") if p.suffix in (".png", ".jpg"))
    return Image.open(path).convert("RGB").resize(size)


def still(name: str, count: int) -> list[np.ndarray]:
    return [np.asarray(photograph(name))] * count


def beep(seconds: float) -> np.ndarray:
    """A tone that is on in every other half second, in -1 to 1."""
    t = np.arange(int(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * 440 * t) * (t % 1 < 0.5)).astype(np.float32)


@dataclass
class Film:
    """How a film is written; times are in seconds."""

    pictures: Iterable[np.ndarray]
    fps: float = FPS
    times: Sequence[float] | None = None
    sound: np.ndarray | None = None
    sound_at: float = 0.0
    codec: str = "libx264"
    pixels: str = "yuv420p"
    keys: int = 50
    options: dict[str, str] | None = None

    def write(self, path: Path) -> Path:
        pictures = list(self.pictures)
        with av.open(str(path), "w", options=self.options or {}) as container:
            shown: Any = None
            if pictures:
                shown = container.add_stream(self.codec, rate=Fraction(self.fps).limit_denominator(1001))
                shown.height, shown.width = pictures[0].shape[:2]
                shown.pix_fmt, shown.codec_context.gop_size = self.pixels, self.keys
                shown.codec_context.time_base = Fraction(1, 1000 if self.times else round(self.fps * 40))
                if self.codec == "libx264":
                    shown.options = {"preset": "ultrafast"}
            heard: Any = None
            if self.sound is not None:
                heard = container.add_stream("aac", rate=RATE, layout="mono")
            self._show(container, shown, pictures)
            self._play(container, heard)
        return path

    def _show(self, container: Any, stream: Any, pictures: Sequence[np.ndarray]) -> None:
        if stream is None:
            return
        base = stream.codec_context.time_base
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.time_base = base
            frame.pts = round((self.times[i] if self.times else i / self.fps) / base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

    def _play(self, container: Any, stream: Any) -> None:
        if stream is None or self.sound is None:
            return
        for start in range(0, len(self.sound), 1024):
            block = self.sound[start : start + 1024]
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            frame.pts = start + round(self.sound_at * RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def turned(content: bytes) -> bytes:
    """An MP4 whose pictures are shown turned by a quarter clockwise, as telephones write them."""
    place = content.index(b"tkhd")
    matrix = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, HEIGHT << 16, 0, 0x40000000)
    start = place + 4 + 40
    return content[:start] + matrix + content[start + 36 :]


def lying(content: bytes, seconds: float) -> bytes:
    """An MP4 whose header promises so many seconds, in all three places."""
    changed = bytearray(content)
    for name, scale_at, at in ((b"mvhd", 12, 16), (b"mdhd", 12, 16)):
        place = changed.index(name) + 4
        scale = struct.unpack_from(">I", changed, place + scale_at)[0]
        struct.pack_into(">I", changed, place + at, min(0xFFFFFFFE, round(seconds * scale)))
    place = changed.index(b"tkhd") + 4
    struct.pack_into(">I", changed, place + 20, min(0xFFFFFFFE, round(seconds * 1000)))
    return bytes(changed)


@pytest.fixture(scope="session")
def cinema() -> SimpleNamespace:
    """What films are made with."""
    return SimpleNamespace(Film=Film, still=still, photograph=photograph, beep=beep, turned=turned, lying=lying)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    """A store of its own beside the machine's weights."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "weights").symlink_to(Settings().weights_dir)
    with ObservationStore.open(Settings(cache_dir=folder)) as opened:
        yield opened


@pytest.fixture(scope="session")
def three_shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0-2 s a still astronaut, 2-3 s coffee, 3-5 s a cat that pans; a beep each second for 5 s."""
    cat = photograph("chelsea", (480, 270))
    pan = [np.asarray(cat.crop((2 * i, 40, 2 * i + WIDTH, 40 + HEIGHT))) for i in range(50)]
    film = Film([*still("astronaut", 50), *still("coffee", 25), *pan], sound=beep(5.0))
    return film.write(tmp_path_factory.mktemp("films") / "three_shots.mp4")
