from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from consilience.tools.audio.manner import Manner, baseline, describe, deviations
from consilience.tools.audio.pitch import pitch
from consilience.tools.audio.prosody import prosody
from consilience.tools.audio.syllables import levels_of, syllables
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.observations import Prosody, Source
from consilience.testing import EncoderConformance

RATE = 16_000


class TestProsody(EncoderConformance):
    encoder = prosody

    @pytest.fixture(autouse=True)
    def _voices(self, voices: Any) -> None:
        self._talk = voices.conversation(4, speakers=("June",), turns=2, prompts_a_turn=1).samples

    def source(self) -> Source:
        return (self._talk, RATE)


async def test_what_is_said_louder_is_told_so(voices: Any, observe: Any) -> None:
    pause = np.zeros(RATE, np.float32)
    said = [voices.speech_of(path) for path in voices.prompts("July", "test")[:7]]
    loud = [clip * (0.8 if number == 4 else 0.15) / np.abs(clip).max() for number, clip in enumerate(said)]
    samples = np.concatenate([piece for clip in loud for piece in (clip, pause)])
    begin = sum(len(clip) + RATE for clip in loud[:4]) / RATE
    found = (await observe(prosody, (samples, RATE))).observations
    marked = [o for o in found if "louder" in o.text]
    assert len(marked) == 1
    assert marked[0].locator.time.start == pytest.approx(begin, abs=0.3)
    value = marked[0].as_(Prosody)
    assert value.deviations["loudness"] > 1.5
    assert value.pitch_hz is not None
    assert 150 < value.pitch_hz < 300
    assert value.syllables_per_second is not None
    assert 2 < value.syllables_per_second < 8
    assert all(o.value["speaker"] == o.locator.track for o in found)


async def test_where_nobody_speaks_there_is_no_manner(observe: Any) -> None:
    (found,) = (await observe(prosody, (np.zeros(2 * RATE), RATE))).observations
    assert found.kind == "unobserved"


@given(st.floats(70, 450), st.floats(0.01, 0.9), st.integers(1, 9))
@settings(max_examples=25)
def test_the_pitch_of_a_buzz_is_its_frequency(hertz: float, level: float, partials: int) -> None:
    turns = 2 * np.pi * hertz * np.arange(RATE // 2) / RATE
    buzz = sum(np.sin(k * turns + k) / k for k in range(1, partials + 1))
    found = pitch((level * buzz / np.abs(buzz).max()).astype(np.float32))
    assert np.isfinite(found).mean() > 0.9
    assert np.nanmedian(found) == pytest.approx(hertz, rel=0.01)


def test_noise_silence_and_nothing_have_no_pitch() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    assert np.isnan(pitch(noise)).mean() > 0.95
    assert np.isnan(pitch(np.zeros(RATE, np.float32))).all()
    assert len(pitch(np.zeros(10, np.float32))) == 0


@pytest.mark.parametrize("count", [2, 5, 9])
def test_bursts_of_a_voice_are_counted(count: int) -> None:
    time = np.arange(RATE * count // 4) / RATE
    voice = np.sin(2 * np.pi * 150 * time) * np.sin(np.pi * ((time * 4) % 1)) ** 2
    samples = (0.3 * voice).astype(np.float32)
    assert syllables(levels_of(samples), np.isfinite(pitch(samples))) == pytest.approx(count, abs=1)


MANNERS = st.lists(
    st.builds(
        Manner,
        pitch=st.none() | st.floats(60, 120),
        spread=st.none() | st.floats(0, 10),
        loudness=st.floats(-60, 0),
        rate=st.none() | st.floats(0.5, 10),
        pause=st.none() | st.floats(0, 30),
    ),
    max_size=12,
)


@given(MANNERS)
def test_the_usual_is_not_marked_and_words_follow_numbers(manners: list[Manner]) -> None:
    usual = baseline(manners)
    for manner in manners:
        away, told = deviations(manner, usual), describe(manner, usual)
        assert away.keys() <= usual.keys()
        assert ("louder" in told) == (away.get("loudness", 0) >= 1.5)
        assert ("lower" in told.replace("slower", "")) == (away.get("pitch", 0) <= -1.5)
        assert not (usual and "too little" in told)


def test_words_an_llm_can_use() -> None:
    calm = [Manner(90.0, 2.0, -25.0, 4.0, 0.5)] * 5
    excited = Manner(93.0, 2.0, -18.0, 6.0, 3.0)
    told = describe(excited, baseline(calm))
    assert told == "much louder, much higher and much faster than usual, after a long pause (3.0 s)"
    assert describe(calm[0], baseline(calm)) == "as usual"
    assert describe(calm[0], baseline(calm[:2])) == "(too little to know what is usual)"
