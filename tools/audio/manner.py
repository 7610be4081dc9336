"""How an utterance differs from what its speaker usually sounds like, in numbers and in words."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Manner", "baseline", "describe", "deviations"]

MEASURES = ("pitch", "spread", "loudness", "rate", "pause")

# Below so much, differences are not heard: semitones, semitones, decibels, syllables a second, seconds.
_AUDIBLE = {"pitch": 1.0, "spread": 0.8, "loudness": 1.5, "rate": 0.5, "pause": 0.4}
_ENOUGH = 4
_CLEAR, _STRONG = 1.5, 3.0
_WORDS = {
    "loudness": ("louder", "softer"),
    "pitch": ("higher", "lower"),
    "spread": ("livelier", "flatter"),
    "rate": ("faster", "slower"),
}


@dataclass(frozen=True)
class Manner:
    """What was measured of one utterance; None where it has nothing to measure it by."""

    pitch: float | None
    """Median, in semitones above 1 Hz: equal steps sound equally large."""
    spread: float | None
    """Standard deviation of the pitch, semitones."""
    loudness: float
    """Decibels relative to full scale."""
    rate: float | None
    """Syllables a second."""
    pause: float | None
    """Seconds of silence before it; None for the first."""

    def measures(self) -> dict[str, float]:
        """What there is, by name."""
        return {name: value for name in MEASURES if (value := getattr(self, name)) is not None}


Baseline = Mapping[str, tuple[float, float]]
"""For each measure, the usual value and the usual deviation from it."""


def baseline(manners: Sequence[Manner]) -> Baseline:
    """Median and 1.48 times the median deviation of what one speaker's utterances measure; of few, nothing."""
    found: dict[str, tuple[float, float]] = {}
    for name in MEASURES:
        values = [measures[name] for manner in manners if name in (measures := manner.measures())]
        if len(values) >= _ENOUGH:
            middle = statistics.median(values)
            spread = 1.4826 * statistics.median(abs(value - middle) for value in values)
            found[name] = (middle, max(spread, _AUDIBLE[name]))
    return found


def deviations(manner: Manner, usual: Baseline) -> dict[str, float]:
    """How many usual deviations each measure lies above (or, negative, below) what is usual."""
    return {
        name: round(float((value - usual[name][0]) / usual[name][1]), 2)
        for name, value in manner.measures().items()
        if name in usual
    }


def describe(manner: Manner, usual: Baseline) -> str:
    """`louder and much higher than usual, after a long pause (2.1 s)`, or `as usual`, or that nobody can tell."""
    away = deviations(manner, usual)
    told = [_word(name, away[name]) for name in _WORDS if abs(away.get(name, 0.0)) >= _CLEAR]
    after = ""
    if away.get("pause", 0.0) >= _CLEAR and manner.pause is not None:
        after = f"after a long pause ({manner.pause:.1f} s)"
    if told:
        return ", ".join(filter(None, (f"{_listed(told)} than usual", after)))
    if not usual:
        return ", ".join(filter(None, ("(too little to know what is usual)", after)))
    return ", ".join(filter(None, ("as usual", after)))


def _word(name: str, away: float) -> str:
    more, less = _WORDS[name]
    word = more if away > 0 else less
    return f"much {word}" if abs(away) >= _STRONG else word


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
