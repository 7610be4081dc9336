"""Shots, key frames and sound of films, on one clock."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools import Encoder, Excerpt, Runner, encoder, observed
from consilience.tools.decoding.frames import frame_at, frames
from consilience.tools.image.objects import objects
from consilience.tools.image.text import text
from consilience.tools.video.shots import Look, key_frames, shots
from consilience.tools.video.sound import sound
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import Unobservable
from consilience.core.settings import Settings
from consilience.observations import (
    Locator,
    Media,
    Observation,
    ObservationStore,
    Record,
    Shot,
    Source,
    TimeRange,
    ingest,
)
from consilience.testing import EncoderConformance

Bench = tuple[Runner, Media]


class TestShots(EncoderConformance):
    encoder = shots

    @pytest.fixture(autouse=True)
    def _film(self, three_shots: Path) -> None:
        self._source = three_shots

    def source(self) -> Source:
        return self._source

    async def test_finds_the_shots_and_their_key_frames(self, bench: Bench) -> None:
        found = (await self.observe(bench)).observations
        takes = [o for o in found if o.kind == "shot"]
        assert [o.locator.to_fragment() for o in takes] == ["t=0,2", "t=2,3", "t=3,5"]
        assert [o.as_(Shot).number for o in takes] == [1, 2, 3]
        assert "shot 2, 1.0 s long" in takes[1].text
        for take, moments in zip(takes, _moments(found, takes), strict=True):
            assert moments
            assert take.as_(Shot).key_frame == moments[0]
        own = [o for o in found if o.value.get("role") == "shot"]
        assert [o.locator for o in own] == [o.locator for o in takes]

    async def test_a_part_keeps_the_clock_of_the_whole(self, bench: Bench) -> None:
        part = Locator(time=TimeRange(start=1.0, end=4.0))
        found = (await self.observe(bench, where=part)).observations
        takes = [o for o in found if o.kind == "shot"]
        assert [o.locator.to_fragment() for o in takes] == ["t=1,2", "t=2,3", "t=3,4"]
        assert all(t <= o.as_(Shot).key_frame < t + 1 for o, t in zip(takes, (1, 2, 3), strict=True))

    async def test_long_shots_are_read_in_pieces(self, bench: Bench) -> None:
        found = (await self.observe(bench, parameters={"longest": 1.0})).observations
        pieces = [o.locator.time for o in found if o.value.get("role") == "shot"]
        assert len(pieces) == 2 + 1 + 2
        assert all(piece is not None and piece.seconds <= 1.0 for piece in pieces)


def _moments(found: Any, takes: Any) -> list[list[float]]:
    frames = [o.locator.time.start for o in found if o.value.get("role") == "frame"]
    return [[t for t in frames if o.locator.time.start <= t < o.locator.time.end] for o in takes]


class TestSound(EncoderConformance):
    encoder = sound

    @pytest.fixture(autouse=True)
    def _film(self, three_shots: Path) -> None:
        self._source = three_shots

    def source(self) -> Source:
        return self._source

    async def test_hands_all_of_it_on(self, bench: Bench) -> None:
        (part,) = (await self.observe(bench)).observations
        assert part.value == {"modality": "audio", "role": "sound"}
        assert part.locator.time is not None
        assert part.locator.time.start == 0
        assert part.locator.time.end == pytest.approx(5.0, abs=0.1)


@encoder(modality="audio", kinds=("length",), version="1")
def length(excerpt: Excerpt) -> Any:
    """Tells how many samples it was given."""
    yield excerpt.observe("length", {}, f"{len(excerpt.waveform())} samples")


@pytest.mark.parametrize("start", [0.0, 0.6])
async def test_a_film_and_its_sound_are_heard_alike(
    tmp_path: Path, cinema: Any, store: ObservationStore, start: float
) -> None:
    film = cinema.Film(cinema.still("coffee", 50), sound=cinema.beep(1.2345), sound_at=start)
    media = ingest(film.write(tmp_path / "film.mp4"), store)
    asked = await Runner(store, [length]).encode(media, length)
    (heard,) = [e async for e in Runner(store, [sound, length]).perceive([media]) if e.encoder == length.name]
    assert asked.observations == heard.observations
    assert (asked.where, heard.cached) == (heard.where, True)
    channel = await Runner(store, [length]).encode(media, length, where=Locator(track="channel 1"))
    assert channel.where == heard.where.model_copy(update={"track": "channel 1"})


looks = st.lists(st.tuples(st.floats(0.05, 1.0), st.integers(0, 255), st.floats(0, 1)), max_size=60)


@given(looks, st.floats(1, 30), st.floats(0.01, 1))
def test_key_frames_are_moments_of_the_shot_in_order(drawn: Any, every: float, change: float) -> None:
    at, seen = 10.0, []
    for wait, grey, step in drawn:
        seen.append(Look(at, np.full((9, 16, 3), grey, np.uint8), step))
        at += wait
    found = key_frames(seen, 10.0, at, every, change)
    assert found
    assert found == sorted(set(found))
    assert all(10.0 <= moment < max(at, 10.1) for moment in found)


@given(st.floats(2.0, 100.0), st.floats(1.5, 30.0))
def test_a_still_shot_has_a_key_frame_for_every_so_many_seconds(length: float, every: float) -> None:
    seen = [Look(0.25 * i, np.zeros((9, 16, 3), np.uint8), 0.0) for i in range(int(length * 4))]
    found = key_frames(seen, 0.0, length, every, 0.1)
    assert len(found) <= length / every + 1
    edges = [0.1 * length, *found, 0.9 * length]
    assert all(b - a <= 1.5 * every + 0.5 for a, b in pairwise(edges))


def test_a_slide_that_changes_in_a_shot_is_seen(tmp_path: Path, cinema: Any, store: ObservationStore) -> None:
    """Half of the picture changes with the same speaker beside it."""
    speaker = np.asarray(cinema.photograph("astronaut", (160, 180)))
    slides = [np.asarray(cinema.photograph(name, (160, 180))) for name in ("text", "retina", "coins")]
    pictures = [np.concatenate([speaker, slide], axis=1) for slide in slides for _ in range(50)]
    media = ingest(cinema.Film(pictures).write(tmp_path / "talk.mp4"), store)
    found = encoded(store, shots, media)
    moments = [o.locator.time.start for o in found if o.value.get("role") == "frame" and o.locator.time]
    assert {int(moment // 2) for moment in moments} == {0, 1, 2}


def encoded(store: ObservationStore, chosen: Encoder, media: Media, **options: Any) -> tuple[Observation, ...]:
    encoding = asyncio.run(Runner(store, [chosen], settings=_settings(store)).encode(media, chosen, **options))
    assert encoding.failure is None, encoding.failure
    return encoding.observations


def _settings(store: ObservationStore) -> Settings:
    return Settings(cache_dir=store.root.parent)


@encoder(modality="image", kinds=("seen",), version="1")
def colour(excerpt: Excerpt) -> Any:
    """Tells the mean colour of a picture."""
    yield excerpt.observe("seen", {}, str(np.asarray(excerpt.image()).mean(axis=(0, 1)).round()))


@encoder(modality="audio", kinds=("seen",), version="1")
def beeps(excerpt: Excerpt) -> Any:
    """Tells when a sound sets in."""
    loud = np.abs(excerpt.waveform(1000)).reshape(-1) > 0.1
    quiet_before = ~np.convolve(loud, np.ones(100), "full")[: len(loud)].astype(bool)
    for i in np.flatnonzero(loud[1:] & quiet_before[:-1]):
        when = TimeRange(start=i / 1000, end=i / 1000 + 0.01)
        yield excerpt.observe("seen", {}, "beep", locator=Locator(time=when))


@pytest.mark.parametrize("late", ["pictures", "sound"])
def test_streams_that_start_late_stay_on_one_clock(
    late: str, tmp_path: Path, cinema: Any, store: ObservationStore
) -> None:
    """What is seen and heard at once is told at the same time, whichever stream begins first."""
    shift = 2.0
    pictures = [*cinema.still("astronaut", 50), *cinema.still("coffee", 50)]
    times = [i / 25 + (shift if late == "pictures" else 0) for i in range(100)]
    film = cinema.Film(pictures, times=times, sound=cinema.beep(3.0), sound_at=shift if late == "sound" else 0.0)
    media = ingest(film.write(tmp_path / "late.mp4"), store)
    cut = [o.locator.time.start for o in encoded(store, shots, media) if o.kind == "shot" and o.locator.time][1]
    assert cut == pytest.approx(4.0 if late == "pictures" else 2.0, abs=0.002)
    runner = Runner(store, [shots, sound, colour, beeps], settings=_settings(store))

    async def perceived() -> list[Any]:
        return [encoding async for encoding in runner.perceive([media])]

    encodings = asyncio.run(perceived())
    heard = [o.locator.time.start for e in encodings if e.encoder == "audio.beeps" for o in e.observations]
    begins = shift if late == "sound" else 0.0
    assert heard[-1] == pytest.approx(begins + 2.0, abs=0.05)
    colours = {o.text for e in encodings if e.encoder == "image.colour" for o in e.observations}
    assert len(colours) == 2


@pytest.mark.parametrize("fps", [1, 10, 23.976, 25, 29.97, 60])
def test_pictures_are_found_again_by_their_time(fps: float, tmp_path: Path, cinema: Any) -> None:
    path = cinema.Film([np.full((16, 16, 3), 5 * i, np.uint8) for i in range(50)], fps=fps).write(tmp_path / "f.mp4")
    told = {at: np.asarray(picture).mean() for at, picture in frames(path)}
    assert len(told) == 50
    for at, grey in list(told.items())[::7]:
        assert np.asarray(frame_at(path, at)).mean() == grey
        (first, *_) = list(frames(path, time=TimeRange(start=at, end=at + 0.5 / fps)))
        assert first[0] == at
    between = TimeRange(start=list(told)[10], end=list(told)[20])
    assert [at for at, _ in frames(path, time=between)] == list(told)[10:20]


def test_pictures_are_given_upright_and_small(tmp_path: Path, cinema: Any, three_shots: Path) -> None:
    path = tmp_path / "turned.mp4"
    path.write_bytes(cinema.turned(three_shots.read_bytes()))
    upright = next(frames(path))[1]
    assert upright.size == (180, 320)
    flat = np.asarray(next(frames(three_shots))[1], np.int16)
    assert np.abs(np.rot90(flat, -1) - np.asarray(upright)).mean() < 1
    assert next(frames(path, longest_side=64))[1].size == (36, 64)


def test_frames_come_at_even_steps(three_shots: Path) -> None:
    assert [at for at, _ in frames(three_shots, every=0.5)] == pytest.approx([0.5 * i for i in range(10)], abs=0.03)
    part = TimeRange(start=1.0, end=2.0)
    assert [at for at, _ in frames(three_shots, every=0.2, time=part)] == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8])


def test_where_there_are_no_pictures_is_said(three_shots: Path) -> None:
    with pytest.raises(Unobservable):
        list(frames(three_shots, time=TimeRange(start=60, end=61)))


def test_a_kept_picture_is_not_changed_by_who_asked_for_it(three_shots: Path) -> None:
    first = frame_at(three_shots, 1.0)
    first.paste("red", (0, 0, 320, 180))
    assert frame_at(three_shots, 1.0).getpixel((5, 5)) != (255, 0, 0)


async def test_what_no_key_frame_shows_is_told_once(cinema: Any, store: ObservationStore, tmp_path: Path) -> None:
    pictures = [p for name in ("brick", "grass", "gravel", "chelsea", "rocket") for p in cinema.still(name, 25)]
    film = ingest(cinema.Film(pictures).write(tmp_path / "plain.mp4"), store)
    runner = Runner(store, [shots, objects, text], settings=Settings(cache_dir=store.root.parent))
    record = Record([film], observed([encoding async for encoding in runner.perceive([film])]))
    absent = {label: o.text for label, o in record if o.kind == "unobserved"}
    rendering = record.render(tokens=300)
    told = sorted(line for line in rendering.text.split("\n") if "] unobserved" in line)
    counts = Counter(absent.values())
    assert max(counts.values()) >= 3
    assert len(told) == len(counts)
    assert all(
        any(line.endswith(f": {what}") and f", {n} times, " in line for line in told) for what, n in counts.items()
    )
    assert set(absent) <= {*rendering.labels, *rendering.repeats}


async def test_what_reads_films_is_named_where_it_is_missing(
    store: ObservationStore, three_shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = ingest(three_shots, store)
    runner = Runner(store, [shots, sound], settings=Settings())
    monkeypatch.setitem(sys.modules, "av", None)
    for each in (shots, sound):
        failure = (await runner.encode(media, each)).failure
        assert failure
        assert "consilience[video]" in failure
