"""The ledgers of the runs that a workbench has under way: what each may still spend."""

from __future__ import annotations

import threading
from collections import OrderedDict

from consilience.graphs.state import DebateState

from consilience.models import Budget, Ledger, Usage

__all__ = ["Ledgers"]

_MOST = 1024
"""Runs that are remembered: one that was broken off is never closed."""


class Ledgers:
    """A ledger a run, made when it is first asked for. Threads may share it.

    A run that is resumed by another process begins with what its state says was spent; the seconds that it ran before
    do not count.
    """

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Ledger] = OrderedDict()

    def of(self, state: DebateState) -> Ledger | None:
        """The ledger of the run that `state` is of; None where nothing is limited."""
        if self._budget is None:
            return None
        run = state.get("run", "")
        with self._lock:
            ledger = self._open.get(run)
            if ledger is None:
                spent = sum((entry.usage for entry in state.get("spent", [])), Usage())
                ledger = self._open[run] = Ledger(self._budget, spent=spent)
            self._open.move_to_end(run)
            while len(self._open) > _MOST:
                self._open.popitem(last=False)
            return ledger

    def close(self, state: DebateState) -> None:
        """Forgets the run."""
        with self._lock:
            self._open.pop(state.get("run", ""), None)
