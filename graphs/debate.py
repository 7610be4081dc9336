"""The debate: perceive, reconcile, open blind, look again, exchange, judge, verify, compose."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

from consilience.graphs.nodes import compose, exchange, judge, look, open_round, perceive, reconcile, verify
from consilience.graphs.state import DebateState
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
    rounds: int = 1,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> DebateGraph:
    """The ready graph, compiled.

    Args:
        bench: store, encoders, models; None: from the settings.
        panel: experts and judge; None: an expert for each modality of the media.
        rounds: rounds of exchange, 0 to 3.
        checkpointer: any LangGraph checkpointer; then pass a `thread_id` when you run it.

    Raises:
        ValueError: rounds out of range.
    """
    if not 0 <= rounds <= 3:
        raise ValueError(f"rounds must be 0 to 3, not {rounds}")
    bench, panel = bench or Workbench(), panel or Panel()
    exchanges = [f"exchange_{number}" if rounds > 1 else "exchange" for number in range(1, rounds + 1)]
    graph = StateGraph(DebateState)
    graph.add_node("perceive", perceive(bench))
    graph.add_node("reconcile", reconcile(bench))
    graph.add_node("open", open_round(bench, panel))
    graph.add_node("look", look(bench))
    for name in exchanges:
        graph.add_node(name, exchange(bench, panel))
    graph.add_node("judge", judge(bench, panel))
    graph.add_node("verify", verify(bench))
    graph.add_node("compose", compose(bench))
    path = [START, "perceive", "reconcile", "open", "look", *exchanges, "judge", "verify", "compose", END]
    for source, target in pairwise(path):
        graph.add_edge(source, target)
    return graph.compile(checkpointer=checkpointer, name="debate")
