"""The journal of a run: every call and every person's word, kept beside its checkpoints as it is made.

It lies in the same place as the checkpoints, under a namespace of its own, as the pending writes of one checkpoint a
run: so any LangGraph checkpointer keeps it, and forgets it with the thread.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.config import get_config
from pydantic import BaseModel

from consilience.models import Entry

__all__ = ["CONFIG_KEY", "Page", "RunJournal", "journal_of_run", "page_of_run"]

CONFIG_KEY = "consilience_journal"
"""Under it, in `configurable`, the journal of a run goes to the nodes."""

_NAMESPACE = "consilience-journal"
_ABOUT, _BEGUN, _ENDED, _WORD = "about", "begun", "ended", "word"
"""What an entry tells, in the place of a channel's name."""


class RunJournal:
    """The journal of one question asked on a thread; `begun` or `latest` make it.

    Attributes:
        closed: the run is replayed from it: no model is asked.
        missing: calls that a closed journal was asked for and does not hold.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any], config: Any, writes: Any = (), *, closed: bool = False) -> None:
        self.closed = closed
        self.missing: list[str] = []
        self._saver = saver
        self._config = config
        self._about = ""
        self._calls: dict[str, list[Entry]] = defaultdict(list)
        self._words: dict[str, list[str]] = defaultdict(list)
        # An attempt's end, which comes behind its beginning, stands for it.
        attempts: dict[tuple[str, int], Entry] = {}
        for place, number, channel, value in sorted(_parsed(write) for write in writes):
            if channel in (_BEGUN, _ENDED):
                attempts[place, number] = Entry.model_validate_json(value)
            elif channel == _WORD:
                self._words[place].append(value)
            elif channel == _ABOUT:
                self._about = value
        for (place, _), entry in attempts.items():
            self._calls[place].append(entry)

    @classmethod
    async def begun(cls, saver: BaseCheckpointSaver[Any], thread: str, about: BaseModel) -> RunJournal:
        """A new one; `about` says what is asked, and how."""
        config: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": _NAMESPACE}}
        where = await saver.aput(config, empty_checkpoint(), {"source": "input", "step": -1, "parents": {}}, {})
        journal = cls(saver, where)
        journal._about = about.model_dump_json()
        await journal._write("about", 0, _ABOUT, journal._about)
        return journal

    @classmethod
    async def latest(cls, saver: BaseCheckpointSaver[Any], thread: str, *, closed: bool = False) -> RunJournal | None:
        """That of the thread's last question; None where there is none."""
        kept = await saver.aget_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": _NAMESPACE}})
        return cls(saver, kept.config, kept.pending_writes or (), closed=closed) if kept else None

    def is_after(self, config: Any) -> bool:
        """It was begun after this checkpoint of its thread was written; their ids are in the order of time (UUID 6)."""
        ours, other = (one["configurable"].get("checkpoint_id") or "" for one in (self._config, config))
        return bool(ours > other)

    @property
    def about(self) -> str:
        """What was said of the run when it began, JSON."""
        return self._about

    def page(self, *place: object) -> Page:
        """The part of one speaker, or step, in one phase and round."""
        return Page(self, "/".join(map(str, place)))

    def words(self, place: str) -> list[str]:
        """What people said at a pause, or what came of a step for good, in order, JSON."""
        return self._words[place]

    async def hear(self, place: str, word: str) -> None:
        """Keeps what a person said at a pause, or what came of a step for good."""
        self._words[place].append(word)
        await self._write(place, len(self._words[place]), _WORD, word)

    def calls(self, key: str) -> list[Entry]:
        """Every attempt that was made at a call, by this process or another."""
        return self._calls[key]

    async def write_begun(self, key: str, entry: Entry) -> None:
        """Before a call."""
        self._calls[key].append(entry)
        await self._write(key, len(self._calls[key]), _BEGUN, entry.model_dump_json())

    async def write_ended(self, key: str, entry: Entry) -> None:
        """After a call."""
        self._calls[key][-1] = entry
        await self._write(key, len(self._calls[key]), _ENDED, entry.model_dump_json())

    async def _write(self, place: str, number: int, channel: str, text: str) -> None:
        # A second write to one task would be ignored.
        await self._saver.aput_writes(self._config, [(channel, text)], f"{place}#{number}#{channel}")


def _parsed(write: tuple[str, str, str]) -> tuple[str, int, str, str]:
    task, channel, value = write
    place, number, _ = task.rsplit("#", 2)
    return place, int(number), channel, value


class Page:
    """The part of a journal that belongs to one speaker, see `consilience.models.Journal`."""

    def __init__(self, journal: RunJournal, place: str) -> None:
        self._journal = journal
        self._place = place
        self._asked: Counter[str] = Counter()
        self._keys: dict[str, str] = {}
        self._lateness = f"{place}/late"

    @property
    def closed(self) -> bool:
        """No model is asked."""
        return self._journal.closed

    async def be_late(self) -> None:
        """Keeps that the speaker is out of time."""
        await self._journal.write_begun(self._lateness, Entry(cut_short=True))

    def recall(self, request: str) -> Entry:
        """What is known of the call that is made now."""
        self._asked[request] += 1
        key = self._keys[request] = f"{self._place}/{request}/{self._asked[request]}"
        attempts = self._journal.calls(key)
        if not attempts and self.closed and self._journal.calls(self._lateness):
            return Entry(cut_short=True)
        last = attempts[-1] if attempts else Entry()
        if self.closed and not last.ended:
            self._journal.missing.append(key)
        return last.model_copy(update={"spent": tuple(used for entry in attempts for used in entry.spent)})

    async def begin(self, request: str, entry: Entry) -> None:
        """Keeps what the call may use."""
        await self._journal.write_begun(self._keys[request], entry)

    async def end(self, request: str, entry: Entry) -> None:
        """Keeps what it gave."""
        await self._journal.write_ended(self._keys[request], entry)


def journal_of_run() -> RunJournal | None:
    """The journal that the running graph was given; None without one, and outside of a graph."""
    try:
        config = get_config()
    except RuntimeError:
        return None
    journal: RunJournal | None = config.get("configurable", {}).get(CONFIG_KEY)
    return journal


def page_of_run(*place: object) -> Page | None:
    """The part of the running graph's journal that this speaker, or step, has in this phase and round."""
    journal = journal_of_run()
    return journal.page(*place) if journal else None
