"""Words against the tone they are said in: praise in a flat voice, bad news with a smile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consilience.fusion.statements import is_said
from consilience.fusion.timeline import Timeline
from consilience.observations import Expression, Observation, Prosody

__all__ = ["Discord", "discords", "valence"]

_TONE = ("expression", "prosody")
_STRONG = 0.4
"""Polarity from which on words are taken to mean it, of -1 to 1."""
_SHARE = 0.5
"""Of the shorter of words and tone that both must cover."""
_TOLD = 0.2
"""Least score that is told."""
_GLAD = frozenset({"happy", "happiness", "joy", "smiling"})
_UNHAPPY = frozenset({"angry", "anger", "disgust", "disgusted", "fear", "fearful", "sad", "sadness", "contempt"})
_BLANK = 0.25
"""How much an unmoved face counts against glad words."""
_FLAT_SPREAD = 1.5
"""Semitones of pitch spread below which a voice is monotonous."""


@dataclass(frozen=True)
class Discord:
    """Words, a tone over the same span that disputes them, and how surely."""

    words: Observation
    tone: Observation
    score: float


def discords(timeline: Timeline, polarity: Callable[[str], float]) -> Iterator[Discord]:
    """Words of strong polarity over a tone of the other one; of several tones of a kind, the surest.

    Glad words are disputed by an unhappy or unmoved face and by a dull voice, unhappy words by a happy face.

    The score is the product of how strong the words are, how strong the tone is, and the share of the shorter of the
    two spans that both cover. A face or a voice is weak evidence of a feeling, so it stays well below 1.

    Args:
        timeline: of the record.
        polarity: of a text, -1 to 1.
    """
    for clock in timeline.clocks:
        for moment in timeline.moments(clock):
            words = moment.observation
            if not is_said(words) or not (tones := timeline.during(words, _TONE)):
                continue
            meant = polarity(words.text)
            if abs(meant) < _STRONG:
                continue
            surest: dict[str, Discord] = {}
            for tone in tones:
                score = abs(meant) * _against(meant, valence(tone)) * _overlap(timeline, words, tone)
                if score >= _TOLD and score > getattr(surest.get(tone.kind), "score", 0.0):
                    surest[tone.kind] = Discord(words, tone, round(score, 4))
            yield from surest.values()


def valence(tone: Observation) -> float:
    """How glad a tone is, -1 to 1. A voice can be dull, which is not glad, and no voice is glad by itself."""
    if tone.kind == "expression":
        return _of_face(tone.as_(Expression), tone.confidence.value if tone.confidence else 0.5)
    return _of_voice(tone.as_(Prosody))


def _of_face(expression: Expression, confidence: float) -> float:
    label = expression.label.casefold()
    sign = 1.0 if label in _GLAD else -1.0 if label in _UNHAPPY else -_BLANK if label == "neutral" else 0.0
    return sign * expression.scores.get(expression.label, confidence)


def _of_voice(prosody: Prosody) -> float:
    """Slower, lower, softer and flatter than the speaker's own baseline, each in standard deviations."""
    spread = prosody.pitch_spread
    flat = 0.5 if spread is not None and spread < _FLAT_SPREAD else 0.0
    lowered = [-value for name, value in prosody.deviations.items() if "pause" not in name]
    dull = sum(min(max(value, 0.0), 2.0) for value in lowered) / (2 * len(lowered)) if lowered else 0.0
    return -min(flat + dull, 1.0)


def _against(meant: float, tone: float) -> float:
    return abs(tone) if meant * tone < 0 else 0.0


def _overlap(timeline: Timeline, words: Observation, tone: Observation) -> float:
    """The share of the shorter that both cover, 0 below a half; a moment inside counts as covered."""
    common, one, other = timeline.common(words, tone), timeline.span(words), timeline.span(tone)
    if common is None or one is None or other is None:
        return 0.0
    shorter = min(one.seconds, other.seconds)
    share = common.seconds / shorter if shorter else 1.0
    return share if share >= _SHARE else 0.0
