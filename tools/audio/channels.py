"""Channels of a recording that carry different speakers, as on many recorded telephone calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from consilience.tools.audio.voice_activity import DETECTOR, RATE, speech_in
from consilience.tools.decoding.sound import channel_of, sound_within
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.observations import Locator, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["channels", "likeness"]

_MOST = 8
_STEP = RATE // 20
# Two microphones in one room hear the same loud and soft, however different their waves are.
_ALIKE = 0.5
_SPEECH = 0.5


@encoder(modality="audio", kinds=("part",), version="1", cost="medium", extra="audio", packages=(DETECTOR,))
def channels(excerpt: Excerpt) -> Iterator[Observation]:
    """Keeps channels apart where each carries speech of its own; says nothing of any other recording."""
    count = excerpt.media.channels or 1
    if channel_of(excerpt.where.track) is not None or not 1 < count <= _MOST:
        return
    heard = [_listen(excerpt, number) for number in range(1, count + 1)]
    spoken = [(number, levels) for number, (seconds, levels) in enumerate(heard, 1) if seconds >= _SPEECH]
    if len(spoken) < 2 or any(
        likeness(one, other) > _ALIKE for i, (_, one) in enumerate(spoken) for _, other in spoken[:i]
    ):
        return
    for number, _ in spoken:
        told = f"channel {number} carries speech of its own"
        place = Locator(track=f"channel {number}")
        yield excerpt.observe("part", {"modality": "audio", "role": "channel"}, told, locator=place)


def _listen(excerpt: Excerpt, number: int) -> tuple[float, NDArray[np.float64]]:
    """Seconds of speech on a channel, and its level every twentieth of a second, shape (steps,)."""
    import numpy as np

    levels: list[NDArray[np.float64]] = []
    rest = np.zeros(0, np.float32)

    def overheard() -> Iterator[NDArray[np.float32]]:
        nonlocal rest
        for block in sound_within(excerpt.path, RATE, time=excerpt.where.time, channel=number, check=excerpt.check):
            yield block
            joined = np.concatenate([rest, block])
            whole = len(joined) // _STEP * _STEP
            rest = joined[whole:]
            levels.append(np.sqrt(np.mean(joined[:whole].reshape(-1, _STEP).astype(np.float64) ** 2, axis=1)))

    seconds = sum(speech.end - speech.start for speech in speech_in(overheard()))
    return seconds, np.concatenate(levels) if levels else np.zeros(0)


def likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How far two channels get loud and soft together: the correlation of their levels, -1 to 1; 0 of silence."""
    import numpy as np

    steps = min(len(one), len(other))
    first, second = one[:steps], other[:steps]
    if steps < 2 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
