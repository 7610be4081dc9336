"""A circuit breaker (Nygard 2007, "Release It!"): an endpoint that keeps failing is left alone for a while.

closed: calls go through; `failures` of them failing in a row open it. open: calls fail at once, until `seconds` have
passed. half_open: one call tries; the others go on failing at once. If it succeeds the breaker closes, else it opens
again. A success closes it from any state: the endpoint answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from consilience.core.errors import CircuitOpen, ModelError
from consilience.models.failures import may_pass

__all__ = ["Breaker", "BreakerState"]

BreakerState: TypeAlias = Literal["closed", "open", "half_open"]


class Breaker:
    """One endpoint's. Threads and event loops may share it.

    Args:
        name: of the endpoint.
        failures: in a row, that open it.
        seconds: that it then stays open.
        clock: seconds from any start.
    """

    def __init__(
        self, name: str, *, failures: int = 5, seconds: float = 30, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """Where it stands now."""
        if self._opened is None:
            return "closed"
        return "half_open" if self._clock() >= self._opened + self._seconds else "open"

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around a call: lets it through or not, and learns from how it ends.

        Whatever the endpoint answered, be it a refusal, shows that it is there; what may pass by itself, and did not,
        counts as a failure; a call that was cancelled tells nothing.

        Raises:
            CircuitOpen: the endpoint is left alone; nothing was done.
        """
        trying = self.admit()
        try:
            yield
        except ModelError as problem:
            if may_pass(problem):
                self.failed()
            else:
                self.succeeded()
            raise
        except BaseException:
            if trying:
                self.abandoned()
            raise
        self.succeeded()

    def admit(self) -> bool:
        """Lets a call through, and says whether it is the one that tries a half-open endpoint.

        Whoever calls this tells afterwards how it went.

        Raises:
            CircuitOpen: not now.
        """
        with self._lock:
            if self._opened is None:
                return False
            left = self._opened + self._seconds - self._clock()
            if left <= 0 and not self._trying:
                self._trying = True
                return True
            seconds = max(0.0, left)
            again_at = datetime.now(UTC) + timedelta(seconds=seconds)
            raise CircuitOpen(self._name, failures=self._failures, again_at=again_at, seconds=seconds)

    def succeeded(self) -> None:
        """The endpoint answered."""
        with self._lock:
            self._failures, self._opened, self._trying = 0, None, False

    def failed(self) -> None:
        """The endpoint failed for good."""
        with self._lock:
            self._failures += 1
            half_open = self._opened is not None and self._trying
            if half_open or (self._opened is None and self._failures >= self._most):
                self._opened, self._trying = self._clock(), False

    def abandoned(self) -> None:
        """The call that tried ended without telling anything of the endpoint: another may try."""
        with self._lock:
            self._trying = False
