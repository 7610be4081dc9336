"""Where to cut a long recording into stretches, so that no word is cut in two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from consilience.tools.bounds import Window
from consilience.tools.decoding.sound import channel_of, sound_blocks
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Locator, Observation, TimeRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["cuts", "stretches"]

_RATE = 8_000
_STEP = 0.1
# A pause between words lasts longer than a stop consonant, which is silent for under a tenth of a second.
_PAUSE = 0.3


@encoder(modality="audio", kinds=("part",), version="1", extra="audio", on_demand=True)
def stretches(excerpt: Excerpt, *, longest: Window = 60.0) -> Iterator[Observation]:
    """Cuts a recording where it is quietest, into stretches of at most so many seconds.

    Args:
        excerpt: a recording, or some seconds of it.
        longest: seconds; every stretch but the last has at least half of it.
    """
    loudness = _loudness(excerpt)
    edges = cuts(loudness, _STEP, longest)
    seconds = excerpt.seconds or len(loudness) * _STEP
    for start, end in zip([0.0, *edges], [*edges, max(seconds, *edges, 0.0)], strict=True):
        place = Locator(time=TimeRange(start=start, end=end))
        told = f"stretch of {end - start:.1f} s"
        yield excerpt.observe("part", {"modality": "audio", "role": "stretch"}, told, locator=place)


def cuts(loudness: NDArray[np.float64], step: float, longest: float) -> list[float]:
    """Seconds at which to cut, so that no stretch is longer than `longest`, each in the quietest place that allows it.

    Args:
        loudness: energy of each `step` seconds, shape (steps,).
        step: seconds.
        longest: seconds; every stretch but the last has at least half of it.
    """
    import numpy as np

    if not loudness.size:
        return []
    width = max(1, round(_PAUSE / step))
    smooth = np.convolve(loudness, np.ones(width) / width, mode="same")
    most, found, start = max(2, int(longest / step)), [], 0
    while len(smooth) - start > most:
        window = smooth[start + most // 2 : start + most]
        start += most // 2 + int(window.argmin())
        found.append(round(start * step, 3))
    return found


def _loudness(excerpt: Excerpt) -> Any:
    """Energy of each tenth of a second, shape (steps,); one block of sound in memory at a time."""
    import numpy as np

    size = round(_RATE * _STEP)
    begin = excerpt.where.time.start if excerpt.where.time else 0.0
    energies: dict[int, float] = {}
    channel = channel_of(excerpt.where.track)
    for at, block in sound_blocks(excerpt.path, _RATE, time=excerpt.where.time, channel=channel, check=excerpt.check):
        first = round((at - begin) * _RATE)
        steps = (first + np.arange(len(block))) // size
        for step, energy in zip(*_sums(steps, block.astype(np.float64) ** 2), strict=True):
            if step >= 0:
                energies[step] = energies.get(step, 0.0) + energy
    if not energies:
        raise Unobservable("there is no sound in it")
    levels = np.zeros(max(energies) + 1)
    levels[list(energies)] = list(energies.values())
    return levels


def _sums(steps: Any, energy: Any) -> tuple[list[int], list[float]]:
    import numpy as np

    if not len(steps):
        return [], []
    starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    return steps[starts].tolist(), np.add.reduceat(energy, starts).tolist()
