"""Every fault of a server, through a real client: its outcome is typed, and a retry saves what a retry can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

import pytest
from langchain_core.messages import HumanMessage

from consilience.core.errors import BadReply, BudgetSpent, CircuitOpen, ModelError, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models import Budget, Endpoint, Ledger, Meter, Reply, resolve
from consilience.models.failures import may_pass
from consilience.testing import Fault, FaultKind, ModelServer, at_rate, on_calls

ASKED = [HumanMessage("Which platform does the train to York leave from, by the sign and by the announcement?")]
SCHEMA = {"title": "sign", "type": "object", "properties": {"platform": {"type": "integer"}}}
RIGHT = {"platform": 9}

ALWAYS: dict[FaultKind, str] = {
    "rate_limit": "rate_limit",
    "server_error": "server",
    "reset": "connection",
    "hang": "timeout",
    "slow_drip": "timeout",
    "truncated_json": "truncated",
    "empty": "empty",
    "refusal": "refusal",
    "garbage": "a reply",
    "wrong_schema": "a reply",
    "length": "a reply",
}
"""What comes of a server where every call meets the fault: the kind of the error, or a reply to be validated."""

PASSING = ("rate_limit", "server_error", "reset", "hang", "slow_drip", "truncated_json", "empty")


def quick(**changed: Any) -> Settings:
    return Settings(**{"retries": 2, "retry_seconds": 0.01, "request_seconds": 0.5, **changed})


def fault(kind: FaultKind) -> Fault:
    # A drip of 20 pieces that takes longer than an attempt may.
    return Fault(kind, 0.1) if kind == "slow_drip" else Fault(kind)


def always(kind: FaultKind) -> Callable[[int, dict[str, Any]], Fault]:
    return lambda number, request: fault(kind)


async def outcome(endpoint: Endpoint, meter: Meter | None = None, **options: Any) -> Reply | ModelError:
    try:
        return await endpoint.complete(ASKED, schema=SCHEMA, meter=meter, **options)
    except ModelError as problem:
        return problem
    finally:
        await endpoint.close()


def test_no_fault_is_left_out() -> None:
    assert set(ALWAYS) == set(get_args(FaultKind))


@pytest.mark.parametrize("kind", get_args(FaultKind))
async def test_a_fault_that_stays_ends_typed(kind: FaultKind) -> None:
    meter = Meter()
    with ModelServer(lambda request: RIGHT, faults=always(kind)) as server:
        told = await outcome(resolve(server.base_url, quick()), meter)
        made = len(server.calls)
    if ALWAYS[kind] == "a reply":
        assert isinstance(told, Reply)
        assert (told.text.strip() != "", told.cut, made) == (True, kind == "length", 1)
        return
    assert isinstance(told, ModelUnavailable | BadReply)
    assert told.kind == ALWAYS[kind]
    assert told.attempts == meter.usage.calls == meter.usage.failed == made
    assert made == (3 if may_pass(told) else 1) or kind == "empty"
    assert meter.models == ()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", PASSING)
async def test_a_fault_that_passes_is_overcome(kind: FaultKind, stream: bool) -> None:
    meter = Meter()
    pieces: list[str] = []
    with ModelServer(lambda request: RIGHT, faults=[fault(kind)]) as server:
        endpoint = resolve(server.base_url, quick())
        told = await outcome(endpoint, meter, on_text=pieces.append if stream else None)
        prompts = [call.prompt.tokens for call in server.calls]
    assert isinstance(told, Reply)
    assert (told.text, told.attempts, told.method) == ('{"platform": 9}', 2, "json_schema")
    assert (told.usage.calls, told.usage.failed) == (2, 1)
    assert told.usage == meter.usage
    assert meter.models == (endpoint.name,)
    # What was turned away is not paid for; of what may have been read, the prompt is.
    read = kind not in ("rate_limit", "server_error")
    assert (told.usage.prompt_tokens >= sum(prompts)) is read
    if not stream:
        assert pieces == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_is_no_reply(stream: bool) -> None:
    meter = Meter()
    with ModelServer(lambda request: RIGHT, faults=always("refusal")) as server:
        told = await outcome(resolve(server.base_url, quick()), meter, on_text=(lambda piece: None) if stream else None)
    assert isinstance(told, BadReply)
    assert (told.kind, told.reply) == ("refusal", "I cannot help with that.")
    assert meter.usage.completion_tokens > 0


async def test_a_token_limit_before_the_first_word_is_no_reply() -> None:
    with ModelServer([""], faults=[Fault("length")]) as server:
        told = await outcome(resolve(server.base_url, quick()))
    assert isinstance(told, BadReply)
    assert (told.kind, told.attempts) == ("cut", 1)


async def test_the_wait_is_as_long_as_the_server_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await really(0)

    monkeypatch.setattr("consilience.models.call.asyncio.sleep", sleep)
    with ModelServer(lambda request: RIGHT, faults=[Fault("rate_limit", 7)]) as server:
        told = await outcome(resolve(server.base_url, quick(retry_seconds=30, request_seconds=60)))
    assert isinstance(told, Reply)
    assert 7 <= waits[0] <= 7.5


async def test_a_server_that_wants_a_long_wait_is_given_up_at_once() -> None:
    with ModelServer(faults=on_calls(Fault("rate_limit", 3600), 0)) as server:
        told = await outcome(resolve(server.base_url, quick(retry_seconds=30)))
        assert len(server.calls) == 1
    assert isinstance(told, ModelUnavailable)
    assert (told.kind, told.retry_after, told.attempts) == ("rate_limit", 3600, 1)


async def test_at_thirty_per_cent_of_faults_no_call_is_lost() -> None:
    faults = [fault(kind) for kind in PASSING if kind not in ("hang", "slow_drip")]
    with ModelServer(lambda request: RIGHT, faults=at_rate(0.3, faults, seed=4)) as server:
        endpoint = resolve(server.base_url, quick(retries=8, request_seconds=60))
        meter = Meter()
        replies = await asyncio.gather(
            *(endpoint.complete(ASKED, schema=SCHEMA, meter=meter) for _ in range(60)), return_exceptions=True
        )
        await endpoint.close()
        met = sum(call.fault is not None for call in server.calls)
        made = len(server.calls)
    assert [reply for reply in replies if not isinstance(reply, Reply)] == []
    assert all(reply.text == '{"platform": 9}' for reply in replies if isinstance(reply, Reply))
    assert meter.usage.failed == met > 10
    assert meter.usage.calls == made == 60 + met


async def test_an_endpoint_that_keeps_failing_is_left_alone() -> None:
    with ModelServer(lambda request: RIGHT, faults=always("server_error")) as server:
        endpoint = resolve(server.base_url, quick(retries=0, breaker_failures=3, breaker_seconds=60))
        for _ in range(3):
            assert isinstance(await outcome(endpoint), ModelUnavailable)
        assert endpoint.breaker == "open"
        told = await outcome(endpoint)
        assert isinstance(told, CircuitOpen)
        assert 0 < (told.retry_after or 0) <= 60
        assert len(server.calls) == 3


async def test_an_endpoint_that_is_back_is_used_again() -> None:
    with ModelServer(lambda request: RIGHT, faults=[Fault("server_error")]) as server:
        endpoint = resolve(server.base_url, quick(retries=0, breaker_failures=1, breaker_seconds=1e-9))
        assert isinstance(await outcome(endpoint), ModelUnavailable)
        assert endpoint.breaker == "half_open"
        assert isinstance(await outcome(endpoint), Reply)
        assert endpoint.breaker == "closed"


async def test_a_budget_of_calls_counts_attempts() -> None:
    meter = Meter(Ledger(Budget(calls=2)))
    with ModelServer(lambda request: RIGHT, faults=always("server_error")) as server:
        with pytest.raises(BudgetSpent, match="budget of 2 calls"):
            await outcome(resolve(server.base_url, quick(retries=5)), meter)
        assert len(server.calls) == 2


async def test_a_call_that_does_not_fit_is_not_made() -> None:
    ledger = Ledger(Budget(tokens=500, reply_tokens=600))
    with ModelServer(lambda request: RIGHT) as server:
        with pytest.raises(BudgetSpent) as raised:
            await outcome(resolve(server.base_url, quick()), Meter(ledger))
        assert not server.calls
    assert (raised.value.limit, ledger.spent.calls) == ("tokens", 0)


async def test_calls_at_once_hold_a_budget_of_tokens() -> None:
    ledger = Ledger(Budget(tokens=800, reply_tokens=200))
    with ModelServer(lambda request: RIGHT, latency=0.05) as server:
        endpoint = resolve(server.base_url, quick(request_seconds=60))
        calls = [endpoint.complete(ASKED, meter=Meter(ledger)) for _ in range(40)]
        told = await asyncio.gather(*calls, return_exceptions=True)
        await endpoint.close()
        made = len(server.calls)
    assert {type(each) for each in told} == {Reply, BudgetSpent}
    assert made == sum(isinstance(each, Reply) for each in told) == ledger.spent.calls
    assert ledger.spent.tokens <= 800


async def test_a_call_in_flight_ends_with_the_time_of_the_run() -> None:
    with ModelServer(faults=always("hang")) as server:
        endpoint = resolve(server.base_url, quick(request_seconds=60))
        await endpoint.open()
        ledger = Ledger(Budget(seconds=0.3))
        meter = Meter(ledger)
        with pytest.raises(BudgetSpent) as raised:
            await outcome(endpoint, meter)
    assert (raised.value.limit, raised.value.allowed) == ("seconds", 0.3)
    # The prompt may have been read.
    assert meter.usage.prompt_tokens == ledger.spent.prompt_tokens > 0


async def test_no_wait_goes_beyond_the_time_of_the_run() -> None:
    with ModelServer(faults=[Fault("rate_limit", 20)]) as server:
        endpoint = resolve(server.base_url, quick(retry_seconds=30, request_seconds=60))
        with pytest.raises(BudgetSpent) as raised:
            await outcome(endpoint, Meter(Ledger(Budget(seconds=15))))
    assert (raised.value.limit, raised.value.wanted >= 20) == ("seconds", True)


async def test_a_call_that_is_cancelled_is_settled() -> None:
    ledger = Ledger(Budget(calls=2))
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(number: int, request: dict[str, Any]) -> Fault | None:
        loop.call_soon_threadsafe(arrived.set)
        return None if number else Fault("hang")

    with ModelServer(lambda request: RIGHT, faults=hang) as server:
        endpoint = resolve(server.base_url, quick(request_seconds=60))
        waiting = asyncio.ensure_future(endpoint.complete(ASKED, meter=Meter(ledger)))
        await arrived.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (ledger.spent.calls, ledger.spent.failed) == (1, 1)
        assert isinstance(await outcome(endpoint, Meter(ledger)), Reply)
