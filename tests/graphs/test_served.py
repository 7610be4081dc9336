"""Graphs for other apps: what `langgraph.json` names, JSON in, messages in and out, a tool."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import PROTOCOLS
from consilience.graphs.intake import reference_to, take_in
from consilience.graphs.messages import debate_tool, messages_graph
from consilience.graphs.served import question_graph
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from consilience import Verdict, Workbench, debate
from consilience.core.errors import BadConfiguration, BadMedia
from consilience.core.settings import Settings
from consilience.observations import ingest
from consilience.testing import ModelServer

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
SENT = base64.b64encode(NOTE.encode()).decode()
FILE = {"type": "file", "base64": SENT, "mime_type": "text/plain", "extras": {"filename": "note.txt"}}
CONFIG: Any = {"configurable": {"thread_id": "1"}}
ROOT = Path(__file__).resolve().parents[2]
NAMED = json.loads((ROOT / "langgraph.json").read_text())["graphs"]


@pytest.fixture
async def bench(server: ModelServer, settings: Settings) -> AsyncIterator[Workbench]:
    async with Workbench(model=server.base_url, settings=settings) as bench:
        yield bench


def prompts(server: ModelServer) -> list[str]:
    return [call.body["messages"][-1]["content"] for call in server.calls]


@pytest.mark.parametrize("name", NAMED)
async def test_what_langgraph_json_names_loads_and_compiles(name: str, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path))
    module, _, attribute = NAMED[name].partition(":")
    # As the server looks it up: a wrapped function, or a lazy name, would not do.
    factory = import_module(module).__dict__[attribute]
    assert not inspect.signature(factory).parameters
    graph = await factory()
    assert isinstance(graph, CompiledStateGraph)
    assert {"intake", "answer"} <= set(graph.get_graph().nodes)
    assert ("messages" if name == "messages" else "sources") in graph.get_input_jsonschema()["properties"]


def test_every_ready_protocol_is_served() -> None:
    assert set(NAMED) == {*PROTOCOLS, "messages"}


async def test_a_question_in_json_and_a_follow_up_on_its_thread(bench: Workbench, server: ModelServer) -> None:
    graph = question_graph(debate(bench, rounds=0), bench.store, settings=bench.settings)
    graph.checkpointer = InMemorySaver()
    told = await graph.ainvoke({"question": QUESTION, "sources": [FILE]}, CONFIG)
    assert set(told) == {"verdict"}
    assert told["verdict"].answer == NOTE
    before = len(server.calls)
    again = await graph.ainvoke({"question": "Who?"}, CONFIG)
    assert again["verdict"].evidence[0].media.name == "note.txt"
    assert all(f'Earlier question: "{QUESTION}"' in prompt for prompt in prompts(server)[before:])


async def test_the_debates_events_come_through(bench: Workbench) -> None:
    graph = question_graph(debate(bench, rounds=0), bench.store, settings=bench.settings)
    given: Any = {"question": QUESTION, "sources": [FILE]}
    parts = [part async for part in graph.astream(given, stream_mode="custom", subgraphs=True, version="v2")]
    assert [part["data"].type for part in parts][-1] == "finished"


def test_clients_read_only_what_they_may(bench: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "note.txt").write_text(NOTE)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    open_ = bench.settings.model_copy(update={"media_folder": folder})
    media = take_in("note.txt", bench.store, open_)
    assert take_in(media.id, bench.store, bench.settings) == media
    assert take_in(reference_to(media), bench.store, bench.settings) == media
    for outside in ("../secret.txt", str(tmp_path / "secret.txt"), "link.txt"):
        with pytest.raises(BadMedia, match="outside"):
            take_in(outside, bench.store, open_)
    with pytest.raises(BadMedia, match="may not name files"):
        take_in("note.txt", bench.store, bench.settings)
    with pytest.raises(BadMedia, match="URLs are not fetched"):
        take_in({"type": "image", "url": "http://127.0.0.1/x.png"}, bench.store, open_)
    with pytest.raises(BadMedia, match="not in the store"):
        take_in(f"sha256:{0:064x}", bench.store, open_)


async def test_messages_in_messages_out(bench: Workbench, server: ModelServer) -> None:
    graph = messages_graph(debate(bench, rounds=0), bench.store, settings=bench.settings)
    asked = HumanMessage([{"type": "text", "text": QUESTION}, FILE])
    told = await graph.ainvoke({"messages": [asked]})
    answer = told["messages"][-1]
    assert isinstance(answer, AIMessage)
    assert (answer.text, answer.name) == (NOTE, "consilience")
    assert Verdict.model_validate(answer.response_metadata["consilience"]) == told["verdict"]
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == told["verdict"].usage.tokens > 0
    # A client that keeps the conversation itself sends all of it.
    before = len(server.calls)
    await graph.ainvoke({"messages": [*told["messages"], HumanMessage("And who?")]})
    judged = [prompt for prompt in prompts(server)[before:] if "You are the judge" in prompt]
    assert all(f'Earlier question: "{QUESTION}" Answer: "{NOTE}" [t1]' in prompt for prompt in judged)
    assert judged


async def test_references_keep_bytes_out_of_checkpoints(bench: Workbench) -> None:
    graph = messages_graph(debate(bench, rounds=0), bench.store, settings=bench.settings, references=True)
    graph.checkpointer = InMemorySaver()
    await graph.ainvoke({"messages": [HumanMessage([{"type": "text", "text": QUESTION}, FILE])]}, CONFIG)
    state = (await graph.aget_state(CONFIG)).values
    assert SENT not in repr(state)
    assert len(state["messages"]) == 2
    told = await graph.ainvoke({"messages": [HumanMessage("And who?")]}, CONFIG)
    assert told["verdict"].evidence[0].media.name == "note.txt"


async def test_it_is_an_agent_of_a_larger_graph(bench: Workbench) -> None:
    async def greet(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("Let me ask the others.")]}

    app = StateGraph(MessagesState)
    app.add_node("greet", greet)
    app.add_node("debate", messages_graph(debate(bench, rounds=0), bench.store, settings=bench.settings))
    app.add_edge(START, "debate")
    app.add_edge("debate", "greet")
    given: Any = {"messages": [HumanMessage([{"type": "text", "text": QUESTION}, FILE])]}
    told = await app.compile().ainvoke(given)
    assert [message.text for message in told["messages"][1:]] == [NOTE, "Let me ask the others."]


async def test_messages_without_a_question_are_refused(bench: Workbench) -> None:
    graph = messages_graph(debate(bench, rounds=0), bench.store, settings=bench.settings)
    with pytest.raises(BadConfiguration, match="no question"):
        await graph.ainvoke({"messages": [HumanMessage([FILE])]})


async def test_it_is_a_tool_that_reaches_only_what_it_was_given(bench: Workbench) -> None:
    tool = debate_tool(debate(bench, rounds=0), [ingest(NOTE, bench.store, name="note.txt")])
    assert set(tool.args) == {"question", "options"}
    assert "note.txt" in tool.description
    call = {"name": tool.name, "args": {"question": QUESTION}, "id": "1", "type": "tool_call"}
    told = await tool.ainvoke(call)
    assert isinstance(told, ToolMessage)
    assert NOTE in told.text
    assert isinstance(told.artifact, Verdict)
