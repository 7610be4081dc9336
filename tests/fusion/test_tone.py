"""Words against the tone they are said in, with the real lexicon of tone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from consilience.tools.text.sentiment import polarity

from consilience.fusion import Timeline, conflicts
from consilience.observations import Conflict, Observation

ObservationOf = Callable[..., Observation]

PRAISE, GRIEF, PLAIN = "I love this, what a wonderful day!", "This is a terrible, horrible loss.", "The train has left."
AT = (2.0, 6.0)


def face(observed: ObservationOf, label: str, score: float, at: tuple[float, float] = (3.0, 3.0)) -> Observation:
    value = {"label": label, "scores": {label: score}}
    return observed("expression", f"a face looks {label}", medium="film", at=at, value=value)


def voice(observed: ObservationOf, at: tuple[float, float] = AT, **measures: Any) -> Observation:
    value = {"loudness_db": -20.0, "pause_share": 0.1, "pitch_hz": 200.0, **measures}
    return observed("prosody", "S1 speaks flatter than usual", medium="film", at=at, value=value)


def told(observed: ObservationOf, words: str, tone: Observation) -> list[Conflict]:
    said = observed("transcript", words, medium="film", at=AT)
    found = conflicts([said, tone], Timeline([said, tone]), polarity=polarity)
    return [conflict.as_(Conflict) for conflict in found]


@pytest.mark.parametrize(
    ("words", "label", "disputed"),
    [
        (PRAISE, "angry", True),
        (PRAISE, "disgusted", True),
        (PRAISE, "happy", False),
        (PRAISE, "unclear", False),
        (GRIEF, "happy", True),
        (GRIEF, "sad", False),
        (GRIEF, "neutral", False),
        (PLAIN, "angry", False),
    ],
)
def test_words_against_a_face(observed: ObservationOf, words: str, label: str, disputed: bool) -> None:
    found = told(observed, words, face(observed, label, 0.9))
    assert [conflict.dispute for conflict in found] == ["words_tone"] * disputed


@pytest.mark.parametrize(
    ("words", "measures", "disputed"),
    [
        (PRAISE, {"pitch_spread": 0.8}, True),
        (PRAISE, {"pitch_spread": 3.0}, False),
        (PRAISE, {"pitch_spread": 3.0, "deviations": {"pitch": -3.0, "rate": -2.0, "pause": 4.0}}, True),
        (PRAISE, {"pitch_spread": 3.0, "deviations": {"pitch": 2.0, "loudness": 2.0}}, False),
        (GRIEF, {"pitch_spread": 0.8}, False),
    ],
)
def test_words_against_a_voice(observed: ObservationOf, words: str, measures: dict[str, Any], disputed: bool) -> None:
    assert bool(told(observed, words, voice(observed, **measures))) == disputed


def test_what_is_seen_at_another_time_disputes_nothing(observed: ObservationOf) -> None:
    assert not told(observed, PRAISE, face(observed, "angry", 0.9, at=(6.0, 7.0)))
    assert not told(observed, PRAISE, voice(observed, at=(5.5, 9.0), pitch_spread=0.5))


def test_the_surest_look_of_a_sentence_is_told_and_says_both(observed: ObservationOf) -> None:
    said = observed("transcript", PRAISE, medium="film", at=AT)
    looks = [face(observed, "angry", 0.6, at=(3.0, 3.0)), face(observed, "sad", 0.95, at=(4.0, 4.0))]
    (conflict,) = conflicts([said, *looks], Timeline([said, *looks]), polarity=polarity)
    assert conflict.as_(Conflict).second == looks[1].id
    assert conflict.text == "said: I love this, what a wonderful day!; yet the face: a face looks sad"
    assert str(conflict.locator) == "t=4,4"


def test_without_a_lexicon_no_tone_is_compared(observed: ObservationOf) -> None:
    said = observed("transcript", PRAISE, medium="film", at=AT)
    assert conflicts([said, face(observed, "angry", 0.9)]) == []


def test_the_lexicon_is_only_asked_where_there_is_a_tone(observed: ObservationOf) -> None:
    def unavailable(text: str) -> float:
        raise AssertionError("nobody needs it")

    assert conflicts([observed("transcript", PRAISE, medium="film", at=AT)], polarity=unavailable) == []
