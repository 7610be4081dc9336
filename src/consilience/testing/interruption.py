"""Letting go of an encoder while it works, at a moment that does not depend on how fast the machine is."""

from __future__ import annotations

import threading

__all__ = ["Interruption"]

_PATIENCE = 30.0


class Interruption(threading.Event):
    """A switch for `Deadline.cancelled` that another thread sets as soon as the work is seen to be under way.

    The check that is counted out waits for that thread and passes; from the next one on the work is cancelled.
    """

    def __init__(self, after: int) -> None:
        """Interrupts at the check of this number, the first being 1."""
        super().__init__()
        self.late = 0
        """Checks that came after it was cancelled."""
        self._left = after
        self._counting = threading.Lock()
        self._begun = threading.Event()
        self._setter = threading.Thread(target=self._interrupt, daemon=True)
        self._setter.start()

    def is_set(self) -> bool:
        """As of any event; counts."""
        with self._counting:
            self._left -= 1
            if self._left > 0:
                return False
            if self._left == 0:
                self._begun.set()
                self._setter.join(_PATIENCE)
                return False
        if super().is_set():
            self.late += 1
        return super().is_set()

    def end(self) -> None:
        """Lets the other thread go where the work never got so far."""
        self._begun.set()
        self._setter.join(_PATIENCE)

    def _interrupt(self) -> None:
        self._begun.wait()
        self.set()
