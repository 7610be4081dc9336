"""Films that are cut off, lie, or are of odd make: every one ends in observations, `unobserved`, or a clear refusal."""

from __future__ import annotations

import asyncio
import struct
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools import Runner
from consilience.tools.decoding.frames import frames
from consilience.tools.video.shots import shots
from consilience.tools.video.sound import sound
from consilience.tools.video.tracks import tracks
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consilience.core.errors import BadMedia, Unobservable
from consilience.core.settings import Limits, Settings
from consilience.observations import Locator, Observation, ObservationStore, ingest

Outcome = str | dict[str, tuple[Observation, ...]]


def outcome(store: ObservationStore, path: Path) -> Outcome:
    """What `ingest` refuses it for, or what each encoder of videos observes; no failure is allowed."""
    chosen = Settings(cache_dir=store.root.parent)
    try:
        media = ingest(path, store)
    except BadMedia as problem:
        return str(problem)
    runner = Runner(store, [shots, sound, tracks], settings=chosen)

    async def collect() -> dict[str, tuple[Observation, ...]]:
        found: dict[str, tuple[Observation, ...]] = {}
        async for encoding in runner.perceive([media]):
            assert encoding.failure is None, f"{encoding.encoder}: {encoding.failure}"
            assert encoding.observations
            found[encoding.encoder] = found.get(encoding.encoder, ()) + encoding.observations
        return found

    return asyncio.run(collect())


def starts(found: Outcome, kind: str = "shot") -> list[float]:
    assert isinstance(found, dict), found
    return [o.locator.time.start for o in found["video.shots"] if o.kind == kind and o.locator.time]


def sound_of(found: Outcome) -> tuple[float, float] | None:
    assert isinstance(found, dict), found
    (part,) = found["video.sound"]
    return (part.locator.time.start, part.locator.time.end) if part.kind == "part" and part.locator.time else None


@pytest.fixture(scope="module")
def two(cinema: Any) -> list[np.ndarray]:
    """A second of astronaut, a second of coffee."""
    return [*cinema.still("astronaut", 25), *cinema.still("coffee", 25)]


def of_size(pictures: list[np.ndarray], width: int, height: int) -> list[np.ndarray]:
    return [np.asarray(Image.fromarray(picture).resize((width, height))) for picture in pictures]


def test_without_a_single_picture_it_is_refused(tmp_path: Path, cinema: Any, store: ObservationStore) -> None:
    found = outcome(store, cinema.Film([], sound=cinema.beep(1)).write(tmp_path / "sound.mp4"))
    assert "holds no pictures" in found
    whole = cinema.Film(cinema.still("coffee", 5)).write(tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "empty.mkv").write_bytes(whole[: whole.index(b"\x1f\x43\xb6\x75")])
    assert "empty.mkv: " in outcome(store, tmp_path / "empty.mkv")


def test_pictures_of_an_unknown_kind_are_refused(
    tmp_path: Path, cinema: Any, two: Any, store: ObservationStore
) -> None:
    path = cinema.Film(two).write(tmp_path / "film.mkv")
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/AVC"))
    assert "unknown kind" in outcome(store, path)
    with pytest.raises(Unobservable):
        list(frames(path))


def test_a_silent_film_is_seen(tmp_path: Path, cinema: Any, two: Any, store: ObservationStore) -> None:
    found = outcome(store, cinema.Film(two).write(tmp_path / "silent.mp4"))
    assert starts(found) == [0, 1]
    assert sound_of(found) is None
    assert isinstance(found, dict)
    assert found["video.sound"][0].text == "there is no sound in it"


@pytest.mark.parametrize(
    ("name", "size", "codec", "pixels"),
    [
        ("1.mkv", (1, 1), "ffv1", "bgr0"),
        ("3.mkv", (3, 5), "ffv1", "bgr0"),
        ("3.avi", (3, 5), "rawvideo", "bgr24"),
        ("wide.mp4", (3000, 2), "libx264", "yuv420p"),
        ("high.mp4", (2, 3000), "libx264", "yuv420p"),
    ],
)
def test_odd_sizes(
    name: str,
    size: tuple[int, int],
    codec: str,
    pixels: str,
    tmp_path: Path,
    cinema: Any,
    two: Any,
    store: ObservationStore,
) -> None:
    film = cinema.Film(of_size(two, *size), codec=codec, pixels=pixels)
    found = outcome(store, film.write(tmp_path / name))
    assert starts(found)[0] == 0


@pytest.mark.parametrize(("fps", "cut"), [(1, 3.0), (5, 3.0), (120, 0.5)])
def test_slow_and_fast_films(fps: int, cut: float, tmp_path: Path, cinema: Any, store: ObservationStore) -> None:
    count = round(cut * fps)
    film = cinema.Film([*cinema.still("astronaut", count), *cinema.still("coffee", count)], fps=fps)
    found = outcome(store, film.write(tmp_path / "film.mp4"))
    assert starts(found) == pytest.approx([0, cut], abs=1 / 33)


def test_a_single_picture(tmp_path: Path, cinema: Any, store: ObservationStore) -> None:
    found = outcome(store, cinema.Film(cinema.still("coffee", 1)).write(tmp_path / "one.mp4"))
    assert starts(found) == [0]
    assert starts(found, "part") == [0, 0]


def test_variable_rate(tmp_path: Path, cinema: Any, two: Any, store: ObservationStore) -> None:
    times = [0.002 * i * i for i in range(50)]
    found = outcome(store, cinema.Film(two, times=times).write(tmp_path / "variable.mp4"))
    assert starts(found) == [0, times[25]]


def test_a_live_stream_without_duration(tmp_path: Path, cinema: Any, two: Any, store: ObservationStore) -> None:
    path = cinema.Film(two, sound=cinema.beep(2), options={"live": "1"}).write(tmp_path / "live.mkv")
    assert ingest(path, store).seconds is None
    found = outcome(store, path)
    assert starts(found) == [0, 1]
    assert sound_of(found) == pytest.approx((0, 2), abs=0.1)


def test_what_goes_on_for_too_long_is_refused_and_tried_again(
    tmp_path: Path, cinema: Any, two: Any, store: ObservationStore
) -> None:
    """The limit is a setting, so its refusal is not what the medium is."""
    media = ingest(cinema.Film(two, options={"live": "1"}).write(tmp_path / "live.mkv"), store)
    for encoder in (shots, tracks):
        short = Settings(cache_dir=store.root.parent, limits=Limits(video_seconds=1.0))
        told = asyncio.run(Runner(store, [encoder], settings=short).encode(media, encoder))
        assert "CONSILIENCE_LIMIT_VIDEO_SECONDS" in (told.failure or "")
        seen = asyncio.run(
            Runner(store, [encoder], settings=Settings(cache_dir=store.root.parent)).encode(media, encoder)
        )
        assert (seen.failure, seen.cached) == (None, False)


def test_streams_without_time_stamps_or_index(tmp_path: Path, cinema: Any, two: Any) -> None:
    for name in ("bare.h264", "stream.ts"):
        seen = [at for at, _ in frames(cinema.Film(two).write(tmp_path / name))]
        assert len(seen) == 50
        assert seen == sorted(set(seen))
        assert seen[-1] - seen[0] == pytest.approx(1.96, abs=0.01)


def test_pictures_that_change_their_size(
    tmp_path: Path, cinema: Any, two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = cinema.Film(two[:25]).write(tmp_path / "one.ts").read_bytes()
    times = [2 + i / 25 for i in range(25)]
    other = cinema.Film(of_size(two[25:], 640, 400), times=times).write(tmp_path / "other.ts").read_bytes()
    (tmp_path / "both.ts").write_bytes(one + other)
    assert {picture.size for _, picture in frames(tmp_path / "both.ts")} == {(320, 180), (640, 400)}
    monkeypatch.setattr("consilience.tools.decoding.frames._MOST_PIXELS", 100_000)
    assert {picture.size for _, picture in frames(tmp_path / "both.ts")} == {(320, 180)}


def test_durations_that_lie(tmp_path: Path, cinema: Any, two: Any, store: ObservationStore) -> None:
    content = cinema.Film(two, sound=cinema.beep(2)).write(tmp_path / "film.mkv").read_bytes()
    place = content.index(b"\x44\x89\x88") + 3

    def promising(seconds: float) -> Path:
        path = tmp_path / f"{seconds}.mkv"
        path.write_bytes(content[:place] + struct.pack(">d", seconds * 1000) + content[place + 8 :])
        return path

    assert "is too long" in outcome(store, promising(1e9))
    for seconds in (3600.0, 0.5, 0.0, -5.0, float("nan"), float("inf")):
        found = outcome(store, promising(seconds))
        assert starts(found) == [0, 1], seconds
        assert sound_of(found) == pytest.approx((0, 2), abs=0.1), seconds
    lying = tmp_path / "lying.mp4"
    whole = cinema.Film(two, sound=cinema.beep(2)).write(tmp_path / "film.mp4").read_bytes()
    for seconds in (0, 1, 3600, 4e5):
        lying.write_bytes(cinema.lying(whole, seconds))
        assert starts(outcome(store, lying)) == [0, 1], seconds


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("name", ["film.mp4", "fast.mp4", "film.mkv", "film.avi"])
def test_what_is_cut_off_is_seen_as_far_as_it_goes(
    name: str, share: float, tmp_path: Path, cinema: Any, two: Any, store: ObservationStore
) -> None:
    options = {"movflags": "faststart"} if name == "fast.mp4" else None
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = cinema.Film(two, sound=cinema.beep(2), codec=codec, options=options).write(tmp_path / name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    found = outcome(store, path)
    if isinstance(found, dict):
        assert starts(found)[0] == pytest.approx(0, abs=0.1)
    else:
        assert "readable" in found or "holds no pictures" in found
    if share >= 0.5 and name != "film.mp4":
        assert isinstance(found, dict)


@settings(max_examples=25)
@given(damage=st.data())
def test_damaged_bytes(damage: st.DataObject, films: dict[str, bytes]) -> None:
    name = damage.draw(st.sampled_from(sorted(films)))
    content = bytearray(films[name])
    places = st.one_of(st.integers(0, 2000), st.integers(0, len(content) - 1))
    for place, value in damage.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=40)):
        content[min(place, len(content) - 1)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        cache = Path(folder) / "cache"
        cache.mkdir()
        (cache / "weights").symlink_to(Settings().weights_dir)
        with ObservationStore.open(Settings(cache_dir=cache)) as store:
            outcome(store, path)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, cinema: Any, two: Any) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("damaged")
    make = partial(cinema.Film, two[10:40], sound=cinema.beep(1))
    kinds: dict[str, Callable[[], Any]] = {
        "film.mp4": make,
        "film.mkv": make,
        "film.avi": partial(make, codec="mpeg4"),
        "film.webm": partial(cinema.Film, two[10:40], codec="libvpx"),
    }
    return {name: kind().write(folder / name).read_bytes() for name, kind in kinds.items()}


def test_a_place_after_the_end_is_unobserved(three_shots: Path, store: ObservationStore) -> None:
    media = ingest(three_shots, store)
    where = Locator.from_fragment("t=60,70")
    for encoder in (shots, sound, tracks):
        runner = Runner(store, [encoder], settings=Settings(cache_dir=store.root.parent))
        encoding = asyncio.run(runner.encode(media, encoder, where=where))
        assert [o.kind for o in encoding.observations] == ["unobserved"], encoder.name
    with pytest.raises(Unobservable):
        next(frames(three_shots, time=where.time))
