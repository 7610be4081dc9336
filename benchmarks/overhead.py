"""What the framework adds to each encoder's own time.

Bare is the encoder's function on an excerpt that is there already. Through the runner come the cache key, the look into
the cache, the check of the weights, the thread, and the write of the observations. `adds` is the time through the
runner less what the encoder's function took in that same call, so that a busy neighbour cannot pass for overhead;
`cached` is the same encoding asked for again. Models are loaded before; medians.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import machine
from consilience.tools import Encoder, Excerpt, Runner, default_encoders
from consilience.tools.audio import diarisation
from consilience.tools.deadline import Deadline
from consilience.tools.encoder import excerpt_of

from consilience import Settings
from consilience.core.errors import Unobservable
from consilience.observations import Locator, Media, Observation, ObservationStore, ingest

ROOT = Path(__file__).resolve().parents[1]
MEDIA = [
    ROOT / "examples/media/scene.png",
    ROOT / "examples/media/call.wav",
    *sorted((ROOT / "src/consilience/apps/samples").glob("sample.*")),
]
LONG = 0.1

Row: TypeAlias = tuple[float, float, float, float]
"""Seconds: bare, through the runner, of which added, from the cache."""


class Clocked:
    """An encoder that notes how long its own function took the last time."""

    def __init__(self, encoder: Encoder) -> None:
        self._encode = encoder.encode
        self.encoder = replace(encoder, encode=self._clocked)
        self.seconds = 0.0

    def _clocked(self, excerpt: Excerpt, **parameters: Any) -> list[Observation]:
        start = time.perf_counter()
        try:
            return list(self._encode(excerpt, **parameters))
        finally:
            self.seconds = time.perf_counter() - start


async def measure(encoder: Encoder, media: Media, runners: tuple[Runner, Runner], budget: float) -> list[Row]:
    """Rows of seconds, as often as `budget` seconds allow, three to fifty times."""
    anew, cached = runners
    clocked = Clocked(encoder)
    bound = encoder.bind()

    async def through(runner: Runner) -> float:
        forget_voices()
        start = time.perf_counter()
        encoding = await runner.encode(media, clocked.encoder)
        if encoding.failure:
            raise SystemExit(f"{encoder.name}: {encoding.failure}")
        return time.perf_counter() - start

    def bare() -> float:
        excerpt = excerpt_of(
            encoder,
            media,
            anew.store.path(media),
            where=Locator(),
            parameters=bound,
            settings=anew.settings,
            deadline=Deadline(),
        )
        forget_voices()
        start = time.perf_counter()
        with suppress(Unobservable):
            list(encoder.encode(excerpt, **bound))
        return time.perf_counter() - start

    await through(cached)
    rows: list[Row] = []
    end = time.monotonic() + budget
    while len(rows) < 3 or (time.monotonic() < end and len(rows) < 50):
        own = bare()
        ours = await through(anew)
        rows.append((own, ours, ours - clocked.seconds, await through(cached)))
    return rows


def forget_voices() -> None:
    """What the encoders of one recording's voices share is made anew, else the second of them would take no time."""
    diarisation._known.clear()


def pairs(encoders: Iterable[Encoder], media: Iterable[Media]) -> Iterable[tuple[Encoder, Media]]:
    """Each encoder with the first medium that it reads."""
    known = list(media)
    for encoder in encoders:
        for medium in known:
            if encoder.reads(medium.modality, medium.mime):
                yield encoder, medium
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="for each encoder")
    budget = parser.parse_args().seconds
    print("Machine:", machine.describe())
    with tempfile.TemporaryDirectory() as room:
        (Path(room) / "weights").symlink_to(Settings().weights_dir)
        settings = Settings(cache_dir=Path(room), biometrics=True)
        with ObservationStore.open(settings) as store:
            encoders = default_encoders(settings)
            bench = Runner(store, encoders, settings=settings, cache=False), Runner(store, encoders, settings=settings)
            columns = f"{'bare ms':>10}{'ours ms':>10}{'adds ms':>9}{'adds':>8}{'cached ms':>11}"
            print(f"{'encoder':22}{'medium':16}{columns}")
            worst = 0.0
            for encoder, media in pairs(encoders, [ingest(path, store) for path in MEDIA]):
                rows = asyncio.run(measure(encoder, media, bench, budget))
                own, ours, adds, again = (statistics.median(column) for column in zip(*rows, strict=True))
                share = adds / (ours - adds)
                if own > LONG:
                    worst = max(worst, share)
                print(
                    f"{encoder.name:22}{media.name:16}{own * 1e3:10.1f}{ours * 1e3:10.1f}{adds * 1e3:9.2f}"
                    f"{share:8.1%}{again * 1e3:11.2f}",
                    flush=True,
                )
            print(f"Most that is added to encoders of over {LONG * 1e3:.0f} ms: {worst:.1%}")


if __name__ == "__main__":
    main()
