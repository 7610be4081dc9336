"""How endpoints were asked for structured output, as a run tells it: in each seat's fate and in its events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from consilience.agents import SeatFate
from consilience.graphs import replay
from consilience.graphs.state import Spent
from langchain_core.runnables import RunnableLambda

from consilience import Expert, Verdict, astream
from consilience.core.settings import Settings
from consilience.models import Usage
from consilience.testing import ModelServer, ScriptedChatModel

NOTE = "The sign says platform 4."
TURN = {"evidence": [{"label": "t1", "quote": "platform 4"}], "stated": "fully", "answer": "platform 4"}


def knowing(method: str) -> ModelServer:
    """A server that refuses, by name, all ways of asking but one."""

    def answer(request: dict[str, Any]) -> Any:
        way = "json_schema" if "response_format" in request else "function_calling" if "tools" in request else "text"
        return json.dumps(TURN) if way == method else ""

    return ModelServer(answer)


async def run(settings: Settings, **options: Any) -> tuple[list[Any], Verdict]:
    how: Any = {"experts": [Expert("reader", "a reader")], "protocol": "vote", "settings": settings, **options}
    events = [event async for event in astream("Which platform?", [NOTE], **how)]
    return events, events[-1].verdict  # type: ignore[union-attr]


@pytest.mark.parametrize("method", ["json_schema", "text"])
async def test_the_way_that_worked_stands_in_the_fate_and_in_the_event(settings: Settings, method: str) -> None:
    quick = settings.model_copy(update={"retries": 4, "retry_seconds": 0.01})
    with knowing(method) as server:
        events, verdict = await run(quick, model=server.base_url)
    (fate,) = verdict.seats
    assert (fate.status, fate.methods) == ("answered", (method,))
    assert [event.spent.methods for event in events if event.type == "used"] == [(method,)]
    assert json.loads(verdict.model_dump_json())["seats"][0]["methods"] == [method]


async def test_a_runnable_is_asked_in_words_and_a_lost_seat_by_no_way(settings: Settings) -> None:
    def lost(_: Any) -> Any:
        raise ConnectionError("gone")

    words = Expert("rule", "a rule", model=RunnableLambda(lambda messages: "platform 4"))
    gone = Expert("gone", "an expert", model=ScriptedChatModel(replies=lost))
    _, verdict = await run(settings, experts=[words, gone])
    assert [fate.methods for fate in verdict.seats] == [("text",), ()]


async def test_a_replayed_run_tells_it_too(settings: Settings) -> None:
    model = ScriptedChatModel(replies=lambda _: TURN)
    kept: Any = {"model": model, "experts": [Expert("reader", "a reader")], "settings": settings}
    _, ran = await run(settings, model=model, thread="one")
    again = await replay(thread="one", **kept)
    assert again.seats[0].methods == ran.seats[0].methods == ("native",)


def test_what_earlier_versions_wrote_is_read() -> None:
    fate = {"seat": "A", "expert": "x", "model": "m", "status": "answered", "turns": 1}
    assert SeatFate.model_validate(fate).methods == ()
    assert Spent.model_validate({"seat": "A", "phase": "opening", "usage": Usage().model_dump()}).methods == ()
