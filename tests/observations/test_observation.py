from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from consilience.observations import Confidence, Locator, Observation, Provenance, Transcript, VisibleText
from consilience.observations.observation import canonical_json

ObservationOf = Callable[..., Observation]

characters = st.characters(exclude_categories=["Cs"])
words = st.text(characters, min_size=1).filter(lambda text: any(c.isprintable() and not c.isspace() for c in text))
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(characters),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(characters), inner, max_size=3),
    max_leaves=10,
)
json_objects = st.dictionaries(st.text(characters), json_values, max_size=4)
confidences = st.builds(Confidence, value=st.floats(0, 1), kind=st.sampled_from(["probability", "score", "calibrated"]))


def observations() -> st.SearchStrategy[Observation]:
    return st.builds(
        Observation,
        kind=st.from_regex(r"\Ax[a-z0-9_]{0,39}\Z"),
        value=json_objects,
        text=words,
        confidence=st.none() | confidences,
        provenance=st.builds(
            Provenance,
            media=words,
            modality=st.sampled_from(["image", "audio", "text"]),
            tool=words,
            version=words,
            model=st.none() | words,
            parameters=json_objects,
        ),
    )


@given(observations())
def test_json_round_trips_under_the_same_id(observation: Observation) -> None:
    assert Observation.model_validate_json(observation.model_dump_json()) == observation


@given(observations())
def test_python_data_round_trips_under_the_same_id(observation: Observation) -> None:
    assert Observation.model_validate(observation.model_dump()) == observation


@given(observations())
def test_id_has_its_form(observation: Observation) -> None:
    assert re.fullmatch(r"obs:[0-9a-f]{20}", observation.id)


@given(observations())
def test_text_is_one_printable_line(observation: Observation) -> None:
    assert observation.text
    assert observation.text.isprintable()
    assert observation.text == " ".join(observation.text.split())


@given(json_objects)
def test_id_does_not_depend_on_the_order_of_keys(value: dict[str, JsonValue]) -> None:
    made_by = Provenance(media="m", modality="text", tool="t", version="1")
    backwards = dict(reversed(value.items()))
    one = Observation(kind="custom", value=value, text="x", provenance=made_by)
    assert one.id == Observation(kind="custom", value=backwards, text="x", provenance=made_by).id


@given(json_objects)
def test_canonical_json_says_the_same(content: dict[str, JsonValue]) -> None:
    assert json.loads(canonical_json(content)) == content


def test_every_field_shapes_the_id(observation_of: ObservationOf) -> None:
    variants = [
        observation_of(),
        observation_of("ENTRY"),
        observation_of(value={"text": "exit"}),
        observation_of(kind="description"),
        observation_of(locator=Locator(page=1)),
        observation_of(confidence=Confidence(value=0.5, kind="score")),
        observation_of(confidence=Confidence(value=0.5, kind="probability")),
        observation_of(media="another"),
        observation_of(modality="video"),
    ]
    assert len({observation.id for observation in variants}) == len(variants)


def test_a_foreign_id_is_refused(observation_of: ObservationOf) -> None:
    stolen = observation_of("ENTRY").id
    with pytest.raises(ValidationError, match="does not belong to this content"):
        observation_of("EXIT", id=stolen)


def test_its_own_id_is_accepted(observation_of: ObservationOf) -> None:
    assert observation_of(id=observation_of().id) == observation_of()


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u200b", "\x00"])
def test_text_that_says_nothing_is_refused(observation_of: ObservationOf, blank: str) -> None:
    with pytest.raises(ValidationError, match="text"):
        observation_of(blank, value={"text": "x"})


def test_a_known_kind_keeps_its_shape(observation_of: ObservationOf) -> None:
    with pytest.raises(ValidationError, match="label"):
        observation_of(kind="object", value={"text": "boat"})


def test_a_plug_ins_kind_may_hold_anything(observation_of: ObservationOf) -> None:
    assert observation_of(kind="aura", value={"hue": [1, None, {"deep": True}]}).value["hue"] == [
        1,
        None,
        {"deep": True},
    ]


@pytest.mark.parametrize("kind", ["", "Text", "two words", "1st", "a" * 41, "text\n"])
def test_kinds_are_short_lower_case_words(observation_of: ObservationOf, kind: str) -> None:
    with pytest.raises(ValidationError, match="kind"):
        observation_of(kind=kind, value={})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(observation_of: ObservationOf, number: float) -> None:
    with pytest.raises(ValidationError, match="not JSON compliant"):
        observation_of(kind="aura", value={"hue": number})


def test_an_observation_cannot_be_changed(observation_of: ObservationOf) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        observation_of().text = "ENTRY"  # type: ignore[misc]


def test_value_comes_back_typed(observation_of: ObservationOf) -> None:
    assert observation_of("EXIT").as_(VisibleText) == VisibleText(text="EXIT")
    with pytest.raises(ValidationError, match="language"):
        observation_of("EXIT").as_(Transcript)


def test_confidence_says_what_its_number_means() -> None:
    assert str(Confidence(value=0.876, kind="score")) == "88% score"


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_confidence_lies_between_zero_and_one(value: float) -> None:
    with pytest.raises(ValidationError, match="value"):
        Confidence(value=value, kind="score")
