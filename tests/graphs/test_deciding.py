"""Every rule in a whole run: who wins, and what is answered on a tie, without a majority, and where seats abstain."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from consilience.graphs import Exchange, Protocol
from langchain_core.messages import BaseMessage

from consilience import Expert, Verdict, astream
from consilience.core.settings import Settings
from consilience.fusion import RULES
from consilience.testing import ScriptedChatModel

LINES = ["The sign says platform 4.", "The voice says platform 9.", "The leaflet says platform 4.", "Or platform 9."]
NOTES = "\n\n".join(LINES)
OPTIONS = ["platform 4", "platform 9"]
COUNTING = [name for name, rule in RULES.items() if rule.needs != "probabilities"]
BARS = {"unanimity", "supermajority"}

Say = Callable[[str, str], tuple[str, str]]
"""From a role and its prompt to an answer and the label that it cites."""


async def run(roles: str, say: Say, settings: Settings, protocol: Protocol, **more: Any) -> tuple[list[Any], Verdict]:
    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        role = re.search(r"seat named (\w)", prompt)
        assert role is not None
        answer, label = say(role[1], prompt)
        line = re.search(rf"\[{label}\] passage: ([^\n]*)", prompt)
        cited = [{"label": label, "quote": answer}] if line and answer in line[1] else []
        return {"evidence": cited, "stated": "fully" if cited else "not", "answer": answer}

    experts = [Expert(f"seat {name}", f"a seat named {name}") for name in roles]
    options: Any = {"experts": experts, "model": ScriptedChatModel(replies=reply), "protocol": protocol, **more}
    events = [event async for event in astream("Which platform?", [NOTES], settings=settings, **options)]
    return events, events[-1].verdict  # type: ignore[union-attr]


def fixed(said: Mapping[str, str]) -> Say:
    return lambda role, _: (said[role], {"platform 4": "t1", "platform 9": "t2"}.get(said[role], "t1"))


@pytest.mark.parametrize("options", [OPTIONS, []])
@pytest.mark.parametrize("name", COUNTING)
async def test_most_win_and_where_a_bar_is_not_reached_they_answer_in_part(
    settings: Settings, name: str, options: list[str]
) -> None:
    said = {"a": "platform 4", "b": "platform 9", "c": "platform 9", "d": "platform 9", "e": "platform 4"}
    _, verdict = await run("abcde", fixed(said), settings, Protocol(name, rule=name), options=options)
    assert verdict.answer == "platform 9"
    assert verdict.status == ("partial" if name in BARS else "complete")
    assert name.replace("_", " ") in verdict.stop_reason
    assert ("no winner" in verdict.stop_reason) is (name in BARS)


@pytest.mark.parametrize("name", COUNTING)
async def test_a_tie_is_told_and_answered_in_part(settings: Settings, name: str) -> None:
    said = {"a": "platform 4", "b": "platform 9"}
    _, verdict = await run("ab", fixed(said), settings, Protocol(name, rule=name), options=OPTIONS)
    assert (verdict.answer, verdict.status) == ("platform 4", "partial")
    assert "'platform 4' and 'platform 9' are level" in verdict.stop_reason


@pytest.mark.parametrize("name", COUNTING)
async def test_who_does_not_answer_abstains_and_stands_in_no_denominator(settings: Settings, name: str) -> None:
    said = {"a": "not stated", "b": "platform 9", "c": "not stated"}
    _, verdict = await run("abc", fixed(said), settings, Protocol(name, rule=name), options=OPTIONS)
    assert (verdict.answer, verdict.status) == ("platform 9", "complete")
    assert verdict.stop_reason.endswith("; A, C abstain")
    for options in (OPTIONS, []):
        _, verdict = await run("ac", fixed(said), settings, Protocol(name, rule=name), options=options)
        assert verdict.status == "abstained"
        assert "nobody votes" in verdict.stop_reason


async def test_not_given_a_rule_options_are_voted_on(settings: Settings) -> None:
    said = {"a": "platform 4", "b": "platform 9", "c": "platform 9"}
    _, verdict = await run("abc", fixed(said), settings, Protocol("free"), options=OPTIONS)
    assert "'platform 9' by plurality" in verdict.stop_reason


MOVED = {"a": "platform 9", "b": "platform 9", "c": "platform 4"}
"""After a round in which a goes over to b, who has one line where a and c have two."""
MENDED = {"a": "platform 4", "b": "platform 4", "c": "platform 4"}


@pytest.mark.parametrize(
    ("after", "rounds", "rule"), [(MOVED, 1, "decline"), (MENDED, 2, "rounds")], ids=["decline", "repair"]
)
async def test_an_exchange_ends_when_seats_move_away_from_evidence(
    settings: Settings, after: Mapping[str, str], rounds: int, rule: str
) -> None:
    before = {"a": "platform 4", "b": "platform 9", "c": "platform 4"}
    lines = {"a": "t1", "b": "t2", "c": "t3"}

    def say(role: str, prompt: str) -> tuple[str, str]:
        if "Statements:" not in prompt:
            return before[role], lines[role]
        return after[role], "t2" if after[role] == "platform 9" else lines[role] if role != "b" else "t1"

    how = Protocol("two", rule="plurality", exchange=Exchange(rounds=2, stops=("decline",)))
    events, verdict = await run("abc", say, settings, how)
    assert [event.stop.rule for event in events if event.type == "settled"] == [rule]
    assert sum(event.type == "phase_started" and event.phase == "exchange" for event in events) == rounds
    assert ("1 seat moved to an answer with less evidence, none to one with more" in verdict.stop_reason) is (
        rule == "decline"
    )
