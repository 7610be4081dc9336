"""The order in which a stand-in gives its replies, and the error when there is none left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Script", "ScriptExhausted"]


class ScriptExhausted(AssertionError):
    """A stand-in was asked more often than its script has replies.

    Attributes:
        replies: how many the script had.
    """

    def __init__(self, replies: int) -> None:
        self.replies = replies
        super().__init__(
            f"The script has {replies} replies, and this is call {replies + 1}. "
            "Add a reply, or pass a function that answers every call."
        )


class Script:
    """Gives one entry a call: from a sequence until it runs out, or the same function without end.

    Calls from several threads and tasks get the entries in the order in which they came.
    """

    def __init__(self, entries: Sequence[Any] | Callable[[Any], Any]) -> None:
        self._entries = entries if callable(entries) else tuple(entries)
        self._lock = threading.Lock()
        self._drawn = 0

    def draw(self) -> tuple[int, Any]:
        """The number of this call, from 0, and its entry.

        Raises:
            ScriptExhausted: the sequence has no entry left.
        """
        with self._lock:
            number = self._drawn
            if not callable(self._entries) and number == len(self._entries):
                raise ScriptExhausted(number)
            self._drawn += 1
            return number, self._entries if callable(self._entries) else self._entries[number]

    @property
    def remaining(self) -> int | None:
        """Entries not yet drawn; None for a function."""
        return None if callable(self._entries) else len(self._entries) - self._drawn
