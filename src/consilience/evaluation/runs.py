"""Running a set of questions over protocols: openings are asked once and shared, and a run goes on where it stopped."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from langgraph.graph import END, START, StateGraph

from consilience.agents import Expert, check_turn, default_experts
from consilience.agents.prompts import wording
from consilience.core.errors import ConsilienceError
from consilience.evaluation.questions import Question, grade
from consilience.evaluation.results import Journal, Key, Openings, Result
from consilience.graphs import DebateState, Panel, Protocol, Workbench, debate, nodes
from consilience.graphs.checkpoints import in_memory
from consilience.graphs.state import load_record
from consilience.models import Sampling
from consilience.observations import Record, ingest

__all__ = ["Run", "draws_of", "results"]


@dataclass(frozen=True)
class Run:
    """What is measured, and where its lines are kept."""

    questions: Sequence[Question]
    protocols: Sequence[Protocol]
    folder: Path
    """Gets `openings.jsonl` and `results.jsonl`; what is there is not asked again."""
    seeds: Sequence[int] = (0,)
    again: bool = False
    """Asks again what failed or lost a seat; else that stands, as an answer that is not right."""
    on_openings: Callable[[Openings], None] | None = None
    """Told of openings that were asked."""


def draws_of(protocol: Protocol, most: int) -> tuple[Protocol, ...]:
    """The protocol with 2 to `most` samples, each named for its number: they share their draws."""
    return tuple(replace(protocol, name=f"{protocol.name}@{number}", samples=number) for number in range(2, most + 1))


async def results(bench: Workbench, run: Run) -> AsyncIterator[Result]:
    """The results of a run, question by question, the kept ones too; new ones are on the disk before they are given.

    Every protocol goes on from the openings of its panel as if it had asked them itself, and they are part of its
    usage. A panel whose experts are the first ones of a larger panel's shares that one's. What fails with an error is
    a result that is not right.
    """
    course = _Course(bench, run)
    for seed in run.seeds:
        for question in run.questions:
            async for result in course.over(question, seed):
                yield result


class _Course:
    """One pass over a run."""

    def __init__(self, bench: Workbench, run: Run) -> None:
        self._bench, self._run = bench, run
        self._model = bench.endpoint().name
        self._openings = Journal(run.folder / "openings.jsonl", Openings)
        self._results = Journal(run.folder / "results.jsonl", Result)
        self._asked = {(o.question, o.digest, o.panel, o.seed): o for o in self._openings}
        self._known = {(r.key, r.digest, r.model): r for r in self._results}
        if run.again:
            self._asked = {key: o for key, o in self._asked.items() if not o.losses}
            self._known = {key: r for key, r in self._known.items() if not r.losses and r.status != "failed"}

    async def over(self, question: Question, seed: int) -> AsyncIterator[Result]:
        """Every protocol's result on one question."""
        try:
            state = await self._perceived(question)
        except ConsilienceError as problem:
            for protocol in self._run.protocols:
                key = Key(question.id, protocol.name, seed)
                yield self._kept(Result.failed(question, key, self._model, "", str(problem)))
            return
        record = await asyncio.to_thread(load_record, state, self._bench.store)
        usual = default_experts(record.modalities)
        panels = [protocol.experts() or usual for protocol in self._run.protocols]
        found: dict[Protocol, Result] = {}
        asked = question.model_dump_json(exclude={"media", "record", "kind", "split"})
        digest = _digest(asked, wording(), *state["observations"])
        for protocol, experts in zip(self._run.protocols, panels, strict=True):
            key = Key(question.id, protocol.name, seed)
            known = self._known.get((key, digest, self._model))
            if known is not None:
                found[_unnamed(protocol)] = known
                yield known
                continue
            try:
                panel = replace(_panel(_largest(experts, panels), seed), approves=protocol.approves)
                opened = await self._opened(question, state, panel, digest)
                openings = _checked(opened.of_first(len(experts)), record, experts)
                result = await self._gated(protocol, state, openings, found) if protocol.gated else None
                result = result or await self._result(question, protocol, state, openings)
                found[_unnamed(protocol)] = result
                yield self._kept(result)
            except ConsilienceError as problem:
                yield self._kept(Result.failed(question, key, self._model, digest, str(problem)))

    def _kept(self, result: Result) -> Result:
        self._results.add(result)
        self._known[result.key, result.digest, result.model] = result
        return result

    async def _perceived(self, question: Question) -> DebateState:
        """The state before the openings; encoders come from the cache from the second time on."""
        bench = self._bench
        media = [
            await asyncio.to_thread(ingest, path, bench.store, limits=bench.settings.limits) for path in question.media
        ]
        graph = StateGraph(DebateState)
        graph.add_node("perceive", nodes.perceive(bench))
        graph.add_node("reconcile", nodes.reconcile(bench))
        graph.add_edge(START, "perceive")
        graph.add_edge("perceive", "reconcile")
        graph.add_edge("reconcile", END)
        state: Any = {"question": question.text, "media": media, "options": list(question.options), "earlier": []}
        perceived: Any = await graph.compile().ainvoke(state)
        return perceived  # type: ignore[no-any-return]

    async def _opened(self, question: Question, state: DebateState, panel: Panel, digest: str) -> Openings:
        """The openings of this panel, asked now or before."""
        seed = panel.seed or 0
        asked = _digest(self._model, *map(repr, panel.experts or ()), *(["approves"] if panel.approves else []))
        kept = self._asked.get((question.id, digest, asked, seed))
        if kept is not None:
            return kept
        graph = StateGraph(DebateState)
        graph.add_node("open", nodes.open_round(self._bench, panel))
        graph.add_edge(START, "open")
        graph.add_edge("open", END)
        began = time.monotonic()
        opened: Any = await graph.compile().ainvoke(state)
        openings = Openings(
            question=question.id,
            digest=digest,
            panel=asked,
            seed=seed,
            seats=opened["seats"],
            turns=opened["turns"],
            losses=opened["losses"],
            spent=opened["spent"],
            seconds=round(time.monotonic() - began, 3),
        )
        self._openings.add(openings)
        self._asked[question.id, digest, asked, seed] = openings
        if self._run.on_openings:
            self._run.on_openings(openings)
        return openings

    async def _result(self, question: Question, protocol: Protocol, state: DebateState, openings: Openings) -> Result:
        began = time.monotonic()
        ended = await self._deliberated(protocol, state, openings)
        verdict = ended["verdict"]
        graded = grade(question, verdict.answer, verdict.status)
        key = Key(question.id, protocol.name, openings.seed)
        outcome = {
            "answer": verdict.answer,
            "status": verdict.status,
            "right": graded.right,
            "abstained": graded.abstained,
            "withheld": graded.withheld,
            "usage": verdict.usage,
            "seconds": round(time.monotonic() - began, 3),
            "confidence": verdict.confidence,
            "order_flipped": verdict.order_flipped,
            "exchanged": any(turn.round > 0 for turn in ended["turns"]),
            "losses": tuple(f"{loss.seat}, {loss.phase}: {loss.reason}" for loss in ended.get("losses", [])),
        }
        failed = Result.failed(question, key, self._model, openings.digest, verdict.stop_reason)
        return failed.model_copy(update=outcome)

    async def _gated(
        self, protocol: Protocol, state: DebateState, openings: Openings, found: Mapping[Protocol, Result]
    ) -> Result | None:
        """The result of the same protocol without its gate, or without an exchange where the gate finds no ground.

        The gate asks no model, and what follows it is the same to the word; None where that has not been run.
        """
        gate = nodes.gate(self._bench, _panel(protocol.experts(), openings.seed))
        gated: Any = await gate(_entered(state, openings))
        exchange = protocol.exchange if gated["gate"].debate else None
        same = found.get(_unnamed(replace(protocol, gated=False, exchange=exchange)))
        return same.model_copy(update={"protocol": protocol.name}) if same else None

    async def _deliberated(self, protocol: Protocol, state: DebateState, openings: Openings) -> Any:
        """The protocol's own graph, entered behind its openings as if it had come from there: the final state."""
        experts = protocol.experts()
        graph = debate(self._bench, _panel(experts, openings.seed), protocol=protocol, checkpointer=in_memory())
        config: Any = {"configurable": {"thread_id": uuid.uuid4().hex}}
        entered = await graph.aupdate_state(config, dict(_entered(state, openings)), as_node="open")
        return await graph.ainvoke(None, entered)


def _checked(openings: Openings, record: Record, experts: Sequence[Expert]) -> Openings:
    """They are kept as they were said; how they are checked may have changed since."""
    seen = {expert.name: expert.sees.labels(record) for expert in experts}
    turns = tuple(check_turn(turn, record, seen[turn.expert]) for turn in openings.turns)
    return openings.model_copy(update={"turns": turns})


def _entered(state: DebateState, openings: Openings) -> DebateState:
    """The state behind the openings."""
    return {
        **state,
        "seats": list(openings.seats),
        "turns": list(openings.turns),
        "losses": list(openings.losses),
        "spent": list(openings.spent),
    }


def _unnamed(protocol: Protocol) -> Protocol:
    """Protocols are the same whatever they are called."""
    return replace(protocol, name="")


def _panel(experts: tuple[Expert, ...] | None, seed: int) -> Panel:
    return Panel(experts=experts, judge_sampling=Sampling(seed=seed), seed=seed)


def _largest(experts: tuple[Expert, ...], panels: Sequence[tuple[Expert, ...]]) -> tuple[Expert, ...]:
    """The largest panel that begins with these experts: theirs are its first openings."""
    return max((panel for panel in panels if panel[: len(experts)] == experts), key=len)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]
