"""What a run may cost, how many seats it needs, how much an answer has to be held, and who really answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver

from consilience import Exchange, Expert, Looks, Protocol, Verdict, astream
from consilience.core.settings import Settings
from consilience.models import Budget
from consilience.testing import Fault, ModelServer, ScriptedChatModel, witness

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
THREE = tuple(Expert(name, f"a {name}") for name in ("reader", "clerk", "sceptic"))


async def debated(settings: Settings, **options: Any) -> tuple[list[Any], Verdict]:
    events = [event async for event in astream(QUESTION, [NOTE], settings=settings, **{"experts": THREE, **options})]
    return events, events[-1].verdict  # type: ignore[union-attr]


def down() -> Any:
    def refuse(messages: list[BaseMessage]) -> str:
        raise ConnectionError("gone")

    return RunnableLambda(refuse)


@pytest.mark.parametrize("calls", [1, 3, 4, 6])
async def test_a_run_that_hits_its_budget_ends_with_the_best_answer_so_far(
    server: ModelServer, settings: Settings, calls: int
) -> None:
    events, verdict = await debated(settings, model=server.base_url, budget=Budget(calls=calls))
    assert len(server.calls) == calls
    assert verdict.status == "partial"
    assert "upper room" in verdict.answer
    assert "budget of" in " ".join([verdict.stop_reason, *(str(seat.reason) for seat in verdict.seats)])
    # Three openings, three turns of exchange, the judge: whoever comes after the limit is told to be lost.
    assert sum(event.type == "seat_lost" for event in events) >= 1


async def test_a_spent_budget_ends_the_exchange(server: ModelServer, settings: Settings) -> None:
    long = Protocol("long", exchange=Exchange(rounds=3, stops=()))
    events, verdict = await debated(settings, model=server.base_url, protocol=long, budget=Budget(calls=5))
    assert [event.stop.rule for event in events if event.type == "settled"] == ["budget"]
    assert len(server.calls) == 5
    assert verdict.usage.calls == 5


async def test_what_is_enough_is_not_felt(server: ModelServer, settings: Settings) -> None:
    _, verdict = await debated(settings, model=server.base_url, budget=Budget(calls=7, tokens=100_000, seconds=600))
    assert verdict.status == "complete"


async def test_every_run_has_a_budget_of_its_own(server: ModelServer, settings: Settings) -> None:
    verdicts = [
        verdict
        for _, verdict in await asyncio.gather(
            *(debated(settings, model=server.base_url, budget=Budget(calls=7)) for _ in range(3))
        )
    ]
    assert [verdict.status for verdict in verdicts] == ["complete"] * 3


async def test_without_a_quorum_the_debate_fails_and_costs_no_more(server: ModelServer, settings: Settings) -> None:
    experts = (THREE[0], *(Expert(e.name, e.role, model=down()) for e in THREE[1:]))
    two = Protocol("two", exchange=Exchange(), quorum=2 / 3)
    _, verdict = await debated(settings, model=server.base_url, experts=experts, protocol=two)
    assert (verdict.status, len(server.calls)) == ("failed", 1)
    assert verdict.stop_reason == "1 of 3 seats spoke, and 67% have to"
    _, verdict = await debated(settings, model=server.base_url, experts=experts, protocol=Protocol("one", quorum=0.3))
    assert verdict.status == "partial"


async def test_an_answer_that_too_few_hold_is_withheld(settings: Settings) -> None:
    said = {"evidence": [{"label": "t1", "quote": "upper room"}], "stated": "fully"}

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        if "You are the judge" in prompt:
            claim = {"text": NOTE, "label": "t1", "quote": "upper room"}
            return {"claims": [claim], "stated": "fully", "answer": NOTE, "reason": "x", "stronger": "neither"}
        return {**said, "answer": "the upper room" if "a reader" in prompt else "the cellar"}

    model = ScriptedChatModel(replies=reply)
    _, verdict = await debated(settings, model=model, protocol=Protocol("strict", support=0.5))
    assert verdict.status == "abstained"
    assert "1 of 3 seats hold the answer, and 50% have to" in verdict.stop_reason
    _, verdict = await debated(settings, model=model, protocol=Protocol("lax", support=0.3))
    assert verdict.status == "complete"


@pytest.mark.parametrize("flips", [True, False])
async def test_a_judge_that_answers_by_order_is_told(settings: Settings, flips: bool) -> None:
    said = {"evidence": [{"label": "t1", "quote": "upper room"}], "stated": "fully"}

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        if "You are the judge" not in prompt:
            return {**said, "answer": "the upper room"}
        backwards = flips and prompt.index("Seat C:") < prompt.index("Seat A:")
        answer = "the cellar" if backwards else "the upper room"
        claim = {"text": answer, "label": "t1", "quote": "upper room"}
        return {"claims": [claim], "stated": "fully", "answer": answer}

    _, verdict = await debated(settings, model=ScriptedChatModel(replies=reply), protocol=Protocol("both", swap=True))
    assert verdict.order_flipped is flips
    assert verdict.answer == "the upper room"
    assert verdict.status == ("partial" if flips else "complete")


@pytest.mark.parametrize("flips", [True, False])
async def test_a_judge_that_chooses_by_order_is_told_though_the_options_share_words(
    settings: Settings, flips: bool
) -> None:
    options = ["the upper back room", "the lower back room"]
    said = {"evidence": [{"label": "t1", "quote": "upper room"}], "stated": "fully"}

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        if "You are the judge" not in prompt:
            return {**said, "answer": options[0] if "a reader" in prompt else options[1]}
        if "Which source" in prompt:
            return {"reason": "x", "stronger": "neither", "answer": "both"}
        backwards = flips and prompt.index("Seat C:") < prompt.index("Seat A:")
        claim = {"text": NOTE, "label": "t1", "quote": "upper room"}
        chosen = options[1] if backwards else options[0]
        return {"claims": [claim], "stated": "fully", "answer": chosen}

    how = Protocol("both", rule="judge", swap=True)
    model = ScriptedChatModel(replies=reply)
    _, verdict = await debated(settings, model=model, protocol=how, options=options)
    assert verdict.order_flipped is flips
    # Of two answers the one that more seats hold.
    assert verdict.answer == (options[1] if flips else options[0])
    assert verdict.confidence is not None
    assert verdict.confidence.told == ("2 of 3 seats" if flips else "1 of 3 seats")
    assert [dissent.seat for dissent in verdict.dissent] == (["A"] if flips else ["B", "C"])


@pytest.mark.parametrize("matched", [True, False])
async def test_the_judge_may_be_told_what_sort_of_answer_is_asked_for(settings: Settings, matched: bool) -> None:
    said = {"evidence": [{"label": "t1", "quote": "upper room"}], "stated": "fully", "answer": "yes"}
    claim = {"text": NOTE, "label": "t1", "quote": "upper room"}

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        return {**said, "claims": [claim]} if "You are the judge" in messages[-1].text else said

    model = ScriptedChatModel(replies=reply)
    how = Protocol("panel", matched=matched)
    question = "Does the book club meet in the upper room?"
    async for _ in astream(question, [NOTE], settings=settings, model=model, experts=THREE, protocol=how):
        pass
    assert ("Begin the answer with yes or no" in model.calls[-1].prompt) is matched


async def test_a_seat_that_a_fallback_speaks_for_says_so(settings: Settings) -> None:
    always = Fault("refusal")
    with ModelServer(witness, faults=lambda *_: always) as broken, ModelServer(witness) as spare:
        _, verdict = await debated(settings, model=broken.base_url, fallbacks=[spare.base_url])
    assert verdict.status == "complete"
    assert all(spare.base_url in model for seat in verdict.seats for model in seat.answered_by)
    assert all(seat.passed_over for seat in verdict.seats)


async def test_a_seat_that_takes_too_long_takes_nobody_down(server: ModelServer, settings: Settings) -> None:
    async def never(messages: list[BaseMessage]) -> str:
        await asyncio.Event().wait()
        return ""

    slow = Expert("slow", "slow", model=RunnableLambda(lambda _: "", afunc=never), seconds=0.2)
    _, verdict = await debated(settings, model=server.base_url, experts=(*THREE[:2], slow))
    assert [seat.status for seat in verdict.seats] == ["answered", "answered", "lost"]
    assert "no turn within 0.2 s" in str(verdict.seats[2].reason)
    assert verdict.status == "partial"


ROUNDS = Protocol("long", exchange=Exchange(rounds=3, stops=()))


@pytest.mark.parametrize(
    ("allowed", "agreed", "told"),
    [
        (0, 1, "the budget allows no round of exchange, and 1 was agreed on"),
        (1, 3, "the budget allows 1 round of exchange, and 3 were agreed on"),
        (2, 3, "the budget allows 2 rounds of exchange, and 3 were agreed on"),
    ],
)
async def test_a_run_that_would_go_on_for_more_rounds_than_it_may_stops_there(
    server: ModelServer, settings: Settings, allowed: int, agreed: int, told: str
) -> None:
    events, verdict = await debated(
        settings, model=server.base_url, protocol=ROUNDS.with_rounds(agreed), budget=Budget(rounds=allowed)
    )
    assert len(server.calls) == 3 * (1 + allowed) + 1
    assert [event.stop.rule for event in events if event.type == "settled"] == ["budget"]
    assert verdict.status == "partial"
    assert told in verdict.stop_reason
    assert "upper room" in verdict.answer


@pytest.mark.parametrize(
    "protocol", [ROUNDS.with_rounds(1), ROUNDS.with_rounds(0), Protocol("agreeing", exchange=Exchange(rounds=2))]
)
async def test_rounds_that_nobody_wanted_are_not_missed(
    server: ModelServer, settings: Settings, protocol: Protocol
) -> None:
    # It has no more of them, or what ends it is that all agree.
    _, verdict = await debated(settings, model=server.base_url, protocol=protocol, budget=Budget(rounds=1))
    assert verdict.status == "complete"
    assert "budget" not in verdict.stop_reason


@pytest.mark.parametrize("gated", [True, False])
async def test_a_gate_that_stays_shut_needs_no_round(server: ModelServer, settings: Settings, gated: bool) -> None:
    one = Protocol("one", gated=gated, exchange=Exchange())
    _, verdict = await debated(
        settings, model=server.base_url, experts=THREE[:1], protocol=one, budget=Budget(rounds=0)
    )
    assert verdict.status == "complete"


async def test_a_judge_that_leads_asks_nothing_for_a_round_that_is_not_allowed(
    server: ModelServer, settings: Settings
) -> None:
    led = Protocol("led", exchange=Exchange(order="judge_led", rounds=2, stops=()), looks=Looks())
    _, verdict = await debated(settings, model=server.base_url, protocol=led, budget=Budget(rounds=0))
    assert len(server.calls) == 4
    assert verdict.status == "partial"


async def test_seats_ask_for_places_to_be_read_again_only_before_a_round_that_is_allowed(
    settings: Settings,
) -> None:
    offering: list[bool] = []

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        offering.append("text.language" in messages[-1].text)
        claim = {"text": NOTE, "label": "t1", "quote": "upper room"}
        said = {"evidence": [{"label": "t1", "quote": "upper room"}], "claims": [claim], "stated": "fully"}
        return {**said, "answer": "the upper room"}

    looking = Protocol("looking", exchange=Exchange(rounds=2, stops=()), looks=Looks(encoders=("text.language",)))
    model = ScriptedChatModel(replies=reply)
    await debated(settings, model=model, experts=THREE[:2], protocol=looking, budget=Budget(rounds=1))
    # Two openings, two turns of the only round, the judge.
    assert offering == [True, True, False, False, False]


async def test_each_question_of_a_conversation_has_its_rounds(server: ModelServer, settings: Settings) -> None:
    saver = InMemorySaver()
    for _ in range(2):
        options = {"thread": "talk", "checkpointer": saver, "protocol": ROUNDS, "budget": Budget(rounds=1)}
        events, _ = await debated(settings, model=server.base_url, **options)
        assert [event.round for event in events if event.type == "phase_started"] == [0, 1, 0]
