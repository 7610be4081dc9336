"""The runner: all parts are read, in one order whatever finishes first, and what goes wrong stays with its encoder."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools import Encoder, Encoding, Excerpt, Runner, encoder, observed
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.core.errors import BadConfiguration, Unobservable, UnsupportedMedia
from consilience.core.settings import Settings
from consilience.observations import CharRange, Locator, Media, Modality, Observation, ObservationStore, ingest
from consilience.observations.housekeeping import collect

MODALITIES: tuple[Modality, ...] = ("text", "image", "audio")

# A place with the parts that each of two dividers finds in it: (modality, what lies in the part).
Tree = tuple[tuple[tuple[Modality, "Tree"], ...], ...]

_trees: st.SearchStrategy[Any] = st.recursive(
    st.just(((), ())),
    lambda inner: st.tuples(
        *[st.lists(st.tuples(st.sampled_from(MODALITIES), inner), max_size=3).map(tuple) for _ in range(2)]
    ),
    max_leaves=12,
)


class Forest:
    """Encoders over a tree of places, each place a range of characters of its own."""

    def __init__(self, tree: Tree) -> None:
        self.places: dict[Locator, Tree] = {Locator(): tree}
        self.parts: dict[tuple[Locator, int], list[tuple[Locator, Modality]]] = {}
        self._number(Locator(), tree)

    def _number(self, where: Locator, tree: Tree) -> None:
        for divider, parts in enumerate(tree):
            for modality, inner in parts:
                start = len(self.places)
                part = Locator(chars=CharRange(start=start, end=start + 1))
                self.places[part] = inner
                self.parts.setdefault((where, divider), []).append((part, modality))
                self._number(part, inner)

    def encoders(self) -> list[Encoder]:
        made: list[Encoder] = []
        for modality in MODALITIES:
            made += [self._reader(modality, 0), self._divider(modality, 0)]
            made += [self._divider(modality, 1), self._reader(modality, 1)]
        return made

    def _divider(self, modality: Modality, number: int) -> Encoder:
        @encoder(modality=modality, kinds=("part",), version="1", name=f"{modality}.divider{number}")
        def divide(excerpt: Excerpt) -> Iterator[Observation]:
            """Divides."""
            for part, of in self.parts.get((excerpt.where, number), []):
                made = excerpt.observe("part", {"modality": of, "role": "part"}, "a part")
                yield Observation(**{**made.model_dump(exclude={"id"}), "locator": part})

        return divide

    def _reader(self, modality: Modality, number: int) -> Encoder:
        @encoder(modality=modality, kinds=("seen",), version="1", name=f"{modality}.reader{number}")
        def read(excerpt: Excerpt) -> Iterator[Observation]:
            """Reads."""
            yield excerpt.observe("seen", {}, f"{modality} {number} at {excerpt.where}")

        return read

    def expected(self) -> list[tuple[str, Locator]]:
        """Reader and place, in the order of the record."""
        return list(self._expected(Locator(), "text", 0))

    def _expected(self, where: Locator, modality: Modality, depth: int) -> Iterator[tuple[str, Locator]]:
        found = [self.parts.get((where, number), []) if depth < 4 else [] for number in (0, 1)]
        own = [part for parts in found for part, of in parts if of == modality]
        for part in own or [where]:
            yield from ((f"{modality}.reader{number}", part) for number in (0, 1))
        for parts in found:
            for part, of in parts:
                if of != modality:
                    yield from self._expected(part, of, depth + 1)


def perceived(runner: Runner, media: list[Media]) -> list[Encoding]:
    async def collect() -> list[Encoding]:
        return [encoding async for encoding in runner.perceive(media)]

    return asyncio.run(collect())


@given(tree=_trees, jobs=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_part_is_read_once_and_in_one_order(tree: Tree, jobs: int) -> None:
    forest = Forest(tree)
    with tempfile.TemporaryDirectory() as folder:
        chosen = Settings(cache_dir=Path(folder))
        with ObservationStore.open(chosen) as store:
            # As many characters as there can be places.
            media = ingest("A text. " * 500, store)
            encodings = perceived(Runner(store, forest.encoders(), settings=chosen, jobs=jobs), [media])
            again = perceived(Runner(store, forest.encoders(), settings=chosen, jobs=1), [media])
    assert not [e.failure for e in encodings if e.failure]
    read = [e for e in sorted(encodings, key=lambda e: e.rank) if "reader" in e.encoder]
    assert [(e.encoder, e.where) for e in read] == forest.expected()
    made = [o for o in observed(encodings) if o.kind != "unobserved"]
    assert made == [o for e in read for o in e.observations]
    assert len({e.rank for e in encodings}) == len(encodings)
    assert [e.done for e in encodings] == list(range(1, len(encodings) + 1))
    assert all(e.done <= e.planned for e in encodings)
    assert encodings[-1].planned == len(encodings)
    assert all(e.cached for e in again)
    assert observed(again) == observed(encodings)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    with ObservationStore.open(Settings(cache_dir=tmp_path)) as opened:
        yield opened


def runner_of(store: ObservationStore, *encoders: Encoder, jobs: int = 2, **chosen: Any) -> Runner:
    return Runner(store, encoders, settings=Settings(cache_dir=store.root.parent, **chosen), jobs=jobs)


@encoder(modality="text", kinds=("seen",), version="1")
def plain(excerpt: Excerpt) -> Iterator[Observation]:
    """Sees the text."""
    yield excerpt.observe("seen", {}, f"text at {excerpt.where}")


def test_encoders_that_divide_one_another_come_to_an_end(store: ObservationStore) -> None:
    def endless(modality: Modality, other: Modality) -> Encoder:
        @encoder(modality=modality, kinds=("part",), version="1", name=f"{modality}.endless")
        def divide(excerpt: Excerpt) -> Iterator[Observation]:
            """Finds a part in every part."""
            yield excerpt.observe(
                "part", {"modality": other, "role": "part"}, "a part", locator=Locator(track=f"{excerpt.where.track}+")
            )

        return divide

    runner = runner_of(store, endless("text", "image"), endless("image", "text"), plain)
    encodings = perceived(runner, [ingest("A text.", store)])
    assert 0 < len(encodings) < 20
    assert not [e for e in encodings if e.failure]
    (told,) = [o for o in observed(encodings) if o.kind == "unobserved"]
    assert told.text == "parts of parts are read 4 deep: text.endless did not divide this one"
    assert (told.locator.track or "").endswith("++++"), "it stands where it was not divided"


def test_a_part_of_another_modality_may_be_the_whole_medium(store: ObservationStore) -> None:
    @encoder(modality="text", kinds=("part",), version="1")
    def shown(excerpt: Excerpt) -> Iterator[Observation]:
        """Hands the text on as a picture."""
        yield excerpt.observe("part", {"modality": "image", "role": "picture"}, "a part")

    @encoder(modality="image", kinds=("seen",), version="1")
    def sees(excerpt: Excerpt) -> Iterator[Observation]:
        """Sees."""
        yield excerpt.observe("seen", {}, f"as {excerpt.modality}")

    found = observed(perceived(runner_of(store, shown, sees, plain), [ingest("A text.", store)]))
    assert [o.text for o in found] == ["text at", "as image"]


def test_what_goes_wrong_in_one_encoder_stays_there(store: ObservationStore) -> None:
    @encoder(modality="text", kinds=("part",), version="1")
    def breaks(excerpt: Excerpt) -> Iterator[Observation]:
        """Finds a part and falls over."""
        yield excerpt.observe("part", {"modality": "text", "role": "part"}, "a part", locator=Locator(track="x"))
        raise RuntimeError("fell over")

    @encoder(modality="text", kinds=("seen",), version="1")
    def leaves(excerpt: Excerpt) -> Iterator[Observation]:
        """Leaves the process."""
        yield excerpt.observe("seen", {}, "something")
        raise SystemExit("gone")

    encodings = {e.encoder: e for e in perceived(runner_of(store, breaks, leaves, plain), [ingest("A text.", store)])}
    assert encodings["text.breaks"].failure == "RuntimeError: fell over"
    assert encodings["text.leaves"].failure == "SystemExit: gone"
    # What cannot be divided is read whole.
    assert [o.text for o in encodings["text.plain"].observations] == ["text at"]


def test_a_failure_is_tried_again_and_what_the_medium_does_not_allow_is_not(store: ObservationStore) -> None:
    asked: list[str] = []

    @encoder(modality="text", kinds=("seen",), version="1")
    def unlucky(excerpt: Excerpt) -> Iterator[Observation]:
        """Fails the first time."""
        asked.append("unlucky")
        if asked.count("unlucky") == 1:
            raise OSError("no luck")
        yield excerpt.observe("seen", {}, "something")

    @encoder(modality="text", kinds=("seen", "part"), version="1")
    def refuses(excerpt: Excerpt) -> Iterator[Observation]:
        """Sees nothing."""
        asked.append("refuses")
        raise Unobservable("it is dark")

    runner, media = runner_of(store, unlucky, refuses), ingest("A text.", store)
    first, second = perceived(runner, [media]), perceived(runner, [media])
    assert sorted(asked) == ["refuses", "unlucky", "unlucky"]
    assert [e.failure for e in first if e.encoder == "text.unlucky"] == ["OSError: no luck"]
    assert [o.text for e in second for o in e.observations] == ["no seen could be observed: it is dark", "something"]


def test_who_stops_listening_stops_the_encoders_and_keeps_what_was_done(store: ObservationStore) -> None:
    under_way, stopped = threading.Event(), threading.Event()

    @encoder(modality="text", kinds=("seen",), version="1")
    def patient(excerpt: Excerpt) -> Iterator[Observation]:
        """Goes on until it is told to stop."""
        under_way.set()
        try:
            while True:
                excerpt.check()
        finally:
            stopped.set()
        yield

    media = ingest("A text.", store)
    runner = runner_of(store, plain, patient)

    async def first_only() -> Encoding:
        async with aclosing(runner.perceive([media])) as encodings:
            async for encoding in encodings:
                assert await asyncio.to_thread(under_way.wait, 60)
                return encoding
        raise AssertionError("nothing was encoded")

    assert asyncio.run(first_only()).encoder == "text.plain"
    assert stopped.wait(60)
    encoding = asyncio.run(runner.encode(media, plain))
    assert encoding.cached


async def test_cancelling_a_perception_stops_its_encoders(store: ObservationStore) -> None:
    under_way, stopped = threading.Event(), threading.Event()

    @encoder(modality="text", kinds=("seen",), version="1")
    def patient(excerpt: Excerpt) -> Iterator[Observation]:
        """Goes on until it is told to stop."""
        under_way.set()
        try:
            while True:
                excerpt.check()
        finally:
            stopped.set()
        yield

    media = ingest("A text.", store)

    async def listen() -> None:
        async for _ in runner_of(store, patient).perceive([media]):
            pass

    listening = asyncio.create_task(listen())
    assert await asyncio.to_thread(under_way.wait, 60)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert await asyncio.to_thread(stopped.wait, 60)


async def test_two_perceptions_of_one_medium_encode_it_once(store: ObservationStore) -> None:
    began, go_on = [], threading.Event()

    @encoder(modality="text", kinds=("seen",), version="1")
    def slow(excerpt: Excerpt) -> Iterator[Observation]:
        """Waits for its cue."""
        began.append(1)
        assert go_on.wait(60)
        yield excerpt.observe("seen", {}, "something")

    runner, media = runner_of(store, slow), ingest("A text.", store)
    both = asyncio.gather(runner.encode(media, slow), runner.encode(media, slow))
    go_on.set()
    one, other = await both
    assert began == [1]
    assert {one.cached, other.cached} == {False, True}
    assert one.observations == other.observations


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_encoders_work_at_a_time_than_jobs(store: ObservationStore, jobs: int) -> None:
    at_work, most, counting = 0, 0, threading.Lock()

    def counted(number: int) -> Encoder:
        @encoder(modality="text", kinds=("seen",), version="1", name=f"text.counted{number}")
        def count(excerpt: Excerpt) -> Iterator[Observation]:
            """Counts who is at work."""
            nonlocal at_work, most
            with counting:
                at_work += 1
                most = max(most, at_work)
            yield excerpt.observe("seen", {}, f"{number}")
            with counting:
                at_work -= 1

        return count

    encodings = perceived(
        runner_of(store, *[counted(i) for i in range(12)], jobs=jobs), [ingest(f"Text {i}.", store) for i in range(4)]
    )
    assert len(encodings) == 48
    assert 1 <= most <= jobs


def test_long_recordings_are_cut_and_each_stretch_is_cached(store: ObservationStore) -> None:
    heard: list[str] = []

    @encoder(modality="audio", kinds=("seen",), version="1", stretch=3.0)
    def hears(excerpt: Excerpt) -> Iterator[Observation]:
        """Hears at most three seconds."""
        heard.append(str(excerpt.where))
        assert excerpt.seconds is not None
        assert excerpt.seconds <= 3.0
        yield excerpt.observe("seen", {}, f"{len(excerpt.waveform(8000))} samples")

    noise = np.random.default_rng(1).normal(0, 0.1, 8000 * 10)
    media = ingest((noise, 8000), store)
    runner = runner_of(store, hears)
    first = perceived(runner, [media])
    spans = [o.locator.time for o in observed(first)]
    assert all(span is not None for span in spans)
    edges = [(span.start, span.end) for span in spans if span]
    assert edges[0][0] == 0
    assert edges[-1][1] == 10
    assert [end for _, end in edges[:-1]] == [start for start, _ in edges[1:]]
    assert len(heard) == len(edges) >= 4
    assert all(e.cached for e in perceived(runner, [media]))
    assert len(heard) == len(edges)


def test_encoders_that_must_be_asked_do_not_run_by_themselves(store: ObservationStore) -> None:
    @encoder(modality="text", kinds=("seen",), version="1", on_demand=True)
    def asked(excerpt: Excerpt) -> Iterator[Observation]:
        """Runs when asked."""
        yield excerpt.observe("seen", {}, "asked")

    @encoder(modality="text", kinds=("seen",), version="1", biometric=True)
    def bodily(excerpt: Excerpt) -> Iterator[Observation]:
        """Measures bodies."""
        yield excerpt.observe("seen", {}, "bodily")

    media = ingest("A text.", store)
    assert [e.encoder for e in perceived(runner_of(store, asked, bodily, plain), [media])] == ["text.plain"]
    allowed = perceived(runner_of(store, asked, bodily, plain, biometrics=True), [media])
    assert sorted(e.encoder for e in allowed) == ["text.bodily", "text.plain"]
    refused = asyncio.run(runner_of(store, bodily).encode(media, bodily))
    assert "CONSILIENCE_BIOMETRICS" in (refused.failure or "")
    assert asyncio.run(runner_of(store, asked).encode(media, asked)).failure is None


async def test_a_modality_that_nobody_reads_is_said_at_once(store: ObservationStore) -> None:
    media = ingest((np.zeros(800), 8000), store)
    with pytest.raises(UnsupportedMedia, match=r"text\.plain reads text, and this is audio"):
        async for _ in runner_of(store, plain).perceive([media]):
            pass


def test_why_nobody_reads_a_medium_is_said(store: ObservationStore) -> None:
    @encoder(modality="text", kinds=("seen",), version="1", biometric=True)
    def bodily(excerpt: Excerpt) -> Iterator[Observation]:
        """Measures bodies."""
        yield excerpt.observe("seen", {}, "bodily")

    with pytest.raises(BadConfiguration, match=r"text\.bodily measures.*CONSILIENCE_BIOMETRICS=true"):
        runner_of(store, bodily).plan([ingest("A text.", store)])
    with pytest.raises(UnsupportedMedia, match=r"no encoder reads audio .*There are encoders for: text"):
        runner_of(store, bodily, plain).plan([ingest((np.zeros(800), 8000), store)])


@pytest.mark.parametrize(
    ("where", "told"),
    [("page=2", "has no page 2"), ("t=1,2", "has no times"), ("xywh=percent:0,0,50,50", "has no regions")],
)
async def test_a_place_that_the_medium_does_not_have_is_refused(store: ObservationStore, where: str, told: str) -> None:
    media, place = ingest("A text.", store), Locator.from_fragment(where)
    encoding = await runner_of(store, plain).encode(media, plain, where=place)
    assert told in (encoding.failure or "")
    assert not encoding.observations


async def test_what_is_being_encoded_is_not_collected(store: ObservationStore) -> None:
    collected: list[int] = []

    @encoder(modality="text", kinds=("seen",), version="1")
    def slow(excerpt: Excerpt) -> Iterator[Observation]:
        """Is at it for so long that its medium looks forgotten."""
        os.utime(excerpt.path, (1, 1))
        collected.append(collect(store, 0).blobs)
        yield excerpt.observe("seen", {}, excerpt.text())

    runner, media = runner_of(store, slow), ingest("A text.", store)
    encoding = await runner.encode(media, slow)
    assert [o.text for o in encoding.observations] == ["A text."]
    assert (collected, collect(store, 0).blobs) == ([0], 1)


async def test_what_is_not_encoded_in_time_is_late_and_nobody_waits_for_it(
    store: ObservationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    loop, clock, passed = asyncio.get_running_loop(), asyncio.get_running_loop().time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: clock() + passed[0])

    def an_hour_passes() -> None:
        passed[0] += 3600
        loop.call_soon_threadsafe(lambda: None)  # it looks at the clock when it wakes

    @encoder(modality="text", kinds=("seen",), version="1")
    def deaf(excerpt: Excerpt) -> Iterator[Observation]:
        """Hears nobody who tells it to stop."""
        seen = excerpt.observe("seen", {}, "something")
        an_hour_passes()
        assert go_on.wait(60)
        yield seen

    @encoder(modality="text", kinds=("seen",), version="1")
    def queued(excerpt: Excerpt) -> Iterator[Observation]:
        """Comes last."""
        raise AssertionError("it began when the time was up")
        yield

    @encoder(modality="text", kinds=("seen",), version="1")
    def remembered(excerpt: Excerpt) -> Iterator[Observation]:
        """Has been there before."""
        yield excerpt.observe("seen", {}, "something else")

    media = ingest("A text.", store)
    runner = runner_of(store, plain, deaf, remembered, queued, jobs=1)
    await runner.encode(media, plain)
    await runner.encode(media, remembered)
    found = {e.encoder.partition(".")[2]: e async for e in runner.perceive([media], seconds=600)}
    assert {name: (e.late, e.cached) for name, e in found.items()} == {
        "plain": (False, True),
        "deaf": (True, False),
        "remembered": (False, True),
        "queued": (True, False),
    }
    assert "no time left" in str(found["deaf"].failure)
    assert "consilience observe" in str(found["queued"].failure)

    # What it did in spite of that is not done twice.
    again = asyncio.create_task(runner.encode(media, deaf))
    go_on.set()
    assert (await again).cached


async def test_without_any_time_only_what_is_remembered_is_observed(store: ObservationStore) -> None:
    runner, media = runner_of(store, plain), [ingest("A text.", store)]
    assert [e.late async for e in runner.perceive(media, seconds=0)] == [True]
    assert [e.late async for e in runner.perceive(media)] == [False]
    assert [(e.late, e.cached) async for e in runner.perceive(media, seconds=0)] == [(False, True)]
