"""One call on its way: how often it was tried, and what it used so far."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from consilience.core.errors import BadReply, ModelError
from consilience.models.calling import Answer, Prompt
from consilience.models.estimate import estimated, lost
from consilience.models.failures import was_read
from consilience.models.meter import Meter
from consilience.models.spans import Told
from consilience.models.usage import Usage

__all__ = ["Attempt", "Call"]


@dataclass
class Attempt:
    """One attempt; whoever makes it says what came back."""

    answer: Answer | None = None


class Call:
    """A prompt and the books of it; all that it uses goes into the seat's meter as it happens."""

    def __init__(self, prompt: Prompt, on_text: Callable[[str], None] | None, meter: Meter) -> None:
        self.prompt = prompt
        self.meter = meter
        self.spent: list[Usage] = []
        self.attempts = 0
        self._on_text = on_text
        self._heard = False

    def listener(self) -> Callable[[str], None] | None:
        """Who is told the pieces of the next attempt: nobody after the first piece, for readers want one beginning."""
        return self._tell if self._on_text else None

    def _tell(self, piece: str) -> None:
        self._heard = True
        if self._on_text:
            self._on_text(piece)

    @property
    def usage(self) -> Usage:
        """What all attempts used."""
        return sum(self.spent, Usage())

    def count(self, usage: Usage) -> None:
        """Books what an earlier process used for this call."""
        self.meter.add(usage)
        if self.meter.ledger:
            self.meter.ledger.count(usage)

    def recalled(self, text: str) -> None:
        """Tells the listener a reply that was given earlier, in one piece."""
        if self._on_text:
            self._on_text(text)

    @property
    def seconds_left(self) -> float:
        """Until the run's time is spent."""
        return self.meter.ledger.seconds_left if self.meter.ledger else float("inf")

    async def sleep(self, seconds: float) -> None:
        """Waits between two attempts.

        Raises:
            BudgetSpent: the run's time would be spent then.
        """
        if self.meter.ledger:
            self.meter.ledger.check_time(seconds)
        await asyncio.sleep(seconds)

    @contextmanager
    def attempt(self, provider: str, model: str, around: AbstractContextManager[Told]) -> Iterator[Attempt]:
        """Around an attempt: has it admitted, and books what it used, whatever becomes of it.

        Args:
            provider: whose prices count.
            model: the same.
            around: its span, entered once it is admitted.

        Raises:
            BudgetSpent: it is not admitted.
        """
        ledger = self.meter.ledger
        held = ledger.admit(estimated(self.prompt, ledger.budget.reply_tokens, provider, model)) if ledger else None
        made, start, failed, read = Attempt(), time.perf_counter(), True, True
        with around as told:
            try:
                yield made
                failed = False
            except ModelError as problem:
                read = was_read(problem)
                if self._heard or isinstance(problem, BadReply):
                    # A refusal is told only in a reply that is not streamed.
                    self._on_text = None
                raise
            finally:
                seconds = time.perf_counter() - start
                usage = (
                    Usage.of_call(made.answer.used, seconds=seconds, provider=provider, model=model)
                    if made.answer
                    else lost(self.prompt, read=read, seconds=seconds, provider=provider, model=model)
                )
                if failed:
                    usage = usage.model_copy(update={"failed": 1})
                if ledger and held:
                    ledger.settle(held, usage)
                self.spent.append(usage)
                self.meter.add(usage)
                told(made.answer, usage)
