"""The ready graph: perceive, reconcile, open blind, look again, gate, exchange, decide or judge, verify, compose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

from consilience.graphs import nodes
from consilience.graphs.protocol import Protocol, protocol_named
from consilience.graphs.standings import last_round
from consilience.graphs.state import DebateState
from consilience.graphs.verdicts import has_quorum
from consilience.graphs.workbench import Panel, Workbench
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

__all__ = ["DebateGraph", "debate"]

DebateGraph: TypeAlias = CompiledStateGraph[DebateState, Any, Any, Any]


def debate(
    bench: Workbench | None = None,
    panel: Panel | None = None,
    *,
    protocol: Protocol | str = "debate",
    rounds: int | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    offsets: Mapping[str, float] | None = None,
    aloud: bool = True,
) -> DebateGraph:
    """The graph of a protocol, compiled.

    Args:
        bench: store, encoders, models; None: from the settings.
        panel: experts and judge; None: whom the protocol seats.
        protocol: how it is deliberated, or the name of a ready one (`PROTOCOLS`).
        rounds: of exchange, 0 to 3, instead of the protocol's.
        checkpointer: any LangGraph checkpointer; then pass a `thread_id` when you run it.
        offsets: seconds at which media start on one common clock, by their names or ids; None: nobody knows.
        aloud: the judge's answer is an event a piece, as it is written; whole, it is cheaper for runs nobody watches.

    Raises:
        UnknownName: there is no such protocol, or no encoder that it names.
        ValueError: rounds out of range.
    """
    how = protocol_named(protocol) if isinstance(protocol, str) else protocol
    how = how if rounds is None else how.with_rounds(rounds)
    bench, panel = bench or Workbench(), panel or Panel()
    panel = panel if panel.experts else replace(panel, experts=how.experts())
    panel = replace(panel, route=panel.route or how.route, approves=panel.approves or how.approves)
    graph = StateGraph(DebateState)
    graph.add_node("perceive", nodes.perceive(bench))
    graph.add_node("reconcile", nodes.reconcile(bench, offsets=offsets))
    graph.add_node("open", nodes.open_round(bench, panel, how.looks))
    graph.add_node("look", nodes.look(bench, looks=how.looks, offsets=offsets))
    graph.add_node("decide", nodes.decide(how))
    graph.add_node("judge", _judge(bench, panel, how, aloud=aloud))
    graph.add_node("verify", nodes.verify(bench, panel, supported=how.supported))
    graph.add_node("compose", nodes.compose(bench, quorum=how.quorum, support=how.support, calibration=how.calibration))
    for source, target in pairwise([START, "perceive", "reconcile"]):
        graph.add_edge(source, target)
    _add_openings(graph, bench, panel, how)
    look = _add_look(graph, bench, panel, how)
    after: Any = {"look": look, "compose": "compose"}
    graph.add_conditional_edges("open", partial(_after_openings, how.quorum), after)
    _add_exchange(graph, bench, panel, how, look)
    graph.add_conditional_edges("decide", _after_decision, ["verify", "judge"])
    for source, target in pairwise(["judge", "verify", "compose", END]):
        graph.add_edge(source, target)
    return graph.compile(checkpointer=checkpointer, name=how.name)


def _judge(bench: Workbench, panel: Panel, how: Protocol, *, aloud: bool) -> nodes.Node:
    digests = how.exchange is not None and how.exchange.digests
    judged = {"swap": how.swap, "matched": how.matched, "digests": digests, "aloud": aloud}
    return nodes.judge(bench, panel, targeted=how.targeted, **judged)


def _add_openings(graph: StateGraph[DebateState], bench: Workbench, panel: Panel, how: Protocol) -> None:
    """From `reconcile` to `open`."""
    if "conflict" not in how.pause:
        graph.add_edge("reconcile", "open")
        return
    graph.add_node("consult_conflict", nodes.consult(bench, panel, "conflict"))
    graph.add_edge("reconcile", "consult_conflict")
    graph.add_conditional_edges("consult_conflict", _unless_rejected, ["open", "compose"])


def _add_look(graph: StateGraph[DebateState], bench: Workbench, panel: Panel, how: Protocol) -> str:
    """The first node of looking again: `look`, or who permits it."""
    if how.looks is None or "look" not in how.pause:
        return "look"
    graph.add_node("permit", nodes.permit(bench, panel, how.looks))
    graph.add_edge("permit", "look")
    return "permit"


def _add_decision(graph: StateGraph[DebateState], bench: Workbench, panel: Panel, how: Protocol) -> str:
    """The first node of what leads to `decide`: a person is asked, the seats are weighed."""
    decided = "decide"
    if how.weighs:
        decided = "weigh"
        graph.add_node("weigh", nodes.weigh(bench, panel, how.exchange))
        graph.add_edge("weigh", "decide")
    if "judge" not in how.pause:
        return decided
    graph.add_node("consult_judge", nodes.consult(bench, panel, "judge"))
    after: Any = {"decide": decided, "verify": "verify", "compose": "compose"}
    graph.add_conditional_edges("consult_judge", _after_consultation, after)
    return "consult_judge"


def _add_exchange(graph: StateGraph[DebateState], bench: Workbench, panel: Panel, how: Protocol, looking: str) -> None:
    """What lies between `look` and `decide`."""
    end = _add_decision(graph, bench, panel, how)
    if how.exchange is None:
        graph.add_edge("look", end)
        return
    graph.add_node("settle", nodes.settle(how.exchange, allowed=bench.budget.rounds))
    # Without a round that the budget allows there is only to settle, and that says why.
    begun = _add_round(graph, bench, panel, how.within(bench.budget.rounds), looking)
    first = "gate" if how.gated else begun
    if how.gated:
        graph.add_node("gate", nodes.gate(bench, panel))
        graph.add_conditional_edges("gate", _after_gate, {"exchange": begun, "decide": end})
    if how.looks is None or begun == "settle":
        graph.add_edge("look", first)
    else:
        graph.add_conditional_edges("look", _after_look, {"opening": first, "exchange": "settle"})
    graph.add_conditional_edges("settle", _after_round, {"exchange": begun, "decide": end})


def _add_round(graph: StateGraph[DebateState], bench: Workbench, panel: Panel, how: Protocol, looking: str) -> str:
    """A round of exchange, up to `settle`; gives its first node."""
    if how.exchange is None:
        return "settle"
    graph.add_node("exchange", nodes.exchange(bench, panel, how.exchange, how.looks))
    graph.add_edge("exchange", "settle" if how.looks is None else looking)
    if how.exchange.order != "judge_led":
        return "exchange"
    graph.add_node("examine", nodes.examine(bench, panel, how.exchange))
    graph.add_edge("examine", "exchange")
    return "examine"


# Asynchronous, although they wait for nothing: LangGraph hands any other function to a thread.


async def _after_openings(quorum: float, state: DebateState) -> str:
    spoke = len({turn.seat for turn in state.get("turns", [])})
    return "look" if has_quorum(spoke, len(state.get("seats", [])), quorum) else "compose"


async def _unless_rejected(state: DebateState) -> str:
    return "compose" if state.get("rejected") else "open"


async def _after_consultation(state: DebateState) -> str:
    if state.get("rejected"):
        return "compose"
    return "verify" if state.get("draft") else "decide"


async def _after_look(state: DebateState) -> str:
    turns, losses = state.get("turns", []), state.get("losses", [])
    # Also a round in which everybody was lost, or nobody was there to answer, has been.
    been = last_round(turns) or any(loss.phase == "exchange" for loss in losses)
    return "exchange" if been or len({turn.seat for turn in turns}) < 2 else "opening"


async def _after_gate(state: DebateState) -> str:
    gate = state.get("gate")
    return "exchange" if gate is None or gate.debate else "decide"


async def _after_round(state: DebateState) -> str:
    return "decide" if state.get("stop") else "exchange"


async def _after_decision(state: DebateState) -> str:
    return "verify" if state.get("decision") else "judge"
