"""The contract of whatever carries the bytes of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol, TypeAlias
from urllib.parse import quote

from consilience.core.errors import RunError
from consilience.core.manifest import Piece

__all__ = ["Arrived", "Source", "SourceFailed", "on_disk"]

Arrived: TypeAlias = Callable[[int], None]
"""Told how many more bytes of the wanted pieces are here; a negative number takes some back."""


class SourceFailed(RunError):
    """One source did not deliver; the weights store notes it and goes to the next."""


class Source(Protocol):
    """Something that carries bytes of weights."""

    def fetch(self, pieces: Sequence[Piece], folder: Path, arrived: Arrived) -> None:
        """Brings into `folder` whatever the pieces are cut from, beginning where an earlier call was cut off.

        Raises:
            SourceFailed: it could not; what has come so far stays for the next time.
        """

    def open(self, piece: Piece, folder: Path) -> AbstractContextManager[IO[bytes]]:
        """The member, seekable, that the piece is cut from; `fetch` has brought it.

        Raises:
            SourceFailed: what was brought cannot be read.
        """


def on_disk(*parts: str) -> str:
    """One file name for the parts, each kind of package name and path included."""
    return quote("@".join(parts), safe="@")
