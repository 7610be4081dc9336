"""The ready graph over a model server: the path, what each seat sees, faults, checkpoints, own graphs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import Exchange, Finished, Protocol, nodes
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from consilience import DebateState, Excerpt, Expert, Panel, Verdict, Workbench, aask, ask, astream, debate, encoder
from consilience.core.errors import ModelUnavailable
from consilience.core.settings import Settings
from consilience.observations import ingest
from consilience.testing import Fault, ModelServer, ScriptedChatModel, witness

NOTE = "The book club meets in the upper room."
TABLE = b"club,room\nbook,upper room\n"
QUESTION = "Where does the book club meet?"
PAIR = (Expert("reader", "a reader", view=("text",)), Expert("clerk", "a clerk", view=("table",)))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rooms.csv"
    path.write_bytes(TABLE)
    return path


def prompts(server: ModelServer) -> list[str]:
    return [call.body["messages"][-1]["content"] for call in server.calls]


async def events_of(question: str, media: list[Any], **options: Any) -> list[Any]:
    return [event async for event in astream(question, media, **options)]


async def test_events_come_in_the_order_of_the_debate(server: ModelServer, settings: Settings) -> None:
    events = await events_of(QUESTION, [NOTE], model=server.base_url, settings=settings)
    kinds = [event.type for event in events if event.type not in ("answer_delta", "perceived", "comparing")]
    assert kinds == [
        *("started", "recorded", "reconciled"),
        *("seated", "phase_started", "turn_taken", "used", "turn_taken", "used"),
        *("phase_started", "turn_taken", "used", "turn_taken", "used", "settled"),
        *("phase_started", "used", "finished"),
    ]
    streamed = "".join(event.text for event in events if event.type == "answer_delta")
    assert streamed == events[-1].verdict.answer == NOTE


async def test_openings_are_blind_and_see_their_own_modality(
    server: ModelServer, settings: Settings, table: Path
) -> None:
    await aask(QUESTION, [NOTE, table], model=server.base_url, settings=settings, experts=PAIR, rounds=0)
    reader, clerk = sorted(prompts(server)[:2], key=lambda prompt: "a clerk" in prompt)
    assert "[t1]" in reader
    assert "[b1]" not in reader
    assert "[b1]" in clerk
    assert NOTE not in clerk
    assert "Seat A" not in reader + clerk


async def test_from_the_exchange_on_one_prefix_grows(server: ModelServer, settings: Settings, table: Path) -> None:
    two = Protocol("two", exchange=Exchange(rounds=2, stops=()))
    await aask(QUESTION, [NOTE, table], model=server.base_url, settings=settings, experts=PAIR, protocol=two)
    exchanges = [text for text in prompts(server) if "Statements:" in text and "You are seat" in text]
    assert len(exchanges) == 4
    shared = [text.rpartition("\n\nQuestion:")[0] for text in exchanges]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shared))
    # Seats of one round differ in the last line, in which each is told who it is.
    assert len({text.rpartition("\n")[0] for text in exchanges[:2]}) == 1
    assert server.calls[-1].prompt.cached > 0


async def test_a_lost_seat_takes_no_other_down(settings: Settings, table: Path) -> None:
    down = RunnableLambda(lambda messages: (_ for _ in ()).throw(ConnectionError("gone")))
    experts = (PAIR[0], Expert("clerk", "a clerk", view=("table",), model=down))
    with ModelServer(witness) as server:
        verdict = await aask(QUESTION, [NOTE, table], model=server.base_url, settings=settings, experts=experts)
    fates = {seat.expert: (seat.status, seat.reason) for seat in verdict.seats}
    assert fates["reader"] == ("answered", None)
    assert fates["clerk"][0] == "lost"
    assert "gone" in (fates["clerk"][1] or "")
    assert (verdict.status, verdict.answer) == ("partial", NOTE)


async def test_a_lost_judge_leaves_the_best_supported_seat(settings: Settings) -> None:
    def silent_judge(number: int, request: dict[str, Any]) -> Fault | None:
        return Fault("garbage") if "You are the judge" in json.dumps(request["messages"]) else None

    with ModelServer(witness, faults=silent_judge) as server:
        verdict = await aask(QUESTION, [NOTE], model=server.base_url, settings=settings)
    assert verdict.answer == NOTE
    assert verdict.status == "partial"
    assert "the judge was lost" in verdict.stop_reason


@pytest.mark.parametrize(("told", "struck"), [("It meets in room 12.", ["'room 12' does not stand in t1"]), (NOTE, [])])
async def test_a_claim_that_tells_a_number_of_its_own_is_struck(
    settings: Settings, told: str, struck: list[str]
) -> None:
    def reply(messages: list[Any]) -> dict[str, Any]:
        cited = {"label": "t1", "quote": "upper room"}
        if "You are the judge" in messages[-1].text:
            return {"claims": [{"text": told, **cited}], "stated": "fully", "answer": told}
        return {"evidence": [cited], "stated": "fully", "answer": "the upper room"}

    verdict = await aask(QUESTION, [NOTE], model=ScriptedChatModel(replies=reply), settings=settings)
    assert [one.reason for one in verdict.struck] == struck
    assert all(claim.text != told for claim in verdict.claims) == bool(struck)


async def test_a_claim_that_quotes_what_is_not_there_is_struck(settings: Settings) -> None:
    def liar(request: dict[str, Any]) -> dict[str, Any]:
        reply = witness(request)
        for claim in reply.get("claims", []):
            claim["quote"] = "in the cellar"
        return reply

    with ModelServer(liar) as server:
        verdict = await aask(QUESTION, [NOTE], model=server.base_url, settings=settings)
    assert [struck.claim.citations[0].quote for struck in verdict.struck] == ["in the cellar"]
    assert "does not say" in verdict.struck[0].reason
    # What the seats had rightly cited carries the answer.
    assert [claim.citations[0].quote for claim in verdict.claims] == [NOTE]


async def test_a_lost_tool_is_told_and_the_debate_goes_on(server: ModelServer, settings: Settings) -> None:
    @encoder(modality="text", kinds=("mood",), version="1")
    def moody(excerpt: Excerpt) -> Iterator[Any]:
        """Fails."""
        raise RuntimeError("no mood today")
        yield

    verdict = await aask(QUESTION, [NOTE], model=server.base_url, settings=settings, encoders=[moody])
    assert len(verdict.lost_tools) == 1
    assert "no mood today" in verdict.lost_tools[0]
    assert verdict.status == "partial"


async def test_a_judge_that_cannot_be_had_is_told_at_once(settings: Settings) -> None:
    with ModelServer() as server:
        gone = server.base_url
    with pytest.raises(ModelUnavailable, match="Is the server running"):
        await aask(QUESTION, [NOTE], model=gone, settings=settings)


def holds_bytes(value: Any) -> bool:
    if isinstance(value, bytes | bytearray | memoryview):
        return True
    if isinstance(value, dict):
        return any(holds_bytes(part) for part in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return any(holds_bytes(part) for part in value)
    return holds_bytes(vars(value)) if hasattr(value, "__dict__") and not callable(value) else False


async def test_state_holds_no_bytes_and_comes_back_from_a_checkpoint(server: ModelServer, settings: Settings) -> None:
    saver = InMemorySaver()
    bench = Workbench(model=server.base_url, settings=settings)
    graph = debate(bench, checkpointer=saver)
    verdict = await aask(QUESTION, [NOTE], graph=graph, settings=settings, thread="one")
    await bench.close()
    snapshot = await graph.aget_state({"configurable": {"thread_id": "one"}})
    # The tests run with strict checkpoints: what comes back is of the types that went in, or the read fails.
    assert snapshot.values["verdict"] == verdict
    assert snapshot.values["schema_version"] == 1
    assert not holds_bytes(snapshot.values)
    assert all(isinstance(reference, str) for reference in snapshot.values["observations"])
    history = [state async for state in graph.aget_state_history({"configurable": {"thread_id": "one"}})]
    assert [state.next for state in reversed(history)][-2:] == [("compose",), ()]


def test_holds_bytes_finds_them() -> None:
    assert holds_bytes({"a": [(b"x",)]})
    assert not holds_bytes({"a": ["x", 1, None]})


async def test_a_second_question_on_a_thread_starts_a_new_debate(server: ModelServer, settings: Settings) -> None:
    bench = Workbench(model=server.base_url, settings=settings)
    graph = debate(bench, checkpointer=InMemorySaver())
    first = await aask(QUESTION, [NOTE], graph=graph, settings=settings, thread="one")
    second = await aask("When?", [NOTE], graph=graph, settings=settings, thread="one")
    await bench.close()
    assert second.question == "When?"
    assert second.usage.calls == first.usage.calls


def test_ask_works_without_and_within_a_running_loop(server: ModelServer, settings: Settings) -> None:
    def asked() -> Verdict:
        return ask(QUESTION, [NOTE], model=server.base_url, settings=settings)

    async def in_a_notebook() -> Verdict:
        return asked()

    assert asked().answer == asyncio.run(in_a_notebook()).answer == NOTE


def test_two_runs_of_a_loop_in_a_row(server: ModelServer, settings: Settings) -> None:
    bench = Workbench(model=server.base_url, settings=settings)
    graph = debate(bench)

    async def run() -> Verdict:
        async with bench:
            return await aask(QUESTION, [NOTE], graph=graph, settings=settings)

    assert [asyncio.run(run()).status for _ in range(2)] == ["complete", "complete"]


def test_debates_at_once_share_nothing(server: ModelServer, settings: Settings) -> None:
    async def many() -> list[Verdict]:
        notes = [f"The club number {number} meets in room {number}." for number in range(8)]
        return await asyncio.gather(
            *(aask(QUESTION, [note], model=server.base_url, settings=settings) for note in notes)
        )

    answers = [verdict.answer for verdict in asyncio.run(many())]
    assert answers == [f"The club number {number} meets in room {number}." for number in range(8)]


async def test_an_own_graph_of_own_order_is_asked_like_the_ready_one(server: ModelServer, settings: Settings) -> None:
    bench = Workbench(model=server.base_url, settings=settings)
    panel = Panel(experts=(Expert("reader", "a reader"),))
    steps = {
        "perceive": nodes.perceive(bench),
        "open": nodes.open_round(bench, panel),
        "judge": nodes.judge(bench, panel),
        "verify": nodes.verify(bench),
        "compose": nodes.compose(bench),
    }
    builder = StateGraph(DebateState)
    for name, node in steps.items():
        builder.add_node(name, node)
    for edge in pairwise([START, *steps, END]):
        builder.add_edge(*edge)
    graph = builder.compile()
    events = await events_of(QUESTION, [NOTE], graph=graph, settings=settings)
    await bench.close()
    assert isinstance(events[-1], Finished)
    assert events[-1].verdict.usage.calls == 2
    assert "perceive --> open" in graph.get_graph().draw_mermaid()


async def test_a_chat_model_and_a_runnable_sit_at_one_table(settings: Settings, table: Path) -> None:
    turn = {"evidence": [{"label": "t1", "quote": "upper room"}], "stated": "fully", "answer": "upper room"}
    scripted = ScriptedChatModel(replies=[turn])
    rule = RunnableLambda(lambda messages: "in the upper room")
    experts = (
        Expert("reader", "a reader", view=("text",), model=scripted),
        Expert("rule", "a rule", view=("table",), model=rule),
    )
    with ModelServer(witness) as server:
        options: dict[str, Any] = {"judge": server.base_url, "experts": experts, "rounds": 0}
        verdict = await aask(QUESTION, [NOTE, table], settings=settings, **options)
    assert {seat.expert: seat.status for seat in verdict.seats} == {"reader": "answered", "rule": "answered"}
    assert verdict.confidence.told == "2 of 2 seats"


@pytest.fixture
def contradicting(table: Path) -> Path:
    table.write_bytes(b"club,room\nbook,cellar\n")
    return table


async def test_a_conflict_is_resolved_before_the_answer(settings: Settings, contradicting: Path) -> None:
    with ModelServer(witness) as server:
        verdict = await aask(QUESTION, [NOTE, contradicting], model=server.base_url, settings=settings, experts=PAIR)
        order = [text for text in prompts(server) if "You are the judge" in text]
    assert verdict.resolution is not None
    assert "Which source is newer" in order[0]
    assert verdict.resolution.answer in order[1]
    assert "Exchange:" not in order[1]


@pytest.mark.parametrize("rounds", [-1, 4])
def test_rounds_have_bounds(settings: Settings, rounds: int) -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        debate(Workbench(settings=settings), rounds=rounds)


def test_the_graph_can_be_drawn(settings: Settings) -> None:
    drawn = debate(Workbench(settings=settings), rounds=2).get_graph().draw_mermaid()
    for edge in ("look --> exchange", "exchange --> settle", "settle -.-> exchange", "decide -.-> judge"):
        assert edge in drawn


async def test_an_answer_carries_what_shows_its_evidence(server: ModelServer, settings: Settings) -> None:
    verdict = await aask(QUESTION, [NOTE], model=server.base_url, settings=settings)
    (evidence,) = verdict.evidence
    store = Workbench(settings=settings).store
    assert store.get([evidence.observation.id]) == (evidence.observation,)
    assert evidence.media == ingest(NOTE, store)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert NOTE in verdict._repr_html_()
