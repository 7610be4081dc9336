"""Bad sound: every encoder ends in observations, `unobserved`, or a clear failure, whatever the recording is like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from consilience.tools import Runner
from consilience.tools.audio.activity import activity
from consilience.tools.audio.channels import channels
from consilience.tools.audio.prosody import prosody
from consilience.tools.audio.sounds import sounds
from consilience.tools.audio.speakers import speakers
from consilience.tools.audio.speech import speech
from consilience.tools.audio.voice import voice
from consilience.tools.decoding.sound import waveform

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest

ENCODERS = (speech, speakers, prosody, activity, sounds, voice, channels)


def tone(rate: int, seconds: float) -> Any:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 96_000, 192_000])
def test_any_sample_rate_gives_the_same_sound(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(rate, 1), rate)
    samples = waveform(path)
    assert len(samples) == pytest.approx(16_000, abs=200)
    assert np.abs(np.fft.rfft(samples)).argmax() / (len(samples) / 16_000) == pytest.approx(440, abs=3)
    assert samples.std() == pytest.approx(0.354, abs=0.02)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
def test_any_kind_of_sample_gives_the_same_sound(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(16_000, 1), 16_000, subtype=subtype)
    assert waveform(path).std() == pytest.approx(0.354, abs=0.02)


def write(path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    samples = {
        "one sample": np.ones(1),
        "silence": np.zeros(16_000),
        "clipped": np.sign(noise),
        "no numbers": np.full(16_000, np.nan),
        "some numbers": np.where(np.arange(16_000) % 3, noise, np.inf),
        "a constant": np.full(16_000, 0.7),
        "noise": noise,
    }[kind]
    soundfile.write(path, samples, 16_000, subtype="FLOAT")


@pytest.mark.parametrize(
    "kind", ["one sample", "silence", "clipped", "no numbers", "some numbers", "a constant", "noise"]
)
async def test_odd_samples_end_in_a_value(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "odd.wav", kind)
    (tmp_path / "weights").symlink_to(Settings().weights_dir)
    settings = Settings(cache_dir=tmp_path, biometrics=True)
    store = ObservationStore.open(settings)
    media = ingest(tmp_path / "odd.wav", store)
    runner = Runner(store, ENCODERS, settings=settings)
    for encoder in ENCODERS:
        encoding = await runner.encode(media, encoder)
        assert encoding.failure is None, (encoder.name, encoding.failure)
        assert encoder is channels or encoding.observations


def test_numbers_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    write(tmp_path / "odd.wav", "some numbers")
    samples = waveform(tmp_path / "odd.wav")
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
