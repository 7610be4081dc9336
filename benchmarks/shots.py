"""Shot boundaries against known ones: precision, recall and F1 beside bare PySceneDetect in the same run.

    python benchmarks/shots.py [--films N] [--shots N] [--seed N]

The films are made here of scikit-image's photographs under a moving camera (still, pans, zooms, shakes), 640 x 360, 25
frames a second, H.264. Between the takes: hard cuts, also between two views of one photograph; dissolves, fades
through black. Inside takes: flashes of one to three white frames, and somebody walking close past the camera. A cut
counts as found when a boundary lies within one frame of it, a dissolve or fade when one lies within it; every other
boundary is a false one. About two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import av
import machine
import numpy as np
import skimage.data
from av.video.reformatter import VideoReformatter
from consilience.tools import Runner
from consilience.tools.video.cuts import HEIGHT as SMALL_HEIGHT
from consilience.tools.video.cuts import WIDTH as SMALL_WIDTH
from consilience.tools.video.cuts import CutDetector
from consilience.tools.video.shots import shots
from PIL import Image
from scenedetect import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector, detect

from consilience.core.settings import Settings
from consilience.observations import Media, ObservationStore, ingest

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
        kept = len(frames) - _length(take, random)
        for i, frame in enumerate(frames[:kept]):
            boundary = Boundary(join, number, number + max(0, overlap - 1)) if i == 0 and number else None
            if i < overlap:
                frame = _mixed(tail[i], frame.astype(np.float32), (i + 1) / (overlap + 1), join)
            yield frame.astype(np.uint8), boundary
            number += 1
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
    """What PySceneDetect itself says, in seconds."""
    return [float(start.seconds) for start, _ in detect(str(path), detector)[1:]]


def bare_detector(path: Path) -> list[float]:
    """Our detector over frames decoded by PyAV, without an excerpt, a runner or observations."""
    detector = CutDetector()
    scaler = VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            picture = scaler.reformat(frame, width=SMALL_WIDTH, height=SMALL_HEIGHT, format="rgb24").to_ndarray()
            detector.push(frame.time or 0.0, picture.astype(np.float32) / np.float32(255))
    return [boundary.at for boundary in detector.finish()]


def ours(runner: Runner, media: Media) -> list[float]:
    """Starts of the second shot and those after it, of the encoder `video.shots`."""
    encoding = asyncio.run(runner.encode(media, shots))
    if encoding.failure:
        raise SystemExit(encoding.failure)
    return [o.locator.time.start for o in encoding.observations if o.kind == "shot" and o.locator.time][1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=3)
    parser.add_argument("--shots", type=int, default=40, help="of each film")
    parser.add_argument("--seed", type=int, default=100, help="of the first film")
    options = parser.parse_args()
    print(machine.describe())
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(cache_dir=Path(folder))
        store = ObservationStore.open(settings)
        runner = Runner(store, [shots], settings=settings, cache=False)
        for seed in range(options.seed, options.seed + options.films):
            path = Path(folder) / f"{seed}.mp4"
            boundaries = write(path, render(script(options.shots, seed), seed))
            media = ingest(path, store)
            ways: dict[str, Callable[[], list[float]]] = {
                "consilience video.shots": partial(ours, runner, media),
                "the same detector, bare": partial(bare_detector, path),
                "PySceneDetect adaptive": lambda path=path: bare(path, AdaptiveDetector()),
                "PySceneDetect content": lambda path=path: bare(path, ContentDetector()),
                "PySceneDetect histogram": lambda path=path: bare(path, HistogramDetector()),
                "PySceneDetect hash": lambda path=path: bare(path, HashDetector()),
            }
            for name, way in ways.items():
                start = time.perf_counter()
                found = way()
                tallies.setdefault(name, Tally()).add(score(boundaries, found), time.perf_counter() - start)
            length = media.seconds or 0.0
            print(f"film {seed}: {options.shots} shots, {length:.0f} s, {len(boundaries)} boundaries")
    report(tallies)


@dataclass
class Tally:
    """Counts over several films."""

    found: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, scored: dict[str, tuple[int, int]], seconds: float) -> None:
        """Counts one film's."""
        for kind, (found, there) in scored.items():
            self.found[kind] += found
            self.there[kind] += there
        self.seconds += seconds

    def share(self, kind: str) -> str:
        """`found/there`."""
        return f"{self.found[kind]}/{self.there[kind]}"

    def figures(self) -> tuple[float, float, float]:
        """Precision, recall, F1 over all boundaries."""
        hits = sum(self.found[kind] for kind in self.there if kind != "false")
        precision = 1 - self.found["false"] / max(1, self.there["false"])
        recall = hits / max(1, sum(self.there[kind] for kind in self.there if kind != "false"))
        return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def report(tallies: dict[str, Tally]) -> None:
    base = next(iter(tallies.values())).seconds
    print(f"{'':26}{'cuts':>9}{'dissolves':>11}{'fades':>8}{'false':>7}  precision recall     F1     s  time ratio")
    for name, tally in tallies.items():
        precision, recall, f1 = tally.figures()
        print(
            f"{name:26}{tally.share('cut'):>9}{tally.share('dissolve'):>11}{tally.share('fade'):>8}"
            f"{tally.found['false']:>7}{precision:>11.3f}{recall:>7.3f}{f1:>7.3f}{tally.seconds:>6.1f}"
            f"{tally.seconds / base:>12.2f}"
        )


if __name__ == "__main__":
    logging.getLogger("pyscenedetect").setLevel(logging.ERROR)
    main()
