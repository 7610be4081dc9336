"""Who spoke when: anonymous speakers, however many there are, told apart by their voices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consilience.tools.audio.diarisation import Utterance, utterances_of
from consilience.tools.audio.voice_activity import DETECTOR
from consilience.tools.audio.voices import WEIGHTS
from consilience.tools.bounds import Pause
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Locator, Observation, TimeRange

__all__ = ["SpeakerTurn", "speakers", "turns_of"]

# Shorter pauses within what one speaker says do not end a turn.
PAUSE = 0.5


@dataclass(frozen=True)
class SpeakerTurn:
    """What one speaker says until somebody else speaks or nobody does."""

    utterances: tuple[Utterance, ...]

    @property
    def speaker(self) -> str:
        """`S1`, `S2`, ... in order of appearance."""
        return self.utterances[0].name

    @property
    def time(self) -> TimeRange:
        """From the first utterance to the last."""
        return TimeRange(start=self.utterances[0].start, end=self.utterances[-1].end)

    @property
    def place(self) -> Locator:
        """When, and as the track: who."""
        return Locator(time=self.time, track=self.speaker)

    @property
    def score(self) -> float:
        """Mean over its utterances, by their lengths."""
        lengths = [max(u.end - u.start, 1e-3) for u in self.utterances]
        return sum(u.score * length for u, length in zip(self.utterances, lengths, strict=True)) / sum(lengths)


@encoder(
    modality="audio",
    kinds=("speaker",),
    version="2",
    cost="heavy",
    extra="audio",
    weights=(WEIGHTS,),
    packages=(DETECTOR,),
)
def speakers(excerpt: Excerpt, *, pause: Pause = PAUSE) -> Iterator[Observation]:
    """Tells who spoke when: S1, S2, ... in order of appearance, turn by turn; where two speak at once, only one.

    Args:
        excerpt: a recording, or some seconds of it.
        pause: seconds; after a longer silence, the same speaker begins a new turn.
    """
    turns = turns_of(utterances_of(excerpt), pause)
    if not turns:
        raise Unobservable("nobody speaks in it")
    alone = len({turn.speaker for turn in turns}) == 1
    for turn in turns:
        told = f"{turn.speaker}, the only speaker," if alone else f"speaker {turn.speaker}"
        yield excerpt.observe(
            "speaker",
            {"speaker": turn.speaker},
            f"{told} talks for {turn.time.seconds:.1f} s",
            locator=turn.place,
            confidence=Confidence(value=turn.score, kind="score"),
        )


def turns_of(utterances: Sequence[Utterance], pause: float = PAUSE) -> list[SpeakerTurn]:
    """Utterances of one speaker that follow each other within `pause` seconds, as one turn."""
    turns: list[SpeakerTurn] = []
    for utterance in utterances:
        last = turns[-1].utterances[-1] if turns else None
        if last and last.speaker == utterance.speaker and utterance.start - last.end <= pause:
            turns[-1] = SpeakerTurn((*turns[-1].utterances, utterance))
        else:
            turns.append(SpeakerTurn((utterance,)))
    return turns
