"""The ready graphs as a LangGraph server takes them: `langgraph.json` names these factories.

Input and output are JSON. The settings of the process say which model they use and where media may come from.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypeAlias

from consilience.agents import Verdict
from consilience.graphs.debate import DebateGraph
from consilience.graphs.debate import debate as debate_graph
from consilience.graphs.intake import Sent, take_in
from consilience.graphs.messages import MessagesGraph, deliberate, messages_graph
from consilience.graphs.state import Asked, append
from consilience.graphs.workbench import Workbench
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from typing_extensions import TypedDict

from consilience.core.once import once
from consilience.core.settings import Settings
from consilience.observations import Media, ObservationStore

__all__ = [
    "Answered",
    "Posed",
    "QuestionGraph",
    "debate",
    "gated_debate",
    "messages",
    "panel",
    "question_graph",
    "self_consistency",
    "single",
    "vote",
]


class Posed(TypedDict, total=False):
    """Input: a question, media as JSON (`Sent`), answers to choose from."""

    question: str
    sources: list[Sent]
    options: list[str]


class Answered(TypedDict, total=False):
    """Output."""

    verdict: Verdict


class _Talk(Posed, Answered, total=False):
    media: Annotated[list[Media], append]
    earlier: Annotated[list[Asked], append]


QuestionGraph: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]


def question_graph(graph: DebateGraph, store: ObservationStore, *, settings: Settings | None = None) -> QuestionGraph:
    """A debate with JSON in and the verdict out. On one thread, media and questions add up.

    Args:
        graph: what deliberates.
        store: its bench's.
        settings: limits of the media, and where they may come from; None: from the environment.
    """
    settings = settings or Settings()

    async def intake(state: _Talk) -> dict[str, Any]:
        sources = state.get("sources", [])
        return {"media": [await asyncio.to_thread(take_in, sent, store, settings) for sent in sources], "sources": []}

    async def answer(state: _Talk) -> dict[str, Any]:
        posed = {key: state.get(key, []) for key in ("media", "options", "earlier")}
        verdict = await deliberate(graph, {"question": state["question"], **posed}, settings)
        return {"verdict": verdict, "earlier": [Asked.of(verdict)]}

    talk = StateGraph(_Talk, input_schema=Posed, output_schema=Answered)
    talk.add_node("intake", intake)
    talk.add_node("answer", answer)
    talk.add_edge(START, "intake")
    talk.add_edge("intake", "answer")
    talk.add_edge("answer", END)
    return talk.compile(name=graph.name)


@once
def _bench() -> Workbench:
    """One for all that a process serves."""
    return Workbench()


@once
def _served(protocol: str) -> QuestionGraph:
    bench = _bench()
    return question_graph(debate_graph(bench, protocol=protocol), bench.store, settings=bench.settings)


@once
def _talking() -> MessagesGraph:
    bench = _bench()
    return messages_graph(debate_graph(bench), bench.store, settings=bench.settings, references=True)


# A server takes no wrapped function for a factory, and calls it on its event loop: each is plain and leaves that.


async def single() -> QuestionGraph:
    """One expert for the whole record."""
    return await asyncio.to_thread(_served, "single")


async def self_consistency() -> QuestionGraph:
    """The vote of several draws of it."""
    return await asyncio.to_thread(_served, "self_consistency")


async def vote() -> QuestionGraph:
    """The vote of the specialists."""
    return await asyncio.to_thread(_served, "vote")


async def panel() -> QuestionGraph:
    """The specialists' reports and a judge."""
    return await asyncio.to_thread(_served, "panel")


async def debate() -> QuestionGraph:
    """The same with an exchange."""
    return await asyncio.to_thread(_served, "debate")


async def gated_debate() -> QuestionGraph:
    """With an exchange where it can pay."""
    return await asyncio.to_thread(_served, "gated_debate")


async def messages() -> MessagesGraph:
    """The debate for chats: messages in, messages out."""
    return await asyncio.to_thread(_talking)
