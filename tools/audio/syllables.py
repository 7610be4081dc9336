"""How fast somebody speaks, without knowing the words: peaks of loudness in voiced sound (de Jong and Wempe 2009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["levels_of", "syllables"]

_RATE = 16_000
_HOP = 160
_WIDTH = 640
# A syllable's peak stands out by so many decibels, and is not further below the utterance's loud parts than that.
_DIP = 2.0
_RANGE = 25.0
_APART = 9


def levels_of(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Decibels relative to full scale of every 10 ms of mono sound at 16 kHz, over 40 ms, shape (frames,)."""
    import numpy as np

    if len(samples) < _WIDTH:
        return np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    starts = np.arange(0, len(samples) - _WIDTH + 1, _HOP)
    return np.asarray(10 * np.log10(np.maximum((sums[starts + _WIDTH] - sums[starts]) / _WIDTH, 1e-10)))


def syllables(levels: NDArray[np.float64], voiced: NDArray[np.bool_]) -> int:
    """How many peaks of loudness are voiced and stand out; both arrays have a frame every 10 ms."""
    import numpy as np
    from scipy.signal import find_peaks

    frames = min(len(levels), len(voiced))
    if not frames:
        return 0
    floor = float(np.percentile(levels, 95)) - _RANGE
    peaks, _ = find_peaks(levels[:frames], height=floor, prominence=_DIP, distance=_APART)
    near = np.convolve(voiced[:frames], np.ones(5), mode="same") > 0
    return int(near[peaks].sum())
