"""Runs whose seats call tools and have places read again: what these gave is kept, for who resumes and who replays."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import PROTOCOLS, Guidance, Protocol, checkpointer, nodes, replay
from consilience.graphs.journal import RunJournal
from consilience.graphs.options import Asking
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from PIL import Image

from consilience import Encoder, Expert, Looks, Verdict, aask, encoder
from consilience.core.errors import BadConfiguration, RunError, Waiting
from consilience.core.settings import Settings
from consilience.models import Budget
from consilience.testing import ModelServer, ScriptedChatModel

NOTE = "Trains to York leave from the main hall."
QUESTION = "From which platform does the train to York leave?"
Counted = list[Any]


def tool_that(does: str, called: Counted, begun: asyncio.Event | None = None) -> BaseTool:
    """A timetable that counts its calls, and works (from the second on: later), fails or never ends."""

    @tool
    async def timetable(town: str) -> str:
        """Tells from which platform trains leave."""
        called.append(town)
        if begun:
            begun.set()
        if does == "fails":
            raise RuntimeError("the wire is cut")
        if does == "never ends" or (does == "works later" and len(called) == 1):
            await asyncio.Event().wait()
        return f"{town}: platform {len(called)}"

    return timetable


def encoder_that(does: str, read: Counted) -> Encoder:
    """A reader of texts that counts how often it looks closely, and then works, fails or does not end."""

    @encoder(modality="text", kinds=("glimpse",), version="1", name="text.glimpse")
    def glimpse(excerpt: Any, *, closeness: int = 1) -> Any:
        """Tells how closely it looks."""
        if closeness > 1:
            read.append(closeness)
            if does == "fails":
                raise RuntimeError("that is too close")
            while does == "never ends":
                excerpt.check()
                time.sleep(0.01)  # until it is stopped
        yield excerpt.observe("glimpse", {"closeness": closeness}, f"seen {closeness} times as close")

    return glimpse


def reading(pause: tuple[Any, ...] = (), **limits: Any) -> Protocol:
    return replace(PROTOCOLS["debate"], looks=Looks(encoders=("text.glimpse",), **limits), pause=pause)


@pytest.fixture(params=["memory", "sqlite"])
async def saver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    url = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'runs.sqlite'}"
    async with checkpointer(url) as opened:
        yield opened


@pytest.fixture
def both(settings: Settings, saver: BaseCheckpointSaver[Any], seeker: Any) -> Callable[..., Any]:
    """A run, and its replay when its server is gone."""

    async def both(counted: Counted, **options: Any) -> tuple[Verdict, Verdict]:
        kept: dict[str, Any] = {"thread": "one", "checkpointer": saver, "settings": settings}
        own = {name: options[name] for name in ("experts", "encoders") if name in options}
        with ModelServer(seeker) as server:
            try:
                ran = await aask(QUESTION, [NOTE], model=server.base_url, **kept, **options)
            except Waiting:
                ran = await aask(resume=Guidance(action="approve"), **kept, **own)
            asked, before = len(server.calls), list(counted)
        again = await replay(**kept, **own)
        assert (len(server.calls), counted) == (asked, before)
        return ran, again

    return both


def clerk(tool_: BaseTool, **options: Any) -> tuple[Expert, ...]:
    return (Expert("reader", "a reader"), Expert("clerk", "a clerk", tools=(tool_,), **options))


KINDS = [("tool", "open_round"), ("reading", "look")]
"""What is done, and in which node."""


def options_of(kind: str, counted: Counted, does: str = "works") -> dict[str, Any]:
    if kind == "tool":
        return {"experts": clerk(tool_that(does, counted))}
    return {"encoders": [encoder_that(does, counted)], "protocol": reading()}


def told_of(verdict: Verdict) -> str:
    """How the verdict tells of the tool call, or of the reading."""
    return " ".join((*(call.describe() for fate in verdict.seats for call in fate.tools), *verdict.looks))


@pytest.mark.parametrize(("kind", "node"), KINDS)
@pytest.mark.parametrize("in_flight", [False, True])
async def test_killed_it_repeats_what_was_in_flight_alone(
    kind: str, node: str, in_flight: bool, mother: Any, settings: Settings, tmp_path: Path, seeker: Any
) -> None:
    """Killed at the end of the node, or while the tool is called, or the encoder reads."""
    counts, verdict = tmp_path / "counts", tmp_path / "verdict.json"
    told = {"thread": "one", "checkpointer": f"sqlite:///{tmp_path / 'runs.sqlite'}", "cache": str(settings.cache_dir)}
    told |= {"kind": kind, "counts": str(counts), "verdict": str(verdict)}
    asked = {"question": QUESTION, "media": [NOTE], "protocol": "debate"}
    with ModelServer(seeker) as server:
        fatal = {"in_flight": True} if in_flight else {"dies_in": node}
        mother.begin(**told, **asked, **fatal, model=server.base_url)
        assert mother.ended() == -signal.SIGKILL
        assert len(counts.read_text().split()) == 1
        mother.begin(**told, resume=True)
        assert mother.ended() == 0
        calls = Counter(json.dumps(call.body, sort_keys=True) for call in server.calls)
    # With the tool, the other seat's call may be in flight.
    assert in_flight or set(calls.values()) == {1}
    assert len(counts.read_text().split()) == 1 + in_flight
    ran = verdict.read_text()
    # What was lost is in the books.
    assert (", as its process ended" in told_of(Verdict.model_validate_json(ran))) == in_flight
    verdict.unlink()
    mother.begin(**told, resume=True, replay=True)
    assert mother.ended() == 0
    assert verdict.read_text() == ran
    assert len(counts.read_text().split()) == 1 + in_flight


@pytest.mark.parametrize(("kind", "node"), KINDS)
async def test_what_a_node_that_broke_had_done_is_not_done_again(
    kind: str,
    node: str,
    settings: Settings,
    saver: BaseCheckpointSaver[Any],
    seeker: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: Counted = []
    given = options_of(kind, counted, "works" if kind == "tool" else "fails")  # what fails is in no cache
    own = {name: value for name, value in given.items() if name != "protocol"}
    kept: dict[str, Any] = {"thread": "one", "checkpointer": saver, "settings": settings}
    made = getattr(nodes, node)

    def breaking(*arguments: Any, **options: Any) -> Any:
        works = made(*arguments, **options)

        async def breaks(state: Any) -> Any:
            await works(state)
            raise RuntimeError("the power is cut")

        return breaks

    with ModelServer(seeker) as server:
        monkeypatch.setattr(nodes, node, breaking)
        with pytest.raises(RuntimeError, match="power"):
            await aask(QUESTION, [NOTE], model=server.base_url, **kept, **given)
        monkeypatch.setattr(nodes, node, made)
        ran = await aask(resume=True, **kept, **own)
    assert len(counted) == 1
    assert "its process ended" not in told_of(ran)
    assert (await replay(**kept, **own)).model_dump_json() == ran.model_dump_json()


async def test_a_call_that_was_broken_off_is_made_again_and_counted(
    settings: Settings, saver: BaseCheckpointSaver[Any], seeker: Any
) -> None:
    called: Counted = []
    begun = asyncio.Event()
    kept: dict[str, Any] = {"thread": "one", "checkpointer": saver, "settings": settings}
    kept["experts"] = clerk(tool_that("works later", called, begun))
    with ModelServer(seeker) as server:
        running = asyncio.create_task(aask(QUESTION, [NOTE], model=server.base_url, **kept))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        ran = await aask(resume=True, **kept)
        prompts = [call.text for call in server.calls if "you may call tools" in call.text]
    assert [call.lost for call in ran.seats[1].tools] == [1]
    # Of the three calls that the seat has, two are made.
    assert ["3 calls at most" in prompts[0], "1 calls at most" in prompts[-1]] == [True, True]
    assert (await replay(**kept)).model_dump_json() == ran.model_dump_json()


async def test_what_a_tool_gave_is_given_again(both: Callable[..., Any]) -> None:
    called: Counted = []
    ran, again = await both(called, experts=clerk(tool_that("works", called)))
    assert called == ["York"]
    assert [call.failure for call in again.seats[1].tools] == [None]
    assert again.model_dump_json() == ran.model_dump_json()


@pytest.mark.parametrize(
    ("does", "limits", "told"),
    [("fails", {}, "the wire is cut"), ("never ends", {"tool_seconds": 0.2}, "no result within 0.2 s")],
)
async def test_a_tool_that_failed_does_so_again_without_being_called(
    does: str, limits: dict[str, Any], told: str, both: Callable[..., Any]
) -> None:
    called: Counted = []
    ran, again = await both(called, experts=clerk(tool_that(does, called), **limits))
    assert called == ["York"]
    assert told in again.seats[1].tools[0].failure
    assert again.model_dump_json() == ran.model_dump_json()


async def test_a_seat_whose_time_ran_out_during_a_tool_is_lost_at_once(both: Callable[..., Any]) -> None:
    called: Counted = []
    ran, again = await both(called, experts=clerk(tool_that("never ends", called), seconds=3.0))
    assert called == ["York"]
    assert "no turn within 3 s" in again.seats[1].reason
    assert again.model_dump_json() == ran.model_dump_json()


@pytest.mark.parametrize(
    ("does", "limits", "told"),
    [
        ("works", {}, "1 new"),
        ("fails", {}, "failed, RuntimeError: that is too close"),
        ("never ends", {"seconds": 0.6}, "failed, it was stopped after 0.6 s"),
    ],
)
async def test_what_was_read_again_is_there_again(
    does: str, limits: dict[str, Any], told: str, both: Callable[..., Any]
) -> None:
    read: Counted = []
    ran, again = await both(read, encoders=[encoder_that(does, read)], protocol=reading(**limits))
    assert read == [2]
    assert told in again.looks[0]
    assert again.model_dump_json() == ran.model_dump_json()


@pytest.mark.parametrize("pause", [(), ("look",)])
async def test_what_the_run_had_no_time_for_is_refused_again(
    pause: tuple[Any, ...], both: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consilience.graphs.readings.estimated_seconds", lambda *_: 1000.0)
    read: Counted = []
    options: dict[str, Any] = {"budget": Budget(seconds=600), "encoders": [encoder_that("works", read)]}
    ran, again = await both(read, protocol=reading(pause, seconds=5000.0), **options)
    assert read == []
    assert "refused, it may take 1000 s" in again.looks[0]
    assert again.model_dump_json() == ran.model_dump_json()


async def test_what_a_person_permitted_is_permitted_again(both: Callable[..., Any]) -> None:
    read: Counted = []
    protocol = reading(("look",), unasked=0.0)
    ran, again = await both(read, encoders=[encoder_that("works", read)], protocol=protocol)
    assert read == [2]
    assert again.model_dump_json() == ran.model_dump_json()


async def test_a_tool_call_that_no_journal_holds_is_an_error(
    settings: Settings, saver: BaseCheckpointSaver[Any], seeker: Any
) -> None:
    """Another name, and nothing else, is another tool."""
    called: Counted = []
    kept: dict[str, Any] = {"thread": "one", "checkpointer": saver, "settings": settings}
    with ModelServer(seeker) as server:
        await aask(QUESTION, [NOTE], model=server.base_url, experts=clerk(tool_that("works", called)), **kept)
    other = tool_that("works", called)
    other.name = "departures"
    with pytest.raises(RunError, match="does not hold"):
        await replay(experts=clerk(other), **kept)
    assert called == ["York"]


@pytest.mark.parametrize("of", ["tools", "looks", "shown"])
async def test_runs_of_an_earlier_version_are_refused_in_plain_words(
    of: str, settings: Settings, saver: BaseCheckpointSaver[Any]
) -> None:
    experts = clerk(tool_that("works", [])) if of == "tools" else [Expert("eyes", "eyes", shown=("image",))]
    given: dict[str, Any] = {"looks": 2} if of == "looks" else {"experts": experts}
    asking = Asking.of(QUESTION, given | {"protocol": "single"}).model_copy(update={"schema_version": 1})  # type: ignore[arg-type]
    await RunJournal.begun(saver, "one", asking)
    own = given if of == "tools" else {}
    with pytest.raises(BadConfiguration, match=r"in no journal: an earlier version.*Resume the run") as told:
        await replay(thread="one", checkpointer=saver, settings=settings, **own)
    assert "asks nobody" in told.value.cure


async def test_a_seat_that_was_shown_a_picture_has_seen_it(
    settings: Settings, saver: BaseCheckpointSaver[Any], tmp_path: Path
) -> None:
    """The model's profile says whether it can be shown anything; a replay reaches no model."""

    def seen(messages: Any) -> dict[str, Any]:
        return {"evidence": [], "stated": "not", "answer": "not stated", "claims": []}

    picture = tmp_path / "spot.png"
    Image.linear_gradient("L").save(picture)
    model = ScriptedChatModel(replies=seen, profile={"image_inputs": True})
    deaf = ScriptedChatModel(replies=[], profile={}, model_name=model.model_name)
    kept: dict[str, Any] = {"thread": "one", "checkpointer": saver, "settings": settings}
    kept["experts"] = [Expert("eyes", "an expert for pictures", shown=("image",))]
    ran = await aask("What is there?", [picture, NOTE], model=model, protocol="single", **kept)
    again = await replay(model=deaf, **kept)
    assert again.model_dump_json() == ran.model_dump_json()
