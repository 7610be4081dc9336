"""A debate for LangChain apps: messages in, messages out; and as a tool."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from consilience.agents import Verdict
from consilience.graphs.debate import DebateGraph
from consilience.graphs.intake import is_medium, reference_to, take_in
from consilience.graphs.state import Asked
from consilience.graphs.tracing import run_span
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import Media, ObservationStore

__all__ = ["MessagesGraph", "Talk", "debate_tool", "deliberate", "messages_graph"]

_KEY = "consilience"
"""Of the verdict in `AIMessage.response_metadata`."""


class Talk(TypedDict, total=False):
    """The state: messages, and the verdict on the last question."""

    messages: Annotated[list[AnyMessage], add_messages]
    verdict: Verdict


MessagesGraph: TypeAlias = CompiledStateGraph[Talk, Any, Any, Any]


def messages_graph(
    graph: DebateGraph,
    store: ObservationStore,
    *,
    settings: Settings | None = None,
    references: bool = False,
    name: str = "consilience",
) -> MessagesGraph:
    """A debate that answers the last human message: a subgraph or an agent of any LangGraph app.

    The words of that message are the question; pictures, recordings, films and files of all human messages are the
    media; earlier questions and answers are what it goes on from. The reply is an `AIMessage`: the answer, with the
    verdict as JSON under `response_metadata["consilience"]` and what it used as `usage_metadata`.

    Args:
        graph: what deliberates, for example `debate(bench)`.
        store: its bench's.
        settings: limits of the media; None: from the environment.
        references: media are replaced in the messages by their ids, so that checkpoints hold no bytes; other models
            of the app can then not see them.
        name: of the graph and of the author of its messages.
    """
    settings = settings or Settings()

    async def intake(state: Talk) -> dict[str, Any]:
        if not references:
            return {}
        return {"messages": await asyncio.to_thread(_referring, state["messages"], store, settings)}

    async def answer(state: Talk) -> dict[str, Any]:
        question, earlier = _questions(state["messages"])
        media = await asyncio.to_thread(_media, state["messages"], store, settings)
        verdict = await deliberate(graph, {"question": question, "media": media, "earlier": earlier}, settings)
        return {"messages": [_message(verdict, name)], "verdict": verdict}

    talk = StateGraph(Talk)
    talk.add_node("intake", intake)
    talk.add_node("answer", answer)
    talk.add_edge(START, "intake")
    talk.add_edge("intake", "answer")
    talk.add_edge("answer", END)
    return talk.compile(name=name)


async def deliberate(graph: DebateGraph, state: dict[str, Any], settings: Settings) -> Verdict:
    """The verdict of a debate that runs within a node of another graph, on that one's checkpointer."""
    thread = str(get_config().get("configurable", {}).get("thread_id", ""))
    with run_span(graph.name, state, thread=thread, content=settings.trace_content) as run:
        verdict: Verdict = (await graph.ainvoke(state))["verdict"]
        run.end(verdict)
        return verdict


class _Question(BaseModel):
    question: str = Field(description="In any language; the answer comes in the same.")
    options: list[str] = Field([], description="Answers to choose from; none for an open question.")


def debate_tool(
    graph: DebateGraph, media: Sequence[Media], *, name: str = "debate", description: str | None = None
) -> BaseTool:
    """A tool that asks a debate about these media: the content is the answer with its claims, the artifact the verdict.

    The model that calls it says the question, and no paths: it reaches what the caller gives.
    """
    names = ", ".join(medium.name for medium in media)

    async def debate(question: str, options: Sequence[str] = ()) -> tuple[str, Verdict]:
        state = {"question": question, "media": list(media), "options": list(options)}
        verdict: Verdict = (await graph.ainvoke(state))["verdict"]
        return str(verdict), verdict

    return StructuredTool.from_function(
        coroutine=debate,
        name=name,
        description=description or f"Answers a question about {names}, with the evidence that every claim rests on.",
        args_schema=_Question,
        response_format="content_and_artifact",
    )


def _questions(messages: Sequence[AnyMessage]) -> tuple[str, list[Asked]]:
    """The last question, and those before it that were answered."""
    asked: list[Asked] = []
    question = ""
    for message in messages:
        if isinstance(message, HumanMessage):
            question = _words(message) or question
        elif isinstance(message, AIMessage) and question and message.text:
            asked.append(_asked(question, message))
            question = ""
    if not question:
        raise BadConfiguration("There is no question.", cure="End the messages with a human one that asks something.")
    return question, asked


def _asked(question: str, message: AIMessage) -> Asked:
    told = message.response_metadata.get(_KEY)
    return Asked.of(Verdict.model_validate(told)) if told else Asked(question=question, answer=str(message.text))


def _words(message: HumanMessage) -> str:
    if isinstance(message.content, str):
        return message.content.strip()
    spoken = [block for block in message.content if not is_medium(block)]
    words = [block if isinstance(block, str) else str(block.get("text", "")) for block in spoken]
    return "\n".join(filter(None, map(str.strip, words)))


def _blocks(message: AnyMessage) -> list[Any]:
    return message.content if isinstance(message, HumanMessage) and isinstance(message.content, list) else []


def _media(messages: Sequence[AnyMessage], store: ObservationStore, settings: Settings) -> list[Media]:
    """Of all human messages, each once. Blocks."""
    sent = [block for message in messages for block in _blocks(message) if is_medium(block)]
    return list(dict.fromkeys(take_in(block, store, settings) for block in sent))


def _referring(messages: Sequence[AnyMessage], store: ObservationStore, settings: Settings) -> list[AnyMessage]:
    """The messages that carried bytes, with references in their place. Blocks."""
    changed: list[AnyMessage] = []
    for message in messages:
        blocks = _blocks(message)
        if any(is_medium(block) and "file_id" not in block for block in blocks):
            content = [reference_to(take_in(b, store, settings)) if is_medium(b) else b for b in blocks]
            changed.append(message.model_copy(update={"content": content}))
    return changed


def _message(verdict: Verdict, name: str) -> AIMessage:
    used = verdict.usage
    return AIMessage(
        verdict.answer,
        name=name,
        response_metadata={_KEY: verdict.model_dump(mode="json")},
        usage_metadata={
            "input_tokens": used.prompt_tokens,
            "output_tokens": used.completion_tokens,
            "total_tokens": used.tokens,
        },
    )
