"""Every format with every fault through every encoder that reads it: what becomes of each cell.

    refused     a clear error before anything is encoded
    unobserved  encoders say that the medium does not allow it
    observed    there was still something to observe
    failed      an encoder failed with an error of ours, which names the cure
    UNTYPED     an encoder let a foreign error out; the runner named it, but nobody can act on it
    HANG        longer than --seconds
    CRASH       the process died

The last three are defects. Each cell runs in a worker process that is replaced when it dies. `--only png,wav` picks
formats, `--json FILE` keeps every cell's message.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
from consilience.tools import Runner, default_encoders
from hostile_media import FAULTS, cells

from consilience import Settings
from consilience.core.errors import ConsilienceError
from consilience.observations import ObservationStore, ingest

DEFECTS = ("UNTYPED", "HANG", "CRASH")
FOREIGN = re.compile(r"[A-Za-z_.]*(Error|Exception|Exit|Interrupt|Warning|NotFound)\b.*", re.DOTALL)


# The worker


async def judge(path: Path, runner: Runner) -> tuple[str, str]:
    """(outcome, message) of one file."""
    try:
        media = await asyncio.to_thread(ingest, path, runner.store, limits=runner.settings.limits)
        encodings = [encoding async for encoding in runner.perceive([media])]
    except ConsilienceError as problem:
        return "refused", str(problem)
    except Exception as problem:
        return "UNTYPED", f"ingest: {type(problem).__name__}: {problem}"
    untyped = [f"{e.encoder}: {e.failure}" for e in encodings if e.failure and FOREIGN.match(e.failure)]
    if untyped:
        return "UNTYPED", "; ".join(untyped)
    failed = [f"{e.encoder}: {e.failure}" for e in encodings if e.failure]
    if failed:
        return "failed", "; ".join(failed)
    seen = [o for e in encodings for o in e.observations if o.kind not in ("unobserved", "part")]
    told = [o.text for e in encodings for o in e.observations if o.kind == "unobserved"]
    return ("observed", f"{len(seen)} observations") if seen else ("unobserved", "; ".join(told))


def work() -> None:
    """Judges the files whose paths come line by line."""
    settings = Settings()
    with ObservationStore.open(settings) as store:
        runner = Runner(store, default_encoders(settings), settings=settings)
        for line in sys.stdin:
            outcome, message = asyncio.run(judge(Path(line.strip()), runner))
            print("\x1e" + json.dumps([outcome, message[:500]]), flush=True)


class Worker:
    """A process that may die."""

    def __init__(self, cache: Path) -> None:
        environment = {**os.environ, "CONSILIENCE_CACHE_DIR": str(cache), "OMP_WAIT_POLICY": "PASSIVE"}
        environment |= {"CONSILIENCE_BIOMETRICS": "true"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def judge(self, path: Path, seconds: float) -> tuple[str, str] | None:
        """None when the process died; a hang ends it too."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n".encode())
        self._process.stdin.flush()
        end, said = time.monotonic() + seconds, b""
        while time.monotonic() < end:
            ready, _, _ = select.select([self._process.stdout], [], [], 1.0)
            if ready:
                piece = os.read(self._process.stdout.fileno(), 1 << 16)
                said += piece
                if not piece:
                    self._process.wait()
                    return "CRASH", f"exit code {self._process.returncode}"
                if b"\x1e" in said and said.endswith(b"\n"):
                    outcome, message = json.loads(said.rpartition(b"\x1e")[2])
                    return outcome, message
        self.end()
        return "HANG", f"more than {seconds:.0f} s"

    def end(self) -> None:
        """Kills it."""
        self._process.kill()
        self._process.wait()


def run(only: set[str], seconds: float) -> list[tuple[str, str, str, str, float]]:
    """(row, column, outcome, message, seconds) of every cell."""
    results: list[tuple[str, str, str, str, float]] = []
    with tempfile.TemporaryDirectory() as room:
        cache = Path(room) / "cache"
        cache.mkdir()
        (cache / "weights").symlink_to(Settings().weights_dir)
        worker = Worker(cache)
        for row, column, name, content in cells(only):
            path = Path(room) / name
            path.write_bytes(content)
            start = time.monotonic()
            outcome, message = worker.judge(path, seconds) or ("CRASH", "")
            if outcome in ("CRASH", "HANG"):
                worker.end()
                worker = Worker(cache)
            results.append((row, column, outcome, message, time.monotonic() - start))
            if outcome in DEFECTS:
                print(f"  {row}, {column}: {outcome}: {message}", flush=True)
        worker.end()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="suffixes, with commas")
    parser.add_argument("--seconds", type=float, default=120, help="a cell may take so long")
    parser.add_argument("--json", type=Path, help="write every cell here")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work()
        return
    print("Machine:", machine.describe())
    results = run({name for name in options.only.split(",") if name}, options.seconds)
    rows = list(dict.fromkeys(row for row, *_ in results))
    by_cell = {(row, column): outcome for row, column, outcome, *_ in results}
    print(f"\n{'':8}" + "".join(f"{fault:>11}" for fault in FAULTS))
    for row in rows:
        print(f"{row:8}" + "".join(f"{by_cell.get((row, fault), '-'):>11}" for fault in FAULTS))
    print()
    for row, column, outcome, message, _ in results:
        if column not in FAULTS:
            print(f"{row:6}{column.removeprefix('special: '):24}{outcome:12}{message[:100]}")
    counts = collections.Counter(outcome for _, _, outcome, *_ in results)
    slowest = max(results, key=lambda result: result[-1])
    print(f"\n{len(results)} cells: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    print(f"Slowest: {slowest[0]}, {slowest[1]}: {slowest[-1]:.1f} s")
    if options.json:
        keys = ("format", "fault", "outcome", "message", "seconds")
        options.json.write_text(json.dumps([dict(zip(keys, r, strict=True)) for r in results], indent=1))
    sys.exit(1 if any(counts[defect] for defect in DEFECTS) else 0)


if __name__ == "__main__":
    main()
