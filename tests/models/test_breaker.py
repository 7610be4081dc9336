from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consilience.core.errors import BadReply, CircuitOpen, ModelUnavailable
from consilience.models.breaker import Breaker

FAILURES, SECONDS = 3, 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class BreakerMachine(RuleBasedStateMachine):
    """Calls one after the other and at once, against what the docstring of the module says."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker("m", failures=FAILURES, seconds=SECONDS, clock=self.clock)
        self.in_a_row = 0
        self.opened: float | None = None
        self.trying = False
        self.before: list[bool] = []  # calls in flight, each with whether it tries a half-open endpoint

    @property
    def expected(self) -> str:
        if self.opened is None:
            return "closed"
        return "half_open" if self.clock.now >= self.opened + SECONDS else "open"

    @rule(seconds=st.sampled_from([1.0, 29.0, 30.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def a_call_comes(self) -> None:
        passes = self.expected == "closed" or (self.expected == "half_open" and not self.trying)
        if not passes:
            with pytest.raises(CircuitOpen) as raised:
                self.breaker.admit()
            assert 0 <= (raised.value.retry_after or 0) <= SECONDS
            return
        tries = self.expected == "half_open"
        assert self.breaker.admit() is tries
        self.trying = self.trying or tries
        self.before.append(tries)

    @precondition(lambda self: self.before)
    @rule(data=st.data())
    def a_call_succeeds(self, data: st.DataObject) -> None:
        self.before.pop(data.draw(st.integers(0, len(self.before) - 1)))
        self.breaker.succeeded()
        self.in_a_row, self.opened, self.trying = 0, None, False

    @precondition(lambda self: self.before)
    @rule(data=st.data())
    def a_call_fails(self, data: st.DataObject) -> None:
        self.before.pop(data.draw(st.integers(0, len(self.before) - 1)))
        self.breaker.failed()
        self.in_a_row += 1
        if self.trying or (self.opened is None and self.in_a_row >= FAILURES):
            self.opened, self.trying = self.clock.now, False

    @precondition(lambda self: any(self.before))
    @rule()
    def the_call_that_tries_is_cancelled(self) -> None:
        self.before.remove(True)
        self.breaker.abandoned()
        self.trying = False

    @invariant()
    def it_is_where_it_should_be(self) -> None:
        assert self.breaker.state == self.expected

    @invariant()
    def it_opens_after_failures_alone(self) -> None:
        assert self.breaker.state == "closed" or self.in_a_row >= FAILURES


TestBreaker = BreakerMachine.TestCase


def through(breaker: Breaker, problem: BaseException | None = None) -> None:
    with breaker.watch():
        if problem:
            raise problem


def down() -> ModelUnavailable:
    return ModelUnavailable("m", "down.", kind="connection")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock) -> Breaker:
    breaker = Breaker("m", failures=2, seconds=30, clock=clock)
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            through(breaker, down())
    return breaker


def test_it_tells_when_it_is_tried_again(opened: Breaker, clock: Clock) -> None:
    clock.now += 10
    with pytest.raises(CircuitOpen) as raised:
        through(opened)
    assert raised.value.retry_after == 20
    assert abs(raised.value.again_at - datetime.now(UTC) - timedelta(seconds=20)) < timedelta(seconds=10)
    assert (raised.value.kind, raised.value.attempts) == ("resting", 0)
    assert "failed 2 times in a row" in raised.value.problem
    assert "CONSILIENCE_FALLBACKS" in raised.value.cure


def test_one_call_tries_while_others_wait(opened: Breaker, clock: Clock) -> None:
    clock.now += 30
    with opened.watch():
        assert opened.state == "half_open"
        with pytest.raises(CircuitOpen):
            through(opened)
    assert opened.state == "closed"


def test_a_failed_trial_opens_it_again(opened: Breaker, clock: Clock) -> None:
    clock.now += 30
    with pytest.raises(ModelUnavailable, match="down"):
        through(opened, down())
    assert opened.state == "open"


def test_a_cancelled_trial_lets_another_try(opened: Breaker, clock: Clock) -> None:
    clock.now += 30
    with pytest.raises(asyncio.CancelledError):
        through(opened, asyncio.CancelledError())
    assert opened.state == "half_open"
    through(opened)
    assert opened.state == "closed"


@pytest.mark.parametrize(
    "problem", [BadReply("m", "no.", kind="refusal"), ModelUnavailable("m", "no.", kind="key"), KeyError()]
)
def test_what_an_endpoint_answers_is_no_sign_that_it_is_down(problem: Exception) -> None:
    breaker = Breaker("m", failures=1)
    with pytest.raises(type(problem)):
        through(breaker, problem)
    assert breaker.state == "closed"
