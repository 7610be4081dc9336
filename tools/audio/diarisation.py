"""Who spoke when: stretches of speech, a vector for each voice in them, groups of like vectors, smoothed over time.

One voice at a time: where two speak at once, the louder gets the turn.
"""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from consilience.tools.audio.clustering import cluster, likeliest, middles, unit
from consilience.tools.audio.voice_activity import RATE, Speech, speech_in
from consilience.tools.audio.voices import AT_ONCE, HOP, WEIGHTS, WINDOW, embed, windows_of
from consilience.tools.decoding.sound import channel_of, sound_within
from consilience.tools.excerpt import Excerpt

from consilience.core.once import once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embedded", "Utterance", "diarise", "embedded", "sound_of", "utterances_of"]

# Chosen on other prompts of the six voices that benchmarks/speakers.py judges: of other voices, groups may lie closer.
_DISTANCE = 0.78
# Windows that make a speaker, or in a short recording, the share of all of them.
_LEAST, _LEAST_SHARE = 6, 0.1
_PIECE = 5
_CHANGE, _CHANGE_AT_PAUSE = 0.5, 0.125
# The share of the recording's own mean in the centre, as long as nobody knows how many voices it holds: voices that
# nobody has heard differ less from six others' mean.
_OWN = 0.2
# How many voices of the recording the six others' mean is worth, once some are told apart; and how often that is done
# anew with the voices found. Chosen on the strangers of benchmarks/voices.py, who are none of the six.
_WORTH, _ROUNDS = 2, 3

# The mean vector of six voices, half-precision floats: all vectors have it in common, and what tells voices apart is
# how they differ from it. `python benchmarks/speakers.py --centre` prints it.
_CENTRE = (
    "hDD/GEITAAAfG0IhnQoAI+0ufCwRMG0vwCwgLQ4pXiMqKN0htyoIKf4udiwCDAAA5ihhK98p6Bt3AXsXpyzXKWsrRRo/Hdopzim6"
    "K8QgMBo3JQwkPS0gLbUqMCkAAKYgjS12KAAAEy+/DQAAPR70KwUkzQMfLKQFWygaJIUqaxVTKBYcfi2yJgAAAStBFUopwR5OKGol"
    "UiYAAP0lsiu1KXsQayHYLMMqyyEgJPwo9y2CAC0wWCdyHLQoGiVbCAAAcycAAEIkFgKuG3wJxyrgKSYn6yXQIFEkfBQ+LAAAPC0r"
    "Jews2ygAAKEwmCOEHnYg0iq1LBswRyzwHqgtUyjeLdgptBVJKnwcoSEnKvkplS0pKQcpLyiXJwAAAACVJVQcOSfRG7ktiwm/LVor"
    "0S6xKQAAryEIKRwuLB8lKCUsdSz1HW0ZGzDEKXcl6ygXKI0otikeKvUCiCORI7wrWANtKBEiJi1AK7QnAC6rKAAuVSofKQAA0SBW"
    "LRAAsyKDKRInCBFaLAAAzStxI6osUSnTKZgoYycjImclAACEK50oiijHIX8pQBglJqMsSygjAdUsAABEIUooVABGK/wkuyMAAEQi"
    "KyQSKEgpAAB6AJkiExnlJwAAhg39LF4rwis3LAcuzS6MKG8J1Cb7LAAppChPJQIxEx8HEhYsOCoAAJ0QsR0="
)

_KEPT = 4
_known: OrderedDict[tuple[str, str], tuple[Utterance, ...]] = OrderedDict()
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Utterance:
    """What one speaker says without a pause of a quarter of a second."""

    start: float
    """Seconds."""
    end: float
    speaker: int
    """0, 1, ... in order of appearance."""
    score: float
    """0 to 1: how much more the voice is like this speaker's than like the next one's."""
    voice: tuple[float, ...]
    """The voice as a vector of length 1; empty where the utterance is too short for one."""

    @property
    def name(self) -> str:
        """`S1`, `S2`, ..."""
        return f"S{self.speaker + 1}"


@dataclass(frozen=True)
class Embedded:
    """A stretch of speech and the vectors of the voices in it, shape (windows, 256)."""

    start: float
    end: float
    vectors: NDArray[np.float32]


def utterances_of(excerpt: Excerpt) -> tuple[Utterance, ...]:
    """Who spoke when in the excerpt, in its own seconds; the encoders that ask for it in turn share one computation.

    The sound passes through: of a recording of hours, only the vectors are in memory.

    Raises:
        Unobservable: it cannot be decoded.
    """
    key = (excerpt.media.id, excerpt.where.to_fragment())
    while not _one_at_a_time.acquire(timeout=0.2):
        excerpt.check()
    try:
        if key not in _known:
            speech = speech_in(sound_of(excerpt))
            _known[key] = diarise(embedded(speech, excerpt.weights(WEIGHTS)))
            while len(_known) > _KEPT:
                _known.popitem(last=False)
        _known.move_to_end(key)
        return _known[key]
    finally:
        _one_at_a_time.release()


def sound_of(excerpt: Excerpt) -> Iterator[NDArray[np.float32]]:
    """The excerpt's mono sound at 16 kHz, block by block, from its first second on."""
    where = excerpt.where
    return sound_within(excerpt.path, RATE, time=where.time, channel=channel_of(where.track), check=excerpt.check)


def embedded(speech: Iterable[Speech], folder: Path) -> list[Embedded]:
    """The stretches without their sound, but with the vectors of the voices in them."""
    import numpy as np

    done: list[Embedded] = []
    waiting: list[tuple[Speech, NDArray[np.float32]]] = []

    def flush() -> None:
        counts = [len(windows) for _, windows in waiting]
        vectors = embed(np.concatenate([windows for _, windows in waiting]), folder)
        parts = np.split(vectors, np.cumsum(counts)[:-1])
        done.extend(Embedded(s.start, s.end, part) for (s, _), part in zip(waiting, parts, strict=True))
        waiting.clear()

    for stretch in speech:
        waiting.append((stretch, windows_of(stretch.samples)))
        if sum(len(windows) for _, windows in waiting) >= AT_ONCE:
            flush()
    if waiting:
        flush()
    return done


def diarise(stretches: Sequence[Embedded], centre: NDArray[np.float32] | None = None) -> tuple[Utterance, ...]:
    """Utterances, in order; a stretch in which the voice changes gives several.

    Args:
        stretches: speech, in order.
        centre: what all voices have in common, shape (256,); None: that of six voices.
    """
    import numpy as np

    if not any(len(stretch.vectors) for stretch in stretches):
        return tuple(Utterance(s.start, s.end, 0, 0.0, ()) for s in stretches)
    raw = np.concatenate([s.vectors for s in stretches])
    groups, middle = _grouped(stretches, raw, _shipped_centre() if centre is None else centre)
    owner = np.repeat(np.arange(len(stretches)), [len(s.vectors) for s in stretches])
    vectors = unit(raw - middle)
    around = unit(np.concatenate([_smoothed(s.vectors) for s in stretches]) - middle)
    change = np.where(np.diff(owner, prepend=owner[0]) > 0, _CHANGE_AT_PAUSE, _CHANGE)
    for _ in range(2):
        likeness = around @ middles(vectors, _renumbered(groups)).T
        groups = likeliest(likeness, change)
    return tuple(_utterances(stretches, owner, _renumbered(groups), _margins(likeness, groups)))


def _grouped(
    stretches: Sequence[Embedded], raw: NDArray[np.float32], centre: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Groups of all vectors, shape (windows,), and what the voices have in common, shape (256,).

    The more voices there are, the better their own mean says what they have in common; where there is but one, its
    mean would take away what tells it from others.
    """
    import numpy as np

    middle = (1 - _OWN) * centre + _OWN * raw.mean(axis=0)
    groups, count = _first_guess(stretches, middle), 1
    for _ in range(_ROUNDS):
        found = np.unique(groups)
        if len(found) in (1, count):
            break
        count = len(found)
        own = np.mean([raw[groups == voice].mean(axis=0) for voice in found], axis=0)
        middle = (_WORTH * centre + count * own) / (_WORTH + count)
        groups = _first_guess(stretches, middle)
    return groups, np.asarray(middle, np.float32)


def _first_guess(stretches: Sequence[Embedded], middle: NDArray[np.float32]) -> NDArray[np.int64]:
    """Groups of the vectors of all stretches, shape (windows,): pieces of a few windows are grouped as one."""
    import numpy as np

    pieces = [
        part
        for stretch in stretches
        if len(stretch.vectors)
        for part in np.array_split(stretch.vectors, -(-len(stretch.vectors) // _PIECE))
    ]
    sizes = np.array([len(piece) for piece in pieces])
    means = unit(np.stack([piece.mean(axis=0) for piece in pieces]) - middle)
    least = min(_LEAST, _LEAST_SHARE * sizes.sum())
    return np.repeat(cluster(means, sizes.astype(float), distance=_DISTANCE, least=least), sizes)


def _smoothed(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each vector's mean with its neighbours."""
    import numpy as np

    if len(vectors) < 2:
        return vectors
    ends = np.concatenate([vectors[:1], vectors, vectors[-1:]])
    means = (ends[:-2] + ends[1:-1] + ends[2:]) / 3
    means[0], means[-1] = vectors[:2].mean(axis=0), vectors[-2:].mean(axis=0)
    return unit(means)


def _renumbered(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The groups as 0, 1, ... in order of appearance."""
    import numpy as np

    _, first, back = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[back]


def _margins(likeness: NDArray[np.float32], groups: NDArray[np.int64]) -> NDArray[np.float32]:
    """How much more each window is like its own group than like the next best, or than nothing where there is none."""
    import numpy as np

    rows = np.arange(len(groups))
    own = likeness[rows, groups]
    rest = likeness.copy()
    rest[rows, groups] = -1
    return np.asarray(own - np.maximum(0, rest.max(axis=1)), np.float32)


def _utterances(
    stretches: Sequence[Embedded], owner: NDArray[np.int64], groups: NDArray[np.int64], margins: NDArray[np.float32]
) -> Iterator[Utterance]:
    """Cuts the stretches where the voice changes; one without a vector goes to whoever spoke last."""
    import numpy as np

    speaker = 0
    for number, stretch in enumerate(stretches):
        first, last = np.searchsorted(owner, [number, number + 1])
        if first == last:
            yield Utterance(stretch.start, stretch.end, speaker, 0.0, ())
            continue
        edges = [first, *(np.flatnonzero(np.diff(groups[first:last])) + first + 1), last]
        for begin, end in pairwise(edges):
            speaker = int(groups[begin])
            # Two windows share half of their time: the change is put in the middle of that.
            told = [stretch.start + (edge - first) * HOP + (WINDOW - HOP) / 2 for edge in (begin, end)]
            yield Utterance(
                start=stretch.start if begin == first else min(told[0], stretch.end),
                end=stretch.end if end == last else min(told[1], stretch.end),
                speaker=speaker,
                score=float(np.clip(margins[begin:end].mean(), 0, 1)),
                voice=tuple(
                    round(float(x), 5) for x in unit(stretch.vectors[begin - first : end - first].mean(axis=0))
                ),
            )


@once
def _shipped_centre() -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(base64.b64decode("".join(_CENTRE)), "<f2").astype(np.float32)
