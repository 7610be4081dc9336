"""Probabilities of options from the odds of their letters: who is asked, what decides, and how sure the answer is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import Any

import pytest
from consilience.graphs import replay
from langchain_core.messages import AIMessage, BaseMessage

from consilience import Exchange, Expert, Protocol, Verdict, aask, astream
from consilience.core.settings import Settings
from consilience.fusion import ConfidenceMap, fit_logistic
from consilience.models import Budget, Endpoint, resolve
from consilience.testing import ScriptedChatModel

NOTES = "The sign says platform 4.\n\nThe voice says platform 9."
QUESTION = "Which platform?"
OPTIONS = ["platform 4", "platform 9"]
ROLES = ("reader", "listener", "clerk")
LABELS = {"platform 4": "t1", "platform 9": "t2"}

Odds = Mapping[str, float]


def scripted(said: Mapping[str, str], odds: Mapping[str, Odds | Exception]) -> tuple[ScriptedChatModel, Endpoint]:
    """Seats that answer, by role, and whose letters have these probabilities."""

    def reply(messages: list[BaseMessage]) -> Any:
        prompt = messages[-1].text
        role = next(role for role in ROLES if f"a {role}" in prompt)
        if "Reply with the letter" in prompt:
            told = odds[role]
            if isinstance(told, Exception):
                raise told
            first = {"top_logprobs": [{"token": token, "logprob": log(p)} for token, p in told.items()]}
            return AIMessage("A", response_metadata={"logprobs": {"content": [first]}})
        answer = said[role]
        cited = [{"label": LABELS[answer], "quote": answer}] if answer in LABELS else []
        return {"evidence": cited, "stated": "fully" if cited else "not", "answer": answer}

    model = ScriptedChatModel(replies=reply)
    endpoint = resolve(model, Settings())
    endpoint.tells_alternatives = True
    return model, endpoint


async def debated(endpoint: Endpoint, settings: Settings, protocol: Protocol, **more: Any) -> tuple[list[Any], Verdict]:
    experts = [Expert(role, f"a {role}") for role in ROLES]
    options: Any = {"experts": experts, "model": endpoint, "options": OPTIONS, "protocol": protocol, **more}
    events = [event async for event in astream(QUESTION, [NOTES], settings=settings, **options)]
    return events, events[-1].verdict  # type: ignore[union-attr]


def weighed(model: ScriptedChatModel) -> list[str]:
    return [call.prompt for call in model.calls if "Reply with the letter" in call.prompt]


SURE_OF_NINE = {"B": 0.9, "A": 0.1}
LEANS_TO_FOUR = {"A": 0.6, "B": 0.4}
DIVIDED = {"reader": "platform 4", "listener": "platform 9", "clerk": "platform 4"}
ODDS = {"reader": LEANS_TO_FOUR, "listener": SURE_OF_NINE, "clerk": LEANS_TO_FOUR}


@pytest.mark.parametrize(("rule", "pooled"), [("linear_pool", 1.7 / 3), ("log_pool", 1 / (1 + 4 ** (-1 / 3)))])
async def test_a_pool_may_overrule_the_majority(settings: Settings, rule: str, pooled: float) -> None:
    model, endpoint = scripted(DIVIDED, ODDS)
    events, verdict = await debated(endpoint, settings, Protocol("pool", rule=rule))
    assert (verdict.answer, verdict.status) == ("platform 9", "complete")
    assert [event.odds.seat for event in events if event.type == "weighed"] == ["A", "B", "C"]
    assert verdict.confidence is not None
    assert (verdict.confidence.method, verdict.confidence.told) == ("log_probs", "3 of 3 seats told odds")
    assert verdict.confidence.value == pytest.approx(pooled, abs=1e-4)
    assert verdict.confidence.of.startswith("the answer among the 2 options")
    assert len(weighed(model)) == 3
    assert all("A: platform 4\nB: platform 9" in prompt for prompt in weighed(model))
    assert verdict.usage.calls == 6
    assert verdict.usage_by_seat["A"].calls == 2


async def test_the_letters_are_asked_for_behind_what_the_seat_read_last(settings: Settings) -> None:
    model, endpoint = scripted(DIVIDED, ODDS)
    await debated(endpoint, settings, Protocol("pool", rule="linear_pool"))
    openings = {call.prompt.partition("\n\nQuestion:")[0] for call in model.calls if "Look only at" in call.prompt}
    assert {prompt.partition("\n\nYou are")[0] for prompt in weighed(model)} == openings
    model, endpoint = scripted(DIVIDED, ODDS)
    how = Protocol("pool", rule="linear_pool", exchange=Exchange(topology={"A": "B", "B": "A", "C": ""}))
    await debated(endpoint, settings, how)
    first, _, third = weighed(model)
    assert first.count("Seat A:") == first.count("Seat B:") == 2
    assert "Seat C:" not in first
    assert "Seat A:" not in third


async def test_only_pools_weigh_without_being_told_to(settings: Settings) -> None:
    model, endpoint = scripted(DIVIDED, ODDS)
    _, verdict = await debated(endpoint, settings, Protocol("vote", rule="plurality"))
    assert (verdict.answer, weighed(model)) == ("platform 4", [])
    _, verdict = await debated(endpoint, settings, Protocol("vote", rule="plurality", odds=True))
    assert verdict.answer == "platform 4"
    assert verdict.confidence is not None
    assert (verdict.confidence.method, verdict.confidence.value) == ("log_probs", round(1.3 / 3, 4))
    _, verdict = await debated(endpoint, settings, Protocol("free", odds=True))
    assert "linear pool" in verdict.stop_reason


async def test_open_questions_have_no_letters(settings: Settings) -> None:
    model, endpoint = scripted(DIVIDED, ODDS)
    _, verdict = await debated(endpoint, settings, Protocol("vote", rule="plurality", odds=True), options=[])
    assert weighed(model) == []
    assert verdict.confidence is not None
    assert (verdict.confidence.method, verdict.confidence.told) == ("agreement", "2 of 3 seats")


async def test_where_no_model_tells_odds_the_vote_decides_and_that_is_told(settings: Settings) -> None:
    model, endpoint = scripted(DIVIDED, ODDS)
    endpoint.tells_alternatives = False
    _, verdict = await debated(endpoint, settings, Protocol("pool", rule="log_pool"))
    assert (verdict.answer, verdict.status, weighed(model)) == ("platform 4", "complete", [])
    assert "no seat told odds for a log pool; 'platform 4' by plurality" in verdict.stop_reason
    assert verdict.confidence is not None
    assert verdict.confidence.method == "agreement"


@pytest.mark.parametrize("problem", [ConnectionError("gone"), {"{": 0.9, "The": 0.1}])
async def test_odds_that_are_lost_are_told_and_the_others_decide(settings: Settings, problem: Any) -> None:
    _, endpoint = scripted(DIVIDED, {**ODDS, "reader": problem})
    events, verdict = await debated(endpoint, settings, Protocol("pool", rule="linear_pool"))
    assert [(event.seat, event.phase) for event in events if event.type == "seat_lost"] == [("A", "weighing")]
    assert (verdict.answer, verdict.status) == ("platform 9", "partial")
    assert "weighing: " in str(verdict.seats[0].reason)
    assert "A abstains" in verdict.stop_reason
    assert verdict.confidence is not None
    assert verdict.confidence.told == "2 of 3 seats told odds"


async def test_a_lost_seat_makes_the_answer_less_sure(settings: Settings) -> None:
    def lost(messages: list[BaseMessage]) -> Any:
        raise ConnectionError("gone")

    _, endpoint = scripted(dict.fromkeys(ROLES, "platform 9"), dict.fromkeys(ROLES, SURE_OF_NINE))
    pool = Protocol("pool", rule="linear_pool")
    _, whole = await debated(endpoint, settings, pool)
    experts = [
        *(Expert(r, f"a {r}") for r in ROLES[:2]),
        Expert("clerk", "a clerk", model=ScriptedChatModel(replies=lost)),
    ]
    _, verdict = await debated(endpoint, settings, pool, experts=experts)
    assert whole.confidence is not None
    assert verdict.confidence is not None
    assert (whole.confidence.value, verdict.confidence.value) == (0.9, round((0.9 + 0.9 + 0.5) / 3, 4))


async def test_who_does_not_answer_is_not_asked(settings: Settings) -> None:
    model, endpoint = scripted({**DIVIDED, "reader": "not stated"}, ODDS)
    _, verdict = await debated(endpoint, settings, Protocol("pool", rule="linear_pool"))
    assert len(weighed(model)) == 2
    assert verdict.answer == "platform 9"
    model, endpoint = scripted(dict.fromkeys(ROLES, "not stated"), ODDS)
    _, verdict = await debated(endpoint, settings, Protocol("pool", rule="linear_pool"))
    assert (weighed(model), verdict.status) == ([], "abstained")


async def test_the_odds_may_favour_what_nobody_said(settings: Settings) -> None:
    _, endpoint = scripted(dict.fromkeys(ROLES, "platform 4"), dict.fromkeys(ROLES, SURE_OF_NINE))
    _, verdict = await debated(endpoint, settings, Protocol("pool", rule="linear_pool"))
    # Nothing is cited for it.
    assert (verdict.answer, verdict.status, verdict.claims) == ("platform 9", "abstained", ())


async def test_weighing_is_paid_for(settings: Settings) -> None:
    _, endpoint = scripted(DIVIDED, ODDS)
    _, verdict = await debated(endpoint, settings, Protocol("pool", rule="linear_pool"), budget=Budget(calls=4))
    assert verdict.usage.calls == 4
    assert verdict.status == "partial"
    assert sum("budget" in str(seat.reason) for seat in verdict.seats) == 2


@pytest.mark.parametrize(("rule", "winner"), [("plurality", "X"), ("borda", "Y"), ("ranked_choice", "Y")])
async def test_ranked_rules_rank_by_the_odds(settings: Settings, rule: str, winner: str) -> None:
    # Most say X; whoever says Y or Z would rather have the other of them than X.
    said = dict(zip("abcdefghi", "XXXXYYYZZ", strict=True))
    odds = {
        "X": {"A": 0.6, "B": 0.3, "C": 0.1},
        "Y": {"B": 0.6, "C": 0.3, "A": 0.1},
        "Z": {"C": 0.6, "B": 0.3, "A": 0.1},
    }

    def reply(messages: list[BaseMessage]) -> Any:
        answer = next(answer for role, answer in said.items() if f"of nine, {role}" in messages[-1].text)
        if "Reply with the letter" in messages[-1].text:
            first = {"top_logprobs": [{"token": t, "logprob": log(p)} for t, p in odds[answer].items()]}
            return AIMessage("A", response_metadata={"logprobs": {"content": [first]}})
        return {"evidence": [{"label": "t1", "quote": "a note"}], "stated": "fully", "answer": answer}

    endpoint = resolve(ScriptedChatModel(replies=reply), settings)
    endpoint.tells_alternatives = True
    experts = [Expert(role, f"one of nine, {role}") for role in said]
    how = Protocol("ranked", rule=rule, odds=True)
    events = [
        event
        async for event in astream(
            "Which?",
            ["This is a note."],
            experts=experts,
            model=endpoint,
            options=["X", "Y", "Z"],
            protocol=how,
            settings=settings,
        )
    ]
    decision = next(event.decision for event in events if event.type == "decided")
    assert decision.winner == winner


def outcomes(confidences: Sequence[float], right: Callable[[float], bool]) -> ConfidenceMap:
    return ConfidenceMap(of="log_probs", map=fit_logistic(confidences, [right(value) for value in confidences]))


async def test_a_fitted_map_makes_it_a_probability_of_being_right(settings: Settings) -> None:
    _, endpoint = scripted(DIVIDED, ODDS)
    fitted = outcomes([place / 40 for place in range(40)], lambda value: value > 0.7)
    how = Protocol("pool", rule="linear_pool", calibration=fitted)
    _, verdict = await debated(endpoint, settings, how)
    assert verdict.confidence is not None
    assert (verdict.confidence.method, verdict.confidence.raw) == ("calibrated", round(1.7 / 3, 4))
    assert verdict.confidence.value == pytest.approx(fitted.map(1.7 / 3), abs=1e-3)
    assert "a map of log_probs, logistic, fitted on 40 outcomes" in verdict.confidence.of
    assert ConfidenceMap.model_validate_json(fitted.model_dump_json()) == fitted
    # Fitted on another number, it says nothing of this one.
    _, verdict = await debated(endpoint, settings, Protocol("vote", rule="plurality", calibration=fitted))
    assert verdict.confidence is not None
    assert verdict.confidence.method == "agreement"


async def test_support_goes_by_the_seats_and_not_by_the_odds(settings: Settings) -> None:
    _, endpoint = scripted(DIVIDED, ODDS)
    _, verdict = await debated(endpoint, settings, Protocol("pool", rule="linear_pool", support=0.5))
    assert verdict.status == "abstained"
    assert "1 of 3 seats hold the answer, and 50% have to" in verdict.stop_reason


async def test_a_kept_run_is_replayed_with_its_odds_and_its_questions(settings: Settings) -> None:
    seats, _ = scripted(DIVIDED, ODDS)

    def reply(messages: list[BaseMessage]) -> Any:
        prompt = messages[-1].text
        if "Do not answer yet" in prompt:
            return {"questions": {seat: f"Of when is what {seat} has?" for seat in "ABC"}}
        if "Do these words state that" in prompt:
            first = {"top_logprobs": [{"token": "yes", "logprob": -0.1}, {"token": "no", "logprob": -2.0}]}
            return AIMessage("yes", response_metadata={"logprobs": {"content": [first]}})
        return seats.replies(messages) if callable(seats.replies) else None

    model = ScriptedChatModel(replies=reply)
    endpoint = resolve(model, settings)
    endpoint.tells_alternatives = True
    fitted = outcomes([place / 40 for place in range(40)], lambda value: value > 0.7)
    led = Exchange(order="judge_led")
    how = Protocol("all of it", rule="log_pool", exchange=led, supported="model", calibration=fitted)
    experts = [Expert(role, f"a {role}") for role in ROLES]
    kept: Any = {"model": endpoint, "experts": experts, "settings": settings}
    ran = await aask(QUESTION, [NOTES], thread="one", options=OPTIONS, protocol=how, **kept)
    calls = model.call_count
    # Three openings, what to ask, three answers, three letters, and what is cited for the winner.
    assert (ran.answer, calls) == ("platform 9", 3 + 1 + 3 + 3 + 1)
    assert ran.confidence is not None
    assert ran.confidence.method == "calibrated"
    again = await replay(thread="one", **kept)
    assert again.model_dump_json() == ran.model_dump_json()
    assert model.call_count == calls
