"""Spans of a debate, through the SDK's in-memory exporter: the tree, the attributes, what stays out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs.tracing import traced
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.trace import StatusCode

from consilience import DebateState, Expert, Panel, Workbench, aask, debate
from consilience.core.settings import Settings
from consilience.models import resolve
from consilience.testing import ModelServer, ScriptedChatModel, witness

NOTE = "The book club meets in the upper room."
TABLE = b"club,room\nbook,upper room\n"
QUESTION = "Where does the book club meet?"
PAIR = (Expert("reader", "a reader", view=("text",)), Expert("clerk", "a clerk", view=("table",)))


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """A process has one provider for good; where it has one already, this exporter joins it."""
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()  # it keeps nothing of the tests that come after


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rooms.csv"
    path.write_bytes(TABLE)
    return path


def tree(spans: InMemorySpanExporter) -> dict[str, list[str]]:
    """The name of each span with those of its children, in the order in which they began."""
    finished = sorted(spans.get_finished_spans(), key=lambda span: span.start_time or 0)
    names = {span.context.span_id: span.name for span in finished if span.context}
    children: dict[str, list[str]] = {}
    for span in finished:
        children.setdefault(names[span.parent.span_id] if span.parent else "", []).append(span.name)
    return children


def named(spans: InMemorySpanExporter, start: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name.startswith(start)]


def values(spans: InMemorySpanExporter) -> Iterator[tuple[str, Any]]:
    for span in spans.get_finished_spans():
        yield from (span.attributes or {}).items()
        for event in span.events:
            yield from (event.attributes or {}).items()
        yield "status", span.status.description


async def test_a_run_is_one_tree_of_nodes_turns_calls_and_encodings(
    server: ModelServer, settings: Settings, table: Path, spans: InMemorySpanExporter
) -> None:
    await aask(QUESTION, [NOTE, table], model=server.base_url, settings=settings, experts=PAIR)
    found = tree(spans)
    assert found[""] == ["invoke_workflow debate"]
    nodes = [
        "perceive",
        "reconcile",
        "open_round",
        "look",
        "exchange",
        "settle",
        "decide",
        "judge",
        "verify",
        "compose",
    ]
    assert found["invoke_workflow debate"] == nodes
    assert found["perceive"]
    assert all(name.startswith("execute_tool ") for name in found["perceive"])
    assert sorted(found["open_round"]) == sorted(found["exchange"]) == ["invoke_agent clerk", "invoke_agent reader"]
    assert found["judge"] == ["invoke_agent judge"]
    model = found["invoke_agent judge"][0]
    assert found["invoke_agent reader"] == [model, model]
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 1
    assert {span.status.status_code for span in spans.get_finished_spans()} == {StatusCode.UNSET}


async def test_calls_carry_what_the_conventions_name_and_the_books_say(
    server: ModelServer, settings: Settings, spans: InMemorySpanExporter
) -> None:
    verdict = await aask(QUESTION, [NOTE], model=server.base_url, settings=settings, thread="club")
    calls = [span.attributes or {} for span in named(spans, "chat ")]
    assert sum(call["gen_ai.usage.input_tokens"] for call in calls) == verdict.usage.prompt_tokens  # type: ignore[misc]
    assert sum(call["gen_ai.usage.output_tokens"] for call in calls) == verdict.usage.completion_tokens  # type: ignore[misc]
    assert {call["gen_ai.operation.name"] for call in calls} == {"chat"}
    assert {call["gen_ai.provider.name"] for call in calls} == {"openai-compatible"}
    assert {call["server.address"] for call in calls} == {"127.0.0.1"}
    asked_for = {call.body["model"] for call in server.calls if "model" in call.body}
    assert {call["gen_ai.request.model"] for call in calls} == asked_for
    (run,) = named(spans, "invoke_workflow")
    assert run.attributes is not None
    assert run.attributes["gen_ai.conversation.id"] == "club"
    assert run.attributes["consilience.status"] == verdict.status
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    assert {name for name, _ in values(spans) if name.startswith("gen_ai.")} <= known


async def test_what_was_said_stays_out_unless_it_is_asked_for(
    server: ModelServer, settings: Settings, spans: InMemorySpanExporter
) -> None:
    await aask(QUESTION, [NOTE], model=server.base_url, settings=settings)
    assert not re.search("book|club|upper", repr(list(values(spans))), re.IGNORECASE)
    spans.clear()
    open_minded = settings.model_copy(update={"trace_content": True})
    verdict = await aask(QUESTION, [NOTE], model=server.base_url, settings=open_minded)
    call = named(spans, "chat ")[-1].attributes or {}
    (user,) = json.loads(str(call["gen_ai.input.messages"]))
    assert user["role"] == "user"
    assert QUESTION in user["parts"][0]["content"]
    assert json.loads(str(call["gen_ai.system_instructions"]))[0]["type"] == "text"
    (said,) = json.loads(str(call["gen_ai.output.messages"]))
    assert NOTE in said["parts"][0]["content"]
    (run,) = named(spans, "invoke_workflow")
    assert (run.attributes or {})["consilience.answer"] == verdict.answer


async def test_media_never_go_into_a_span(settings: Settings, spans: InMemorySpanExporter) -> None:
    seen = HumanMessage(
        content=[
            {"type": "text", "text": "What is this?"},
            {"type": "image", "base64": "QUJDREVGRw==", "mime_type": "image/png"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJDREVGRw=="}},
        ]
    )
    endpoint = resolve(ScriptedChatModel(replies=["A sign."]), settings.model_copy(update={"trace_content": True}))
    await endpoint.complete([seen])
    assert "What is this?" in repr(list(values(spans)))
    assert "QUJD" not in repr(list(values(spans)))
    assert not [value for _, value in values(spans) if isinstance(value, bytes)]


async def test_lost_seats_and_tools_have_the_status_of_an_error(
    settings: Settings, table: Path, spans: InMemorySpanExporter
) -> None:
    down = RunnableLambda(lambda messages: (_ for _ in ()).throw(ConnectionError("gone: the book club")))
    experts = (PAIR[0], Expert("clerk", "a clerk", view=("table",), model=down))
    with ModelServer(witness) as server:
        await aask(QUESTION, [NOTE, table], model=server.base_url, settings=settings, experts=experts)
    failed = {span.name: span for span in spans.get_finished_spans() if span.status.status_code is StatusCode.ERROR}
    assert {name.split()[0] for name in failed} == {"chat", "invoke_agent"}
    lost = failed["invoke_agent clerk"]
    assert (lost.attributes or {})["error.type"] == "connection"
    assert "book" not in repr(list(values(spans)))


async def test_a_failed_run_is_an_error_of_its_own(settings: Settings, spans: InMemorySpanExporter) -> None:
    down = RunnableLambda(lambda messages: (_ for _ in ()).throw(ConnectionError("gone")))
    verdict = await aask(QUESTION, [NOTE], model=down, settings=settings)
    assert verdict.status == "failed"
    (run,) = named(spans, "invoke_workflow")
    assert run.status.status_code is StatusCode.ERROR
    assert (run.attributes or {})["consilience.lost_seats"]


async def test_an_interrupt_is_no_error(spans: InMemorySpanExporter) -> None:
    @traced
    async def pause(state: DebateState) -> dict[str, Any]:
        return {"question": interrupt("which?")}

    graph = StateGraph(DebateState)
    graph.add_node("pause", pause)
    graph.add_edge(START, "pause")
    graph.add_edge("pause", END)
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    await app.ainvoke({"question": "?"}, config)
    assert (await app.ainvoke(Command(resume="this"), config))["question"] == "this"
    assert [span.status.status_code for span in named(spans, "pause")] == [StatusCode.UNSET, StatusCode.UNSET]


async def test_an_own_call_of_the_graph_hangs_below_the_callers_span(
    server: ModelServer, settings: Settings, spans: InMemorySpanExporter
) -> None:
    async with Workbench(model=server.base_url, settings=settings) as bench:
        graph = debate(bench, Panel(), rounds=0)
        with trace.get_tracer("mine").start_as_current_span("mine"):
            await graph.ainvoke({"question": QUESTION, "media": []}, {"configurable": {"thread_id": "1"}})
    assert "open_round" in tree(spans)["mine"]
