"""The books of one seat: what its calls used, which models answered, and what was passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilience.models.budget import Ledger
from consilience.models.methods import Method
from consilience.models.usage import Usage

if TYPE_CHECKING:
    from consilience.models.journal import Journal

__all__ = ["Meter"]


class Meter:
    """Adds up usage as it happens, so that calls which end in an error are paid for in the books too.

    Attributes:
        ledger: the run's, which has to admit each call; None: no limit.
        journal: holds the calls made so far, by this process or one before it; None: none is kept.
        usage: all that was used, failed attempts included.
    """

    def __init__(self, ledger: Ledger | None = None, journal: Journal | None = None) -> None:
        self.ledger = ledger
        self.journal = journal
        self.usage = Usage()
        self._models: dict[str, None] = {}
        self._methods: dict[Method, None] = {}
        self._passed_over: list[str] = []

    @property
    def models(self) -> tuple[str, ...]:
        """The models that really answered, each once, the first first."""
        return tuple(self._models)

    @property
    def methods(self) -> tuple[Method, ...]:
        """How structured output was asked for in the calls that were answered, each way once, the first first."""
        return tuple(self._methods)

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Why a call was made on a fallback: one line for each model that failed it for good."""
        return tuple(self._passed_over)

    def add(self, usage: Usage) -> None:
        """Counts what one more call used."""
        self.usage += usage

    def answered(self, model: str, method: Method | None) -> None:
        """Notes who answered, and how it was asked for structured output; None where it was not."""
        self._models[model] = None
        if method is not None:
            self._methods[method] = None

    def pass_over(self, reason: str) -> None:
        """Notes that a model failed a call for good, and another takes it over."""
        self._passed_over.append(reason)
