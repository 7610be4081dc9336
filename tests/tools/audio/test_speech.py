from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools import Runner
from consilience.tools.audio.speech import speech, speech_encoder
from consilience.tools.audio.transcription import transcription
from consilience.tools.audio.transcripts import Heard, doubt, language_code
from consilience.tools.audio.whisper import clips_of, whisper_encoder
from consilience.tools.catalog import catalog
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, ObservationStore, Source, TimeRange, Transcript, ingest
from consilience.testing import EncoderConformance, ModelServer

ROOT = Path(__file__).resolve().parents[3]
CALL = ROOT / "examples/media/call.wav"

Bench = tuple[Runner, Media]


class TestSpeech(EncoderConformance):
    encoder = speech

    def source(self) -> Source:
        return CALL

    async def test_hears_the_message(self, bench: Bench) -> None:
        found = [o for o in (await self.observe(bench)).observations if o.kind == "transcript"]
        said = " ".join(o.text for o in found).lower()
        assert re.search("thursday at half past (six|6)", said)
        words = [word for o in found for word in o.as_(Transcript).words]
        thursday = next(word for word in words if "hursday" in word.text)
        assert 2 < thursday.start < thursday.end < 5
        assert found[0].as_(Transcript).language == "en"

    async def test_tells_the_language_with_its_probability(self, bench: Bench) -> None:
        (found,) = [o for o in (await self.observe(bench)).observations if o.kind == "language"]
        assert (found.value, found.text) == ({"language": "en", "name": "English"}, "English is spoken")
        assert found.confidence is not None
        assert found.confidence.kind == "probability"
        assert 0.3 < found.confidence.value < 1

    async def test_a_language_that_was_told_is_not_observed(self, bench: Bench) -> None:
        found = (await self.observe(bench, parameters={"language": "en"})).observations
        assert {o.kind for o in found} == {"transcript"}

    async def test_a_part_keeps_the_clock_of_the_whole(self, bench: Bench) -> None:
        part = Locator(time=TimeRange(start=5.9, end=7.8))
        found = (await self.observe(bench, where=part)).observations
        assert "cake" in found[0].text
        assert found[0].locator.time is not None
        assert found[0].locator.time.start >= 5.9

    @pytest.mark.parametrize("level", [0.0, 0.2])
    async def test_where_nobody_speaks_nothing_is_made_up(self, bench: Bench, level: float) -> None:
        runner, _ = bench
        noise = np.random.default_rng(1).normal(0, 1, 64_000) * level
        media = ingest((noise.clip(-1, 1), 16_000), runner.store)
        (found,) = (await runner.encode(media, speech)).observations
        assert (found.kind, "nobody speaks" in found.text) == ("unobserved", True)


@pytest.mark.parametrize(
    ("folder", "code"), [("fr_CA_f_June", "fr"), ("es_MX_f_Allison", "es"), ("it_IT_m_Carlo", "it")]
)
async def test_tells_real_voices_languages(voices: Any, observe: Any, folder: str, code: str) -> None:
    found = (await observe(speech, voices.ROOT / folder / "vm-instructions.wav")).observations
    assert [o.value["language"] for o in found if o.kind == "language"] == [code]
    assert {o.value["language"] for o in found if o.kind == "transcript"} == {code}


async def test_stops_when_the_caller_no_longer_waits(observe: Any) -> None:
    encoding = await observe(speech, CALL, settings={"limits": {"encoding_seconds": 1e-9}})
    assert "longer than" in (encoding.failure or "")


class TestTranscriptionConforms(EncoderConformance):
    encoder = transcription

    @pytest.fixture(autouse=True)
    def _model(self) -> Iterator[None]:
        said = {"id": 0, "start": 0.0, "end": 1.5, "text": "Come at six.", "avg_logprob": -0.1}
        told = {"text": "Come at six.", "language": "english", "segments": [said], "words": []}
        with ModelServer(lambda request: told) as self._server:
            yield

    def settings(self, folder: Path) -> Settings:
        place = super().settings(folder).cache_dir
        return Settings(cache_dir=place, transcription_model="ear", base_url=self._server.base_url, api_key="k")

    def source(self) -> Source:
        return CALL


class TestTranscription:
    async def hear(self, tmp_path: Path, **changes: Any) -> Any:
        body = {
            "text": "Come at six.",
            "language": "english",
            "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": "Come at six.", "avg_logprob": -0.1}],
            "words": [{"word": "Come", "start": 0.0, "end": 0.4}],
        } | changes
        with ModelServer([body]) as server:
            settings = Settings(cache_dir=tmp_path, transcription_model="ear", base_url=server.base_url, api_key="k")
            store = ObservationStore.open(settings)
            hears = transcription
            encoding = await Runner(store, [hears], settings=settings).encode(ingest(CALL, store), hears)
        assert encoding.failure is None
        return encoding.observations

    async def test_hears_through_an_api(self, tmp_path: Path) -> None:
        heard, language = await self.hear(tmp_path)
        assert heard.kind == "transcript"
        assert heard.as_(Transcript).words[0].text == "Come"
        assert heard.value["language"] == "en"
        assert language.text == "English is spoken"
        assert language.confidence is None

    async def test_text_without_times_is_of_all_of_the_recording(self, tmp_path: Path) -> None:
        heard, _ = await self.hear(tmp_path, segments=None, words=None)
        assert heard.text == "Come at six."
        assert heard.locator.time is not None
        assert heard.locator.time.seconds == pytest.approx(7.8, abs=0.1)

    async def test_times_beyond_the_end_are_cut(self, tmp_path: Path) -> None:
        far = [{"id": 0, "start": 6.0, "end": 99.0, "text": "Come at six.", "avg_logprob": -0.1}]
        heard, _ = await self.hear(tmp_path, segments=far, words=[])
        assert heard.locator.time.end < 8

    async def test_what_repeats_itself_is_not_taken_for_heard(self, tmp_path: Path) -> None:
        good = {"id": 0, "start": 0.0, "end": 1.5, "text": "Come at six.", "avg_logprob": -0.1}
        loop = good | {"start": 2.0, "end": 7.0, "text": "so so so so so", "compression_ratio": 8.0}
        heard, doubted, _ = await self.hear(tmp_path, segments=[good, loop])
        assert (heard.kind, doubted.kind) == ("transcript", "unobserved")
        assert "repeats itself" in doubted.text
        assert doubted.locator.time.start == 2


def test_a_backend_is_chosen_by_the_settings(tmp_path: Path) -> None:
    checkpoint = tmp_path / "own.pt"
    checkpoint.write_bytes(b"weights")

    def writer(**changes: Any) -> str:
        (name,) = [
            e.name for e in catalog(Settings(**changes)).encoders if "transcript" in e.kinds and e.modality == "audio"
        ]
        return name

    assert writer() == "audio.speech"
    assert writer(transcription_model="ear") == "audio.transcription"
    assert writer(whisper_checkpoint=checkpoint) == "audio.whisper"


def test_a_larger_size_is_another_model() -> None:
    small = speech_encoder(Settings(speech_model="small"))
    assert (small.name, small.weights) == ("audio.speech", ("hub--Systran--faster-whisper-small",))
    assert speech_encoder(Settings(speech_model="me/mine")).weights == ("hub--me--mine",)
    assert speech_encoder(Settings()) is speech
    with pytest.raises(BadConfiguration, match="owner/name"):
        speech_encoder(Settings(speech_model="../../etc"))


def test_a_checkpoint_that_is_not_there_is_told() -> None:
    with pytest.raises(BadConfiguration, match="CONSILIENCE_WHISPER_CHECKPOINT"):
        whisper_encoder(Settings(whisper_checkpoint=Path("/nowhere/large.pt")))


def test_another_checkpoint_is_another_model(tmp_path: Path) -> None:
    checkpoint = tmp_path / "own.pt"
    models = set()
    for content in (b"one", b"another"):
        checkpoint.write_bytes(content)
        settings = Settings(whisper_checkpoint=checkpoint)
        models.add(whisper_encoder(settings).model(settings))
    assert len(models) == 2
    assert all("own.pt@" in str(model) for model in models)


async def test_openais_package_hears_the_same(tmp_path: Path, observe: Any) -> None:
    """A checkpoint of random numbers: it is read, it runs, and its babble is not taken for speech."""
    pytest.importorskip("whisper", reason="the extra `whisper` brings PyTorch, which is large")
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(0)
    dims = ModelDimensions(80, 1500, 64, 2, 1, 51865, 448, 64, 2, 2)
    checkpoint = tmp_path / "random.pt"
    torch.save({"dims": vars(dims), "model_state_dict": Whisper(dims).state_dict()}, checkpoint)
    settings = {"whisper_checkpoint": checkpoint}
    encoding = await observe(whisper_encoder(Settings(**settings)), CALL, settings=settings)
    assert encoding.failure is None
    assert {o.kind for o in encoding.observations} <= {"transcript", "language", "unobserved"}


SPEECH = st.lists(st.floats(0, 100, allow_nan=False), min_size=2, max_size=20).map(sorted)


@given(SPEECH)
def test_clips_keep_all_speech_in_order(edges: list[float]) -> None:
    speech = list(zip(edges[::2], edges[1::2], strict=False))
    clips = clips_of(speech, 100.0)
    assert all(any(a <= start and end <= b for a, b in clips) for start, end in speech)
    assert all(0 <= start <= end <= 100 for start, end in clips)
    assert all(one[1] <= other[0] for one, other in pairwise(clips))


@given(st.text(max_size=30), st.floats(0, 60), st.floats(0, 60))
def test_ordinary_sentences_are_not_doubted(text: str, start: float, length: float) -> None:
    slow = Heard(
        text, start, start + max(length, len(text.split())), log_probability=-0.3, no_speech=0.1, compression=1.2
    )
    assert doubt(slow) is None
    assert doubt(Heard(text, start, start + 1, no_speech=0.9, log_probability=-1.5)) is not None
    assert doubt(Heard(text, start, start + 1, compression=2.5)) is not None


def test_sentences_crammed_into_a_moment_are_doubted() -> None:
    assert "words in" in (doubt(Heard("thank you very much for watching this", 3.0, 3.1)) or "")


@pytest.mark.parametrize(
    ("told", "code"),
    [("english", "en"), ("EN", "en"), ("French", "fr"), ("jw", "jv"), (None, "und"), ("klingon", "und")],
)
def test_languages_by_code_or_name(told: str | None, code: str) -> None:
    assert language_code(told) == code
