"""Shot boundaries against known ones: precision, recall and F1 beside bare PySceneDetect in the same run.

    python benchmarks/shots.py [--films N] [--shots N]

The films are made here of scikit-image's photographs under a moving camera (still, pans, zooms, shakes), 640 x 360, 25
frames a second, H.264. Between the takes: hard cuts, also between two views of one photograph; dissolves, fades
through black. Inside takes: flashes of one to three white frames, and somebody walking close past the camera. A cut
counts as found when a boundary lies within one frame of it, a dissolve or fade when one lies within it; every other
boundary is a false one. About two minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import skimage.data
from PIL import Image
from scenedetect import detect

from consilience.observations import Media, ObservationStore, Shot

WIDTH, HEIGHT, FPS = 640, 360, 25
PHOTOGRAPHS = tuple(
    "astronaut brick camera cell chelsea coffee coins color grass gravel hubble_deep_field ihc moon motorcycle_left "
    "page retina rocket text".split()
)


@dataclass(frozen=True)
class Take:
    """One shot: a view (x, y, width as fractions of the photograph) that goes over into another."""

    photograph: str
    frames: int
    first: tuple[float, float, float]
    last: tuple[float, float, float]
    shake: float = 0.0
    event: str = ""
    join: str = "cut"
    """How it goes over into the next take."""


@dataclass(frozen=True)
class Boundary:
    """A change of shot, in frames: `first` is the first frame that shows the new one, `last` the last with the old."""

    kind: str
    first: int
    last: int


def photograph(name: str) -> Image.Image:
    """A photograph that scikit-image carries, upright RGB, at least 960 pixels wide."""
    folder = Path(skimage.data.__file__).parent
    path = next(path for path in (folder / f"{name}.png", folder / f"{name}.jpg") if path.exists())
    picture = Image.open(path).convert("RGB")
    scale = max(1.0, 960 / picture.width)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


def script(count: int, seed: int) -> list[Take]:
    """`count` takes; half of the joins are plain cuts."""
    random = np.random.default_rng(seed)
    takes: list[Take] = []
    for i in range(count):
        other = [name for name in PHOTOGRAPHS if not takes or name != takes[-1].photograph]
        again = bool(takes) and random.random() < 0.15
        name = takes[-1].photograph if again else other[random.integers(len(other))]
        width = random.uniform(0.4, 0.7)
        first = (random.uniform(0, 1 - width), random.uniform(0, 1 - width), width)
        motion = random.choice(["still", "pan", "swish", "zoom"], p=[0.3, 0.35, 0.1, 0.25])
        last = _moved(first, str(motion), random)
        takes.append(
            Take(
                photograph=name,
                frames=int(random.integers(30, 90)),
                first=first,
                last=last,
                shake=float(random.choice([0.0, 0.004], p=[0.7, 0.3])),
                event=str(random.choice(["", "flash", "passer"], p=[0.7, 0.2, 0.1])),
                join="" if i == count - 1 else str(random.choice(["cut", "dissolve", "fade"], p=[0.6, 0.28, 0.12])),
            )
        )
    return takes


def _moved(first: tuple[float, float, float], motion: str, random: np.random.Generator) -> tuple[float, float, float]:
    x, y, width = first
    if motion == "still":
        return first
    if motion == "zoom":
        return x + 0.1 * width, y + 0.1 * width, width * 0.8
    far = 0.5 if motion == "swish" else 0.2
    return float(np.clip(x + random.choice([-far, far]), 0, 1 - width)), y, width


def render(takes: Sequence[Take], seed: int) -> Iterator[tuple[np.ndarray, Boundary | None]]:
    """Frames of shape (height, width, 3), uint8, each with the boundary that it is the first frame of."""
    random = np.random.default_rng(seed)
    number, tail, join = 0, np.zeros((0, HEIGHT, WIDTH, 3), np.float32), ""
    for take in takes:
        frames = _frames(take, random)
        overlap = len(tail)
        for i, frame in enumerate(frames[: len(frames) - _length(take, random)] if take.join != "cut" else frames):
            boundary = None
            if i == 0 and number:
                boundary = Boundary(join, number, number + max(0, overlap - 1))
            if i < overlap:
                share = (i + 1) / (overlap + 1)
                frame = _mixed(tail[i], frame.astype(np.float32), share, join)
            yield frame.astype(np.uint8), boundary
            number += 1
            kept = i + 1
        tail, join = frames[kept:].astype(np.float32), take.join


def _mixed(old: Any, new: Any, share: float, join: str) -> Any:
    if join == "dissolve":
        return old * (1 - share) + new * share
    return old * (1 - 2 * share) if share < 0.5 else new * (2 * share - 1)


def _length(take: Take, random: np.random.Generator) -> int:
    return int(random.integers(8, 26)) if take.join in ("dissolve", "fade") else 0


def _frames(take: Take, random: np.random.Generator) -> np.ndarray:
    """All frames of a take, uint8 of shape (frames, height, width, 3)."""
    picture = photograph(take.photograph)
    frames = np.empty((take.frames, HEIGHT, WIDTH, 3), np.uint8)
    for i in range(take.frames):
        share = i / max(1, take.frames - 1)
        x, y, width = (a + (b - a) * share for a, b in zip(take.first, take.last, strict=True))
        x, y = (v + float(random.normal(0, take.shake)) for v in (x, y))
        wide = width * picture.width
        high = min(wide * HEIGHT / WIDTH, picture.height)
        left = float(np.clip(x * picture.width, 0, picture.width - wide))
        top = float(np.clip(y * picture.height, 0, picture.height - high))
        box = (left, top, left + wide, top + high)
        frames[i] = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=box))
    middle = take.frames // 2
    if take.event == "flash":
        for i in range(int(random.integers(1, 4))):
            frames[middle + i] = 255 - (255 - frames[middle + i]) // 6
    elif take.event == "passer":
        for i in range(10):
            edge = (i - 5) * WIDTH // 5
            frames[middle - 5 + i, HEIGHT // 8 :, max(0, edge) : max(0, edge + WIDTH // 2)] = (40, 35, 60)
    return frames


def write(path: Path, frames: Iterator[tuple[np.ndarray, Boundary | None]]) -> list[Boundary]:
    """Encodes the film and gives its boundaries."""
    found: list[Boundary] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame, boundary in frames:
            found += [boundary] if boundary else []
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return found


def score(boundaries: Sequence[Boundary], times: Sequence[float]) -> dict[str, tuple[int, int]]:
    """(found, there) by kind of boundary, and under `false` (false boundaries, all reported)."""
    left = sorted(times)
    told: dict[str, tuple[int, int]] = {}
    for boundary in boundaries:
        low, high = (boundary.first - 1.1) / FPS, (boundary.last + 1.1) / FPS
        hits = [t for t in left if low <= t <= high]
        # A second boundary for the same change is a false one.
        if hits:
            left.remove(hits[0])
        found, there = told.get(boundary.kind, (0, 0))
        told[boundary.kind] = (found + bool(hits), there + 1)
    return {**told, "false": (len(left), len(times))}


def bare(path: Path, detector: Any) -> list[float]:
    """What PySceneDetect itself says."""
    scenes = detect(str(path), detector)
    return [float(start.seconds) for start, _ in scenes[1:]]


def ours(store: ObservationStore, media: Media) -> list[float]:
    """Starts of the second shot and those after it."""
    runner = Runner(store, [shots], cache=False)
    encoding = runner._encode(media, shots, shots.bind(), *_nowhere())
    if encoding.failure:
        raise SystemExit(encoding.failure)
    found = [o for o in encoding.observations if o.kind == "shot"]
    assert [o.as_(Shot).number for o in found] == list(range(1, len(found) + 1))
    return [o.locator.time.start for o in found[1:] if o.locator.time]
