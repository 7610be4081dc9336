from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consilience.models import Meter, Usage, price

COUNTS = st.integers(0, 10**6)
# Quarters add up exactly, in any order.
QUARTERS = st.integers(0, 400).map(lambda number: number / 4)
USAGES = st.builds(
    Usage,
    calls=COUNTS,
    failed=COUNTS,
    prompt_tokens=COUNTS,
    cached_tokens=COUNTS,
    completion_tokens=COUNTS,
    seconds=QUARTERS,
    cost=st.none() | QUARTERS,
)


@given(USAGES, USAGES, USAGES)
def test_usage_adds_up_in_any_order(one: Usage, two: Usage, three: Usage) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + Usage() == one


@given(st.lists(USAGES))
def test_a_sum_is_field_by_field(usages: list[Usage]) -> None:
    total = sum(usages, Usage())
    for name in ("calls", "failed", "prompt_tokens", "cached_tokens", "completion_tokens", "tokens", "seconds"):
        assert getattr(total, name) == sum(getattr(usage, name) for usage in usages)
    costs = [usage.cost for usage in usages]
    assert total.cost == (None if None in costs else sum(cost for cost in costs if cost))


@given(st.lists(USAGES))
def test_a_meter_adds_up(usages: list[Usage]) -> None:
    meter = Meter()
    for usage in usages:
        meter.add(usage)
    assert meter.usage == sum(usages, Usage())


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    assert (Usage(cost=1.5) + Usage(cost=None) + Usage(cost=0.5)).cost is None


@pytest.mark.parametrize("field", ["calls", "failed", "prompt_tokens", "cached_tokens", "completion_tokens", "seconds"])
def test_nothing_is_negative(field: str) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Usage.model_validate({field: -1})


def test_a_call_is_read_from_its_metadata() -> None:
    metadata = {"input_tokens": 100, "output_tokens": 20, "input_token_details": {"cache_read": 64}}
    usage = Usage.of_call(metadata, seconds=1.23456, provider="embedded", model="m")
    assert usage == Usage(calls=1, prompt_tokens=100, cached_tokens=64, completion_tokens=20, seconds=1.235, cost=0.0)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (None, (0, 0, 0)),
        ({}, (0, 0, 0)),
        ({"input_tokens": 5, "output_tokens": 2}, (5, 0, 2)),
        ({"input_tokens": 5, "output_tokens": 2, "input_token_details": None}, (5, 0, 2)),
        ({"input_tokens": 5, "output_tokens": 2, "input_token_details": {"cache_read": None}}, (5, 0, 2)),
        # More cached than read, as some servers count: it cannot be.
        ({"input_tokens": 5, "output_tokens": 2, "input_token_details": {"cache_read": 9}}, (5, 5, 2)),
    ],
)
def test_what_an_endpoint_does_not_report_counts_nothing(
    metadata: dict[str, object] | None, expected: tuple[int, int, int]
) -> None:
    usage = Usage.of_call(metadata, seconds=0, provider="embedded", model="m")
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == expected
    assert usage.calls == 1


def test_the_embedded_model_is_free() -> None:
    assert price(10**9, 10**9, provider="embedded", model="anything") == 0


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "no-such-model"), ("openai-compatible", "m"), ("unknown", ""), ("scripted", "m")]
)
def test_a_price_that_nobody_knows_is_none(provider: str, model: str) -> None:
    assert price(10, 10, provider=provider, model=model) is None


def test_a_known_price_grows_with_every_token() -> None:
    def cost(prompt: int, completion: int) -> float:
        found = price(prompt, completion, provider="openai", model="gpt-4o")
        assert found is not None
        return found

    assert cost(0, 0) == 0
    assert cost(1000, 0) > 0
    assert cost(0, 1000) > cost(1000, 0)
    assert cost(2000, 1000) == pytest.approx(2 * cost(1000, 0) + cost(0, 1000))


def test_cached_tokens_cost_less() -> None:
    metadata = {"input_tokens": 1000, "output_tokens": 10}
    fresh, cached = (
        Usage.of_call(
            {**metadata, "input_token_details": {"cache_read": read}}, seconds=0, provider="openai", model=model
        )
        for read, model in ((0, "gpt-4o"), (1000, "gpt-4o"))
    )
    assert fresh.cost is not None
    assert cached.cost is not None
    assert 0 < cached.cost < fresh.cost
    assert fresh.cost == price(1000, 10, provider="openai", model="gpt-4o")
    assert cached.cost == price(1000, 10, 1000, provider="openai", model="gpt-4o")


def test_without_the_price_list_no_price_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    # A model that nobody has asked for yet: what is looked up is kept.
    assert price(10, 10, provider="openai", model="gpt-4.1-nano") is None
    assert price(10, 10, provider="embedded", model="m") == 0
