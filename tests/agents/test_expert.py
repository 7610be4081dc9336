from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from consilience.agents import Brief, Expert, Judge, Seat, Turn, check_turn, default_experts, generalists, take_seats
from consilience.agents.briefing import debate_brief
from consilience.agents.prompts import prompt

from consilience.core.errors import BadReply, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models import Endpoint, Meter, Sampling, resolve
from consilience.observations import MODALITIES, Modality, Record
from consilience.testing import ModelServer, ScriptedChatModel

QUESTION = "Which platform?"
PICTURE = {"evidence": [{"label": "i1", "quote": "Platform 4"}], "stated": "fully", "answer": "platform 4"}
CALL = {"evidence": [{"label": "a1", "quote": "platform nine"}], "stated": "fully", "answer": "platform nine"}
ANSWER = {"claims": [{"text": "Nine.", **CALL["evidence"][0]}], "stated": "fully", "answer": "platform nine"}  # type: ignore[index]

Scripted = Callable[..., tuple[ScriptedChatModel, Endpoint]]


def seat(endpoint: Endpoint, modality: Modality | None = "image", letter: str = "A", **options: Any) -> Seat:
    expert = Expert("the-name", "an expert for tests", view=(modality,) if modality else None, **options)
    return Seat(letter, expert, endpoint)


def allowed(model: ScriptedChatModel, number: int = 0) -> list[str]:
    """The labels that a call's schema let the model cite."""
    schema = model.calls[number].kwargs["response_format"]["json_schema"]["schema"]
    labels: list[str] = schema["properties"]["evidence"]["items"]["properties"]["label"]["enum"]
    return labels


@pytest.mark.parametrize(
    ("modality", "own"),
    [("image", ["i1", "i2"]), ("audio", ["a1"]), ("document", ["d1"]), (None, ["i1", "i2", "a1", "d1"])],
)
async def test_an_opening_sees_only_its_own_modality(
    scripted: Scripted, record: Record, modality: Modality | None, own: list[str]
) -> None:
    model, endpoint = scripted({"stated": "not", "answer": "not stated"})
    await seat(endpoint, modality).open(QUESTION, record, Meter())
    assert allowed(model) == own
    for label, observation in record:
        assert (f"[{label}]" in model.calls[0].prompt.replace("such as [i1]", "")) == (label in own)
        assert (observation.text in model.calls[0].prompt) == (label in own)


async def test_an_opening_cannot_cite_what_another_seat_sees(scripted: Scripted, record: Record) -> None:
    _, endpoint = scripted(CALL, CALL)
    with pytest.raises(BadReply, match='no label "a1"'):
        await seat(endpoint, "image").open(QUESTION, record, Meter())


async def test_an_opening_cannot_cite_what_was_left_out(scripted: Scripted, record: Record) -> None:
    model, endpoint = scripted(PICTURE)
    await seat(endpoint, None, tokens=1).open(QUESTION, record, Meter())
    assert allowed(model) == ["i1"]
    assert "3 observations left out for want of room" in model.calls[0].prompt


async def test_an_opening_over_nothing_cannot_cite(scripted: Scripted, record: Record) -> None:
    model, endpoint = scripted(PICTURE, {"stated": "not", "answer": "not stated"})
    turn = await seat(endpoint, "video").open(QUESTION, record, Meter())
    assert "(none)" in model.calls[0].prompt
    assert turn.repaired
    assert not turn.position.answers


async def test_an_opening_is_a_turn_of_round_0(scripted: Scripted, record: Record) -> None:
    _, endpoint = scripted(PICTURE)
    meter = Meter()
    turn = await seat(endpoint).open(QUESTION, record, meter)
    assert (turn.seat, turn.expert, turn.phase, turn.round) == ("A", "the-name", "opening", 0)
    assert (turn.position.text, turn.disputes, turn.repaired) == ("platform 4", (), False)
    # Unchecked: checking is not the speaker's to do.
    assert not turn.claims[0].holds
    assert check_turn(turn, record).claims[0].holds
    assert meter.usage.calls == 1


async def openings(endpoint: Endpoint, record: Record) -> list[Turn]:
    turns = [
        await seat(endpoint, "image", "A").open(QUESTION, record, Meter()),
        await seat(endpoint, "audio", "B").open(QUESTION, record, Meter()),
    ]
    return [check_turn(turn, record) for turn in turns]


async def test_a_response_sees_all_turns_but_no_names(scripted: Scripted, record: Record) -> None:
    model, endpoint = scripted(PICTURE, CALL, {**CALL, "disputes": [{"seat": "B", "reason": "older"}]})
    turns = await openings(endpoint, record)
    evidence = record.render(["i1", "a1"])
    turn = await seat(endpoint).respond(Brief(QUESTION, evidence, turns, ["B"]), Meter())
    assert (turn.phase, turn.round) == ("exchange", 1)
    assert [dispute.seat for dispute in turn.disputes] == ["B"]
    asked = model.calls[-1].prompt
    assert evidence.text in asked
    assert "Seat A: platform 4" in asked
    assert "Seat B: platform nine" in asked
    assert "the-name" not in asked
    assert allowed(model, 2) == ["i1", "a1"]


async def test_only_rivals_are_named_and_can_be_disputed(scripted: Scripted, record: Record) -> None:
    model, endpoint = scripted(PICTURE, CALL, PICTURE, PICTURE)
    turns = await openings(endpoint, record)
    for rivals in ([], ["B"]):
        await seat(endpoint).respond(Brief(QUESTION, record.render(), turns, rivals), Meter())
        schema = model.calls[-1].kwargs["response_format"]["json_schema"]["schema"]
        assert ("disputes" in schema["properties"]) == bool(rivals)
        assert ("Seat B contradicts you." in model.calls[-1].prompt) == bool(rivals)
        # The instruction's sentences stay apart.
        assert ".Choose" not in model.calls[-1].prompt


async def test_every_later_prompt_begins_with_what_earlier_ones_shared(scripted: Scripted, record: Record) -> None:
    model, endpoint = scripted(PICTURE, CALL, PICTURE, CALL, PICTURE, CALL, ANSWER)
    turns, evidence = await openings(endpoint, record), record.render(["i1", "a1"])
    briefs = [debate_brief(evidence, turns)] * 2
    for round_ in (1, 2):
        brief = Brief(QUESTION, evidence, list(turns), round=round_)
        said = [await seat(endpoint, letter=a).respond(brief, Meter()) for a in "AB"]
        assert [turn.round for turn in said] == [round_, round_]
        turns += [check_turn(turn, record) for turn in said]
        briefs += [debate_brief(evidence, turns)] * 2
    await Judge(endpoint).compose(QUESTION, evidence, turns, None, Meter())
    prompts = [call.prompt for call in model.calls[2:]]
    for place, asked in enumerate(prompts):
        shared = f"{prompt('system')}\n{briefs[place]}"
        assert len(shared) < len(asked)
        assert all(later.startswith(shared) for later in prompts[place:])


@pytest.mark.parametrize("bad", [["garbage", "garbage"], [CALL, CALL]])
async def test_a_seat_that_replies_badly_says_so(scripted: Scripted, record: Record, bad: list[Any]) -> None:
    _, endpoint = scripted(*bad)
    with pytest.raises(BadReply):
        await seat(endpoint).open(QUESTION, record, Meter())


async def test_a_seat_whose_model_is_gone_says_so(scripted: Scripted, record: Record) -> None:
    _, endpoint = scripted(ConnectionError("gone"))
    with pytest.raises(ModelUnavailable, match="gone"):
        await seat(endpoint).open(QUESTION, record, Meter())


async def test_a_repaired_turn_is_marked(scripted: Scripted, record: Record) -> None:
    _, endpoint = scripted("garbage", PICTURE)
    assert (await seat(endpoint).open(QUESTION, record, Meter())).repaired


async def test_an_expert_draws_with_its_own_sampling(record: Record) -> None:
    with ModelServer([PICTURE]) as server:
        endpoint = resolve(server.base_url, Settings())
        (taken,) = take_seats([Expert("x", "x", sampling=Sampling(temperature=0.3))], [endpoint], seed=7)
        await taken.open(QUESTION, record, Meter())
        await endpoint.close()
        assert (server.calls[0].body["temperature"], server.calls[0].body["seed"]) == (0.3, 700)


def named(*names: str) -> list[Expert]:
    return [Expert(name, "an expert") for name in names]


def test_seats_are_lettered_in_order(scripted: Scripted) -> None:
    _, endpoint = scripted()
    names = [f"e{i}" for i in range(26)]
    seats = take_seats(named(*names), [endpoint] * 26)
    assert "".join(taken.letter for taken in seats) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert [taken.expert.name for taken in seats] == names


def test_every_seat_has_its_own_seed(scripted: Scripted) -> None:
    _, endpoint = scripted()
    seeds = [
        taken.expert.sampling.seed
        for run in (0, 1, 7)
        for taken in take_seats(named("x", "y", "z"), [endpoint] * 3, seed=run)
    ]
    assert None not in seeds
    assert len(set(seeds)) == len(seeds)


def test_a_seed_that_an_expert_brings_stays(scripted: Scripted) -> None:
    _, endpoint = scripted()
    own = Expert("own", "an expert", sampling=Sampling(seed=3, temperature=0.5))
    first, second = take_seats([own, *named("other")], [endpoint] * 2, seed=7)
    assert first.expert.sampling == own.sampling
    assert second.expert.sampling == Sampling(seed=701)


def test_without_a_seed_nobody_has_one(scripted: Scripted) -> None:
    _, endpoint = scripted()
    assert [taken.expert.sampling.seed for taken in take_seats(named("x", "y"), [endpoint] * 2)] == [None, None]


@pytest.mark.parametrize("names", [[], ["x", "x"], [str(i) for i in range(27)]])
def test_seats_are_for_1_to_26_different_experts(scripted: Scripted, names: list[str]) -> None:
    _, endpoint = scripted()
    with pytest.raises(ValueError, match="1 to 26 experts with different names"):
        take_seats(named(*names), [endpoint] * len(names))


def test_every_expert_needs_an_endpoint(scripted: Scripted) -> None:
    _, endpoint = scripted()
    with pytest.raises(ValueError, match="shorter"):
        take_seats(named("x", "y"), [endpoint])


def test_default_experts_see_one_modality_each() -> None:
    experts = default_experts(MODALITIES)
    assert [expert.view for expert in experts] == [(modality,) for modality in MODALITIES]
    assert len({expert.role for expert in experts}) == len(MODALITIES)


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_lone_expert_gets_a_sceptic(modality: Modality) -> None:
    expert, sceptic = default_experts([modality])
    assert expert == Expert.for_modality(modality)
    assert (sceptic.name, sceptic.view) == ("sceptic", None)


async def test_only_the_options_can_be_answered_where_they_are_given(scripted: Scripted, record: Record) -> None:
    unsure = {**PICTURE, "stated": "fully", "answer": "not stated"}
    model, endpoint = scripted(PICTURE, unsure)
    options = ("platform 4", "platform 9")
    turns = [await seat(endpoint).open(QUESTION, record, Meter(), options=options) for _ in range(2)]
    assert [turn.position.answers for turn in turns] == [True, False]
    schema = model.calls[0].kwargs["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["platform 4", "platform 9", "not stated"]


async def test_who_stands_against_conformity_is_told_so(scripted: Scripted, record: Record) -> None:
    model, endpoint = scripted(PICTURE, CALL, PICTURE)
    turns = await openings(endpoint, record)
    await seat(endpoint).respond(Brief(QUESTION, record.render(), turns, against=True), Meter())
    assert model.calls[-1].prompt.endswith("that others answer alike is no evidence.")


def test_several_generalists_draw_and_one_does_not() -> None:
    assert [expert.sampling.temperature for expert in generalists(3)] == [0.7] * 3
    assert generalists(1)[0].sampling.temperature is None
    assert len({s.expert.sampling.seed for s in take_seats(generalists(3), [None] * 3, seed=1)}) == 3  # type: ignore[list-item]
