from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from consilience.tools import Runner
from consilience.tools.audio.clustering import cluster, likeliest, middles, unit
from consilience.tools.audio.diarisation import Embedded, Utterance, diarise
from consilience.tools.audio.speakers import speakers, turns_of
from consilience.tools.audio.spectra import MelSpectrum
from consilience.tools.audio.voice import voice
from consilience.tools.audio.voice_activity import RATE, speech_in
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.core.settings import Settings
from consilience.evaluation.speaker_error import speaker_error
from consilience.observations import Embedding, Source, ingest
from consilience.testing import EncoderConformance


class TestSpeakers(EncoderConformance):
    encoder = speakers

    @pytest.fixture(autouse=True)
    def _voices(self, voices: Any) -> None:
        self._talk = voices.conversation(3, speakers=("Carlo", "June"), turns=2, prompts_a_turn=1).samples

    def source(self) -> Source:
        return (self._talk, RATE)

    async def test_turns_carry_their_speaker_as_the_track(self, bench: Any) -> None:
        found = (await self.observe(bench)).observations
        assert {o.locator.track for o in found} == {"S1", "S2"}
        assert all(o.locator.track == o.value["speaker"] and o.locator.track in o.text for o in found)
        assert found[0].value["speaker"] == "S1"


@pytest.mark.parametrize("people", [1, 2, 3, 4])
async def test_counts_speakers_and_finds_their_turns(voices: Any, observe: Any, people: int) -> None:
    talk = voices.conversation(people, speakers=people, turns=2 * people, prompts_a_turn=2)
    found = (await observe(speakers, (talk.samples, voices.RATE))).observations
    turns = [(o.locator.time.start, o.locator.time.end, o.value["speaker"]) for o in found]
    assert len({speaker for _, _, speaker in turns}) == people
    assert list(dict.fromkeys(speaker for _, _, speaker in turns)) == [f"S{i + 1}" for i in range(people)]
    assert speaker_error(talk.turns, turns, collar=0.25).rate < 0.1


async def test_one_short_sentence_is_one_turn_of_the_only_speaker(voices: Any, observe: Any) -> None:
    said = voices.speech_of(voices.ROOT / "en_US_f_Allison/vm-goodbye.wav")
    (found,) = (await observe(speakers, (said, voices.RATE))).observations
    assert found.text.startswith("S1, the only speaker, talks for ")


async def test_where_nobody_speaks_nobody_is_found(observe: Any) -> None:
    (found,) = (await observe(speakers, (np.zeros(3 * RATE), RATE))).observations
    assert (found.kind, "nobody speaks" in found.text) == ("unobserved", True)


async def test_a_part_keeps_the_clock_of_the_whole(voices: Any, observe: Any) -> None:
    from consilience.observations import Locator

    talk = voices.conversation(3, speakers=("Carlo", "June"), turns=2, prompts_a_turn=1)
    part = Locator.from_fragment("t=4,9")
    found = (await observe(speakers, (talk.samples, voices.RATE), where=part)).observations
    assert all(4 <= o.locator.time.start < o.locator.time.end <= 9.05 for o in found)


async def test_voices_are_vectors_that_tell_people_apart(voices: Any, observe: Any) -> None:
    talk = voices.conversation(3, speakers=("Carlo", "June"), turns=4, prompts_a_turn=1)
    found = (await observe(voice, (talk.samples, voices.RATE))).observations
    vectors = {o.id: np.array(o.as_(Embedding).vector) for o in found}
    assert all(np.linalg.norm(v) == pytest.approx(1, abs=1e-3) and len(v) == 256 for v in vectors.values())
    alike = {True: [], False: []}  # type: dict[bool, list[float]]
    for i, one in enumerate(found):
        for other in found[:i]:
            alike[one.locator.track == other.locator.track].append(float(vectors[one.id] @ vectors[other.id]))
    assert min(alike[True]) > max(alike[False])


async def test_voices_are_not_measured_unless_that_is_allowed(voices: Any, tmp_path: Any) -> None:
    from consilience.observations import ObservationStore

    settings = Settings(cache_dir=tmp_path)
    store = ObservationStore.open(settings)
    media = ingest((np.zeros(RATE), RATE), store)
    encoding = await Runner(store, [voice], settings=settings).encode(media, voice)
    assert "CONSILIENCE_BIOMETRICS" in (encoding.failure or "")


def blobs(sizes: list[int], seed: int) -> tuple[Any, Any]:
    """Well-separated groups of vectors of length 1, and the group of each."""
    draw = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    draw.shuffle(truth)
    return unit((np.eye(16)[truth] + draw.normal(0, 0.05, (len(truth), 16))).astype(np.float32)), truth


@given(st.lists(st.integers(4, 12), min_size=1, max_size=6), st.integers(0, 99))
@settings(max_examples=30)
def test_groups_that_lie_apart_are_found_without_their_number(sizes: list[int], seed: int) -> None:
    vectors, truth = blobs(sizes, seed)
    found = cluster(vectors, np.ones(len(vectors)), distance=0.5, least=2)
    assert len({(int(a), int(b)) for a, b in zip(found, truth, strict=True)}) == len(sizes)
    assert sorted(set(found.tolist())) == list(range(len(sizes)))


def test_a_few_strays_are_no_group() -> None:
    vectors, truth = blobs([20, 20, 1], 0)
    found = cluster(vectors, np.ones(len(vectors)), distance=0.5, least=3)
    assert len(set(found.tolist())) == 2
    assert len(set(found[truth == 0].tolist())) == 1


def test_many_vectors_are_grouped_by_a_part_of_them() -> None:
    vectors, truth = blobs([4000, 3000], 1)
    found = cluster(vectors, np.ones(len(vectors)), distance=0.5, least=2)
    assert len({(int(a), int(b)) for a, b in zip(found, truth, strict=True)}) == 2


@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 99))
def test_free_changes_follow_the_best_score(states: int, steps: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(steps, states)).astype(np.float32)
    assert likeliest(scores, np.zeros(steps)).tolist() == scores.argmax(axis=1).tolist()
    assert len(set(likeliest(scores, np.full(steps, 1e6)).tolist())) == 1


def test_a_doubtful_moment_does_not_change_the_speaker() -> None:
    scores = np.array([[0.9, 0.1]] * 5 + [[0.4, 0.5]] + [[0.9, 0.1]] * 5, np.float32)
    assert likeliest(scores, np.full(11, 0.5)).tolist() == [0] * 11


def test_middles_point_where_their_group_does() -> None:
    vectors, truth = blobs([5, 7], 2)
    assert (middles(vectors, truth) @ np.eye(16)[:2].T).round().tolist() == [[1, 0], [0, 1]]


def test_stretches_too_short_for_a_vector_go_to_who_spoke_last() -> None:
    vectors, _ = blobs([6], 3)
    wide = np.pad(vectors, ((0, 0), (0, 240)))
    none = np.zeros((0, 256), np.float32)
    found = diarise([Embedded(0, 3, wide), Embedded(3.5, 3.6, none)])
    assert [u.name for u in found] == ["S1", "S1"]
    assert diarise([Embedded(0, 0.1, none)])[0].name == "S1"
    assert diarise([]) == ()


UTTERANCES = st.lists(st.tuples(st.floats(0.05, 2), st.floats(0, 2), st.integers(0, 2)), max_size=20)


@given(UTTERANCES, st.floats(0, 1))
def test_turns_keep_every_utterance_and_mix_no_speakers(steps: list[tuple[float, float, int]], pause: float) -> None:
    utterances, at = [], 0.0
    for length, gap, speaker in steps:
        utterances.append(Utterance(at, at + length, speaker, 0.5, ()))
        at += length + gap
    turns = turns_of(utterances, pause)
    assert [u for turn in turns for u in turn.utterances] == utterances
    assert all(len({u.speaker for u in turn.utterances}) == 1 for turn in turns)
    for one, other in pairwise(turns):
        assert one.speaker != other.speaker or other.time.start - one.time.end > pause - 0.002


@given(st.lists(st.integers(0, 30_000), max_size=6))
@settings(max_examples=20)
def test_silence_in_any_blocks_is_no_speech(lengths: list[int]) -> None:
    assert list(speech_in(np.zeros(length, np.float32) for length in lengths)) == []


def test_speech_does_not_depend_on_how_sound_comes_in(voices: Any) -> None:
    talk = voices.conversation(3, speakers=("Carlo", "June"), turns=2, prompts_a_turn=1).samples
    whole = [(s.start, s.end) for s in speech_in([talk])]
    pieces = [(s.start, s.end) for s in speech_in(np.array_split(talk, 97))]
    assert np.allclose(whole, pieces)
    assert all(end - start <= 20.1 for start, end in whole)
    assert all(a[1] <= b[0] for a, b in pairwise(whole))


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_a_tone_lights_its_band(scale: Any) -> None:
    mel = MelSpectrum(bands=40, low=0, high=8000, scale=scale, window="hann")
    turns = 2 * np.pi * np.arange(RATE) / RATE
    tones = [np.sin(hertz * turns).astype(np.float32) for hertz in (300, 1000, 4000)]
    bands = [int(mel.of(tone).mean(axis=0).argmax()) for tone in tones]
    assert bands == sorted(set(bands))
    assert mel.of(np.zeros(100, np.float32)).shape == (0, 40)
    assert len(mel.of(np.zeros(RATE, np.float32))) == mel.frames(RATE)
