"""Repeating what may pass: the one layer that does; the clients' own retries are switched off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from consilience.core.errors import ModelUnavailable
from consilience.core.settings import Settings
from consilience.models.failures import may_pass

__all__ = ["Patience", "persist"]

T = TypeVar("T")

_FIRST_WAIT = 0.5
_RETRIES_UNREACHABLE = 2


@dataclass(frozen=True)
class Patience:
    """How long an endpoint is waited for, how often it is asked, and when it is left alone.

    The waits are exponential with full jitter (Brooker 2015, "Exponential Backoff And Jitter"): before repetition n a
    random time up to 0.5 * 2^(n-1) seconds. An endpoint that says when it wants to be asked again is asked then, or
    never where that is later than `longest_wait`. One that no connection comes about with is tried twice more at most.

    Attributes:
        seconds: time-out of an attempt, from its admission.
        retries: repetitions of a call.
        longest_wait: seconds before a repetition at most.
        breaker_failures: calls in a row that fail for good until the endpoint is left alone.
        breaker_seconds: how long that lasts.
    """

    seconds: float = 300
    retries: int = 6
    longest_wait: float = 30
    breaker_failures: int = 5
    breaker_seconds: float = 30

    @classmethod
    def of(cls, settings: Settings) -> Patience:
        """As the user set it."""
        return cls(
            seconds=settings.request_seconds,
            retries=settings.retries,
            longest_wait=settings.retry_seconds,
            breaker_failures=settings.breaker_failures,
            breaker_seconds=settings.breaker_seconds,
        )

    def wait(self, state: RetryCallState) -> float:
        """Seconds until the next attempt."""
        jitter = wait_random_exponential(multiplier=_FIRST_WAIT, max=self.longest_wait)(state)
        # Jitter on top: whoever was turned away together would otherwise come back together.
        return min(self.longest_wait, jitter + (_asked_for(state) or 0))


async def persist(
    attempt: Callable[[], Awaitable[T]], patience: Patience, sleep: Callable[[float], Awaitable[None]]
) -> T:
    """What the first attempt that succeeds gives; else the last one's error.

    Args:
        attempt: makes one.
        patience: how often, how long.
        sleep: waits so many seconds; it may raise instead, which ends it.
    """
    if not patience.retries:
        return await attempt()
    retrying = AsyncRetrying(
        stop=stop_any(stop_after_attempt(patience.retries + 1), _Hopeless(patience.longest_wait)),
        wait=patience.wait,
        retry=retry_if_exception(may_pass),
        sleep=sleep,
        reraise=True,
    )

    async def once() -> T:
        # Only what is a coroutine function in itself is awaited.
        return await attempt()

    return await retrying(once)


class _Hopeless(stop_base):
    """Stops where the endpoint wants to be left alone for longer than so many seconds, or is not there."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, retry_state: RetryCallState) -> bool:
        problem = _problem(retry_state)
        gone = problem is not None and problem.kind == "unreachable"
        return (gone and retry_state.attempt_number > _RETRIES_UNREACHABLE) or (
            (_asked_for(retry_state) or 0) > self._seconds
        )


def _asked_for(state: RetryCallState) -> float | None:
    problem = _problem(state)
    return problem.retry_after if problem else None


def _problem(state: RetryCallState) -> ModelUnavailable | None:
    problem = state.outcome.exception() if state.outcome else None
    return problem if isinstance(problem, ModelUnavailable) else None
