"""What a voice sounds like, as a vector: the GE2E speaker encoder (Wan et al. 2018, arXiv:1710.10467), in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.audio.clustering import unit
from consilience.tools.audio.spectra import MelSpectrum

from consilience.core.errors import MissingExtra
from consilience.core.once import once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AT_ONCE", "HOP", "WEIGHTS", "WINDOW", "embed", "windows_of"]

WEIGHTS = "voice-encoder"
WINDOW, HOP = 0.8, 0.4
"""Seconds that one vector stands for, and from vector to vector."""
AT_ONCE = 256
"""Windows that are best embedded together."""

_MEL = MelSpectrum(bands=40, low=0, high=8000, scale="slaney", window="hann", size=400)
_FRAMES, _STEP = round(WINDOW * 100), round(HOP * 100)
_UNITS, _LAYERS = 256, 3
# The encoder was trained on speech at this level: decibels relative to full scale.
_LEVEL = -30.0
_SHORTEST = 20


def windows_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mel spectra of shape (windows, 80, 40), one every `HOP` seconds, of mono speech at 16 kHz, brought to one level.

    Speech shorter than a window gives one window, under 0.2 s none.
    """
    import numpy as np

    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    frames = _MEL.of(samples) * np.float32((10 ** (_LEVEL / 20) / max(level, 1e-6)) ** 2)
    if len(frames) < _SHORTEST:
        return np.zeros((0, _FRAMES, _MEL.bands), np.float32)
    if len(frames) < _FRAMES:
        frames = np.resize(frames, (_FRAMES, _MEL.bands))
    return np.stack([frames[i : i + _FRAMES] for i in range(0, len(frames) - _FRAMES + 1, _STEP)])


def embed(windows: NDArray[np.float32], folder: Path) -> NDArray[np.float32]:
    """A vector of length 1 for each window, shape (windows, 256); of many at once each costs least."""
    import numpy as np

    try:
        from threadpoolctl import threadpool_limits
    except ImportError as problem:
        raise MissingExtra("threadpoolctl", "audio", "Telling voices apart") from problem
    encoder = _encoder(folder)
    # The products are small: threads that share them wait for one another, many times as long as the work takes.
    with threadpool_limits(1, "blas"):
        parts = [encoder(windows[i : i + AT_ONCE]) for i in range(0, len(windows), AT_ONCE)]
    return np.concatenate([np.zeros((0, _UNITS), np.float32), *parts])


class _Encoder:
    """Three LSTM layers, the last state projected, rectified and scaled to length 1."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        # All input and hidden matrices, layer by layer, then all biases, as a GPU library keeps them; then the rest.
        rest = iter(_cut(weights, _sizes()))
        matrices = [next(rest) for _ in range(2 * _LAYERS)]
        biases = [next(rest) for _ in range(2 * _LAYERS)]
        self._layers = [
            (matrices[2 * i].reshape(4 * _UNITS, -1).T.copy(), matrices[2 * i + 1].reshape(4 * _UNITS, -1).T.copy(),
             biases[2 * i] + biases[2 * i + 1])
            for i in range(_LAYERS)
        ]  # fmt: skip
        self._projection = next(rest).reshape(_UNITS, _UNITS).T
        self._offset = next(rest)

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors of shape (windows, 256) of mel spectra of shape (windows, 80, 40)."""
        import numpy as np

        states = windows.transpose(1, 0, 2)
        for layer in self._layers:
            states = _run(states, *layer)
        vectors = np.maximum(0, states[-1] @ self._projection + self._offset)
        return unit(vectors)


def _sizes() -> list[int]:
    matrices = [4 * _UNITS * width for i in range(_LAYERS) for width in (_MEL.bands if i == 0 else _UNITS, _UNITS)]
    return [*matrices, *[4 * _UNITS] * (2 * _LAYERS), _UNITS * _UNITS, _UNITS]


def _cut(weights: NDArray[np.float32], sizes: list[int]) -> list[NDArray[np.float32]]:
    import numpy as np

    return np.split(weights, np.cumsum(sizes)[:-1])


def _run(inputs: Any, into: Any, within: Any, bias: Any) -> Any:
    """An LSTM layer over inputs of shape (time, batch, width); gates in the order input, forget, cell, output."""
    import numpy as np

    steps, batch, _ = inputs.shape
    hidden, cell = np.zeros((2, batch, _UNITS), np.float32)
    given = inputs @ into + bias
    states = np.empty((steps, batch, _UNITS), np.float32)
    for step in range(steps):
        gates = given[step] + hidden @ within
        # The logistic function by way of tanh, which does not overflow.
        opened = 0.5 + 0.5 * np.tanh(0.5 * gates)
        cell = opened[:, _UNITS : 2 * _UNITS] * cell + opened[:, :_UNITS] * np.tanh(gates[:, 2 * _UNITS : 3 * _UNITS])
        hidden = opened[:, 3 * _UNITS :] * np.tanh(cell)
        states[step] = hidden
    return states


@once
def _encoder(folder: Path) -> _Encoder:
    import numpy as np

    return _Encoder(np.fromfile(folder / "encoder.f32", "<f4"))
