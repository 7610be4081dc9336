"""The records of the runs that a workbench has under way: read out of the store once, however many steps read them."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict

from consilience.graphs.state import DebateState, load_record, media_of

from consilience.observations import ObservationStore, Record

__all__ = ["Records"]

_MOST = 50_000
"""Observations in all records that are kept, some kilobytes each; the newest record is kept whatever its size."""


class Records:
    """The newest record of each run, as long as the state still points at it. Threads may share it."""

    def __init__(self, store: ObservationStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Record] = OrderedDict()

    async def of(self, state: DebateState) -> Record:
        """The record that `state` points at.

        Raises:
            KeyError: an observation is not in the store.
        """
        run = state.get("run", "")
        with self._lock:
            record = self._open.get(run)
        if record is None or not _is_of(record, state):
            record = await asyncio.to_thread(load_record, state, self._store)
            self.keep(run, record)
        return record

    def keep(self, run: str, record: Record) -> None:
        """Remembers a run's record, which whoever calls this has in hand; its observations are in the store."""
        with self._lock:
            self._open[run] = record
            self._open.move_to_end(run)
            while len(self._open) > 1 and sum(map(len, self._open.values())) > _MOST:
                self._open.popitem(last=False)

    def close(self, state: DebateState) -> None:
        """Forgets the run's record."""
        with self._lock:
            self._open.pop(state.get("run", ""), None)


def _is_of(record: Record, state: DebateState) -> bool:
    """Whether the state points at exactly this record; what two runs have in common is not taken for granted."""
    ids = [observation.id for _, observation in record]
    return ids == state.get("observations", []) and list(record.media) == list(dict.fromkeys(media_of(state)))
