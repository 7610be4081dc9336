from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from consilience.core.errors import BadConfiguration, BudgetSpent
from consilience.models import Budget, Estimate, Ledger, Reservation, Sampling, Usage, price
from consilience.models.calling import Prompt
from consilience.models.estimate import estimated, prompt_tokens

# Eighths add up exactly.
MONEY = st.integers(0, 80).map(lambda number: number / 8)
CALLS = st.tuples(st.integers(0, 100), MONEY, st.integers(0, 150), MONEY)
"""Estimated tokens and cost, then what it really takes."""


def ledger_of(**limits: float) -> Ledger:
    return Ledger(Budget(**limits))  # type: ignore[arg-type]


def taking(tokens: int = 0, cost: float | None = 0.0) -> Estimate:
    return Estimate("m", tokens, cost)


def used(tokens: int = 0, cost: float | None = 0.0) -> Usage:
    return Usage(calls=1, prompt_tokens=tokens, cost=cost)


@given(
    st.integers(0, 500),
    MONEY,
    st.integers(0, 12),
    st.lists(st.one_of(CALLS, st.integers(0, 5)), max_size=40),
)
def test_at_every_admission_all_that_may_be_spent_stays_within_the_limits(
    tokens: int, money: float, calls: int, steps: list[tuple[int, float, int, float] | int]
) -> None:
    """A step begins a call, or ends the one of that number among those in flight."""
    ledger = ledger_of(tokens=tokens, money=money, calls=calls)
    flying: list[tuple[Reservation, int, float]] = []
    admitted = 0
    for step in steps:
        if isinstance(step, int):
            if flying:
                reservation, took, paid = flying.pop(step % len(flying))
                ledger.settle(reservation, used(took, paid))
            continue
        held_tokens = sum(held.estimate.tokens for held, _, _ in flying)
        held_money = sum(held.estimate.cost or 0 for held, _, _ in flying)
        spent = ledger.spent
        fits = (
            admitted + 1 <= calls
            and spent.tokens + held_tokens + step[0] <= tokens
            and (spent.cost or 0) + held_money + step[1] <= money
        )
        try:
            flying.append((ledger.admit(taking(step[0], step[1])), step[2], step[3]))
        except BudgetSpent:
            assert not fits
        else:
            assert fits
            admitted += 1
    for reservation, took, paid in flying:
        ledger.settle(reservation, used(took, paid))
    assert ledger.spent.calls == admitted <= calls


@given(st.integers(1, 500), st.lists(CALLS, max_size=30))
def test_one_call_after_the_other_exceeds_by_one_calls_error_at_most(
    tokens: int, calls: list[tuple[int, float, int, float]]
) -> None:
    ledger = ledger_of(tokens=tokens)
    last_error = 0
    for estimate, _, took, _ in calls:
        try:
            reservation = ledger.admit(taking(estimate))
        except BudgetSpent:
            continue
        ledger.settle(reservation, used(took))
        last_error = max(last_error, took - estimate)
        assert ledger.spent.tokens <= tokens + max(0, last_error)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=30), st.integers(0, 500))
def test_with_true_upper_bounds_a_limit_is_never_exceeded(calls: list[tuple[int, int]], tokens: int) -> None:
    ledger = ledger_of(tokens=tokens)
    for one, other in calls:
        try:
            reservation = ledger.admit(taking(max(one, other)))
        except BudgetSpent:
            continue
        ledger.settle(reservation, used(min(one, other)))
    assert ledger.spent.tokens <= tokens


@pytest.mark.parametrize(
    ("limits", "estimate", "limit"),
    [
        ({"calls": 0}, taking(), "calls"),
        ({"tokens": 99}, taking(100), "tokens"),
        ({"money": 0.5}, taking(0, 0.75), "money"),
        ({"seconds": 0}, taking(), "seconds"),
    ],
)
def test_the_limit_that_was_hit_is_named(limits: dict[str, float], estimate: Estimate, limit: str) -> None:
    with pytest.raises(BudgetSpent) as raised:
        ledger_of(**limits).admit(estimate)
    assert raised.value.limit == limit
    assert raised.value.allowed == limits[limit]
    assert raised.value.spent + raised.value.wanted >= raised.value.allowed
    assert "Raise the budget" in raised.value.cure


def test_no_limit_admits_everything() -> None:
    ledger = Ledger(Budget())
    assert ledger.admit(taking(10**9, None)).estimate.tokens == 10**9
    assert ledger.seconds_left == float("inf")


def test_threads_together_get_no_more_than_one_would() -> None:
    ledger = ledger_of(calls=100)
    admitted: list[Reservation] = []
    start = threading.Barrier(8)

    def spend() -> None:
        start.wait()
        for _ in range(50):
            try:
                reservation = ledger.admit(taking())
            except BudgetSpent:
                return
            admitted.append(reservation)
            ledger.settle(reservation, used())

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == ledger.spent.calls == 100


def test_time_runs_from_the_start_also_of_a_run_that_is_resumed() -> None:
    now = [50.0]
    ledger = Ledger(Budget(seconds=10), spent=Usage(calls=3), elapsed=4, clock=lambda: now[0])
    assert (ledger.seconds, ledger.seconds_left, ledger.spent.calls) == (4, 6, 3)
    now[0] += 5
    ledger.settle(ledger.admit(taking()), used())
    ledger.check_time(1)
    with pytest.raises(BudgetSpent, match="budget of 10 seconds"):
        ledger.check_time(1.5)
    now[0] += 1
    with pytest.raises(BudgetSpent):
        ledger.admit(taking())
    assert ledger.seconds_left == 0


def test_money_without_a_known_price_cannot_be_held_to() -> None:
    with pytest.raises(BadConfiguration, match="price of m is not known") as raised:
        ledger_of(money=1).admit(taking(10, None))
    assert "consilience[prices]" in raised.value.cure
    assert ledger_of(tokens=10).admit(taking(10, None))


def test_a_price_that_is_unknown_afterwards_counts_by_estimate() -> None:
    ledger = ledger_of(money=1)
    ledger.settle(ledger.admit(taking(0, 0.75)), used(0, None))
    with pytest.raises(BudgetSpent, match="budget of 1 US dollars"):
        ledger.admit(taking(0, 0.5))


def test_a_reservation_is_settled_once() -> None:
    ledger = Ledger(Budget())
    reservation = ledger.admit(taking())
    ledger.settle(reservation, used())
    with pytest.raises(KeyError):
        ledger.settle(reservation, used())


@pytest.mark.parametrize("limits", [{"tokens": -1}, {"money": -0.5}, {"seconds": float("nan")}, {"calls": -1}])
def test_a_negative_limit_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(BadConfiguration, match="negative"):
        Budget(**limits)  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=400))
def test_an_estimate_counts_at_least_four_characters_a_token(text: str) -> None:
    assert prompt_tokens(Prompt((HumanMessage(text),))) > len(text) / 4


def test_an_estimate_counts_schema_reply_and_media() -> None:
    plain = Prompt((HumanMessage("hello"),))
    assert prompt_tokens(Prompt(plain.messages, schema={"title": "x" * 300})) >= prompt_tokens(plain) + 100
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}
    shown = Prompt((HumanMessage([{"type": "text", "text": "hello"}, picture]),))
    assert prompt_tokens(shown) == prompt_tokens(plain) + 1500
    read = prompt_tokens(plain)
    assert estimated(plain, 1000, "openai", "gpt-4o") == Estimate(
        "gpt-4o", read + 1000, price(read, 1000, provider="openai", model="gpt-4o")
    )
    short = Prompt(plain.messages, sampling=Sampling(max_tokens=7))
    assert estimated(short, 1000, "embedded", "m") == Estimate("m", read + 7, 0.0)
