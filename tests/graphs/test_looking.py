"""What a prompt has no room for: a seat asks for it, the controller looks it up, everybody reads it."""

from __future__ import annotations

import re
from typing import Any

from consilience.agents import LookAgain, Position, Turn
from consilience.graphs import LookedAgain, nodes
from langchain_core.messages import BaseMessage

from consilience import DebateState, Expert, Verdict, Workbench, astream
from consilience.core.settings import Settings
from consilience.observations import Span, ingest
from consilience.testing import ScriptedChatModel

FEE = "The mooring costs 48 crowns a night."
# Words alone decide which lines are shown here, and no question of these tests has a word of the fee's.
FILLER = [f"Pontoon {n} was painted in the colour {n * 7}." for n in range(120)]
NOTES = "\n\n".join([*FILLER[:37], FEE, *FILLER[37:]])
QUESTION = "What does it come to for a boat to stay until morning?"
TWO = (Expert("reader", "a reader", tokens=200), Expert("sceptic", "a sceptic", tokens=200))


def asking(words: str) -> ScriptedChatModel:
    """A model that asks for lines until it has the one with the fee, and then answers with it."""

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        cited = re.search(rf"\[(t\d+)\][^\n]*{re.escape(FEE)}", prompt)
        if "You are the judge" in prompt:
            claims = [{"text": FEE, "label": cited[1], "quote": "48 crowns"}] if cited else []
            return {"claims": claims, "stated": "fully" if cited else "not", "answer": FEE if cited else "not stated"}
        evidence = [{"label": cited[1], "quote": "48 crowns"}] if cited else []
        look = [{"medium": "text.txt", "words": words, "start": 0, "end": 0}] if '"look_again"' in prompt else []
        stated = "fully" if cited else "not"
        return {
            "evidence": evidence,
            "stated": stated,
            "answer": "48 crowns" if cited else "unknown",
            "look_again": look,
        }

    return ScriptedChatModel(replies=reply)


async def debated(notes: str, words: str, settings: Settings) -> tuple[list[LookedAgain], Verdict]:
    lexical = settings.model_copy(update={"embedded_lines": 0})
    events = [e async for e in astream(QUESTION, [notes], model=asking(words), experts=TWO, settings=lexical)]
    return [event for event in events if isinstance(event, LookedAgain)], events[-1].verdict  # type: ignore[union-attr]


async def test_what_a_seat_asks_for_is_found_once_and_carries_the_answer(settings: Settings) -> None:
    looks, verdict = await debated(NOTES, "mooring costs", settings)
    assert [look.look.seats for look in looks] == [("A", "B")]
    assert any(FEE in line for line in looks[0].lines)
    assert verdict.answer == FEE
    assert verdict.claims[0].holds


async def test_a_request_that_was_answered_is_not_looked_up_again(settings: Settings) -> None:
    bench = Workbench(settings=settings.model_copy(update={"embedded_lines": 0}))
    medium = ingest(NOTES, bench.store)
    state = await nodes.perceive(bench)({"question": QUESTION, "media": [medium]})
    request = LookAgain(span=Span(media=medium.name), words="mooring costs")
    turn = Turn(
        seat="A",
        expert="reader",
        phase="opening",
        round=0,
        position=Position(text="unknown", stated="not"),
        look_again=(request,),
    )
    asked: DebateState = {
        "question": QUESTION,
        "media": [medium],
        "observations": state["observations"],
        "turns": [turn],
    }
    found = await nodes.look(bench)(asked)
    assert found["looks"][0].request == request
    assert await nodes.look(bench)({**asked, "looks": found["looks"]}) == {}
    unknown = turn.model_copy(update={"look_again": (LookAgain(span=Span(media="film.mp4")),)})
    assert (await nodes.look(bench)({**asked, "turns": [unknown]}))["looks"][0].labels == ()


async def test_who_has_seen_everything_cannot_ask(settings: Settings) -> None:
    looks, verdict = await debated(FEE, "mooring costs", settings)
    assert looks == []
    assert verdict.answer == FEE
