"""A folder of 1,000 files, observed and observed again from the cache, by the command line as a user types it.

100 pictures with a printed line, 100 recordings (a bar of tones each), 400 texts, 400 tables, all different. Prints the
wall time of the first run and of three runs from the cache, and what the bare reading and hashing of the files takes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import machine
import numpy as np
from PIL import Image, ImageDraw

from consilience import Settings


def fill(folder: Path, count: int) -> None:
    """Makes `count` media: a tenth pictures, a tenth recordings, the rest texts and tables."""
    rng = np.random.default_rng(0)
    for number in range(count):
        kind, name = number % 10, folder / f"{number:04}"
        if kind == 0:
            picture = Image.new("RGB", (320, 120), tuple(int(v) for v in rng.integers(120, 255, 3)))
            ImageDraw.Draw(picture).text((20, 40), f"Platform {number}", fill="black", font_size=32)
            picture.save(name.with_suffix(".png"))
        elif kind == 1:
            tones = np.sin(2 * np.pi * (200 + number) * np.arange(16_000) / 16_000)
            with wave.open(str(name.with_suffix(".wav")), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes((tones * 9000).astype("<i2").tobytes())
        elif kind < 6:
            lines = [f"Paragraph {i} of note {number}: the train leaves at {i}:{number % 60:02}.\n\n" for i in range(8)]
            name.with_suffix(".txt").write_text("".join(lines))
        else:
            rows = [f"{i},{rng.integers(100)},city {number}-{i}\n" for i in range(10)]
            name.with_suffix(".csv").write_text("id,trains,city\n" + "".join(rows))


def observe(folder: Path, out: Path, cache: Path) -> tuple[float, dict[str, object]]:
    """Seconds that the command takes, and what it says."""
    command = [sys.executable, "-m", "consilience.apps.cli", "observe", str(folder), "--out", str(out), "--json"]
    environment = {**os.environ, "CONSILIENCE_CACHE_DIR": str(cache), "OMP_WAIT_POLICY": "PASSIVE"}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, json.loads(done.stdout)


def hash_all(folder: Path) -> float:
    """Seconds to read and hash all files, one after the other."""
    start = time.perf_counter()
    for path in folder.iterdir():
        hashlib.sha256(path.read_bytes()).hexdigest()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    files = parser.parse_args().files
    print("Machine:", machine.describe())
    with tempfile.TemporaryDirectory() as room:
        media, cache = Path(room) / "media", Path(room) / "cache"
        media.mkdir()
        cache.mkdir()
        (cache / "weights").symlink_to(Settings().weights_dir)
        fill(media, files)
        first, told = observe(media, Path(room) / "first", cache)
        print(
            f"First:   {files} files in {first:.1f} s: {told['encoded']} encodings, {told['observations']} observations"
        )
        again = [observe(media, Path(room) / f"again {n}", cache) for n in range(3)]
        encoded = sum(int(str(told["encoded"])) for _, told in again)
        times = sorted(seconds for seconds, _ in again)
        spread = ", ".join(f"{seconds:.2f}" for seconds in times)
        print(f"Cached:  {statistics.median(times):.2f} s (of {spread}), {encoded} encodings")
        print(f"Bare:    {hash_all(media):.2f} s to read and hash them")


if __name__ == "__main__":
    main()
