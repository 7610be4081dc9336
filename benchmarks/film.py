"""A long film with sound through every encoder: peak memory, time by encoder, and resumption after a kill.

    python benchmarks/film.py [--minutes 2] [--short 10] [--encoder NAME ...]

The film is made here: a minute of scikit-image's photographs under a moving camera, six seconds a shot, 640 x 360, 25
frames a second, H.264, repeated; with it recorded voices (Debian's asterisk-core-sounds, where installed; else the
example call), repeated with pauses. Every encoder that reads films, pictures or sound takes part, those of
faces too, or only those named.

A first process perceives a film of ten seconds: its peak is taken for what the models need. A second perceives the long
film and is killed half-way, a third goes on. On two idle cores `--minutes 2` takes under two minutes and `--minutes 10`
under ten.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import machine
import numpy as np
import shots
from consilience.tools import Runner, default_encoders

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest

VOICES = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
CALL = Path(__file__).parents[1] / "examples/media/call.wav"
RATE = 16_000
SHOT_SECONDS = 6


def voices(seconds: float) -> np.ndarray:
    """So many seconds of speech with pauses of half a second, int16."""
    # The longest prompts are whole sentences.
    found = sorted(VOICES.glob("*.wav"), key=lambda path: (-path.stat().st_size, path.name))[:30] or [CALL]
    pieces: list[np.ndarray] = []
    for path in found:
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            pieces += [np.repeat(samples, RATE // file.getframerate()), np.zeros(RATE // 2, np.int16)]
    once = np.concatenate(pieces)
    wanted = round(seconds * RATE)
    return np.tile(once, -(-wanted // len(once)))[:wanted]


def takes(seconds: float) -> list[shots.Take]:
    """Shots of six seconds with plain cuts."""
    count = max(1, round(seconds / SHOT_SECONDS))
    random = np.random.default_rng(5)
    made: list[shots.Take] = []
    for i in range(count):
        first = (float(random.uniform(0, 0.3)), float(random.uniform(0, 0.3)), 0.6)
        last = (first[0] + 0.05, first[1], 0.6)
        name = shots.PHOTOGRAPHS[i % len(shots.PHOTOGRAPHS)]
        made.append(shots.Take(name, min(SHOT_SECONDS, round(seconds)) * shots.FPS, first, last, join="cut"))
    return made


def write(path: Path, seconds: float) -> None:
    """Encodes at most a minute of pictures and repeats it, and all of the sound."""
    with tempfile.TemporaryDirectory() as folder:
        minute = Path(folder) / "minute.mp4"
        shots.write(minute, shots.render(takes(min(60.0, seconds)), 5))
        with av.open(str(minute)) as source, av.open(str(path), "w") as container:
            pictures = source.streams.video[0]
            copy = container.add_stream_from_template(pictures)
            sound = container.add_stream("aac", rate=RATE, layout="mono")
            container.mux(list(_repeated(source, pictures, copy, seconds)))
            samples = voices(seconds)
            for start in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="s16", layout="mono")
                frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start
                container.mux(sound.encode(frame))
            container.mux(sound.encode())


def _repeated(source: Any, pictures: Any, copy: Any, seconds: float) -> Iterator[Any]:
    shift, length = 0.0, float(pictures.duration * pictures.time_base)
    while shift < seconds - 0.5:
        source.seek(0)
        for packet in source.demux(pictures):
            if packet.dts is not None and packet.size:
                packet.pts += round(shift / packet.time_base)
                packet.dts += round(shift / packet.time_base)
                packet.stream = copy
                yield packet
        shift += length


async def perceive(film: Path, cache: Path, names: list[str]) -> None:
    """What the child process does: a line of JSON for each encoding."""
    settings = Settings(cache_dir=cache, biometrics=True)
    store = ObservationStore.open(settings)
    encoders = [encoder for encoder in default_encoders(settings) if not names or encoder.name in names]
    runner = Runner(store, encoders, settings=settings)
    async for encoding in runner.perceive([ingest(film, store)]):
        told = {
            "encoder": encoding.encoder,
            "seconds": round(encoding.seconds, 3),
            "cached": encoding.cached,
            "failure": encoding.failure,
            "done": encoding.done,
            "planned": encoding.planned,
            "memory": machine.peak_memory(),
        }
        print(json.dumps(told), flush=True)


def run(
    film: Path, cache: Path, names: list[str], kill_at: float | None = None
) -> tuple[list[dict[str, Any]], float, float]:
    """Encodings of a process of its own, its wall time, and the time to the first new encoding.

    Args:
        film: what to perceive.
        cache: folder of the store.
        names: of the encoders; none: all.
        kill_at: share of the planned encodings after which it is killed.
    """
    command = [sys.executable, __file__, "--child", str(film), str(cache)]
    command += [word for name in names for word in ("--encoder", name)]
    start, first_new = time.perf_counter(), 0.0
    lines: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(json.loads(line))
            if not lines[-1]["cached"] and not first_new:
                first_new = time.perf_counter() - start
            if kill_at and len(lines) > 20 and lines[-1]["done"] >= kill_at * lines[-1]["planned"]:
                child.kill()
                break
        code = child.wait()
    if code and not kill_at:
        raise SystemExit(f"the child ended with {code}")
    return lines, time.perf_counter() - start, first_new


def cache_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "weights").symlink_to(Settings().weights_dir)
    return folder


def by_encoder(lines: list[dict[str, Any]], minutes: float) -> None:
    seconds: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for line in lines:
        if not line["cached"]:
            seconds[line["encoder"]] += line["seconds"]
            count[line["encoder"]] += 1
    print(f"{'encoder':22}{'encodings':>10}{'seconds':>9}{'seconds a minute of film':>26}")
    for name, spent in seconds.most_common():
        print(f"{name:22}{count[name]:>10}{spent:>9.1f}{spent / minutes:>26.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the long film")
    parser.add_argument("--short", type=float, default=10.0, help="seconds of the short film")
    parser.add_argument("--encoder", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--child", nargs=2, metavar=("FILM", "CACHE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asyncio.run(perceive(*map(Path, options.child), options.encoder))
        return
    print(machine.describe())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "short.mp4", options.short)
        write(folder / "long.mp4", options.minutes * 60)
        print(f"film of {options.minutes:g} min: {(folder / 'long.mp4').stat().st_size / 1e6:.0f} MB")
        short, _, _ = run(folder / "short.mp4", cache_in(folder / "one"), options.encoder)
        cache = cache_in(folder / "two")
        killed, before, _ = run(folder / "long.mp4", cache, options.encoder, kill_at=0.5)
        rest, after, first_new = run(folder / "long.mp4", cache, options.encoder)
        report(options.minutes, short, killed, rest)
        print(f"wall time: {before:.0f} s to the kill and {after:.0f} s after it")
        again = sum(line["cached"] for line in rest)
        print(
            f"killed after {len(killed)} encodings; {again} came from the cache when it went on, "
            f"{len(rest) - again} were made; the first new one was there after {first_new:.1f} s"
        )


def report(minutes: float, short: list[Any], killed: list[Any], rest: list[Any]) -> None:
    base, peaks = short[-1]["memory"], [killed[-1]["memory"], rest[-1]["memory"]]
    print(f"peak memory: {base:.0f} MiB on the short film (the models), {max(peaks):.0f} MiB on the long one")
    print(f"beyond the models: {max(peaks) - base:.0f} MiB (wanted: under 1500)")
    by_encoder([*killed, *rest], minutes)
    for failure in sorted({f"{line['encoder']}: {line['failure']}" for line in rest if line["failure"]}):
        print(f"failed: {failure}")


if __name__ == "__main__":
    main()
