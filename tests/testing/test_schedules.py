from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_openai import ChatOpenAI

from consilience.testing import Fault, ModelServer, at_rate, either, on_calls, where

ClientOf = Callable[..., ChatOpenAI]
RESET, ERROR = Fault("reset"), Fault("server_error")


def asking(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def test_by_number() -> None:
    schedule = on_calls(RESET, 0, 2)
    assert [schedule(number, {}) for number in range(4)] == [RESET, None, RESET, None]


@given(st.sampled_from([0.0, 0.05, 0.3, 1.0]), st.integers(0, 50))
def test_at_a_rate_always_the_same_ones(rate: float, seed: int) -> None:
    schedule = at_rate(rate, [RESET, ERROR], seed=seed)
    met = [schedule(number, {}) for number in range(2000)]
    assert met == [schedule(number, {}) for number in range(2000)]
    share = sum(fault is not None for fault in met) / len(met)
    # Six standard deviations of a share of 2,000.
    assert abs(share - rate) <= 6 * (rate * (1 - rate) / 2000) ** 0.5
    if rate == 1:
        assert {RESET, ERROR} == set(met)


def test_another_seed_picks_others() -> None:
    one, other = at_rate(0.3, [RESET]), at_rate(0.3, [RESET], seed=1)
    assert [one(n, {}) for n in range(100)] != [other(n, {}) for n in range(100)]


@pytest.mark.parametrize(("rate", "faults"), [(-0.1, [RESET]), (1.1, [RESET]), (0.5, [])])
def test_a_rate_that_is_none(rate: float, faults: list[Fault]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        at_rate(rate, faults)


def test_by_what_the_prompt_says() -> None:
    judge = where("You are the judge", RESET, times=2)
    told = [judge(n, asking(text)) for n, text in enumerate(["seat", *["You are the judge."] * 3])]
    assert told == [None, RESET, RESET, None]
    streamed = where(lambda request: bool(request.get("stream")), ERROR)
    assert (streamed(0, {"stream": True}), streamed(1, {})) == (ERROR, None)


def test_the_first_schedule_that_has_a_fault() -> None:
    schedule = either([None, ERROR], on_calls(RESET, 0, 1))
    assert [schedule(n, {}) for n in range(3)] == [RESET, ERROR, None]


async def test_prompts_that_fly_together_are_not_ready(async_client_of: ClientOf) -> None:
    record = "an observation; " * 40
    with ModelServer(latency=0.2) as server:
        client = async_client_of(server)
        await asyncio.gather(*(client.ainvoke(record) for _ in range(3)))
        together = server.prompt
        await client.ainvoke(record)
        later = server.calls[-1].prompt
    # Two of the three came after the first, but none was answered by then.
    assert (together.cached, together.ready) == (2 * 160, 0)
    assert (later.cached, later.ready) == (160, 160)
    assert server.prompt.tokens == 4 * later.tokens
