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

from consilience.core.settings import Limits, Settings
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


def damaged(content: bytes) -> bytes:
    """With nothing where the middle was."""
    middle = len(content) // 2
    return content[: middle - 200] + bytes(400) + content[middle + 200 :]


@pytest.mark.parametrize("name", ["tone.flac", "tone.mp3"])
def test_what_is_broken_in_the_middle_is_heard_before_and_after(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).normal(0, 0.1, 64_000)
    soundfile.write(path, noise, 16_000)
    whole = len(waveform(path))
    path.write_bytes(damaged(path.read_bytes()))
    heard = len(waveform(path))
    assert whole * 0.8 < heard < whole * 1.01


def test_sound_may_change_its_rate_on_the_way(tmp_path: Path) -> None:
    for rate in (16_000, 32_000):
        soundfile.write(tmp_path / f"{rate}.mp3", tone(rate, 2), rate)
    path = tmp_path / "both.mp3"
    path.write_bytes((tmp_path / "16000.mp3").read_bytes() + (tmp_path / "32000.mp3").read_bytes())
    samples = waveform(path)
    assert len(samples) == pytest.approx(64_000, rel=0.05)
    for half in (samples[4000:28_000], samples[-28_000:-4000]):
        assert np.abs(np.fft.rfft(half)).argmax() / (len(half) / 16_000) == pytest.approx(440, abs=3)


async def test_what_goes_on_for_too_long_is_refused_and_tried_again(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.flac", tone(8000, 4), 8000)
    (tmp_path / "weights").symlink_to(Settings().weights_dir)
    store = ObservationStore.open(Settings(cache_dir=tmp_path))
    media = ingest(tmp_path / "tone.flac", store)
    short = Settings(cache_dir=tmp_path, limits=Limits(audio_seconds=2))
    told = await Runner(store, [activity], settings=short).encode(media, activity)
    assert "CONSILIENCE_LIMIT_AUDIO_SECONDS" in (told.failure or "")
    seen = await Runner(store, [activity], settings=Settings(cache_dir=tmp_path)).encode(media, activity)
    assert (seen.failure, seen.cached) == (None, False)


def test_numbers_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    write(tmp_path / "odd.wav", "some numbers")
    samples = waveform(tmp_path / "odd.wav")
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
