from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools.audio.activity import activity
from consilience.tools.audio.channels import channels, likeness
from consilience.tools.audio.sounds import sounds, spans_of
from consilience.tools.audio.stretches import stretches
from consilience.tools.audio.voice import voice
from consilience.tools.catalog import default_encoders
from consilience.tools.runner import Runner, observed
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, Source, ingest
from consilience.testing import EncoderConformance

CALL = Path(__file__).resolve().parents[3] / "examples/media/call.wav"
RATE = 16_000


class TestActivity(EncoderConformance):
    encoder = activity

    def source(self) -> Source:
        return CALL

    async def test_tells_speech_from_silence(self, bench: Any, voices: Any) -> None:
        runner, _ = bench
        said = voices.speech_of(voices.prompts("June", "test")[0])
        media = ingest((np.concatenate([np.zeros(3 * RATE, np.float32), said]), RATE), runner.store)
        found = (await runner.encode(media, activity)).observations
        assert found[0].value == {"label": "silence"}
        assert found[0].locator.time.end == pytest.approx(3, abs=0.3)
        assert {"label": "speech"} in [o.value for o in found]


class TestSounds(EncoderConformance):
    encoder = sounds

    @pytest.fixture(autouse=True)
    def _monkeys(self, voices: Any) -> None:
        self._source: Path = voices.ROOT / "en_US_f_Allison/tt-monkeys.wav"

    def source(self) -> Source:
        return self._source


class TestVoice(EncoderConformance):
    encoder = voice

    def source(self) -> Source:
        return CALL


class TestStretches(EncoderConformance):
    encoder = stretches

    def source(self) -> Source:
        return CALL


async def test_hears_the_monkeys(voices: Any, observe: Any) -> None:
    found = (await observe(sounds, voices.ROOT / "en_US_f_Allison/tt-monkeys.wav")).observations
    assert {"Animal", "Screaming"} <= {o.value["label"] for o in found}
    assert not {"Speech", "Silence"} & {o.value["label"] for o in found}


@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.5])
async def test_short_silence_has_no_sounds(observe: Any, seconds: float) -> None:
    (found,) = (await observe(sounds, (np.zeros(round(seconds * RATE)), RATE))).observations
    assert found.kind == "unobserved"


def test_sounds_run_only_when_they_are_asked_for() -> None:
    named = {encoder.name: encoder for encoder in default_encoders(Settings())}
    assert named["audio.sounds"].on_demand
    assert named["audio.voice"].biometric
    assert not named["audio.speakers"].on_demand


@given(st.integers(1, 12), st.integers(1, 6), st.floats(0.05, 0.95), st.integers(1, 4), st.integers(0, 999))
def test_spans_cover_exactly_what_is_heard(windows: int, classes: int, threshold: float, most: int, seed: int) -> None:
    scores = np.random.default_rng(seed).random((windows, classes), np.float32)
    labels = [str(i) for i in range(classes)]
    spans = spans_of(scores, labels, threshold=threshold, most=most)
    heard = {(round(s.start / 0.48) + i, s.label) for s in spans for i in range(round((s.end - s.start) / 0.48) - 1)}
    for window in range(windows):
        best = {str(i) for i in np.argsort(-scores[window], kind="stable")[:most] if scores[window, i] >= threshold}
        assert {label for at, label in heard if at == window} == best


def stereo(voices: Any, left: str, right: str) -> Any:
    """Two voices that take turns, each on a channel of its own, shape (frames, 2)."""
    talk = voices.conversation(6, speakers=(left, right), turns=4, prompts_a_turn=1)
    sound = np.zeros((len(talk.samples), 2), np.float32)
    for start, end, name in talk.turns:
        part = slice(round(start * RATE), round(end * RATE))
        sound[part, 0 if name == left else 1] = talk.samples[part]
    return sound


class TestChannels(EncoderConformance):
    encoder = channels

    @pytest.fixture(autouse=True)
    def _voices(self, voices: Any, tmp_path: Path) -> None:
        import soundfile

        self._path = tmp_path / "call.wav"
        soundfile.write(self._path, stereo(voices, "Carlo", "June"), RATE)

    def source(self) -> Source:
        return self._path

    async def test_each_channel_is_a_part(self, bench: Any) -> None:
        found = (await self.observe(bench)).observations
        assert [o.locator.track for o in found] == ["channel 1", "channel 2"]
        assert all(o.value == {"modality": "audio", "role": "channel"} for o in found)

    async def test_what_is_heard_keeps_its_channel(self, bench: Any) -> None:
        runner, media = bench
        both = Runner(runner.store, [channels, activity], settings=runner.settings)
        found = observed([encoding async for encoding in both.perceive([media])])
        assert {o.locator.track for o in found} == {"channel 1", "channel 2"}


@pytest.mark.parametrize("second", ["the same", "softer", "delayed", "nothing", "noise"])
async def test_channels_of_one_scene_are_no_parts(voices: Any, observe: Any, tmp_path: Path, second: str) -> None:
    import soundfile

    first = stereo(voices, "Carlo", "June").sum(axis=1)
    others = {
        "the same": first,
        "softer": first * 0.3,
        "delayed": np.roll(first, 80),
        "nothing": first * 0,
        "noise": np.random.default_rng(0).normal(0, 0.01, len(first)),
    }
    soundfile.write(tmp_path / "scene.wav", np.stack([first, others[second]], axis=1), RATE)
    encoding = await observe(channels, tmp_path / "scene.wav")
    assert (encoding.failure, encoding.observations) == (None, ())


async def test_one_channel_is_not_divided(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    store = ObservationStore.open(settings)
    encoding = await Runner(store, [channels], settings=settings).encode(ingest(CALL, store), channels)
    assert encoding.observations == ()


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 99))
def test_likeness_is_a_correlation(one: int, other: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    first, second = draw.random(one), draw.random(other)
    assert -1.001 <= likeness(first, second) <= 1.001
    assert likeness(first, first) == pytest.approx(1 if one > 1 else 0)
