"""look: what the seats ask for is looked up in the record, or read again by an encoder, once, and shown to all."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from consilience.agents import LookAgain, Turn
from consilience.graphs.events import LookedAgain, emit
from consilience.graphs.journal import Page, page_of_run
from consilience.graphs.nodes.perception import Node
from consilience.graphs.nodes.reconciliation import joined
from consilience.graphs.nodes.rounds import question_of
from consilience.graphs.readings import Looks, Outcome, Reading, offers, reading_of
from consilience.graphs.standings import last_round
from consilience.graphs.state import DebateState, Look
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Workbench
from consilience.tools import Encoding, observed

from consilience.core.errors import UnknownName
from consilience.models import noted
from consilience.observations import Observation, Record, Relevance

__all__ = ["look", "requests_of"]

_OFF = "this debate has nothing read again"


def look(
    bench: Workbench, *, tokens: int = 500, looks: Looks | None = None, offsets: Mapping[str, float] | None = None
) -> Node:
    """Makes the node that answers the requests of the last round.

    Lines that were left out are looked up in the record: those of each stretch that hold its words best. A place that
    an encoder is to read again is read, within the limits of `looks` and of the run's budget; what it observes goes
    into the record behind all that is there, and is compared with the other media. A request that several seats make
    is answered once; so is one that was answered before. What is not done is told with the reason. What a reading gave
    stands in the run's journal: it is not made again.

    Args:
        bench: store, embedder, encoders.
        tokens: that the lines for one request may take in a prompt.
        looks: what may be read again; None: nothing.
        offsets: as for `reconcile`.

    Raises:
        UnknownName: `looks` names an encoder that the bench does not have.
    """
    if looks is not None:
        offers(bench.runner, (), looks)

    @traced
    async def look(state: DebateState) -> dict[str, Any]:
        requests = requests_of(state.get("turns", []))
        answered = {answer.request for answer in state.get("looks", [])}
        new = {request: seats for request, seats in requests.items() if request not in answered}
        if not new:
            return {}
        journal = page_of_run("look", last_round(state.get("turns", [])))
        sight = _Sight(bench, state, await bench.records.of(state), tokens, journal)
        for request, seats in new.items():
            if request.encoder is None:
                await sight.look_up(request, seats)
        read = {request: seats for request, seats in new.items() if request.encoder is not None}
        await sight.read_again(read, looks)
        return await sight.update(offsets)

    return look


def requests_of(turns: Sequence[Turn]) -> dict[LookAgain, tuple[str, ...]]:
    """Of the last round, each with the letters of the seats that made it."""
    asking: dict[LookAgain, tuple[str, ...]] = {}
    for turn in turns:
        for request in turn.look_again if turn.round == last_round(turns) else ():
            asking[request] = tuple(dict.fromkeys((*asking.get(request, ()), turn.seat)))
    return asking


@dataclass
class _Sight:
    """What the requests of one round bring, one after the other."""

    bench: Workbench
    state: DebateState
    record: Record
    tokens: int
    journal: Page | None = None
    looks: list[Look] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    added: list[Observation] = field(default_factory=list)

    @property
    def _all_looks(self) -> list[Look]:
        return [*self.state.get("looks", []), *self.looks]

    async def look_up(self, request: LookAgain, seats: tuple[str, ...]) -> None:
        """Lines of the record, for those whose prompts had no room for them."""
        with self.bench.relevance(request.words or question_of(self.state)) as relevance:
            labels = await asyncio.to_thread(_lines, self.record, request, self.tokens, relevance)
        self._tell(Look(request=request, seats=seats, labels=labels))

    async def read_again(self, requests: Mapping[LookAgain, tuple[str, ...]], looks: Looks | None) -> None:
        """Encoders, one at a time: what one took is known before the next is admitted."""
        if looks is None:
            for request, seats in requests.items():
                self._tell(Look(request=request, seats=seats, labels=(), refused=_OFF))
            return
        known = {self._key(answer.request, looks) for answer in self._all_looks if answer.request.encoder}
        groups: dict[str, list[LookAgain]] = {}
        for request in requests:
            groups.setdefault(self._key(request, looks), []).append(request)
        for key, same in groups.items():
            if key not in known:
                seats = tuple(dict.fromkeys(seat for request in same for seat in requests[request]))
                await self._read(same[0], seats, looks)

    def _key(self, request: LookAgain, looks: Looks) -> str:
        reading = reading_of(request, self.bench.runner, self.record.media, looks)
        # Of what is refused for the same reason, one is told.
        return reading.key if isinstance(reading, Reading) else f"{request.encoder} {request.span.media}: {reading}"

    async def _read(self, request: LookAgain, seats: tuple[str, ...], looks: Looks) -> None:
        reading = reading_of(request, self.bench.runner, self.record.media, looks)
        if isinstance(reading, str):
            self._tell(Look(request=request, seats=seats, labels=(), refused=reading))
            return
        read = partial(self._outcome, reading, looks)
        outcome, lost = await noted(self.journal, reading.key, Outcome, read, seconds=reading.seconds)
        ids = outcome.observations
        found = dict(zip(ids, await asyncio.to_thread(self.bench.store.get, ids), strict=True)) if ids else {}
        known = {observation.id for _, observation in self.record}
        new = [observation for name, observation in found.items() if name not in known]
        self.added += new
        self.record = Record(self.record.media, [*(o for _, o in self.record), *new])
        if outcome.failure is not None:
            self.failures.append(f"{request.describe()}: {outcome.failure}")
        self._tell(
            Look(
                request=request,
                seats=seats,
                labels=await self._shown(found),
                added=tuple(observation.id for observation in new),
                seconds=outcome.seconds + sum(lost),
                lost=len(lost),
                cached=outcome.cached,
                refused=outcome.refused,
                failure=outcome.failure,
            )
        )

    async def _outcome(self, reading: Reading, looks: Looks) -> Outcome:
        """Reads it, where there is room for that."""
        ledger = self.bench.ledgers.of(self.state)
        left = ledger.seconds_left if ledger else float("inf")
        if refused := looks.objection(reading, self._all_looks, left):
            return Outcome(refused=refused)
        encoding = await self._encoded(reading, min(looks.seconds - looks.spent(self._all_looks)[1], left))
        return Outcome(
            observations=tuple(dict.fromkeys(observation.id for observation in observed([encoding]))),
            seconds=round(encoding.seconds, 3),
            cached=encoding.cached,
            failure=encoding.failure,
        )

    async def _encoded(self, reading: Reading, room: float) -> Encoding:
        """The encoding, unless it takes longer than there is room."""
        clock = asyncio.timeout(None if room == float("inf") else room)
        begun = asyncio.get_running_loop().time()
        try:
            async with clock:
                return await self.bench.runner.encode(
                    reading.medium, reading.encoder, parameters=dict(reading.parameters), where=reading.where
                )
        except TimeoutError:
            if not clock.expired():
                raise
            seconds = asyncio.get_running_loop().time() - begun
            told = f"it was stopped after {room:.1f} s, all that was left for looking again"
            return Encoding(reading.medium, reading.encoder.name, (), seconds, cached=False, failure=told)

    async def _shown(self, ids: Collection[str]) -> tuple[str, ...]:
        """Labels of as many of these observations as prompts have room for."""
        labels = [label for label, observation in self.record if observation.id in ids]
        if not labels:
            return ()
        with self.bench.relevance(question_of(self.state)) as relevance:
            rendering = await asyncio.to_thread(self.record.render, labels, tokens=self.tokens, relevance=relevance)
        return rendering.labels

    def _tell(self, answer: Look) -> None:
        self.looks.append(answer)
        emit(LookedAgain(look=answer, lines=tuple(self.record.line(label) for label in answer.labels)))

    async def update(self, offsets: Mapping[str, float] | None) -> dict[str, Any]:
        """What the state gains. Where the record has grown, its media are compared again."""
        update: dict[str, Any] = {"looks": self.looks}
        if self.failures:
            update["lost_tools"] = self.failures
        if self.added:
            joint, told = await joined(self.bench, self.state, self.record, offsets)
            if told.lines:
                emit(told)
            update["observations"] = [*(observation.id for observation in self.added), *joint]
        return update


def _lines(record: Record, request: LookAgain, tokens: int, relevance: Relevance) -> tuple[str, ...]:
    """Labels of what fits, in order; none where the record has no such medium. Blocks."""
    try:
        there = record.within(request.span)
    except UnknownName:
        return ()
    return record.render(there, tokens=tokens, relevance=relevance).labels
