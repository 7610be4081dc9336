"""What can go wrong between a client and a model server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from consilience.core.errors import UnknownName

__all__ = ["Fault", "FaultKind", "FaultSchedule", "fault_at"]

FaultKind: TypeAlias = Literal[
    "empty",
    "garbage",
    "hang",
    "length",
    "rate_limit",
    "refusal",
    "reset",
    "server_error",
    "slow_drip",
    "truncated_json",
    "wrong_schema",
]
"""Instead of an answer: `rate_limit` (429 with Retry-After), `server_error` (500), `reset` (the connection is
aborted), `hang` (nothing, until the client leaves or the server stops). A 200 whose body is bad: `truncated_json`
(ends in the middle), `slow_drip` (right, but in little pieces). A 200 whose content is bad: `empty`, `refusal`,
`garbage` (no JSON), `wrong_schema` (JSON, but not what was asked for), `length` (the first half, finish_reason
"length")."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        kind: see `FaultKind`.
        seconds: what Retry-After tells (`rate_limit`), or the pause between two pieces (`slow_drip`).
    """

    kind: FaultKind
    seconds: float = 0.01

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise UnknownName("fault", self.kind, get_args(FaultKind))

    @property
    def replaces_reply(self) -> bool:
        """True when nothing of the scripted reply gets through, so that it waits for the next call."""
        return self.kind not in ("length", "slow_drip", "truncated_json")


FaultSchedule: TypeAlias = Sequence[Fault | None] | Callable[[int, dict[str, Any]], Fault | None]
"""Faults by the number of the call (from 0; none after the last), or a function of that number and the request."""


def fault_at(schedule: FaultSchedule, number: int, request: dict[str, Any]) -> Fault | None:
    """The fault that meets call `number`."""
    if callable(schedule):
        return schedule(number, request)
    return schedule[number] if number < len(schedule) else None
