from __future__ import annotations

from collections.abc import Iterator

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda

from consilience.core.errors import BudgetSpent, MissingExtra, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models import Budget, Endpoint, Ledger, Meter, resolve
from consilience.testing import Fault, ModelServer, ScriptedChatModel

ASKED = [HumanMessage("Which platform?")]
QUICK = Settings(retries=1, retry_seconds=0.01)


@pytest.fixture
def down() -> Iterator[ModelServer]:
    with ModelServer(faults=lambda number, request: Fault("server_error"), model="down") as server:
        yield server


@pytest.fixture
def up() -> Iterator[ModelServer]:
    with ModelServer(lambda request: "nine", model="up") as server:
        yield server


def named(server: ModelServer) -> str:
    return f"{server.base_url}#{server.model}"


async def test_a_call_that_fails_for_good_is_made_on_the_next(down: ModelServer, up: ModelServer) -> None:
    meter = Meter()
    endpoint = resolve(named(down), QUICK, fallbacks=[named(up)])
    reply = await endpoint.complete(ASKED, meter=meter)
    await endpoint.close()
    assert (reply.text, reply.model, reply.attempts) == ("nine", named(up), 3)
    assert len(reply.passed_over) == 1
    assert reply.passed_over[0].startswith(f"{named(down)}: failed with an error of its own")
    assert (meter.models, meter.passed_over) == ((named(up),), reply.passed_over)
    assert (reply.usage.calls, reply.usage.failed) == (3, 2)
    assert (len(down.calls), len(up.calls)) == (2, 1)


async def test_a_model_that_answers_needs_no_other(down: ModelServer, up: ModelServer) -> None:
    endpoint = resolve(named(up), QUICK, fallbacks=[named(down)])
    reply = await endpoint.complete(ASKED)
    await endpoint.close()
    assert (reply.model, reply.passed_over, reply.attempts) == (named(up), (), 1)
    assert not down.calls


async def test_when_all_fail_the_last_one_tells(down: ModelServer) -> None:
    meter = Meter()
    with ModelServer(api_key="another") as locked:
        endpoint = resolve(named(down), QUICK, fallbacks=[named(locked)])
        with pytest.raises(ModelUnavailable, match="key was refused") as raised:
            await endpoint.complete(ASKED, meter=meter)
        await endpoint.close()
    assert raised.value.attempts == 1
    assert (meter.models, len(meter.passed_over)) == ((), 1)
    assert "Asked 2 times." in meter.passed_over[0]


async def test_a_model_that_is_left_alone_costs_no_time(down: ModelServer, up: ModelServer) -> None:
    settings = Settings(retries=0, breaker_failures=1, breaker_seconds=600)
    endpoint = resolve(named(down), settings, fallbacks=[named(up)])
    replies = [await endpoint.complete(ASKED) for _ in range(3)]
    await endpoint.close()
    assert [reply.model for reply in replies] == [named(up)] * 3
    assert "left alone until" in replies[1].passed_over[0]
    assert len(down.calls) == 1


async def test_the_settings_name_fallbacks(down: ModelServer, up: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIENCE_FALLBACKS", f" {named(down)}, {named(up)} ")
    monkeypatch.setenv("CONSILIENCE_RETRIES", "0")
    endpoint = resolve(named(down))
    # A model is no fallback of itself.
    assert [other.name for other in endpoint.fallbacks] == [named(up)]
    assert (await endpoint.complete(ASKED)).text == "nine"
    await endpoint.close()
    assert resolve(endpoint).fallbacks == endpoint.fallbacks


async def test_any_model_may_stand_in(down: ModelServer) -> None:
    chain = RunnableLambda(lambda messages: "by a chain", name="chain")
    model = ScriptedChatModel(replies=[RuntimeError("no luck")])
    endpoint = resolve(named(down), QUICK, fallbacks=[model, resolve(chain)])
    reply = await endpoint.complete(ASKED)
    await endpoint.close()
    assert (reply.text, reply.model, reply.method) == ("by a chain", "chain", "text")
    assert len(reply.passed_over) == 2


def test_fallbacks_of_fallbacks_count_and_the_endpoint_itself_stays() -> None:
    one, two, three = (resolve(ScriptedChatModel(model_name=name)) for name in ("one", "two", "three"))
    chained = one.with_fallbacks(two.with_fallbacks(three))
    assert [other.name for other in chained.fallbacks] == ["two", "three"]
    assert one.fallbacks == ()


async def test_nobody_takes_over_what_the_caller_has_to_mend() -> None:
    other = ScriptedChatModel(replies=["never"])
    first = resolve(ScriptedChatModel(replies=[MissingExtra("p", "e", "It")]))
    with pytest.raises(MissingExtra):
        await first.with_fallbacks(resolve(other)).complete(ASKED)
    assert other.call_count == 0


async def test_nobody_takes_over_when_the_budget_is_spent(down: ModelServer, up: ModelServer) -> None:
    endpoint: Endpoint = resolve(named(down), QUICK, fallbacks=[named(up)])
    meter = Meter(Ledger(Budget(calls=1)))
    with pytest.raises(BudgetSpent):
        await endpoint.complete(ASKED, meter=meter)
    await endpoint.close()
    assert not up.calls
