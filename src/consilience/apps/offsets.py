"""`--offset talk.wav=12.5`: when media start on one common clock, from the command line."""

from __future__ import annotations

from collections.abc import Iterable

from consilience.core.errors import BadConfiguration

__all__ = ["parse_offsets"]


def parse_offsets(texts: Iterable[str]) -> dict[str, float]:
    """Seconds by the names of media.

    Raises:
        BadConfiguration: something else than NAME=SECONDS.
    """
    offsets: dict[str, float] = {}
    for text in texts:
        name, _, seconds = text.rpartition("=")
        try:
            offsets[name.strip()] = float(seconds)
        except ValueError as problem:
            raise BadConfiguration(
                f"{text!r} is no offset.", cure="Write for example: --offset talk.wav=12.5"
            ) from problem
    return offsets
