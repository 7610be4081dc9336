"""How long an encoder may go on: until its caller lets go, or its time is up."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from consilience.core.errors import Stopped

__all__ = ["Deadline"]


@dataclass(frozen=True)
class Deadline:
    """A point in time and a switch. Threads cannot be ended from outside, so encoders ask `check` between steps."""

    seconds: float | None = None
    """From now on; None: for ever."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set it, and the next `check` ends the work; several deadlines may share one."""
    started: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Returns while the work may go on.

        Raises:
            Stopped: the time is up, or the caller no longer waits.
        """
        if self.cancelled.is_set():
            raise Stopped("The encoding was cancelled.")
        if self.seconds is not None and time.monotonic() - self.started > self.seconds:
            raise Stopped(
                f"The encoding took longer than {self.seconds:g} s.", cure="Raise CONSILIENCE_LIMIT_ENCODING_SECONDS."
            )
