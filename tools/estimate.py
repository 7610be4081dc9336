"""What an encoding would take, before it is made: coarse, for budgets and for asking people first."""

from __future__ import annotations

from collections.abc import Mapping

from consilience.tools.encoder import Cost, Encoder

from consilience.observations import Locator, Media

__all__ = ["estimated_seconds"]

_ONCE: Mapping[Cost, float] = {"light": 0.5, "medium": 5.0, "heavy": 5.0, "remote": 5.0}
_A_SECOND: Mapping[Cost, float] = {"light": 0.02, "medium": 0.1, "heavy": 0.5, "remote": 0.1}
"""For each second of a recording; a still picture, a page or a table has none."""
_UNKNOWN = 600.0
"""Seconds that a recording is taken to last whose length nobody knows."""


def estimated_seconds(encoder: Encoder, media: Media, where: Locator | None = None) -> float:
    """Seconds that the encoder may take for this place of a medium, by its cost class and the place's length.

    The figures are on the high side for two cores; loading a model counts, a cached encoding is not known here.
    """
    if encoder.modality not in ("audio", "video"):
        return _ONCE[encoder.cost]
    time = where.time if where else None
    length = time.seconds if time else media.seconds
    return _ONCE[encoder.cost] + _A_SECOND[encoder.cost] * (_UNKNOWN if length is None else length)
