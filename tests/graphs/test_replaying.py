"""Finished runs once more from their journals, with no endpoint there: the same verdict, byte for byte."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import Guidance, replay
from consilience.graphs.checkpoints import in_memory

from consilience import Exchange, Expert, Protocol, Verdict, Workbench, aask, debate
from consilience.core.errors import BadConfiguration, RunError, UnknownName, Waiting
from consilience.core.settings import Settings
from consilience.models import Budget
from consilience.testing import Fault, FaultSchedule, ModelServer, witness

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
PAIR = (Expert("reader", "a reader"), Expert("sceptic", "a sceptic"))


def in_seat(role: str, fault: Fault) -> FaultSchedule:
    """Meets whoever is told to be this."""

    def meets(number: int, request: dict[str, Any]) -> Fault | None:
        return fault if role in json.dumps(request["messages"]) else None

    return meets


async def both(settings: Settings, faults: FaultSchedule = (), **options: Any) -> tuple[Verdict, Verdict]:
    """A run, and its replay when its server is gone."""
    with ModelServer(witness, faults=faults) as server:
        ran = await aask(QUESTION, [NOTE], thread="one", model=server.base_url, settings=settings, **options)
        calls = len(server.calls)
    again = await replay(thread="one", settings=settings)
    assert len(server.calls) == calls
    return ran, again


@pytest.mark.parametrize("protocol", ["single", "vote", "panel", "debate", "gated_debate"])
async def test_it_comes_to_the_same_byte_for_byte(protocol: str, settings: Settings, tmp_path: Path) -> None:
    ran, again = await both(settings, protocol=protocol)
    assert ran.status == "complete"
    assert again.model_dump_json() == ran.model_dump_json()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("server_error"), "Asked 2 times"),
        (Fault("garbage"), "could not be used"),
        (Fault("refusal"), "refuses"),
        (Fault("empty"), "empty"),
    ],
)
async def test_losses_come_again_as_they_were(fault: Fault, told: str, settings: Settings) -> None:
    impatient = settings.model_copy(update={"retries": 1, "retry_seconds": 0.0})
    ran, again = await both(impatient, in_seat("a sceptic", fault), experts=PAIR)
    assert told in str(ran.seats[1].reason)
    assert ran.status == "partial"
    assert again.model_dump_json() == ran.model_dump_json()


async def test_a_seat_that_ran_out_of_time_does_so_at_once(settings: Settings) -> None:
    slow = Expert("sceptic", "a sceptic", seconds=0.5)
    ran, again = await both(settings, in_seat("a sceptic", Fault("hang")), experts=(PAIR[0], slow))
    assert "no turn within 0.5 s" in str(ran.seats[1].reason)
    assert again.model_dump_json() == ran.model_dump_json()


async def test_a_seat_that_was_late_before_its_first_call_is_so_again(settings: Settings) -> None:
    late = Expert("sceptic", "a sceptic", seconds=1e-6)
    ran, again = await both(settings, experts=(PAIR[0], late))
    assert "no turn within" in str(ran.seats[1].reason)
    assert again.model_dump_json() == ran.model_dump_json()


async def test_a_spent_budget_is_spent_again(settings: Settings) -> None:
    ran, again = await both(settings, budget=Budget(calls=3))
    assert "budget" in ran.stop_reason
    assert again.model_dump_json() == ran.model_dump_json()


async def test_rounds_that_were_not_allowed_are_not_missed(settings: Settings) -> None:
    long = Protocol("long", exchange=Exchange(rounds=2, stops=()))
    ran, again = await both(settings, protocol=long, budget=Budget(rounds=1))
    assert "allows 1 round" in ran.stop_reason
    assert again.model_dump_json() == ran.model_dump_json()


async def test_what_a_person_said_is_said_again(settings: Settings) -> None:
    with ModelServer(witness) as server:
        with pytest.raises(Waiting):
            await aask(QUESTION, [NOTE], thread="one", model=server.base_url, settings=settings, pause=("judge",))
        with pytest.raises(RunError, match="has not ended"):
            await replay(thread="one", settings=settings)
        ran = await aask(thread="one", resume=Guidance(action="edit", text="upstairs"), settings=settings)
    again = await replay(thread="one", settings=settings)
    assert again.answer == "upstairs"
    assert again.model_dump_json() == ran.model_dump_json()


async def test_a_second_question_comes_again_with_what_the_first_left(settings: Settings, tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    table.write_text("club,room\nbook,cellar\n")
    with ModelServer(witness) as server:
        options: dict[str, Any] = {"thread": "one", "model": server.base_url, "settings": settings}
        await aask(QUESTION, [NOTE], **options)
        ran = await aask("And what does the table say?", [table], **options)
    assert {evidence.media.name for evidence in ran.evidence} <= {"text.txt", "rooms.csv"}
    again = await replay(thread="one", settings=settings)
    assert again.model_dump_json() == ran.model_dump_json()


async def test_it_leaves_the_thread_as_it_is(settings: Settings) -> None:
    ran, _ = await both(settings)
    before = (settings.cache_dir / "runs.sqlite").read_bytes()
    await replay(thread="one", settings=settings)
    assert (settings.cache_dir / "runs.sqlite").read_bytes() == before
    assert await aask(thread="one", resume=True, settings=settings) == ran


async def test_what_the_journal_does_not_hold_is_no_loss_but_an_error(settings: Settings) -> None:
    """A changed prompt must not come out as a verdict with lost seats."""
    with ModelServer(witness) as server:
        experts = [Expert("reader", "a reader", model=server.base_url), PAIR[1]]
        await aask(QUESTION, [NOTE], thread="one", experts=experts, model=server.base_url, settings=settings)
    changed = [Expert("reader", "another reader", model=server.base_url), PAIR[1]]
    with pytest.raises(RunError, match="does not hold"):
        await replay(thread="one", settings=settings, experts=changed)


async def test_neither_key_nor_client_is_needed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"thread": "one", "settings": settings}
    with ModelServer(witness) as server, monkeypatch.context() as online:
        online.setenv("OPENAI_API_KEY", "sesame")
        online.setenv("OPENAI_API_BASE", server.base_url)
        ran = await aask(
            QUESTION, [NOTE], model="openai:one", judge="openai:two", fallbacks=["openai:three"], **options
        )
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    again = await replay(**options)
    assert again.model_dump_json() == ran.model_dump_json()
    with pytest.raises(RunError, match="does not hold"):
        await replay(model="openai:other", **options)
    with pytest.raises(RunError, match="does not hold"):
        await replay(judge="azure_openai:other", **options)


async def test_an_own_graph_needs_no_key_either_and_asks_again_afterwards(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver = in_memory()
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    with ModelServer(witness) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        async with Workbench(model="openai:one", settings=settings) as bench:
            options: dict[str, Any] = {
                "thread": "one",
                "settings": settings,
                "graph": debate(bench, checkpointer=saver),
            }
            ran = await aask(QUESTION, [NOTE], **options)
        async with Workbench(model="openai:one", settings=settings) as bench:
            options["graph"] = debate(bench, checkpointer=saver)
            monkeypatch.delenv("OPENAI_API_KEY")
            assert (await replay(**options)).model_dump_json() == ran.model_dump_json()
            monkeypatch.setenv("OPENAI_API_KEY", "sesame")
            assert (await aask(QUESTION, [NOTE], **options)).answer == ran.answer


async def test_what_is_not_there_cannot_be_replayed(settings: Settings) -> None:
    with pytest.raises(UnknownName):
        await replay(thread="one", settings=settings)
    with pytest.raises(BadConfiguration, match="none is named"):
        await replay(checkpointer="memory", settings=settings)
