"""What became of an encoder on a medium, as a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consilience.core.errors import (
    BadConfiguration,
    BadMedia,
    MissingExtra,
    ModelError,
    WeightsCorrupt,
    WeightsUnavailable,
)
from consilience.observations import Cause, Failure, Locator, Media, Observation

__all__ = ["Encoding", "cause_of", "failed", "observed"]


@dataclass(frozen=True)
class Encoding:
    """What became of one encoder on one medium, or on a part of it."""

    media: Media
    encoder: str
    observations: tuple[Observation, ...]
    seconds: float
    cached: bool
    failure: str | None = None
    """Why there are no observations, with the cure; never cached, so the next run tries again."""
    cause: Cause = "other"
    """Of what kind the failure is."""
    late: bool = False
    """It failed for want of time: what was not done by then was neither begun nor waited for."""
    where: Locator = Locator()
    rank: tuple[int, ...] = ()
    """Sorts encodings by media, parts and encoders, in whatever order they were finished."""
    done: int = 1
    """Encodings finished so far, this one included."""
    planned: int = 1
    """Encodings known so far to be needed; it grows while media are divided into parts."""


def observed(encodings: Iterable[Encoding]) -> tuple[Observation, ...]:
    """All observations for a record: in the order of media, parts and encoders, without the parts themselves."""
    ranked = sorted(encodings, key=lambda encoding: encoding.rank)
    return tuple(o for encoding in ranked for o in encoding.observations if o.kind != "part")


def failed(encodings: Iterable[Encoding]) -> tuple[Failure, ...]:
    """The encoders that did not get to observe, for a record: in the same order."""
    ranked = sorted(encodings, key=lambda encoding: encoding.rank)
    return tuple(
        Failure(encoder=e.encoder, media=e.media.id, where=e.where, reason=e.failure, cause=e.cause)
        for e in ranked
        if e.failure
    )


def cause_of(problem: BaseException) -> Cause:
    """Of what kind an encoder's error is."""
    kinds: tuple[tuple[Cause, tuple[type[BaseException], ...]], ...] = (
        ("missing", (MissingExtra, ImportError, WeightsUnavailable, WeightsCorrupt)),
        ("unreadable", (BadMedia,)),
        ("model", (ModelError,)),
        ("configuration", (BadConfiguration,)),
    )
    return next((cause for cause, errors in kinds if isinstance(problem, errors)), "other")
