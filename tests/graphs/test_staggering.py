"""An exchange in which one seat goes ahead, and the order in which requests and answers come and go."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from consilience.agents.expert import take_seats
from consilience.graphs.staggering import Stagger
from langchain_core.messages import BaseMessage

from consilience import Exchange, Expert, Protocol, Verdict, aask
from consilience.core.settings import Settings
from consilience.models import Endpoint
from consilience.models.clients import Given
from consilience.testing import ModelServer, ScriptedChatModel, ServerCall

NOTES = "The sign says platform 4, and it has said so for many years; nobody has changed it since the hall was built."
EXPERTS = [Expert(role, f"a {role}") for role in ("reader", "listener", "clerk")]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    judges = "You are the judge" in request["messages"][-1]["content"]
    return {"claims" if judges else "evidence": [], "stated": "fully", "answer": "platform 4"}


async def debated(model: Any, settings: Settings, **exchange: Any) -> Verdict:
    how = Protocol("so", exchange=Exchange(stops=(), **exchange), rule="judge")
    return await aask("Which platform?", [NOTES], model=model, experts=EXPERTS, protocol=how, settings=settings)


async def exchanged(settings: Settings, order: str, latency: float = 0.1) -> list[ServerCall]:
    """The calls of the exchange."""
    with ModelServer(answer, latency=latency) as server:
        await debated(f"{server.base_url}#m", settings, order=order)
        return [call for call in server.calls if "You are seat" in call.text]


async def test_those_who_follow_find_what_the_first_had_read(settings: Settings) -> None:
    first, *others = await exchanged(settings, "staggered")
    assert bool(first.body.get("stream"))
    for call in others:
        # They share more than what the openings began with, and it is there when they come.
        assert call.prompt.ready == call.prompt.cached > first.prompt.cached
    assert not any(call.body.get("stream") for call in others)


async def test_without_it_they_come_too_early(settings: Settings) -> None:
    # Long enough for all of a round to arrive before one is answered, however busy the machine.
    first, *others = await exchanged(settings, "simultaneous", latency=1.5)
    assert all(call.prompt.ready == first.prompt.ready < call.prompt.cached for call in others)


async def test_nobody_hears_who_went_ahead(settings: Settings) -> None:
    calls = await exchanged(settings, "staggered")
    assert len(calls) == 3
    assert all("Exchange:" not in call.text for call in calls)


async def test_one_that_is_lost_ahead_holds_nobody_up(settings: Settings) -> None:
    def reply(messages: list[BaseMessage]) -> Any:
        prompt = messages[-1].text
        if "You are seat A" in prompt:
            raise ConnectionError("gone")
        return answer({"messages": [{"content": prompt}]})

    verdict = await debated(ScriptedChatModel(replies=reply), settings, order="staggered")
    assert [fate.turns for fate in verdict.seats] == [1, 2, 2]
    assert "gone" in (verdict.seats[0].reason or "")


async def test_each_endpoint_has_one_that_goes_ahead() -> None:
    model = ScriptedChatModel(replies=[])
    one, other = Endpoint("one", Given(model)), Endpoint("other", Given(model))
    seats = take_seats([*EXPERTS, Expert("guide", "a guide")], [one, other, one, other])
    stagger = Stagger(seats)
    assert [stagger.on_text(seat) is not None for seat in seats] == [True, True, False, False]
    placed: list[str] = []

    async def follow(seat: Any) -> None:
        async with stagger.place(seat):
            placed.append(seat.letter)

    async with asyncio.TaskGroup() as group:
        _ = [group.create_task(follow(seat)) for seat in seats[2:]]
        with suppress(ZeroDivisionError):
            async with stagger.place(seats[1]):
                raise ZeroDivisionError
        begun = stagger.on_text(seats[0])
        assert begun
        begun("{")
    assert sorted(placed) == ["C", "D"]
