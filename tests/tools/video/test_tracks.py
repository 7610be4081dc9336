"""Things followed through films, and the association behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools import Runner
from consilience.tools.video.association import Associator, Detected, simplified
from consilience.tools.video.tracks import face_tracks, motion, tracks
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Region, Source, TimeRange, Track, TrackPoint, ingest
from consilience.testing import EncoderConformance

Bench = tuple[Runner, Media]


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory, cinema: Any) -> Path:
    """Within 2 s a cup moves from left to right; for the next 2 s an astronaut stays where she is."""
    cup, woman = cinema.photograph("coffee", (200, 134)), cinema.photograph("astronaut", (260, 260))

    def pictures() -> Iterator[np.ndarray]:
        for i in range(100):
            picture = Image.new("RGB", (560, 280), "#88a088")
            picture.paste(cup if i < 50 else woman, (7 * i, 70) if i < 50 else (150, 10))
            yield np.asarray(picture)

    return cinema.Film(pictures()).write(tmp_path_factory.mktemp("films") / "crossing.mp4")


class TestTracks(EncoderConformance):
    encoder = tracks

    @pytest.fixture(autouse=True)
    def _film(self, crossing: Path) -> None:
        self._source = crossing

    def source(self) -> Source:
        return self._source

    async def test_tells_what_moves_where(self, bench: Bench) -> None:
        shot = Locator(time=TimeRange(start=0, end=2))
        (cup,) = (await self.observe(bench, where=shot)).observations
        assert cup.text.startswith("coffee cup 1 from 0:00.0 to 0:01.")
        assert cup.text.endswith("moves from left to right")
        points = cup.as_(Track).points
        assert points[0].x + points[0].w / 2 == pytest.approx(100 / 560, abs=0.05)
        assert points[-1].x + points[-1].w / 2 == pytest.approx((7 * 45 + 100) / 560, abs=0.05)

    async def test_a_later_shot_is_on_the_clock_of_the_film(self, bench: Bench) -> None:
        shot = Locator(time=TimeRange(start=2, end=4))
        found = [o for o in (await self.observe(bench, where=shot)).observations if o.value["label"] == "person"]
        assert found[0].text.startswith("person 1 from 0:02.0 to 0:03.8, stays at the ")
        assert found[0].as_(Track).points[0].t == 2.0
        assert found[0].locator == Locator(time=TimeRange(start=2.0, end=3.8))

    async def test_nothing_known_is_unobserved(self, bench: Bench, tmp_path: Path, cinema: Any) -> None:
        runner, _ = bench
        grey = [np.full((64, 64, 3), 128, np.uint8)] * 25
        media = ingest(cinema.Film(grey).write(tmp_path / "grey.mp4"), runner.store)
        (found,) = (await runner.encode(media, tracks)).observations
        assert found.kind == "unobserved"


class TestFaceTracks(EncoderConformance):
    encoder = face_tracks

    @pytest.fixture(autouse=True)
    def _film(self, crossing: Path) -> None:
        self._source = crossing

    def source(self) -> Source:
        return self._source

    def part(self, media: Media) -> Locator | None:
        return Locator(time=TimeRange(start=2, end=4))


def test_faces_are_followed_where_that_is_allowed(crossing: Path, store: Any) -> None:
    settings = Settings(cache_dir=store.root.parent, biometrics=True)
    media = ingest(crossing, store)
    where = Locator(time=TimeRange(start=2, end=4))
    found = asyncio.run(Runner(store, [face_tracks], settings=settings).encode(media, face_tracks, where=where))
    (face,) = found.observations
    assert face.text.startswith("face 1 from 0:02.0 to 0:03.8, stays at the ")
    region = face.as_(Track).points[0]
    assert region.y < 0.4
    denied = asyncio.run(Runner(store, [face_tracks]).encode(media, face_tracks, where=where))
    assert "CONSILIENCE_BIOMETRICS" in (denied.failure or "")


def box(x: float, y: float = 0.3, side: float = 0.1) -> Region:
    return Region(x=x, y=y, w=side, h=side)


def paths(rows: list[list[Detected]], step: float = 0.2) -> Any:
    associator = Associator(strong=0.5, gap=1.0)
    for i, row in enumerate(rows):
        associator.push(i * step, row)
    return associator.finish()


def test_two_that_pass_each_other_stay_themselves() -> None:
    rows = [[Detected("cat", box(0.05 + 0.04 * i), 0.9), Detected("cat", box(0.85 - 0.04 * i), 0.9)] for i in range(20)]
    one, other = paths(rows)
    assert one.points[-1].x == pytest.approx(0.81)
    assert other.points[-1].x == pytest.approx(0.09)


def test_a_fast_one_is_followed() -> None:
    """Its boxes do not touch from one picture to the next."""
    (path,) = paths([[Detected("dog", box(0.05 + 0.12 * i), 0.9)] for i in range(7)])
    assert len(path.points) == 7


def test_out_of_sight_for_less_than_a_second_is_the_same_thing() -> None:
    seen = [Detected("cat", box(0.4), 0.9)]
    assert len(paths([seen, seen, [], [], [], seen])) == 1
    assert len(paths([seen, seen, *[[]] * 6, seen])) == 2


def test_weak_detections_continue_and_do_not_begin() -> None:
    strong, weak = Detected("cat", box(0.4), 0.9), Detected("cat", box(0.4), 0.3)
    assert paths([[weak], [weak]]) == []
    (path,) = paths([[weak], [strong], [weak], [weak]])
    assert [point.t for point in path.points] == [0.2, 0.4, 0.6]
    assert path.score == pytest.approx(0.5)


detections = st.lists(
    st.lists(
        st.builds(
            Detected,
            st.sampled_from(["cat", "dog"]),
            st.builds(box, st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0, 0.1)),
            st.floats(0.5, 1),
        ),
        max_size=4,
    ),
    max_size=12,
)


@given(detections)
def test_every_strong_detection_is_in_exactly_one_path(rows: list[list[Detected]]) -> None:
    found = paths(rows)
    told = sorted((path.label, p.t, p.x, p.y) for path in found for p in path.points)
    given_ = sorted((d.label, round(i * 0.2, 3), d.region.x, d.region.y) for i, row in enumerate(rows) for d in row)
    assert told == given_
    for path in found:
        times = [point.t for point in path.points]
        assert times == sorted(set(times))
        assert all(b - a <= 1.0 + 1e-9 for a, b in pairwise(times))


positions = st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=0, max_size=60)


@given(positions, st.floats(0.001, 0.1))
def test_a_simplified_path_stays_within_the_tolerance(drawn: list[tuple[float, float]], tolerance: float) -> None:
    points = [TrackPoint(t=i, x=x, y=y, w=0.1, h=0.2) for i, (x, y) in enumerate(drawn)]
    kept = simplified(points, tolerance)
    assert set(map(id, kept)) <= set(map(id, points))
    if points:
        assert (kept[0], kept[-1]) == (points[0], points[-1])
        for name in "xy":
            line = np.interp(range(len(points)), [p.t for p in kept], [getattr(p, name) for p in kept])
            assert np.abs(line - [getattr(p, name) for p in points]).max() <= tolerance + 1e-9


def test_a_straight_path_keeps_its_ends() -> None:
    points = [TrackPoint(t=i, x=0.01 * i, y=0.2, w=0.1, h=0.1) for i in range(50)]
    assert simplified(points, 0.01) == [points[0], points[-1]]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ({"x": 0.8}, "moves from left to right"),
        ({"x": 0.1}, "moves from right to left"),
        ({"y": 0.8}, "moves down"),
        ({"x": 0.8, "y": 0.1}, "moves from left to right and moves up"),
        ({"x": 0.35, "y": 0.35, "w": 0.3, "h": 0.3}, "becomes larger"),
        ({"x": 0.42, "y": 0.42, "w": 0.05, "h": 0.05}, "becomes smaller"),
        ({}, "stays at the centre"),
    ],
)
def test_motion_in_words(last: dict[str, float], told: str) -> None:
    first = TrackPoint(t=0, x=0.45, y=0.45, w=0.1, h=0.1)
    assert motion([first, first.model_copy(update={"t": 1.0, **last})]) == told
