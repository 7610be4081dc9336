"""LangChain tools, whole agents and graphs in a seat of a debate."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from consilience.graphs import Finished, ToolCalled, debate
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from consilience import Expert, Panel, Workbench, aask, astream
from consilience.core.settings import Settings
from consilience.observations import ObservationStore
from consilience.testing import ScriptedChatModel

NOTE = "Trains to York leave from the main hall."
QUESTION = "From which platform does the train to York leave?"
READ = {"answer": "not stated", "evidence": [], "stated": "not"}


@tool
def timetable(town: str) -> str:
    """Tells from which platform trains leave."""
    return f"{town}: platform nine"


@tool
def broken(town: str) -> str:
    """Breaks."""
    raise RuntimeError("the wire is cut")


def wants(*names: str) -> dict[str, Any]:
    return {"calls": [{"tool": name, "arguments": json.dumps({"town": "York"})} for name in names]}


def citing(label: str) -> dict[str, Any]:
    return {"answer": "platform nine", "evidence": [{"label": label, "quote": "platform nine"}], "stated": "fully"}


def panel(*replies: Any) -> tuple[tuple[Expert, ...], ScriptedChatModel]:
    """A reader, a clerk who has tools and gives these replies, and a judge who believes the clerk."""
    claim = {"text": "It is platform nine.", "label": "xb1", "quote": "platform nine"}
    judge = ScriptedChatModel(replies=lambda _: {"answer": "platform nine", "claims": [claim], "stated": "fully"})
    experts = (
        Expert("reader", "a reader", view=("text",), model=ScriptedChatModel(replies=lambda _: READ)),
        Expert("clerk", "a clerk", model=ScriptedChatModel(replies=replies), tools=[timetable, broken]),
    )
    return experts, judge


async def test_a_claim_rests_on_what_a_tool_gave(settings: Settings) -> None:
    experts, judge = panel(wants("timetable", "broken"), {"calls": []}, citing("xb1"))
    asked = astream(QUESTION, [NOTE], settings=settings, experts=experts, judge=judge, rounds=0)
    events = [event async for event in asked]
    verdict = events[-1].verdict
    (evidence,) = verdict.evidence
    assert verdict.answer == "platform nine"
    assert verdict.claims[0].holds
    assert evidence.label == "xb1"
    assert evidence.observation.provenance.tool == "tool timetable"
    assert evidence.media.name == 'timetable({"town": "York"})'
    store = ObservationStore.open(settings)
    assert store.path(evidence.media).read_text() == "York: platform nine"

    called = [event for event in events if isinstance(event, ToolCalled)]
    assert [(event.call.tool, event.lines) for event in called] == [
        ("timetable", ("[xb1] tool_result: York: platform nine",)),
        ("broken", ()),
    ]
    reader, clerk = verdict.seats
    assert reader.tools == ()
    assert [call.failure for call in clerk.tools] == [None, "RuntimeError: the wire is cut"]
    assert verdict.usage_by_seat["B"].calls == 3
    assert [event.type for event in events].count("seat_lost") == 0


async def test_results_stay_on_a_thread_and_are_read_by_no_encoder(settings: Settings) -> None:
    experts, judge = panel(
        *(wants("timetable"), {"calls": []}, citing("xb1")),
        *({"calls": []}, READ),
    )
    async with Workbench(settings=settings) as bench:
        graph = debate(bench, Panel(experts, judge=judge), rounds=0, checkpointer=InMemorySaver())
        options: dict[str, Any] = {"settings": settings, "graph": graph, "thread": "1"}
        first = await aask(QUESTION, [NOTE], **options)
        again = [event async for event in astream("Which platform was it?", [], **options)]
    media = {evidence.media.id for evidence in first.evidence}
    assert not media & {event.media.id for event in again if event.type == "perceived"}
    assert isinstance(again[-1], Finished)
    # The judge cites it again: it is still in the record, under its label.
    assert [evidence.label for evidence in again[-1].verdict.evidence] == ["xb1"]
    assert again[-1].verdict.seats[1].tools == ()


async def test_a_whole_agent_sits_in_a_seat(settings: Settings) -> None:
    calling = AIMessage("", tool_calls=[{"name": "timetable", "args": {"town": "York"}, "id": "1"}])
    inner = ScriptedChatModel(replies=[calling, "platform nine"])
    experts = [Expert("agent", "an agent", model=create_agent(inner, [timetable], name="agent"))]
    judge = ScriptedChatModel(replies=lambda _: {"answer": "platform nine", "claims": [], "stated": "fully"})
    verdict = await aask(QUESTION, [NOTE], settings=settings, experts=experts, judge=judge, rounds=0)
    assert verdict.seats[0].status == "answered"
    assert verdict.payoff is not None
    assert verdict.payoff.best_single.answer == "platform nine"
    used = [call.reply.usage_metadata for call in inner.calls if isinstance(call.reply, AIMessage)]
    # All that the agent's model used, not only for its last message.
    assert len(used) == 2
    assert verdict.usage_by_seat["A"].tokens == sum(each["total_tokens"] for each in used if each)
    assert NOTE in inner.calls[0].prompt


async def test_a_graph_of_messages_sits_in_a_seat_and_one_that_says_nothing_is_lost(settings: Settings) -> None:
    def graph_of(say: Any) -> Any:
        builder = StateGraph(MessagesState)
        builder.add_node("say", say)
        builder.add_edge(START, "say")
        builder.add_edge("say", END)
        return builder.compile()

    experts = [
        Expert("graph", "a graph", model=graph_of(lambda state: {"messages": [AIMessage("platform nine")]})),
        Expert("mute", "a graph that ends without a word", model=graph_of(lambda state: {"messages": []})),
    ]
    judge = ScriptedChatModel(replies=lambda _: {"answer": "platform nine", "claims": [], "stated": "fully"})
    verdict = await aask(QUESTION, [NOTE], settings=settings, experts=experts, judge=judge, rounds=0)
    assert [(fate.expert, fate.status) for fate in verdict.seats] == [("graph", "answered"), ("mute", "lost")]
    assert "its reply is empty" in str(verdict.seats[1].reason)


async def test_what_tools_gave_before_a_seat_ran_out_of_time_stays_in_the_record(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, clock, passed = asyncio.get_running_loop(), asyncio.get_running_loop().time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: clock() + passed[0])

    @tool
    async def endless(town: str) -> str:
        """Takes longer than anybody waits."""
        passed[0] += 3600
        await asyncio.Event().wait()
        return ""

    experts, judge = panel(wants("timetable"), wants("endless"))
    late = replace(experts[1], tools=[timetable, endless], seconds=1800, tool_seconds=7200)
    asked = astream(QUESTION, [NOTE], settings=settings, experts=(experts[0], late), judge=judge, rounds=0)
    events = [event async for event in asked]
    verdict = events[-1].verdict
    clerk = verdict.seats[1]
    assert clerk.status == "lost"
    assert "no turn within 1800 s" in str(clerk.reason)
    assert [(call.tool, call.failure) for call in clerk.tools] == [
        ("timetable", None),
        ("endless", "it was ended before it gave anything"),
    ]
    # The judge may cite it, though nobody spoke for it.
    assert [evidence.label for evidence in verdict.evidence] == ["xb1"]
    assert [event.call.tool for event in events if isinstance(event, ToolCalled)] == ["timetable", "endless"]
