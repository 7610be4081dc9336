"""Spans of a run, its nodes and its turns; see `consilience.core.tracing`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from consilience.agents import Verdict
from consilience.graphs.state import DebateState, Node
from langgraph.errors import GraphBubbleUp

from consilience.core.tracing import Tracing, span
from consilience.models import Endpoint, provider_name

__all__ = ["RunSpan", "run_span", "traced", "turn_span"]


class RunSpan:
    """The span of a run, which is told the verdict."""

    def __init__(self, tracing: Tracing, content: bool) -> None:
        self._tracing = tracing
        self._content = content

    def end(self, verdict: Verdict) -> None:
        """Notes how the run ended; a verdict that failed is an error of it."""
        if not self._tracing.on:
            return
        lost = [seat.seat for seat in verdict.seats if seat.status == "lost"]
        answer = {"consilience.answer": verdict.answer, "consilience.stop_reason": verdict.stop_reason}
        self._tracing.note(
            {
                "consilience.status": verdict.status,
                "consilience.seats": len(verdict.seats),
                "consilience.lost_seats": tuple(lost),
                "consilience.confidence": verdict.confidence.value if verdict.confidence else None,
                "consilience.confidence_method": verdict.confidence.method if verdict.confidence else None,
                "consilience.calls": verdict.usage.calls,
                "consilience.tokens": verdict.usage.tokens,
                "consilience.cost": verdict.usage.cost,
                **(answer if self._content else {}),
            }
        )
        if verdict.status == "failed":
            self._tracing.fail("failed", verdict.stop_reason if self._content else None)


@contextmanager
def run_span(graph: str, state: Mapping[str, Any] | None, *, thread: str, content: bool) -> Iterator[RunSpan]:
    """A span `invoke_workflow GRAPH` around a run.

    Args:
        graph: its name.
        state: its input; None where a run goes on.
        thread: its id, which joins the runs of a conversation.
        content: question and answer are part of the trace.
    """

    def known() -> dict[str, Any]:
        given = state or {}
        return {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": graph,
            "gen_ai.conversation.id": thread,
            "consilience.media": tuple(medium.id for medium in given.get("media", ())),
            "consilience.question": given.get("question") if content else None,
        }

    with span(f"invoke_workflow {graph}", known, harmless=(GraphBubbleUp,)) as tracing:
        yield RunSpan(tracing, content)


def traced(step: Callable[[DebateState], Awaitable[dict[str, Any]]]) -> Node:
    """The node, with a span of its name around each run of it. An interrupt is no error."""

    @wraps(step)
    async def within(state: DebateState) -> dict[str, Any]:
        with span(step.__name__, lambda: {"consilience.node": step.__name__}, harmless=(GraphBubbleUp,)):
            return await step(state)

    return within


@contextmanager
def turn_span(seat: str, expert: str, endpoint: Endpoint, phase: str, number: int = 0) -> Iterator[None]:
    """A span `invoke_agent EXPERT` around a turn, or the judge's answer; an error that leaves it is its loss."""

    def known() -> dict[str, Any]:
        return {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": expert,
            "gen_ai.provider.name": provider_name(endpoint.provider),
            "consilience.seat": seat,
            "consilience.endpoint": endpoint.name,
            "consilience.phase": phase,
            "consilience.round": number,
        }

    with span(f"invoke_agent {expert}", known):
        yield
