"""How things are said: pitch, loudness, rate and pauses of each utterance against its own speaker's usual."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilience.tools.audio.diarisation import sound_of, utterances_of
from consilience.tools.audio.manner import Manner, baseline, describe, deviations
from consilience.tools.audio.pitch import pitch
from consilience.tools.audio.speakers import SpeakerTurn, turns_of
from consilience.tools.audio.syllables import levels_of, syllables
from consilience.tools.audio.voice_activity import DETECTOR
from consilience.tools.audio.voices import WEIGHTS
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["prosody"]

_RATE = 16_000
_LONGEST = 20.0
_SHORTEST = 0.4


@dataclass(frozen=True)
class Spoken:
    """One utterance, measured."""

    turn: SpeakerTurn
    manner: Manner
    silent: float
    """Share of its time in which nobody speaks."""


@encoder(
    modality="audio",
    kinds=("prosody",),
    version="2",
    cost="heavy",
    extra="audio",
    weights=(WEIGHTS,),
    packages=(DETECTOR,),
)
def prosody(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells how each utterance is said: louder, higher, faster than its speaker's usual, or after a long pause."""
    turns = list(_short_enough(turns_of(utterances_of(excerpt))))
    spoken = [measured for measured in _measured(excerpt, turns) if measured.turn.time.seconds >= _SHORTEST]
    if not spoken:
        raise Unobservable("nobody speaks long enough in it")
    names = dict.fromkeys(s.turn.speaker for s in spoken)
    usual = {name: baseline([s.manner for s in spoken if s.turn.speaker == name]) for name in names}
    for one in spoken:
        speaker, manner = one.turn.speaker, one.manner
        hertz = None if manner.pitch is None else _hertz(manner.pitch)
        value = {
            "pitch_hz": hertz,
            "pitch_spread": _rounded(manner.spread),
            "loudness_db": round(manner.loudness, 1),
            "syllables_per_second": _rounded(manner.rate),
            "pause_share": round(one.silent, 3),
            "pause_before": _rounded(manner.pause),
            "speaker": speaker,
            "deviations": deviations(manner, usual[speaker]),
        }
        facts = [f"{hertz:.0f} Hz" if hertz else "no pitch", f"{manner.loudness:.0f} dB"]
        facts += [f"{manner.rate:.1f} syllables a second"] if manner.rate else []
        told = f"{speaker} speaks {describe(manner, usual[speaker])} [{', '.join(facts)}]"
        yield excerpt.observe("prosody", value, told, locator=one.turn.place)


def _short_enough(turns: Sequence[SpeakerTurn]) -> Iterator[SpeakerTurn]:
    """Long turns in pieces of twenty seconds at most, where that is possible."""
    for turn in turns:
        piece: tuple[int, int] = (0, 0)
        for number, utterance in enumerate(turn.utterances):
            if utterance.end - turn.utterances[piece[0]].start > _LONGEST and number > piece[0]:
                yield SpeakerTurn(turn.utterances[piece[0] : number])
                piece = (number, number)
        yield SpeakerTurn(turn.utterances[piece[0] :])


def _measured(excerpt: Excerpt, turns: Sequence[SpeakerTurn]) -> Iterator[Spoken]:
    """The turns with what was measured of each; the sound passes through, one turn in memory at a time."""
    before: SpeakerTurn | None = None
    for turn, samples in _cut(sound_of(excerpt), turns):
        excerpt.check()
        pause = None if before is None else max(0.0, turn.time.start - before.time.end)
        yield _measure(turn, samples, pause)
        before = turn


def _cut(
    blocks: Iterator[NDArray[np.float32]], turns: Sequence[SpeakerTurn]
) -> Iterator[tuple[SpeakerTurn, NDArray[np.float32]]]:
    """Each turn with its sound; turns are in order and do not overlap."""
    import numpy as np

    held, begin = np.zeros(0, np.float32), 0
    for turn in turns:
        first, last = round(turn.time.start * _RATE), round(turn.time.end * _RATE)
        while begin + len(held) < last and (block := next(blocks, None)) is not None:
            held = np.concatenate([held, block])
            spare = min(len(held), max(0, first - begin))
            held, begin = held[spare:], begin + spare
        yield turn, held[max(0, first - begin) : max(0, last - begin)]


def _measure(turn: SpeakerTurn, samples: NDArray[np.float32], pause: float | None) -> Spoken:
    import numpy as np

    levels, hertz = levels_of(samples), pitch(samples)
    voiced = np.isfinite(hertz)
    tones = 12 * np.log2(hertz[voiced]) if voiced.any() else np.zeros(0)
    if len(tones):
        # A frame an octave off is a slip of the tracker.
        tones = tones[np.abs(tones - np.median(tones)) < 12]
    frames = min(len(levels), len(voiced))
    loud = levels[:frames][voiced[:frames]] if voiced[:frames].any() else levels
    said = sum(u.end - u.start for u in turn.utterances)
    count = syllables(levels, voiced)
    manner = Manner(
        pitch=float(np.median(tones)) if len(tones) >= 5 else None,
        spread=float(tones.std()) if len(tones) >= 20 else None,
        loudness=float(10 * np.log10(np.mean(10 ** (loud / 10)))) if len(loud) else -100.0,
        rate=count / said if count >= 2 else None,
        pause=pause,
    )
    return Spoken(turn, manner, max(0.0, 1 - said / max(turn.time.seconds, said, 1e-6)))


def _hertz(semitones: float) -> float:
    return round(math.pow(2, semitones / 12), 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
