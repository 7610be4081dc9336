"""Limits on what a run may spend, held before the spending.

The rule: a call is admitted only when, for every limit, what is spent, plus what is reserved for the calls in flight,
plus what this call may take, stays within it. What it may take is an estimate (`Estimate`); when the call has ended,
what it really took is put in its place. So the end exceeds a limit at most by what the calls then in flight took beyond
their estimates: of one call after the other, by one call's error. Seconds are those of the clock since the ledger was
opened: no call begins after them, and what is in flight is ended with them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from consilience.core.errors import BadConfiguration, BudgetSpent
from consilience.models.usage import Usage

__all__ = ["Budget", "Estimate", "Ledger", "Limit", "Reservation"]

Limit: TypeAlias = Literal["calls", "tokens", "money", "seconds"]


@dataclass(frozen=True)
class Budget:
    """What a run may spend; None: as much as it takes.

    Attributes:
        tokens: of prompts and replies together; what a prefix cache serves counts too.
        money: US dollars, at the prices of `genai-prices`.
        seconds: from the start of the run to its end.
        perception: share of the seconds that perception may take, 0 to 1; the rest is for the debate.
        calls: attempts at model calls.
        rounds: of exchange between the seats.
        reply_tokens: what a reply is taken to need whose length is not limited.

    Raises:
        BadConfiguration: a limit is negative, or the share is no share.
    """

    tokens: int | None = None
    money: float | None = None
    seconds: float | None = None
    calls: int | None = None
    rounds: int | None = None
    reply_tokens: int = 1000
    perception: float = 0.75

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not value >= 0:
                raise BadConfiguration(f"A budget cannot be negative: {name}={value}.", cure="Take None for no limit.")
        if self.perception > 1:
            raise BadConfiguration(
                f"Perception cannot take more than all seconds: perception={self.perception}.",
                cure="Take a share, 0 to 1.",
            )

    @property
    def perception_seconds(self) -> float | None:
        """That perception may take; None: as many as it takes."""
        return None if self.seconds is None else self.seconds * self.perception


@dataclass(frozen=True)
class Estimate:
    """What a call may take.

    Attributes:
        model: whose call it is.
        tokens: of the prompt and the longest reply.
        cost: US dollars; None where no price is known.
    """

    model: str
    tokens: int
    cost: float | None


@dataclass(frozen=True, eq=False)
class Reservation:
    """A place that is kept for one admitted call until it is settled."""

    estimate: Estimate


class Ledger:
    """What a run has spent of its budget. Threads and event loops may share it.

    Args:
        budget: the limits.
        spent: what was spent before, of a run that is resumed.
        elapsed: seconds that it ran before.
        clock: seconds from any start.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        spent: Usage = Usage(),  # noqa: B008 (it is frozen)
        elapsed: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self._clock = clock
        self._start = clock() - elapsed
        self._lock = threading.Lock()
        self._spent = spent
        self._money = spent.cost or 0.0
        self._open: dict[int, Reservation] = {}

    @property
    def spent(self) -> Usage:
        """What the calls that have ended took."""
        return self._spent

    @property
    def seconds(self) -> float:
        """Since the start of the run."""
        return self._clock() - self._start

    @property
    def seconds_left(self) -> float:
        """Until the time is spent; infinite without a limit."""
        return float("inf") if self.budget.seconds is None else max(0.0, self.budget.seconds - self.seconds)

    def admit(self, estimate: Estimate) -> Reservation:
        """Keeps a place for a call.

        Raises:
            BudgetSpent: the call may exceed a limit; nothing is kept.
            BadConfiguration: money is limited, and the model's price is not known.
        """
        budget = self.budget
        if budget.money is not None and estimate.cost is None:
            raise BadConfiguration(
                f"The price of {estimate.model} is not known, so that a budget of money cannot hold.",
                cure="Run: pip install 'consilience[prices]'; or limit tokens instead.",
            )
        with self._lock:
            held = [reservation.estimate for reservation in self._open.values()]
            self._check("calls", budget.calls, self._spent.calls + len(held), 1)
            self._check("tokens", budget.tokens, self._spent.tokens + sum(e.tokens for e in held), estimate.tokens)
            money = self._money + sum(e.cost or 0 for e in held)
            self._check("money", budget.money, money, estimate.cost or 0)
            self.check_time()
            reservation = Reservation(estimate)
            self._open[id(reservation)] = reservation
            return reservation

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Puts what a call took in the place of what was reserved for it.

        Raises:
            KeyError: it is settled already.
        """
        with self._lock:
            del self._open[id(reservation)]
            self._spent += usage
            cost = usage.cost if usage.cost is not None else reservation.estimate.cost
            self._money += cost or 0

    def count(self, usage: Usage) -> None:
        """Adds what was spent of the budget without this ledger: by a process before this one."""
        with self._lock:
            self._spent += usage
            self._money += usage.cost or 0

    def check_time(self, coming: float = 0) -> None:
        """Asks whether there is time left, also after so many seconds more.

        Raises:
            BudgetSpent: there is not.
        """
        left = self.seconds_left
        if left <= 0 or coming > left:
            raise self.out_of_time(coming)

    def out_of_time(self, coming: float = 0) -> BudgetSpent:
        """The error that says so."""
        allowed = self.budget.seconds or 0
        return BudgetSpent("seconds", allowed=allowed, spent=round(self.seconds, 3), wanted=round(coming, 3))

    def _check(self, limit: Limit, allowed: float | None, spent: float, wanted: float) -> None:
        if allowed is not None and spent + wanted > allowed:
            raise BudgetSpent(limit, allowed=allowed, spent=spent, wanted=wanted)
