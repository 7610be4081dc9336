"""Locks on files, between threads and processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["alone", "exclusive", "shared"]


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


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Holds a file that is there, together with others who do: nobody is `alone` with it meanwhile.

    Raises:
        FileNotFoundError: it is not there, or is removed before it could be held.
    """
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        # Who was alone with it may have removed it.
        path.stat()
        yield


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether nobody holds the file, who then has to wait until this ends. It is false too where there is no file."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
