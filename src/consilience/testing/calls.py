"""What a test server was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from consilience.testing.faults import Fault
from consilience.testing.protocol import Prompt
from consilience.testing.tokens import prompt_text

__all__ = ["CallLog", "ServerCall"]


@dataclass(frozen=True)
class ServerCall:
    """One request as the server took it in.

    Attributes:
        index: its place among all requests, from 0, by the arrival of its last byte.
        number: its place among those that were let in (right key, well formed), which is what faults go by; or None.
        path: such as `/v1/chat/completions`.
        body: the JSON body, or the form's fields; a file as `{"filename", "content_type", "content"}`.
        headers: by lower-case name; of a key only the scheme is kept.
        in_flight: requests being answered, this one included.
        fault: what it met.
        prompt: its prompt's tokens, and those of them that earlier prompts began with.
    """

    index: int
    number: int | None
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    in_flight: int
    fault: Fault | None
    prompt: Prompt

    @property
    def text(self) -> str:
        """What a model would read of a chat request."""
        return prompt_text(self.body)


class CallLog:
    """All calls, and how many were in flight at once; written by the server's thread, read by the test's.

    Args:
        remember: keep every call; else only what adds up, so that a server can run for long.
    """

    def __init__(self, *, remember: bool = True) -> None:
        self._remember = remember
        self._count = 0
        self._prompt = Prompt()
        self._lock = threading.Lock()
        self._calls: list[ServerCall] = []
        self._in_flight = 0
        self._max_in_flight = 0
        self._problems: list[Exception] = []

    @contextmanager
    def entered(self, *, headers: Mapping[str, str], **told: Any) -> Iterator[ServerCall]:
        """The call, from its arrival until its answer is sent."""
        with self._lock:
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            call = ServerCall(index=self._count, headers=_without_key(headers), in_flight=self._in_flight, **told)
            self._count += 1
            self._prompt += call.prompt
            if self._remember:
                self._calls.append(call)
        try:
            yield call
        finally:
            with self._lock:
                self._in_flight -= 1

    @property
    def calls(self) -> tuple[ServerCall, ...]:
        """In the order in which they came."""
        with self._lock:
            return tuple(self._calls)

    @property
    def count(self) -> int:
        """How many came."""
        return self._count

    @property
    def prompt(self) -> Prompt:
        """The prompts of all."""
        return self._prompt

    @property
    def max_in_flight(self) -> int:
        """The most that were in flight at once."""
        return self._max_in_flight

    @property
    def problems(self) -> tuple[Exception, ...]:
        """What went wrong in the test's own script, rather than by a fault."""
        return tuple(self._problems)

    def blame(self, problem: Exception) -> None:
        """Keeps what a script raised, for the test to see."""
        self._problems.append(problem)


def _without_key(headers: Mapping[str, str]) -> dict[str, str]:
    kept = dict(headers)
    if "authorization" in kept:
        kept["authorization"] = kept["authorization"].partition(" ")[0]
    return kept
