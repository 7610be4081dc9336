from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from consilience.agents import LookAgain
from consilience.agents.replies import Allowed, Form, TurnReply, compose_form, resolve_form, turn_form
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import Span, TimeRange

CITED = {"label": "i1", "quote": "Platform 4"}
TURN = {"evidence": [CITED], "stated": "fully", "answer": "platform 4"}
LOOK = {"medium": "talk.wav", "words": "the fee", "start": 60, "end": 90}
HOUR = TimeRange(start=0, end=3600)
PLATFORMS = ["platform 4", "platform 9", "platform 7"]
RESOLUTION = {"reason": "said later", "stronger": "B", "answer": "platform 9"}
ANSWER = {"claims": [{"text": "It is 4.", **CITED}], "stated": "partly", "answer": "platform 4"}
FORMS: list[tuple[Form[Any], dict[str, Any]]] = [
    (turn_form(Allowed(["i1", "a1"])), TURN),
    (turn_form(Allowed(["i1", "a1"], ["B"])), {**TURN, "disputes": [{"seat": "B", "reason": "older"}]}),
    (turn_form(Allowed(["i1"], media=["talk.wav"])), {**TURN, "look_again": [LOOK]}),
    (turn_form(Allowed(["i1"], options=PLATFORMS, approvable=PLATFORMS)), {**TURN, "approves": ["platform 9"]}),
    (resolve_form(["A", "B"]), RESOLUTION),
    (compose_form(["i1", "a1"]), ANSWER),
]
NAMES = ["opening", "exchange", "looking", "approving", "resolution", "answer"]
LABELS = st.lists(st.from_regex(r"[ciavdtb][1-9][0-9]?", fullmatch=True), unique=True, max_size=4)


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema and all schemas in it that something can be written under."""
    yield schema
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if schema.get("maxItems") else [])]:
        yield from parts(inner)


def items(form: Form[Any], name: str) -> dict[str, Any]:
    listed: dict[str, Any] = form.schema["properties"][name]
    return listed


@given(LABELS, st.lists(st.sampled_from("BCD"), unique=True))
def test_schemas_bound_every_string_and_list(labels: list[str], peers: list[str]) -> None:
    for form in (turn_form(Allowed(labels, peers)), compose_form(labels), resolve_form(["A", *peers])):
        for part in parts(form.schema):
            if part["type"] == "string":
                assert "enum" in part or 0 < part["maxLength"] <= 320
            if part["type"] == "array":
                assert part["maxItems"] <= 3
            if part["type"] == "object":
                assert part["required"] == list(part["properties"])
                assert part["additionalProperties"] is False


@given(LABELS)
def test_schemas_allow_only_labels_that_are_shown(labels: list[str]) -> None:
    for listed in (items(turn_form(Allowed(labels)), "evidence"), items(compose_form(labels), "claims")):
        if labels:
            assert listed["items"]["properties"]["label"]["enum"] == labels
        else:
            assert listed["maxItems"] == 0


def test_schemas_allow_only_seats_that_are_there() -> None:
    assert items(turn_form(Allowed(["i1"], ["B", "D"])), "disputes")["items"]["properties"]["seat"]["enum"] == [
        "B",
        "D",
    ]
    assert "disputes" not in turn_form(Allowed(["i1"])).schema["properties"]
    assert resolve_form(["A", "C"]).schema["properties"]["stronger"]["enum"] == ["A", "C", "neither"]


def test_no_enumeration_is_empty() -> None:
    # JSON schema forbids it, and servers that compile the schema into a grammar refuse it.
    for form in (turn_form(Allowed([])), compose_form([])):
        assert all(part.get("enum", ["some"]) for part in parts(form.schema))


@pytest.mark.parametrize(("form", "reply"), FORMS, ids=NAMES)
@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "  {}\n",
        "```json\n{}\n```",
        "```\n{}\n```\nI hope this helps.",
        "Here is my reply:\n\n{}\n\nLet me know.",
        "\ufeff{}",
    ],
)
def test_a_reply_may_be_fenced_or_in_prose(form: Form[Any], reply: dict[str, Any], wrapped: str) -> None:
    for indent in (None, 2):
        text = wrapped.replace("{}", json.dumps(reply, indent=indent))
        assert form.parse(text).model_dump(exclude_unset=True) == reply


@pytest.mark.parametrize(("form", "reply"), FORMS, ids=NAMES)
def test_a_reply_that_is_cut_off_anywhere_is_refused(form: Form[Any], reply: dict[str, Any]) -> None:
    whole = json.dumps(reply)
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"JSON"):
            form.parse(whole[:end])


@pytest.mark.parametrize(("form", "reply"), FORMS, ids=NAMES)
def test_a_reply_that_lacks_something_is_told_what(form: Form[Any], reply: dict[str, Any]) -> None:
    for name in set(reply) - {"evidence", "disputes", "look_again", "approves", "claims"}:
        with pytest.raises(ValueError, match=rf"^{name}: Field required$"):
            form.parse(json.dumps({key: value for key, value in reply.items() if key != name}))


@pytest.mark.parametrize(
    "text", ["", "platform 4", "[]", "null", "}{", "{", "{]}", "Well, {as I see it: the, answer}", "{} {}", "\x00"]
)
def test_garbage_is_refused(text: str) -> None:
    for form, _ in FORMS:
        with pytest.raises(ValueError, match=r"."):
            form.parse(text)


@given(st.text())
def test_whatever_comes_is_a_reply_or_a_value_error(text: str) -> None:
    for form, _ in FORMS:
        with pytest.raises(ValueError, match=r"."):
            form.parse(text)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"stated": "mostly"}, "stated: Input should be 'fully', 'partly' or 'not'"),
        ({"answer": ""}, "answer: String should have at least 1 character"),
        ({"answer": " \n"}, "answer: String should have at least 1 character"),
        ({"answer": 4}, "answer: Input should be a valid string"),
        ({"evidence": "i1"}, "evidence: Input should be a valid array"),
        ({"evidence": [{"label": "i1"}]}, "evidence.0.quote: Field required"),
        ({"evidence": [{"label": "i7", "quote": "x"}]}, 'there is no label "i7" (there are: i1, a1)'),
        ({"evidence": [CITED, {"label": "", "quote": "x"}]}, 'there is no label "" (there are: i1, a1)'),
        ({"disputes": [{"seat": "C", "reason": "x"}]}, "there is no seat 'C' to dispute (there are: B)"),
    ],
)
def test_a_wrong_turn_is_told_what_is_wrong(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        turn_form(Allowed(["i1", "a1"], ["B"])).parse(json.dumps({**TURN, **changed}))
    assert str(raised.value) == told


def test_nobody_can_be_disputed_where_there_is_no_rival() -> None:
    with pytest.raises(ValueError, match="no seat 'B'"):
        turn_form(Allowed(["i1"])).parse(json.dumps({**TURN, "disputes": [{"seat": "B", "reason": "x"}]}))


def test_a_wrong_seat_is_not_stronger() -> None:
    form = resolve_form(["A", "B"])
    assert form.parse(json.dumps({**RESOLUTION, "stronger": "neither"})).stronger == "neither"
    with pytest.raises(ValueError, match=r"^there is no seat 'C' \(there are: A, B\)$"):
        form.parse(json.dumps({**RESOLUTION, "stronger": "C"}))


def test_a_wrong_label_is_not_composed_with() -> None:
    with pytest.raises(ValueError, match='no label "d1"'):
        compose_form(["i1"]).parse(json.dumps({**ANSWER, "claims": [{"text": "", "label": "d1", "quote": ""}]}))


def test_fields_of_a_models_own_are_left_out() -> None:
    assert turn_form(Allowed(["i1"])).parse(json.dumps({**TURN, "thoughts": "hm"})) == TurnReply.model_validate(TURN)


def test_what_is_said_becomes_one_line() -> None:
    said = {"label": " i1 ", "quote": "Platform\n 4"}
    reply = turn_form(Allowed(["i1"])).parse(
        json.dumps({**TURN, "evidence": [said], "answer": "4\nSeat B: platform 9\n"})
    )
    assert reply.answer == "4 Seat B: platform 9"
    assert reply.evidence[0].model_dump() == CITED


def test_a_turn_becomes_what_the_contract_has() -> None:
    form, reply = FORMS[1]
    turn = form.parse(json.dumps(reply))
    assert (turn.position().text, turn.position().stated) == ("platform 4", "fully")
    (claim,) = turn.contract_claims()
    assert claim.text == "platform 4"
    assert claim.citations[0].model_dump(exclude_defaults=True) == CITED
    assert [dispute.model_dump() for dispute in turn.contract_disputes()] == [{"seat": "B", "reason": "older"}]


@given(
    st.sampled_from([*PLATFORMS, "not stated"]),
    st.sampled_from(["fully", "not"]),
    st.lists(st.sampled_from([*PLATFORMS, "not stated", " ", "x\ny"]), max_size=6),
)
def test_what_is_approved_is_told_once_beside_an_answer(answer: str, stated: str, approves: list[str]) -> None:
    text = json.dumps({"answer": answer, "stated": stated, "approves": approves})
    position = turn_form(Allowed([], options=PLATFORMS, approvable=PLATFORMS)).parse(text).position()
    assert len(set(position.approves)) == len(position.approves)
    said = {" ".join(one.split()) for one in approves} - {"", answer, "not stated"}
    assert set(position.approves) == (said if position.answers else set())
    # Who was not asked has approved of nothing.
    assert turn_form(Allowed([], options=PLATFORMS)).parse(text).position().approves == ()


def test_only_a_turn_may_come_in_words() -> None:
    (opening, _), (exchange, _), (looking, _), (approving, _), (resolution, _), (composed, _) = FORMS
    assert opening.from_words is not None
    assert opening.from_words("platform 4") == TurnReply(stated="fully", answer="platform 4")
    assert exchange.from_words is not None
    assert looking.from_words is not None
    assert approving.from_words is not None
    assert approving.from_words("platform 4").position().approves == ()
    assert resolution.from_words is None
    assert composed.from_words is None


@pytest.mark.parametrize(
    ("left_out", "asked", "expected"),
    [
        (
            Span(media="talk.wav", time=HOUR),
            (60, 90.5),
            {"time": TimeRange(start=60, end=90.5)},
        ),
        (Span(media="talk.wav", pages=(1, 80)), (3, 4), {"pages": (3, 4)}),
        (Span(media="talk.wav", rows=(1, 900)), (5, 5), {"rows": (5, 5)}),
        (Span(media="talk.wav", time=HOUR), (0, 0), {}),
        (Span(media="talk.wav", time=HOUR), (90, 60), {}),
        (Span(media="talk.wav"), (60, 90), {}),
        (Span(media="other.wav", time=HOUR), (60, 90), {}),
    ],
)
def test_a_stretch_is_asked_for_in_what_its_medium_is_counted_in(
    left_out: Span, asked: tuple[float, float], expected: dict[str, Any]
) -> None:
    look = {**LOOK, "start": asked[0], "end": asked[1]}
    reply = turn_form(Allowed(["i1"], media=["talk.wav"])).parse(json.dumps({**TURN, "look_again": [look]}))
    (request,) = reply.contract_requests([left_out])
    assert request == LookAgain(span=Span(media="talk.wav", **expected), words="the fee")


def test_only_what_was_left_out_can_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"nothing left out of 'talk.wav'"):
        turn_form(Allowed(["i1"])).parse(json.dumps({**TURN, "look_again": [LOOK]}))
