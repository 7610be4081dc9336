"""Which calls meet which fault: by number, at a rate, by what a prompt says, and these together.

All can be pickled, so that they can go to a `ServerApart`; a function given to `where` has to be one of a module then.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from consilience.testing.faults import Fault, FaultSchedule, fault_at
from consilience.testing.tokens import prompt_text

__all__ = ["at_rate", "either", "on_calls", "where"]

Schedule = Callable[[int, dict[str, Any]], Fault | None]


def on_calls(fault: Fault, *numbers: int) -> Schedule:
    """The calls of these numbers, from 0, meet `fault`."""
    return partial(_on_calls, fault, numbers)


def at_rate(rate: float, faults: Sequence[Fault], *, seed: int = 0) -> Schedule:
    """Each call meets one of `faults` with probability `rate` (0 to 1), all alike; by `seed` always the same ones.

    Raises:
        ValueError: `rate` is no probability, or there are no faults.
    """
    if not 0 <= rate <= 1 or not faults:
        raise ValueError("A rate lies between 0 and 1, and there has to be a fault.")
    return partial(_at_rate, rate, tuple(faults), seed)


def where(marker: str | Callable[[dict[str, Any]], bool], fault: Fault, *, times: int | None = None) -> Schedule:
    """The calls that `marker` picks meet `fault`.

    Args:
        marker: a text that their prompts hold (a seat's name, the words of a phase), or a function of the request.
        fault: what they meet.
        times: only so many of them, the first; None: all.
    """
    return partial(_where, marker, fault, [times])


def either(*schedules: FaultSchedule) -> Schedule:
    """The fault of the first schedule that has one for the call."""
    return partial(_either, schedules)


def _on_calls(fault: Fault, numbers: tuple[int, ...], number: int, request: dict[str, Any]) -> Fault | None:
    return fault if number in numbers else None


def _at_rate(rate: float, faults: tuple[Fault, ...], seed: int, number: int, request: dict[str, Any]) -> Fault | None:
    chance = random.Random(f"{seed}/{number}")
    return chance.choice(faults) if chance.random() < rate else None


def _where(
    marker: str | Callable[[dict[str, Any]], bool],
    fault: Fault,
    left: list[int | None],
    number: int,
    request: dict[str, Any],
) -> Fault | None:
    picked = marker(request) if callable(marker) else marker in prompt_text(request)
    if left[0] == 0 or not picked:
        return None
    if left[0] is not None:
        left[0] -= 1
    return fault


def _either(schedules: tuple[FaultSchedule, ...], number: int, request: dict[str, Any]) -> Fault | None:
    # All are asked, so that each counts its own calls.
    met = [fault_at(schedule, number, request) for schedule in schedules]
    return next((fault for fault in met if fault), None)
