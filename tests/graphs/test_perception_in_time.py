"""The seconds of a run bind its perception: it goes on with what was seen, and tells what was not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from consilience.graphs import replay
from consilience.tools import Excerpt

from consilience import Encoder, Expert, Verdict, Workbench, astream, encoder
from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.models import Budget
from consilience.observations import CharRange, Locator, Observation, ingest
from consilience.testing import ModelServer

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
PAIR = (Expert("reader", "a reader"), Expert("sceptic", "a sceptic"))
HOUR = Budget(seconds=3600)


class Cue:
    """What encoders wait for; and a clock for those who wait for encoders, which goes on when it is told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.given = threading.Event()
        self._loop, self._clock, self._passed = loop, loop.time, 0.0

    def time(self) -> float:
        return self._clock() + self._passed

    def an_hour_passes(self) -> None:
        self._passed += 3600
        self._loop.call_soon_threadsafe(lambda: None)  # it looks at the clock when it wakes


@pytest.fixture
async def cue(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cue]:
    loop = asyncio.get_running_loop()
    cue = Cue(loop)
    monkeypatch.setattr(loop, "time", cue.time)
    yield cue
    cue.given.set()


@pytest.fixture
def slow(cue: Cue) -> Encoder:
    @encoder(modality="text", kinds=("mood",), version="1", name="text.slow")
    def slow(excerpt: Excerpt) -> Iterator[Observation]:
        """Works for an hour and hears nobody meanwhile."""
        seen = excerpt.observe("mood", {}, "the note is cheerful")
        cue.an_hour_passes()
        assert cue.given.wait(60)
        yield seen

    return slow


@pytest.fixture
async def remembered(settings: Settings) -> None:
    """What the ready encoders see of the note."""
    async with Workbench(settings=settings) as bench:
        async for _ in bench.runner.perceive([ingest(NOTE, bench.store)]):
            pass


Debated = Callable[..., Any]


@pytest.fixture
def debated(settings: Settings, server: ModelServer) -> Debated:
    async def debated(*encoders: Encoder, **options: Any) -> tuple[list[Any], Verdict]:
        given = {"settings": settings, "model": server.base_url, "experts": PAIR, "encoders": encoders, **options}
        events = [event async for event in astream(QUESTION, [NOTE], **given)]
        return events, events[-1].verdict

    return debated


@pytest.mark.usefixtures("remembered")
async def test_a_run_goes_on_with_what_was_seen_in_time(debated: Debated, slow: Encoder) -> None:
    events, verdict = await debated(slow, budget=HOUR)
    assert verdict.status == "partial"
    assert "upper room" in verdict.answer
    assert [seat.status for seat in verdict.seats] == ["answered"] * 2
    (lost,) = verdict.lost_tools
    assert lost.startswith("text.slow on ")
    assert "there was no time left for it" in lost
    assert verdict.stop_reason.startswith("perception took ")
    assert "1 encoder did not come to an end" in verdict.stop_reason
    assert "`consilience observe`" in verdict.stop_reason
    told = [event for event in events if event.type == "perceived" and event.failure]
    assert [event.encoder for event in told] == ["text.slow"]
    assert told[0].done == told[0].planned


@pytest.mark.usefixtures("remembered")
async def test_what_is_there_in_time_is_not_told_to_be_late(debated: Debated, cue: Cue, slow: Encoder) -> None:
    cue.given.set()
    _, verdict = await debated(slow, budget=Budget(seconds=3600 * 24))
    assert (verdict.status, verdict.lost_tools) == ("complete", ())
    assert "perception" not in verdict.stop_reason


@pytest.mark.usefixtures("remembered")
async def test_perception_that_takes_all_of_the_time_is_told_with_the_cure(debated: Debated, slow: Encoder) -> None:
    _, verdict = await debated(slow, budget=Budget(seconds=0.1, perception=1))
    assert (verdict.status, verdict.answer) == ("failed", "")
    assert verdict.stop_reason.startswith("perception took ")
    assert "of the run's 0.1 s" in verdict.stop_reason
    assert "every seat was lost: " in verdict.stop_reason
    assert "Raise the budget's seconds" in verdict.stop_reason


@pytest.mark.usefixtures("remembered")
async def test_places_of_one_medium_are_told_together(debated: Debated, cue: Cue) -> None:
    @encoder(modality="text", kinds=("part",), version="1", name="text.thirds")
    def thirds(excerpt: Excerpt) -> Iterator[Observation]:
        """Divides it."""
        for i in range(3):
            where = Locator(chars=CharRange(start=i, end=i + 1))
            yield excerpt.observe("part", {"modality": "table", "role": "figure"}, f"part {i}", locator=where)

    @encoder(modality="table", kinds=("mood",), version="1", name="table.close")
    def close(excerpt: Excerpt) -> Iterator[Observation]:
        """Reads closely."""
        cue.an_hour_passes()
        assert cue.given.wait(60)
        yield excerpt.observe("mood", {}, "cheerful")

    events, verdict = await debated(thirds, close, budget=HOUR)
    lines = [lost for lost in verdict.lost_tools if lost.startswith("table.close")]
    assert len(lines) == 1
    assert ": in 3 places there was no time left for it." in lines[0]
    assert [event.encoder for event in events if event.type == "perceived" and event.failure].count("table.close") == 1


@pytest.mark.usefixtures("remembered")
async def test_a_run_that_did_not_see_all_is_replayed_on_what_it_saw(
    debated: Debated, settings: Settings, cue: Cue, slow: Encoder
) -> None:
    _, ran = await debated(slow, budget=HOUR, thread="one")
    cue.given.set()
    async with Workbench(settings=settings, encoders=(slow,)) as bench:
        medium = ingest(NOTE, bench.store)
        assert (await bench.runner.encode(medium, slow)).observations  # now it is remembered
    again = await replay(thread="one", settings=settings, encoders=(slow,))
    assert again.model_dump_json() == ran.model_dump_json()


def test_a_share_of_the_seconds_is_a_share() -> None:
    assert Budget(seconds=100).perception_seconds == 75
    assert Budget(seconds=100, perception=0.5).perception_seconds == 50
    assert Budget().perception_seconds is None
    for share in (-0.1, 1.1):
        with pytest.raises(BadConfiguration, match="perception"):
            Budget(perception=share)
