"""A person in the loop: asked before the judge, or on a conflict; what is said counts, and is checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import Guidance, Paused, Protocol
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import ValidationError

from consilience import Expert, Verdict, Workbench, aask, astream, debate
from consilience.core.errors import BadConfiguration, UnknownName, Waiting
from consilience.core.settings import Settings
from consilience.testing import ModelServer, witness

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
PAIR = (Expert("reader", "a reader", view=("text",)), Expert("clerk", "a clerk", view=("table",)))


@pytest.fixture
def media(tmp_path: Path) -> list[Any]:
    table = tmp_path / "rooms.csv"
    table.write_text("club,room\nbook,upper room\n")
    return [NOTE, table]


@pytest.fixture
def contradicting(tmp_path: Path) -> list[Any]:
    table = tmp_path / "times.csv"
    table.write_text("club,meets at\nbook club,8 pm\n")
    return ["The book club meets at 6 pm.", table]


class Conversation:
    """A run that pauses, and is resumed."""

    def __init__(self, server: ModelServer, settings: Settings) -> None:
        self.server = server
        self._options: dict[str, Any] = {"thread": "one", "settings": settings}

    async def paused(self, media: list[Any], *pause: str, **options: Any) -> Paused:
        given = {"model": self.server.base_url, "experts": PAIR, "pause": pause, **options, **self._options}
        events = [event async for event in astream(QUESTION, media, **given)]
        assert isinstance(events[-1], Paused)
        return events[-1]

    async def resumed(self, **said: Any) -> Verdict:
        return await aask(resume=Guidance(**said), **self._options)

    async def standing(self) -> None:
        await aask(resume=True, **self._options)


@pytest.fixture
async def talk(settings: Settings) -> AsyncIterator[Conversation]:
    with ModelServer(witness) as server:
        yield Conversation(server, settings)


async def test_before_the_judge_all_have_spoken(talk: Conversation, media: list[Any]) -> None:
    paused = await talk.paused(media, "judge")
    assert (paused.thread, paused.pause.at) == ("one", "judge")
    assert paused.pause.lines[0] == f"A reader: {NOTE}"
    assert paused.pause.lines[1].startswith("B clerk: ")
    assert len(talk.server.calls) == 4
    with pytest.raises(Waiting, match="seats have spoken"):
        await talk.standing()
    verdict = await talk.resumed(action="approve")
    assert verdict.answer == NOTE
    assert len(talk.server.calls) == 5 + (verdict.resolution is not None)


async def test_an_edit_is_the_answer_and_is_checked(talk: Conversation, media: list[Any]) -> None:
    await talk.paused(media, "judge")
    cited = [("t1", "upper room"), ("t1", "in the cellar")]
    verdict = await talk.resumed(action="edit", text="In the upper room, I know it.", citations=cited)
    assert verdict.answer == "In the upper room, I know it."
    assert len(talk.server.calls) == 4
    assert "does not say" in verdict.struck[0].reason
    assert verdict.stop_reason.endswith("a person answered in the judge's place")


async def test_an_answer_that_nothing_carries_is_partial(talk: Conversation, media: list[Any]) -> None:
    await talk.paused(media, "judge")
    verdict = await talk.resumed(action="edit", text="On the roof.")
    assert (verdict.answer, verdict.status, verdict.claims) == ("On the roof.", "partial", ())


async def test_a_rejection_ends_it_without_an_answer(talk: Conversation, media: list[Any]) -> None:
    await talk.paused(media, "judge")
    verdict = await talk.resumed(action="reject", text="the note is a forgery")
    assert (verdict.answer, verdict.status) == ("", "abstained")
    assert verdict.stop_reason == "a person ended it: the note is a forgery"
    assert len(talk.server.calls) == 4


async def test_a_person_in_a_seat_is_heard_and_counted(talk: Conversation, media: list[Any]) -> None:
    await talk.paused(media, "judge")
    verdict = await talk.resumed(action="answer", text="On the roof.", citations=[("t1", "upper room")])
    assert [(fate.seat, fate.expert, fate.status) for fate in verdict.seats][-1] == ("C", "person", "answered")
    assert "On the roof." in talk.server.calls[-1].text
    assert verdict.dissent[-1].position.text == "On the roof."


async def test_a_vote_counts_the_person(talk: Conversation, media: list[Any]) -> None:
    await talk.paused(media, "judge", protocol="vote", options=("upper room", "cellar"))
    verdict = await talk.resumed(action="answer", text="upper room")
    assert "3 of 3 votes" in verdict.stop_reason


async def test_a_conflict_is_put_to_a_person(talk: Conversation, contradicting: list[Any]) -> None:
    paused = await talk.paused(contradicting, "conflict")
    assert paused.pause.at == "conflict"
    assert "6 pm" in paused.pause.lines[0]
    assert "8 pm" in paused.pause.lines[0]
    assert talk.server.calls == ()
    verdict = await talk.resumed(action="edit", text="8 pm")
    assert verdict.resolution is not None
    assert (verdict.resolution.by, verdict.resolution.answer) == ("person", "8 pm")
    judged = [call.text for call in talk.server.calls if "You are the judge" in call.text]
    assert len(judged) == 1
    assert 'You have found that "8 pm" is right: a person has said so.' in judged[0]


async def test_what_a_person_found_is_not_voted_down(talk: Conversation, contradicting: list[Any]) -> None:
    await talk.paused(contradicting, "conflict", options=("6 pm", "8 pm"))
    await talk.resumed(action="edit", text="8 pm")
    judged = [call.text for call in talk.server.calls if "You are the judge" in call.text]
    assert 'You have found that "8 pm" is right' in judged[-1]


async def test_who_answers_at_a_conflict_is_heard_in_the_exchange(talk: Conversation, contradicting: list[Any]) -> None:
    await talk.paused(contradicting, "conflict")
    verdict = await talk.resumed(action="answer", text="It was moved to 7 pm.")
    assert [fate.expert for fate in verdict.seats] == ["reader", "clerk", "person"]
    openings = [call.text for call in talk.server.calls[:2]]
    exchange = [call.text for call in talk.server.calls[2:4]]
    assert not any("moved to 7 pm" in text for text in openings)
    assert all("moved to 7 pm" in text for text in exchange)


async def test_a_rejected_conflict_costs_nothing(talk: Conversation, contradicting: list[Any]) -> None:
    await talk.paused(contradicting, "conflict")
    verdict = await talk.resumed(action="reject")
    assert (verdict.status, verdict.stop_reason) == ("abstained", "a person ended it")
    assert verdict.usage.calls == len(talk.server.calls) == 0


async def test_both_pauses_come_one_after_the_other(talk: Conversation, contradicting: list[Any]) -> None:
    assert (await talk.paused(contradicting, "conflict", "judge")).pause.at == "conflict"
    with pytest.raises(Waiting, match="seats have spoken"):
        await talk.resumed(action="approve")
    assert (await talk.resumed(action="edit", text="6 pm")).answer == "6 pm"


async def test_without_a_conflict_nobody_is_asked(server: ModelServer, settings: Settings) -> None:
    options: dict[str, Any] = {"thread": "one", "model": server.base_url, "settings": settings}
    assert (await aask(QUESTION, [NOTE], pause=("conflict",), **options)).answer == NOTE
    with pytest.raises(BadConfiguration, match="waits for nobody"):
        await aask(resume=Guidance(action="approve"), **options)


async def test_a_run_that_is_not_kept_cannot_pause(server: ModelServer, settings: Settings) -> None:
    with pytest.raises(BadConfiguration, match="has to be kept"):
        await aask(QUESTION, [NOTE], pause=("judge",), model=server.base_url, settings=settings)
    async with Workbench(model=server.base_url, settings=settings) as bench:
        graph = debate(bench, protocol=Protocol("asks", pause=("judge",)))
        with pytest.raises(BadConfiguration, match="has to be kept meanwhile"):
            await aask(QUESTION, [NOTE], graph=graph, settings=settings)


async def test_a_place_that_is_none_is_told(settings: Settings) -> None:
    with pytest.raises(UnknownName, match="juge"):
        await aask(QUESTION, [NOTE], pause=("juge",), thread="one", settings=settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", ["edit", "answer"])
def test_what_is_said_has_words(action: Any) -> None:
    with pytest.raises(ValidationError, match="takes a text"):
        Guidance(action=action, text=" ")


async def test_langgraph_alone_resumes_it(server: ModelServer, settings: Settings) -> None:
    """The nodes are plain: whoever runs the graph without `ask` answers with a `Command`."""
    async with Workbench(model=server.base_url, settings=settings) as bench:
        graph = debate(bench, protocol=Protocol("asks", pause=("judge",)), checkpointer=InMemorySaver())
        where: Any = {"configurable": {"thread_id": "one"}}
        events = [event async for event in astream(QUESTION, [NOTE], graph=graph, thread="one", settings=settings)]
        assert isinstance(events[-1], Paused)
        out = await graph.ainvoke(Command(resume={"action": "edit", "text": "upstairs"}), where)
    assert out["verdict"].answer == "upstairs"
