"""A lock file that threads and processes share."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["exclusive"]


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock file `path` alone, among all threads and processes; waits until it is free.

    The kernel frees it when its holder ends, however that ends. The file itself stays: if it were removed, one process
    could wait for the old file while another locks a new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
