"""Every format with every fault through every encoder that reads it: what becomes of each cell.

    refused     a clear error before anything is encoded
    unobserved  encoders say that the medium does not allow it
    observed    there was still something to observe
    failed      an encoder failed with an error of ours, which names the cure
    UNTYPED     an encoder let a foreign error out; the runner named it, but nobody can act on it
    HANG        longer than --seconds
    CRASH       the process died

The last three are defects. Each cell runs in a worker process that is replaced when it dies. `--only png,wav` picks
formats, `--json FILE` keeps every cell's message, `--markdown FILE` writes the tables of `docs/hostile-media.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import machine
from consilience.tools import Runner, default_encoders
from hostile_media import FAULTS, cells
from hostile_specials import Content

from consilience import Settings
from consilience.core.errors import ConsilienceError
from consilience.observations import ObservationStore, ingest

DEFECTS = ("UNTYPED", "HANG", "CRASH")
SYMBOLS = {"observed": "o", "unobserved": "u", "refused": "r", "failed": "f", **{d: f"**{d}**" for d in DEFECTS}}
SPECIAL = "special: "
FOREIGN = re.compile(r"[A-Za-z_.]*(Error|Exception|Exit|Interrupt|Warning|NotFound)\b.*", re.DOTALL)


class Cell(NamedTuple):
    """What became of a format with a fault."""

    format: str
    fault: str
    outcome: str
    message: str
    seconds: float
    megabytes: float
    """The most that the worker held in memory so far."""


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
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print("\x1e" + json.dumps([outcome, message[:500], peak]), flush=True)


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

    def judge(self, path: Path, seconds: float) -> tuple[str, str, float]:
        """Outcome, message, and the most memory so far, in MB; a hang ends the process."""
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
                    return "CRASH", f"exit code {self._process.returncode}", 0.0
                if b"\x1e" in said and said.endswith(b"\n"):
                    outcome, message, peak = json.loads(said.rpartition(b"\x1e")[2])
                    return outcome, message, peak
        self.end()
        return "HANG", f"more than {seconds:.0f} s", 0.0

    def end(self) -> None:
        """Kills it."""
        self._process.kill()
        self._process.wait()


def run(only: set[str], seconds: float, log: Path | None) -> list[Cell]:
    """Every cell; they are written to `log` as they come."""
    results: list[Cell] = []
    with tempfile.TemporaryDirectory() as room:
        cache = Path(room) / "cache"
        cache.mkdir()
        (cache / "weights").symlink_to(Settings().weights_dir)
        worker = Worker(cache)
        for row, column, name, content in cells(only):
            path = Path(room) / "media" / name
            make(path, content)
            start = time.monotonic()
            outcome, message, peak = worker.judge(path, seconds)
            message = message.replace(f"{path.parent}/", "")
            if outcome in ("CRASH", "HANG"):
                worker.end()
                worker = Worker(cache)
            results.append(Cell(row, column, outcome, message, round(time.monotonic() - start, 2), round(peak)))
            if outcome in (*DEFECTS, "failed"):
                print(f"  {row}, {column}: {outcome}: {message}", flush=True)
            if log:
                log.write_text(json.dumps([cell._asdict() for cell in results], indent=1))
        worker.end()
    return results


def make(path: Path, content: Content) -> None:
    """The file alone in its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)


# The report


def grid(results: list[Cell]) -> list[list[str]]:
    """A line a format: its suffix and a symbol a fault."""
    by_cell = {(cell.format, cell.fault): SYMBOLS[cell.outcome] for cell in results}
    rows = dict.fromkeys(cell.format for cell in results if cell.fault in FAULTS)
    return [[row, *(by_cell.get((row, fault), "-") for fault in FAULTS)] for row in rows]


def specials_of(results: list[Cell]) -> list[list[str]]:
    """A line a hostile medium: its suffix, what it is, the outcome, and what was said."""
    hostile = [cell for cell in results if cell.fault.startswith(SPECIAL)]
    return [[c.format, c.fault.removeprefix(SPECIAL), c.outcome, shortened(c)] for c in hostile]


def shortened(cell: Cell) -> str:
    """The beginning of a message, without the file's name, which says nothing here."""
    told = cell.message.removeprefix(f"a.{cell.format}: ").replace("|", "/")
    return told if len(told) <= 110 else told[:110].rsplit(" ", 1)[0] + " ..."


def markdown(results: list[Cell]) -> str:
    """Both tables."""
    head = [["", *FAULTS], ["---"] + [":-:"] * len(FAULTS)]
    second = [["", "what it is", "outcome", "what is said"], ["---"] * 4]
    tables = (head + grid(results), second + specials_of(results))
    return "\n\n".join("\n".join(f"| {' | '.join(line)} |" for line in table) for table in tables)


def summary(results: list[Cell]) -> str:
    """How many cells ended how, which took longest, and how much memory it took."""
    counts = collections.Counter(cell.outcome for cell in results)
    slowest = max(results, key=lambda cell: cell.seconds)
    ended = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    longest = f"the longest took {slowest.seconds:.0f} s ({slowest.format}, {slowest.fault.removeprefix(SPECIAL)})"
    most = max(cell.megabytes for cell in results)
    return f"{len(results)} cells: {ended}; {longest}; the process held at most {most:,.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="suffixes, with commas")
    parser.add_argument("--seconds", type=float, default=300, help="a cell may take so long")
    parser.add_argument("--json", type=Path, help="write every cell here, one after the other")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work()
        return
    print("Machine:", machine.describe(), flush=True)
    results = run({name for name in options.only.split(",") if name}, options.seconds, options.json)
    print(f"\n{'':8}" + "".join(f"{fault:>11}" for fault in FAULTS))
    for row, *symbols in grid(results):
        print(f"{row:8}" + "".join(f"{symbol:>11}" for symbol in symbols))
    print()
    for row, what, outcome, told in specials_of(results):
        print(f"{row:6}{what:24}{outcome:12}{told}")
    print("\n" + summary(results))
    if options.markdown:
        options.markdown.write_text(markdown(results) + "\n")
    sys.exit(1 if any(cell.outcome in DEFECTS for cell in results) else 0)


if __name__ == "__main__":
    main()
