"""A vote of approval: seats are asked what else they would accept, peers hear it, it counts; others are not asked."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from consilience.agents import Position, Stance, Turn
from consilience.graphs import DebateState, Exchange, Protocol, nodes, replay
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage

from consilience import Expert, Verdict, aask, astream
from consilience.core.settings import Settings
from consilience.testing import ScriptedChatModel

LINES = ["The sign says platform 4.", "The voice says platform 9.", "The leaflet says platform 7."]
LABELS = {"platform 4": "t1", "platform 9": "t2", "platform 7": "t3"}
OPTIONS = list(LABELS)
APPROVAL, PLURALITY = (Protocol(rule, rule=rule, exchange=Exchange()) for rule in ("approval", "plurality"))

SAID = {"a": "platform 4", "b": "platform 4", "c": "platform 9", "d": "platform 7"}
ACCEPTED: Mapping[str, Any] = {"b": ["platform 9"], "d": ["platform 9"]}
"""Most say 4 first; 9 is what most could live with."""

Kept = dict[str, Any]


def scripted(said: Mapping[str, str] = SAID, accepted: Mapping[str, Any] = ACCEPTED) -> ScriptedChatModel:
    """Seats that say so, whether they are asked for it or not."""

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        role = re.search(r"seat named (\w)", messages[-1].text)
        assert role is not None
        answer = said[role[1]]
        line = re.search(rf"\[{LABELS.get(answer, 't1')}\] passage: ([^\n]*)", messages[-1].text)
        cited = [{"label": LABELS[answer], "quote": answer}] if line and answer in line[1] else []
        turn = {"evidence": cited, "stated": "fully" if cited else "not", "answer": answer}
        return {**turn, "approves": accepted[role[1]]} if role[1] in accepted else turn

    return ScriptedChatModel(replies=reply)


def seats(roles: str = "abcd", **more: Any) -> list[Expert]:
    return [Expert(f"seat {role}", f"a seat named {role}", **more) for role in roles]


async def run(
    model: ScriptedChatModel, settings: Settings, how: Protocol = APPROVAL, **more: Any
) -> tuple[list[Any], Verdict]:
    options: Any = {"experts": seats(), "model": model, "protocol": how, "options": OPTIONS, **more}
    events = [event async for event in astream("Which platform?", ["\n\n".join(LINES)], settings=settings, **options)]
    return events, events[-1].verdict  # type: ignore[union-attr]


def forms(model: ScriptedChatModel) -> list[dict[str, Any]]:
    """The properties that the calls' schemas ask for."""
    return [call.kwargs["response_format"]["json_schema"]["schema"]["properties"] for call in model.calls]


def decided(events: Sequence[Any]) -> Any:
    return next(event.decision for event in events if event.type == "decided")


async def test_what_most_could_live_with_wins_over_what_most_say_first(settings: Settings) -> None:
    events, verdict = await run(scripted(), settings)
    assert (verdict.answer, verdict.status) == ("platform 9", "complete")
    assert decided(events).tally == {"platform 4": 2, "platform 9": 3, "platform 7": 1}
    assert "'platform 9' by approval: approved by 3 of 4" in verdict.stop_reason
    assert verdict.payoff is not None
    assert (verdict.payoff.vote.answer, verdict.payoff.changed) == ("platform 4", True)
    # What is cited for it comes from whoever says it first.
    assert [claim.citations[0].label for claim in verdict.claims] == ["t2"]
    _, plain = await run(scripted(), settings, PLURALITY)
    assert plain.answer == "platform 4"


async def test_every_seat_is_asked_in_both_phases_and_peers_hear_it(settings: Settings) -> None:
    model = scripted()
    events, _ = await run(model, settings)
    assert model.call_count == 8
    for call, form in zip(model.calls, forms(model), strict=True):
        assert 'Then name under "approves"' in call.prompt
        assert form["approves"] == {"type": "array", "items": {"type": "string", "enum": OPTIONS}, "maxItems": 2}
    assert "accepts" not in model.calls[0].prompt
    assert 'Seat B: platform 4 (fully stated; accepts "platform 9" too; [t1])' in model.calls[-1].prompt
    turns = [event.turn for event in events if event.type == "turn_taken"]
    assert {turn.seat: turn.position.approves for turn in turns if turn.round} == {
        "A": (),
        "B": ("platform 9",),
        "C": (),
        "D": ("platform 9",),
    }


@pytest.mark.parametrize("rule", [None, "plurality", "borda", "linear_pool"])
async def test_under_another_rule_nobody_is_asked_and_what_comes_unasked_is_dropped(
    settings: Settings, rule: str | None
) -> None:
    model = scripted()
    events, _ = await run(model, settings, Protocol("other", rule=rule, exchange=Exchange()))
    assert not any("approves" in form for form in forms(model))
    assert not any("approve" in call.prompt or "accepts" in call.prompt for call in model.calls)
    assert all(event.turn.position.approves == () for event in events if event.type == "turn_taken")


@pytest.mark.parametrize("options", [[], ["platform 4"]])
async def test_without_a_choice_an_approval_is_asked_as_a_plurality_is(settings: Settings, options: list[str]) -> None:
    approving, plain = scripted(), scripted()
    await run(approving, settings, APPROVAL, options=options)
    await run(plain, settings, PLURALITY, options=options)
    assert sorted(call.prompt for call in approving.calls) == sorted(call.prompt for call in plain.calls)
    assert not any("approves" in form for form in forms(approving))


async def test_options_are_read_as_answers_are_and_others_dropped(settings: Settings) -> None:
    loose = {"a": ["B", "platform 4", "platform 12", ""], "b": ["It may be platform 9.", "not stated"], "c": []}
    events, verdict = await run(scripted(accepted=loose), settings)
    assert decided(events).tally == {"platform 4": 2, "platform 9": 3, "platform 7": 1}
    assert verdict.answer == "platform 9"


async def test_a_list_that_is_none_is_asked_for_again(settings: Settings) -> None:
    answers = iter([7, None, ["platform 9"]])
    model = ScriptedChatModel(
        replies=lambda _: {
            "evidence": [{"label": "t1", "quote": "platform 4"}],
            "stated": "fully",
            "answer": "platform 4",
            "approves": next(answers),
        }
    )
    events, verdict = await run(model, settings, Protocol("vote", rule="approval"), experts=seats("a"))
    assert verdict.status == "failed"
    assert "approves: Input should be a valid array" in verdict.stop_reason
    events, _ = await run(model, settings, Protocol("vote", rule="approval"), experts=seats("a"))
    assert decided(events).ties == ("platform 4", "platform 9")


async def test_who_does_not_answer_approves_of_nothing(settings: Settings) -> None:
    said = {**SAID, "d": "not stated"}
    events, verdict = await run(scripted(said), settings)
    assert decided(events).abstained == ("D",)
    assert decided(events).ties == ("platform 4", "platform 9")
    assert verdict.status == "partial"


async def test_who_was_given_its_part_is_not_asked(settings: Settings) -> None:
    model = scripted()
    experts = [*seats("abc"), *seats("d", stance=Stance.test("platform 4"))]
    await run(model, settings, experts=experts)
    asked = ["a seat named d" in call.prompt for call in model.calls if "approves" not in call.prompt]
    assert asked == [True, True]


async def test_what_nobody_says_first_may_win_and_then_nothing_is_cited_for_it(settings: Settings) -> None:
    accepted = {role: ["platform 7"] for role in "abcd"}
    said = {"a": "platform 4", "b": "platform 4", "c": "platform 9", "d": "platform 9"}
    _, verdict = await run(scripted(said, accepted), settings)
    assert (verdict.answer, verdict.status, verdict.claims) == ("platform 7", "abstained", ())


async def test_a_kept_run_is_replayed_with_its_approvals(settings: Settings) -> None:
    model = scripted()
    kept: Kept = {"model": model, "experts": seats(), "settings": settings}
    ran = await aask("Which platform?", ["\n\n".join(LINES)], thread="one", options=OPTIONS, protocol=APPROVAL, **kept)
    calls = model.call_count
    again = await replay(thread="one", **kept)
    assert (again.model_dump_json(), again.answer) == (ran.model_dump_json(), "platform 9")
    assert model.call_count == calls


def test_positions_of_earlier_versions_are_read() -> None:
    assert Position.model_validate({"text": "4", "stated": "fully"}).approves == ()


NAMED = st.sampled_from([*OPTIONS, "not stated", "platform 12", "B"])
POSITIONS = st.lists(st.tuples(NAMED, st.lists(NAMED, max_size=4), st.booleans()), min_size=1, max_size=6)


@given(POSITIONS, st.randoms())
def test_a_choice_is_always_among_what_is_approved_and_nothing_else_is_counted(
    said: list[tuple[str, list[str], bool]], random: Any
) -> None:
    turns = [
        Turn(
            seat=letter,
            expert=letter,
            phase="opening",
            round=0,
            position=Position(text=text, stated="fully" if answers else "not", approves=tuple(others)),
        )
        for letter, (text, others, answers) in zip("ABCDEF", said, strict=False)
    ]
    random.shuffle(turns)
    state: DebateState = {"turns": turns, "options": OPTIONS}
    decision = asyncio.run(_decide(state))["decision"]
    read = {"B": OPTIONS[1], **{option: option for option in OPTIONS}}
    expected = Counter(
        option
        for text, others, answers in said
        if answers
        for option in {read[name] for name in (text, *others) if name in read}
    )
    assert decision.tally == {option: expected[option] for option in OPTIONS}


async def _decide(state: DebateState) -> dict[str, Any]:
    return await nodes.decide(APPROVAL)(state)
