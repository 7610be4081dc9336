"""The ready protocols over scripted seats: who speaks, who hears whom, when it ends, and who decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from consilience.graphs import PROTOCOLS, Exchange, Protocol, protocol_named
from langchain_core.messages import BaseMessage

from consilience import Expert, Verdict, astream
from consilience.core.errors import BadConfiguration, UnknownName
from consilience.core.settings import Settings
from consilience.testing import ScriptedChatModel

LINES = ["The sign says platform 4.", "The voice says platform 9.", "The leaflet says platform 4."]
NOTES = "\n\n".join(LINES)
QUESTION = "Which platform?"
ROLES = ("reader", "listener", "clerk")

Say = Callable[[str, str], str]
"""From a role and its prompt to an answer."""


def model(say: Say) -> ScriptedChatModel:
    """Every seat answers what `say` tells for its role, citing the line that has it; the judge answers 7."""

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        role = re.search(r"(?:You are a |, a )(\w+)", prompt)
        answer = "platform 7" if "You are the judge" in prompt else say(role[1] if role else "generalist", prompt)
        line = re.search(rf"\[(t\d+)\] passage: ([^\n]*{re.escape(answer)}[^\n]*)", prompt)
        cited = [{"label": line[1], "quote": answer}] if line else []
        if "You are the judge" in prompt:
            return {
                "claims": [],
                "stated": "fully",
                "answer": answer,
                "reason": "said later",
                "stronger": "neither",
            }
        return {"evidence": cited, "stated": "fully" if cited else "not", "answer": answer}

    return ScriptedChatModel(replies=reply)


async def run(say: Say, settings: Settings, **options: Any) -> tuple[list[Any], Verdict, list[str]]:
    """Events, verdict, prompts."""
    scripted = model(say)
    experts = tuple(Expert(role, f"a {role}") for role in ROLES)
    how = {"experts": experts, "model": scripted, "settings": settings, **options}
    if how["experts"] is None:
        del how["experts"]
    events = [event async for event in astream(QUESTION, [NOTES], **how)]
    return events, events[-1].verdict, [call.prompt for call in scripted.calls]  # type: ignore[union-attr]


def fixed(**said: str) -> Say:
    return lambda role, _: said.get(role, "platform 4")


def phases(events: list[Any]) -> list[str]:
    return [event.phase for event in events if event.type == "phase_started"]


async def test_single_asks_one_expert_once(settings: Settings) -> None:
    events, verdict, prompts = await run(fixed(), settings, protocol="single", experts=None)
    assert len(prompts) == 1
    assert phases(events) == ["opening"]
    assert (verdict.answer, verdict.status) == ("platform 4", "complete")
    assert {citation.quote for claim in verdict.claims for citation in claim.citations} == {"platform 4"}


async def test_self_consistency_is_the_vote_of_five_draws(settings: Settings) -> None:
    said = iter(["platform 9", "platform 4", "platform 4", "platform 9", "platform 4"])
    events, verdict, prompts = await run(lambda *_: next(said), settings, protocol="self_consistency", experts=None)
    assert len(prompts) == 5
    assert len({prompt.rpartition("\nYou are")[0] for prompt in prompts}) == 1
    assert verdict.answer == "platform 4"
    assert next(e for e in events if e.type == "decided").decision.tally == {"platform 4": 3.0, "platform 9": 2.0}


async def test_the_vote_of_the_seats_decides_without_a_judge(settings: Settings) -> None:
    events, verdict, prompts = await run(fixed(listener="platform 9"), settings, protocol="vote")
    assert len(prompts) == 3
    assert verdict.answer == "platform 4"
    assert "plurality" in verdict.stop_reason
    assert [dissent.seat for dissent in verdict.dissent] == ["B"]
    assert phases(events) == ["opening"]


async def test_on_a_tie_the_better_supported_answers_in_part(settings: Settings) -> None:
    _, verdict, _ = await run(
        fixed(reader="platform 3", listener="platform 9", clerk="not stated"), settings, protocol="vote"
    )
    assert (verdict.answer, verdict.status) == ("platform 9", "complete")
    _, verdict, _ = await run(
        fixed(reader="platform 4", listener="platform 9", clerk="not stated"), settings, protocol="vote"
    )
    assert verdict.status == "partial"
    assert "are level" in verdict.stop_reason


async def test_a_panel_is_heard_once_and_judged(settings: Settings) -> None:
    events, verdict, _ = await run(fixed(), settings, protocol="panel")
    assert phases(events) == ["opening", "judgement"]
    assert verdict.answer == "platform 7"


@pytest.mark.parametrize(("targeted", "asked"), [("alone", 1), ("together", 1), ("nothing", 0)])
async def test_the_judge_is_asked_first_of_what_diverges(settings: Settings, targeted: Any, asked: int) -> None:
    how = Protocol("panel", targeted=targeted)
    _, verdict, prompts = await run(fixed(listener="platform 9"), settings, protocol=how)
    assert sum("Which source is newer" in prompt for prompt in prompts) == asked
    assert (verdict.resolution is not None) == bool(asked)


@pytest.mark.parametrize("roles", [ROLES[:1], ROLES])
async def test_looking_again_ends_where_nobody_can_go_on(settings: Settings, roles: tuple[str, ...]) -> None:
    """One seat alone, or all of them lost in the first round."""

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        if "You are seat" in messages[-1].text:
            raise ConnectionError("gone")
        return model(fixed()).replies(messages)  # type: ignore[operator, no-any-return]

    experts = tuple(Expert(role, f"a {role}") for role in roles)
    patient = settings.model_copy(update={"retries": 0})
    scripted = ScriptedChatModel(replies=reply)
    events = astream(QUESTION, [NOTES], experts=experts, model=scripted, settings=patient, looks=2)
    verdict = [event async for event in events][-1].verdict  # type: ignore[union-attr]
    assert verdict.answer
    assert "two seats" in verdict.stop_reason


async def test_a_struck_claim_does_not_come_back_as_a_seats(settings: Settings) -> None:
    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        cited = [{"label": "t1", "quote": "platform 4"}]
        return {"evidence": cited, "stated": "fully", "answer": "platform 4 at 18:45"}

    experts = (Expert("reader", "a reader", model=ScriptedChatModel(replies=reply)),)
    _, verdict, _ = await run(fixed(), settings, experts=experts, protocol="vote")
    assert [struck.reason for struck in verdict.struck] == ["'18:45' does not stand in t1"]
    assert (verdict.claims, verdict.status) == ((), "abstained")


async def test_a_vote_needs_no_judge(settings: Settings) -> None:
    experts = tuple(Expert(role, f"a {role}", model=model(fixed())) for role in ROLES)
    # Nobody listens there.
    _, verdict, _ = await run(
        fixed(), settings, experts=experts, judge="http://127.0.0.1:9/v1#none", protocol="vote", options=("platform 4",)
    )
    assert (verdict.answer, verdict.status) == ("platform 4", "complete")


async def test_a_gate_that_finds_no_ground_saves_the_exchange(settings: Settings) -> None:
    agreed, verdict, _ = await run(fixed(), settings, protocol="gated_debate")
    assert phases(agreed) == ["opening", "judgement"]
    assert "no debate" in verdict.stop_reason
    divided, verdict, _ = await run(fixed(listener="platform 9"), settings, protocol="gated_debate")
    assert phases(divided) == ["opening", "exchange", "judgement"]
    assert "the seats answer differently" in verdict.stop_reason


async def test_options_are_voted_on_and_nothing_else_can_be_said(settings: Settings) -> None:
    options = ["platform 9", "platform 4"]
    _, verdict, prompts = await run(fixed(listener="platform 9"), settings, protocol="debate", options=options)
    assert len(prompts) == 6
    assert all("(Options: platform 9; platform 4)" in prompt for prompt in prompts)
    assert verdict.answer == "platform 4"
    assert verdict.payoff is not None
    assert verdict.payoff.vote.answer == "platform 4"


async def test_an_exchange_ends_when_all_agree(settings: Settings) -> None:
    def yielding(role: str, prompt: str) -> str:
        return "platform 9" if role == "listener" and "Statements:" not in prompt else "platform 4"

    three = Protocol("three", exchange=Exchange(rounds=3))
    events, _, _ = await run(yielding, settings, protocol=three)
    assert phases(events).count("exchange") == 1
    assert [event.stop.rule for event in events if event.type == "settled"] == ["agreement"]
    events, _, _ = await run(fixed(listener="platform 9"), settings, protocol=three)
    assert phases(events).count("exchange") == 3
    assert [event.stop.rule for event in events if event.type == "settled"] == ["rounds"]


@pytest.mark.parametrize(
    ("order", "heard"), [("simultaneous", [0, 0, 0]), ("in_turn", [0, 1, 2]), ("relay", [0, 1, 1])]
)
async def test_the_order_says_who_hears_the_round_so_far(settings: Settings, order: Any, heard: list[int]) -> None:
    how = Protocol(order, exchange=Exchange(order=order))
    _, _, prompts = await run(fixed(listener="platform 9"), settings, protocol=how)
    rounds = [prompt.partition("\nExchange:")[2] for prompt in prompts if "You are seat" in prompt]
    assert [len(re.findall(r"^Seat [A-Z]: ", said, re.M)) for said in rounds] == heard


@pytest.mark.parametrize("ran", ["single", "vote", "panel", "debate"])
async def test_a_run_tells_what_the_cheaper_ways_in_it_answered_and_took(settings: Settings, ran: str) -> None:
    def yielding(role: str, prompt: str) -> str:
        return "platform 9" if role == "listener" or "Statements:" in prompt else "platform 4"

    more = {"experts": None} if ran == "single" else {}
    _, verdict, _ = await run(yielding, settings, protocol=ran, **more)
    payoff = verdict.payoff
    assert payoff is not None
    assert payoff.ran == ran
    assert payoff.debate.usage == verdict.usage
    stages = [payoff.best_single, payoff.vote, payoff.late_vote, payoff.debate]
    told = [stage for stage in stages if stage is not None]
    assert (payoff.late_vote is not None) == (ran == "debate")
    # Each goes on from the one before it.
    tokens, seconds = [stage.usage.tokens for stage in told], [stage.usage.seconds for stage in told]
    assert tokens == sorted(tokens)
    assert seconds == sorted(seconds)
    assert tokens[0] > 0
    assert payoff.draws == tokens[-1] // tokens[0]
    assert (payoff.best_single.answer, payoff.vote.answer) == ("platform 4", "platform 4")
    if payoff.late_vote:
        assert payoff.late_vote.answer == "platform 9"
        assert payoff.late_vote.usage.calls == 6
    assert f"{ran}: {verdict.answer} (" in payoff.line()


async def test_a_ring_of_four_hears_two_peers(settings: Settings) -> None:
    experts = tuple(Expert(role, f"a {role}") for role in (*ROLES, "sceptic"))
    how = Protocol("ring", exchange=Exchange(topology="ring"))
    _, _, prompts = await run(fixed(listener="platform 9"), settings, protocol=how, experts=experts)
    exchanges = [prompt for prompt in prompts if "You are seat" in prompt]
    assert [set(re.findall(r"^Seat ([A-Z]): ", prompt, re.M)) for prompt in exchanges] == [
        {"A", "B", "D"},
        {"A", "B", "C"},
        {"B", "C", "D"},
        {"A", "C", "D"},
    ]


def test_protocols_are_checked_when_they_are_made() -> None:
    assert {name: protocol.name for name, protocol in PROTOCOLS.items()} == {name: name for name in PROTOCOLS}
    with pytest.raises(UnknownName, match="Did you mean 'borda'"):
        Protocol("mine", rule="bordas")
    with pytest.raises(ValueError, match="rounds must be 1 to 3"):
        Exchange(rounds=4)
    with pytest.raises(ValueError, match="samples must be 1 to 26"):
        Protocol("mine", samples=0)
    with pytest.raises(UnknownName, match="gated_debate"):
        protocol_named("gated")
    with pytest.raises(ValueError, match="nothing to pause at"):
        Protocol("mine", pause=("look",))
    with pytest.raises(BadConfiguration, match="--look-again"):
        PROTOCOLS["debate"].with_pause(["look"])
    with pytest.raises(ValueError, match="takes no share"):
        Protocol("mine", rule="borda", share=0.7)
    with pytest.raises(UnknownName, match="topology"):
        Exchange(topology="circle")
    with pytest.raises(UnknownName, match="Did you mean 'stability'"):
        Exchange(stops=("stabilty",))  # type: ignore[arg-type]
    assert protocol_named("debate").with_rounds(0).exchange is None
    assert protocol_named("vote").with_rounds(2).exchange == Exchange(rounds=2)
