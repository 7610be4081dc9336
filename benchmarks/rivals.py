"""The debate of `orchestration.py` as people write it without a framework for it: plain asyncio, and raw LangGraph.

Both make the same ten calls with the same output schemas: three experts read the whole record, role first; three
rounds, in which each hears all that was said before; a judge. Neither retries, checks a citation, tells of its steps or
survives a lost seat.
"""

from __future__ import annotations

import asyncio
import json
import operator
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import openai
from consilience.agents.replies import Allowed, compose_form, turn_form
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

__all__ = ["Peer", "Topic", "langgraph", "plain"]

ROUNDS = 3
ROLES = {
    "text": "You are the expert for written text.",
    "table": "You are the expert for tables and figures.",
    "document": "You are the expert for documents.",
}
TASK = "Read the evidence and what was said. Choose the 2 lines that matter most, quote them, and answer."
JUDGE = "You are the judge. Compose the answer with 1 to 3 claims, each with the label of a line and a quote from it."


@dataclass(frozen=True)
class Peer:
    """One way of holding the debate; `debate` gives the answer."""

    debate: Callable[[], Awaitable[str]]
    close: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Topic:
    """What is debated."""

    question: str
    evidence: str
    labels: tuple[str, ...]

    def forms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Output schemas of a turn and of the judge."""
        return turn_form(Allowed(self.labels)).schema, compose_form(self.labels).schema

    def prompt(self, said: list[str]) -> str:
        """What everybody reads."""
        parts = [f"Question: {self.question}", f"Evidence:\n{self.evidence}", *said, TASK]
        return "\n\n".join(parts)


def plain(base_url: str, topic: Topic) -> Peer:
    """`asyncio.gather` over the openai client."""
    client = openai.AsyncOpenAI(base_url=base_url, api_key="k")
    turn, answer = topic.forms()

    async def call(role: str, said: list[str], schema: dict[str, Any]) -> str:
        messages: Any = [
            {"role": "system", "content": role},
            {"role": "user", "content": topic.prompt(said)},
        ]
        form: Any = {"name": schema["title"], "schema": schema, "strict": True}
        reply = await client.chat.completions.create(
            model="m", messages=messages, response_format={"type": "json_schema", "json_schema": form}
        )
        return json.dumps(json.loads(reply.choices[0].message.content or ""))

    async def debate() -> str:
        said: list[str] = []
        for _ in range(ROUNDS):
            turns = await asyncio.gather(*(call(role, said, turn) for role in ROLES.values()))
            said = said + [f"{name}: {words}" for name, words in zip(ROLES, turns, strict=True)]
        return str(json.loads(await call(JUDGE, said, answer))["answer"])

    return Peer(debate, client.close)


class _Table(TypedDict, total=False):
    said: Annotated[list[str], operator.add]
    round: int
    answer: str


class _Seat(TypedDict):
    name: str
    said: list[str]


def langgraph(base_url: str, topic: Topic, *, on_aiohttp: bool = False) -> Peer:
    """A `StateGraph` that fans each round out with `Send`; ChatOpenAI with structured output, made once."""
    client: Any = openai.DefaultAioHttpClient() if on_aiohttp else openai.DefaultAsyncHttpxClient()
    model = ChatOpenAI(model="m", base_url=base_url, api_key="k", http_async_client=client)  # type: ignore[arg-type]
    speak, judge = (model.with_structured_output(schema, include_raw=True) for schema in topic.forms())

    async def seat(at: _Seat) -> dict[str, Any]:
        prompt = [SystemMessage(ROLES[at["name"]]), HumanMessage(topic.prompt(at["said"]))]
        reply: Any = await speak.ainvoke(prompt)
        return {"said": [f"{at['name']}: {json.dumps(reply['parsed'])}"]}

    async def count(state: _Table) -> dict[str, Any]:
        return {"round": state.get("round", 0) + 1}

    async def decide(state: _Table) -> dict[str, Any]:
        reply: Any = await judge.ainvoke([SystemMessage(JUDGE), HumanMessage(topic.prompt(state["said"]))])
        return {"answer": reply["parsed"]["answer"]}

    def fan(state: _Table) -> list[Send] | str:
        if state.get("round", 0) == ROUNDS:
            return "decide"
        return [Send("seat", {"name": name, "said": state.get("said", [])}) for name in ROLES]

    graph = StateGraph(_Table)
    graph.add_node("seat", seat)  # type: ignore[type-var]
    graph.add_node("count", count)
    graph.add_node("decide", decide)
    graph.add_conditional_edges(START, fan, ["seat", "decide"])
    graph.add_edge("seat", "count")
    graph.add_conditional_edges("count", fan, ["seat", "decide"])
    graph.add_edge("decide", END)
    compiled = graph.compile()

    async def debate() -> str:
        return str((await compiled.ainvoke({"round": 0}))["answer"])

    return Peer(debate, client.aclose)
