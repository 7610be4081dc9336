"""Mel spectra in numpy: what the neural encoders of sound are fed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from consilience.core.once import once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MelSpectrum"]

# Frames are transformed in blocks: those of a whole recording at once would take many times its own size.
_BLOCK = 4096


@dataclass(frozen=True)
class MelSpectrum:
    """A way to make mel spectra; frames are not centred, so the first begins with the first sample."""

    bands: int
    low: float
    """Lower edge of the lowest band, hertz."""
    high: float
    """Upper edge of the highest band, hertz."""
    scale: Literal["htk", "slaney"]
    """htk: O'Shaughnessy 1987, bands of equal height; slaney: Auditory Toolbox 1998, bands of equal area."""
    window: Literal["hann", "hamming"]
    power: int = 2
    """1: of amplitudes; 2: of energies."""
    rate: int = 16_000
    size: int = 512
    """Of the Fourier transform, samples."""
    width: int = 400
    """Of the window, samples; it stands in the middle of the transform."""
    hop: int = 160
    """Samples from frame to frame."""

    def frames(self, samples: int) -> int:
        """How many frames so many samples give."""
        return max(0, 1 + (samples - self.size) // self.hop)

    def of(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mel spectrum of mono samples, shape (frames, bands)."""
        import numpy as np

        count = self.frames(len(samples))
        spectrum = np.empty((count, self.bands), np.float32)
        if not count:
            return spectrum
        view = np.lib.stride_tricks.sliding_window_view(samples, self.size)[:: self.hop]
        window, filters = _window(self.window, self.width, self.size), _filters(self)
        for first in range(0, count, _BLOCK):
            amplitude = np.abs(np.fft.rfft(view[first : first + _BLOCK] * window))
            spectrum[first : first + _BLOCK] = (amplitude**self.power) @ filters
        return spectrum


@once
def _window(name: str, width: int, size: int) -> NDArray[np.float32]:
    """Periodic window, padded to `size` on both sides."""
    import numpy as np

    edge = 0.54 if name == "hamming" else 0.5
    window = edge - (1 - edge) * np.cos(2 * np.pi * np.arange(width) / width)
    left = (size - width) // 2
    return np.pad(window, (left, size - width - left)).astype(np.float32)


@once
def _filters(mel: MelSpectrum) -> NDArray[np.float32]:
    """Triangles, shape (size // 2 + 1, bands)."""
    import numpy as np

    lowest, highest = _mels(np.array([mel.low, mel.high]), mel.scale).tolist()
    edges = _hertz(np.linspace(lowest, highest, mel.bands + 2), mel.scale)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    hertz = np.fft.rfftfreq(mel.size, 1 / mel.rate)[:, None]
    triangles = np.maximum(0, np.minimum((hertz - left) / (middle - left), (right - hertz) / (right - middle)))
    if mel.scale == "slaney":
        triangles *= 2 / (right - left)
    return triangles.astype(np.float32)


_LINEAR, _KNEE = 200 / 3, 1000.0


def _mels(hertz: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    import numpy as np

    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hertz / 700))
    above = _KNEE / _LINEAR + np.log(np.maximum(hertz, _KNEE) / _KNEE) * 27 / np.log(6.4)
    return np.where(hertz < _KNEE, hertz / _LINEAR, above)


def _hertz(mels: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    import numpy as np

    if scale == "htk":
        return np.asarray(700 * (10 ** (mels / 2595) - 1))
    knee = _KNEE / _LINEAR
    return np.where(mels < knee, mels * _LINEAR, _KNEE * np.exp((mels - knee) * np.log(6.4) / 27))
