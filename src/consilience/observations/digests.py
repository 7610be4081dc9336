"""Hashes of files, read in pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from consilience.core.errors import BadMedia

__all__ = ["digest_of", "pieces"]

_CHUNK = 1 << 20


def digest_of(path: Path, most: int | None = None) -> str | None:
    """SHA-256 of a file's bytes, hexadecimal; None when it cannot be read.

    Raises:
        BadMedia: there are more than `most` bytes in it, however large it said it was.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for piece in pieces(file, path, most):
                digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest()


def pieces(file: IO[bytes], path: Path, most: int | None) -> Iterator[bytes]:
    """What is left to read of `file`, which lies at `path`.

    Raises:
        BadMedia: there are more than `most` bytes in it.
    """
    read = 0
    while piece := file.read(_CHUNK):
        read += len(piece)
        if most is not None and read > most:
            raise BadMedia(
                path.name, f"goes on beyond {most:,} bytes, the limit.", cure="Wait until it is complete, or cut it."
            )
        yield piece
