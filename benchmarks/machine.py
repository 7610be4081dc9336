"""What a figure was measured on."""

from __future__ import annotations

import gc
import itertools
import os
import platform
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self


def describe() -> str:
    """Processor, cores, memory, Python, and how busy the machine is."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    )


def peak_memory(pid: int | str = "self") -> float:
    """Largest resident size that a process has had, MiB."""
    sizes = [line.split()[1] for line in _lines(f"/proc/{pid}/status") if line.startswith("VmHWM")]
    return int(sizes[0]) / 1024 if sizes else 0.0


def memory() -> float:
    """Resident size of this process now, MiB."""
    sizes = [line.split()[1] for line in _lines("/proc/self/status") if line.startswith("VmRSS")]
    return int(sizes[0]) / 1024 if sizes else 0.0


class Collections:
    """Counts the seconds of the garbage collector's runs while entered, in the thread that each runs in."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._start = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._count)

    def _count(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._start = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._start


class FunctionCalls:
    """Counts function calls, those of C included, of the thread that enters it and of all threads started inside."""

    def __init__(self) -> None:
        self._made = itertools.count()

    def __enter__(self) -> Self:
        threading.setprofile(self._count)
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _count(self, frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            # Unlike an addition it is one step, whatever threads there are.
            next(self._made)

    async def made_by(self, work: Callable[[], Awaitable[Any]], times: int = 1) -> float:
        """Calls that one run of `work` makes: the mean of so many."""
        before = next(self._made)
        for _ in range(times):
            await work()
        return (next(self._made) - before - 1) / times

    def stop(self) -> None:
        """Counts no more in this thread; in the others until they end."""
        sys.setprofile(None)
        threading.setprofile(None)


def _lines(path: str) -> list[str]:
    place = Path(path)
    return place.read_text().splitlines() if place.exists() else []
