"""What the nodes of a debate work with: a store, encoders, and models; and who sits at the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from consilience.agents import Expert, Judge, Seat, take_seats
from consilience.graphs.events import Comparing, emit
from consilience.graphs.journal import journal_of_run, page_of_run
from consilience.graphs.ledgers import Ledgers
from consilience.graphs.records import Records
from consilience.graphs.relevance import QuestionRelevance, embedder_if_installed
from consilience.graphs.state import DebateState
from consilience.tools import Encoder, Runner, default_encoders

from consilience.core.settings import Settings
from consilience.core.weights import Progress
from consilience.models import Budget, Endpoint, Meter, ModelLike, Sampling, resolve
from consilience.observations import ObservationStore, Relevance

__all__ = ["Panel", "Workbench"]


@dataclass(frozen=True)
class Panel:
    """Who debates: experts (None: see `consilience.graphs.seating`) and a judge."""

    experts: tuple[Expert, ...] | None = None
    route: bool = False
    """Only those of the experts sit down who can add something: see `consilience.agents.route`."""
    judge: ModelLike | None = None
    """The judge's model; None: the run's."""
    judge_sampling: Sampling = Sampling()
    seed: int | None = None
    """Makes each seat draw with a seed of its own that follows from this one."""
    approves: bool = False
    """Where options are given, each seat is asked which of them it would accept too: what a vote of approval counts."""


class Workbench:
    """Store, encoders and endpoints of one or many debates.

    Use it as an async context manager where you can: that closes the connections opened on the running loop.
    """

    def __init__(
        self,
        *,
        model: ModelLike | None = None,
        encoders: Sequence[Encoder] = (),
        settings: Settings | None = None,
        store: ObservationStore | None = None,
        cache: bool = True,
        budget: Budget | None = None,
        on_download: Callable[[Progress], None] | None = None,
    ) -> None:
        """Sets the bench up; connects to nothing yet.

        Args:
            model: of every seat that has none of its own; None: the settings' model.
            encoders: yours, beside the ready ones; one of the same name replaces a ready one.
            settings: None: from the environment.
            store: None: the settings' store.
            cache: False encodes anew (and still remembers).
            budget: of each run; None: no limit.
            on_download: told how the pulling of weights goes.
        """
        self.settings = settings or Settings()
        self.store = store or ObservationStore.open(self.settings)
        self.model = model
        self.budget = budget or Budget()
        self.ledgers = Ledgers(budget)
        self.records = Records(self.store)
        asked_for = [encoder.when_asked() for encoder in encoders]
        ready = {encoder.name: encoder for encoder in (*default_encoders(self.settings), *asked_for)}
        self.runner = Runner(self.store, ready.values(), settings=self.settings, cache=cache, on_download=on_download)
        self._on_download = on_download
        self._endpoints: list[tuple[ModelLike | None, bool, Endpoint]] = []

    def endpoint(self, model: ModelLike | None = None) -> Endpoint:
        """The endpoint of `model`, or of the bench's model; the same one for the same model.

        While a run is replayed it is one that no call can be made on, and that needs no key.
        """
        wanted = self.model if model is None else model
        journal = journal_of_run()
        offline = journal is not None and journal.closed
        for known, alike, endpoint in self._endpoints:
            if alike == offline and (known is wanted or (isinstance(known, str) and known == wanted)):
                return endpoint
        endpoint = resolve(wanted, self.settings, on_download=self._on_download, offline=offline)
        self._endpoints.append((wanted, offline, endpoint))
        return endpoint

    def seats(self, panel: Panel, experts: Sequence[Expert]) -> tuple[Seat, ...]:
        """Seats for these experts, in order; the same for the same ones."""
        endpoints = [self.endpoint(expert.model) for expert in experts]
        return take_seats(experts, endpoints, seed=panel.seed, approves=panel.approves)

    def meter(self, state: DebateState, *place: object) -> Meter:
        """The books of one speaker: the run's ledger admits its calls, the run's journal keeps them.

        Args:
            state: of the run.
            place: what tells the speaker, the phase and the round apart from all others of the run.
        """
        return Meter(self.ledgers.of(state), page_of_run(*place))

    def judge(self, panel: Panel, *, digests: bool = False) -> Judge:
        """The panel's judge, who reads turns or their digests."""
        return Judge(self.endpoint(panel.judge), panel.judge_sampling, digests)

    @contextmanager
    def relevance(self, question: str) -> Iterator[Relevance]:
        """How far observations bear on `question`, for as long as the block lasts: leaving it ends what still runs.

        What it gives blocks, the longer the first time for a record: call it from a thread.
        """
        embedder = partial(embedder_if_installed, self.settings.threads)
        relevance = QuestionRelevance(
            question, self.store, embedder, self.settings.embedded_lines, on_batch=_tell_comparing
        )
        try:
            yield relevance
        finally:
            relevance.cancelled.set()

    async def __aenter__(self) -> Workbench:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections that were opened on the running loop."""
        for *_, endpoint in self._endpoints:
            await endpoint.close()


def _tell_comparing(done: int, total: int) -> None:
    emit(Comparing(done=done, total=total))
