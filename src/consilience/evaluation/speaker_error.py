"""Diarisation error rate: how much of the speech is missed, made up, or given to the wrong speaker (NIST RT-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SpeakerError", "Turn", "speaker_error"]

Turn: TypeAlias = tuple[float, float, str]
"""Start and end in seconds, and whose turn it is."""

_STEP = 0.01


@dataclass(frozen=True)
class SpeakerError:
    """Seconds of each error, and of speech in the reference; where two speak at once, both count."""

    speech: float
    missed: float
    false_alarm: float
    confusion: float

    @property
    def rate(self) -> float:
        """The diarisation error rate; it can exceed 1."""
        wrong = self.missed + self.false_alarm + self.confusion
        return wrong / self.speech if self.speech else float(wrong > 0)

    def __add__(self, other: SpeakerError) -> SpeakerError:
        return SpeakerError(
            self.speech + other.speech,
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
        )


def speaker_error(reference: Sequence[Turn], found: Sequence[Turn], *, collar: float = 0.0) -> SpeakerError:
    """The errors of `found`, its speakers named as the reference's in the way that is best for it.

    Args:
        reference: who spoke when.
        found: who is said to have spoken when.
        collar: seconds before and after each turn of the reference that do not count; 0.25 is customary.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    steps = round(max((end for _, end, _ in [*reference, *found]), default=0.0) / _STEP)
    counts = np.ones(steps, bool)
    for start, end, _ in reference if collar else ():
        for edge in (start, end):
            counts[_slice(edge - collar, edge + collar)] = False
    truth, guess = _active(reference, steps) & counts, _active(found, steps) & counts
    together = truth.astype(float) @ guess.T.astype(float)
    right = float(together[linear_sum_assignment(-together)].sum())
    said, heard = truth.sum(axis=0), guess.sum(axis=0)
    return SpeakerError(
        speech=float(said.sum()) * _STEP,
        missed=float(np.maximum(0, said - heard).sum()) * _STEP,
        false_alarm=float(np.maximum(0, heard - said).sum()) * _STEP,
        confusion=(float(np.minimum(said, heard).sum()) - right) * _STEP,
    )


def _slice(start: float, end: float) -> slice:
    return slice(max(0, round(start / _STEP)), max(0, round(end / _STEP)))


def _active(turns: Sequence[Turn], steps: int) -> NDArray[np.bool_]:
    """Who speaks at each step, shape (speakers, steps)."""
    import numpy as np

    rows = {name: i for i, name in enumerate(dict.fromkeys(name for _, _, name in turns))}
    active = np.zeros((len(rows), steps), bool)
    for start, end, name in turns:
        active[rows[name], _slice(start, end)] = True
    return active
