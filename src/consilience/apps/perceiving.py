"""Perception told as it goes: a line an encoder; of a medium's parts a bar, or a line whenever they have doubled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from consilience.core.counted import counted
from consilience.tools import Encoding

if TYPE_CHECKING:
    from consilience.graphs import Perceived

__all__ = ["PerceptionTale"]


@dataclass
class _Parts:
    """What one encoder has read of one medium, part by part."""

    count: int = 0
    observations: int = 0
    cached: int = 0
    seconds: float = 0.0


class PerceptionTale:
    """Tells encodings: whole media at once, parts as a bar and, at the end, as one line an encoder.

    Where there is no terminal, and so no bar, the parts are told when there are 1, 2, 4, 8, ... of them: a log shows
    that the work goes on, and a long film does not fill it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._parts: dict[str, _Parts] = {}
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def take(self, event: Perceived | Encoding) -> None:
        """One encoding, or the event that tells of one."""
        count = len(event.observations if isinstance(event, Encoding) else event.lines)
        name = f"{event.encoder} on {event.media.name}"
        if event.failure:
            place = f"{name} {event.where.describe()}".strip()
            self._console.print(f"  [red]{escape(place)}: {escape(event.failure)}[/]")
        elif event.where:
            parts = self._parts.setdefault(name, _Parts())
            parts.count += 1
            parts.observations += count
            parts.cached += event.cached
            parts.seconds += event.seconds
            if not self._console.is_terminal and parts.count.bit_count() == 1:
                self._tell_parts(name, parts)
        else:
            self._tell(name, count, "cached" if event.cached else f"{event.seconds:.1f} s")
        if event.where or self._bar:
            self._advance(event)

    def close(self) -> None:
        """Ends the bar and tells what was read part by part."""
        if self._bar:
            self._bar.stop()
            self._bar = None
        for name, parts in self._parts.items():
            if self._console.is_terminal or parts.count.bit_count() > 1:
                self._tell_parts(name, parts)
        self._parts = {}

    def _tell_parts(self, name: str, parts: _Parts) -> None:
        made = "cached" if parts.cached == parts.count else f"{parts.cached} cached, {parts.seconds:.1f} s"
        self._tell(name, parts.observations, f"{counted(parts.count, 'part')}, {made}")

    def _tell(self, name: str, count: int, how: str) -> None:
        told = counted(count, "observation")
        self._console.print(f"  {escape(name)}: {told} [dim]({how})[/]", highlight=False)

    def _advance(self, event: Perceived | Encoding) -> None:
        if not self._console.is_terminal:
            return
        if self._bar is None or self._task is None:
            columns = [
                TextColumn("  reading the parts"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[told]}", markup=False),
            ]
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("parts", total=event.planned, told="")
            self._bar.start()
        told = f"last done: {event.encoder} {event.media.name} {event.where.describe()}"
        self._bar.update(self._task, completed=event.done, total=event.planned, told=told[:70])
