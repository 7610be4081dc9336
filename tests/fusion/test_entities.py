"""Voices with faces, signs with names, lines with their print, boxes with boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import Span, entities
from consilience.fusion.boxes import intersection_over_union
from consilience.fusion.speaking import alone
from consilience.observations import Entity, Locator, Observation, Region, Unobserved

ObservationOf = Callable[..., Observation]
MediaOf = Callable[..., Any]


def found(observations: list[Observation], relation: str, **options: Any) -> list[Entity]:
    every = [o.as_(Entity) for o in entities(observations, **options) if o.kind == "entity"]
    return [entity for entity in every if entity.relation == relation]


@pytest.fixture
def turn(observed: ObservationOf) -> Callable[..., Observation]:
    return lambda speaker, start, end: observed(
        "speaker", f"{speaker} talks", medium="film", at=(start, end), value={"speaker": speaker}
    )


@pytest.fixture
def track(observed: ObservationOf) -> Callable[..., Observation]:
    def make(number: int, start: float, end: float) -> Observation:
        point = {"t": start, "x": 0.1 * number, "y": 0.1, "w": 0.2, "h": 0.2}
        value = {"label": "face", "number": number, "points": [point]}
        return observed("track", f"face {number}", medium="film", modality="video", at=(start, end), value=value)

    return make


@pytest.fixture
def mouth(observed: ObservationOf) -> Callable[..., Observation]:
    return lambda at, opening: observed(
        "face", f"a face at {at}", medium="film", at=(at, at), value={"share": 0.1, "mouth_open": opening}
    )


Made = Callable[..., Observation]


def test_the_only_face_in_view_speaks(turn: Made, track: Made) -> None:
    voices, faces = [turn("S1", 0, 4), turn("S2", 5, 9)], [track(1, 0, 4.5), track(2, 4.5, 10)]
    joined = found([*voices, *faces], "speaks")
    assert [(entity.name, entity.members) for entity in joined] == [
        ("S1", (faces[0].id, voices[0].id)),
        ("S2", (faces[1].id, voices[1].id)),
    ]


def test_of_two_faces_in_view_nobody_knows_who_speaks(turn: Made, track: Made) -> None:
    assert found([turn("S1", 0, 4), track(1, 0, 5), track(2, 0, 5)], "speaks") == []


def test_a_face_over_two_voices_is_nobodys(turn: Made, track: Made) -> None:
    assert found([turn("S1", 0, 4), turn("S2", 5, 9), track(1, 0, 10)], "speaks") == []


def test_a_face_on_another_clock_does_not_speak(turn: Made, observed: ObservationOf) -> None:
    value = {"label": "face", "number": 1, "points": []}
    elsewhere = observed("track", "face 1", medium="other film", modality="video", at=(0, 9), value=value)
    assert found([turn("S1", 0, 4), elsewhere], "speaks") == []


@pytest.mark.parametrize(("openings", "score"), [([], 0.8), ([0.02, 0.3], 1.0), ([0.02, 0.01], 0.5)])
def test_the_mouth_supports_it(turn: Made, track: Made, mouth: Made, openings: list[float], score: float) -> None:
    mouths = [mouth(1.0 + i, opening) for i, opening in enumerate(openings)]
    (joined,) = [o for o in entities([turn("S1", 0, 4), track(1, 0, 5), *mouths]) if o.kind == "entity"]
    assert joined.confidence is not None
    assert joined.confidence.value == score


quarters = st.integers(0, 20).map(lambda n: n / 4)
spans = st.tuples(quarters, quarters).map(lambda pair: Span(min(pair), max(pair)))


@given(spans, st.lists(spans, max_size=5))
def test_alone_counts_the_moments_with_one_face(said: Span, visible: list[Span]) -> None:
    expected = [0.0] * len(visible)
    for n in range(20):
        moment = Span(n / 4, (n + 1) / 4)
        there = [i for i, seen in enumerate(visible) if moment.within(seen)]
        if moment.within(said) and len(there) == 1:
            expected[there[0]] += 0.25
    assert alone(said, visible) == pytest.approx(expected)


def test_a_name_is_read_and_said(observed: ObservationOf) -> None:
    sign = observed("text", "10:42 York Platform 4", sure=0.9)
    said = observed("transcript", "The train to York leaves.", at=(0, 3), sure=0.4)
    entity = entities([sign, said])[0]
    assert entity.as_(Entity).members == (sign.id, said.id)
    assert entity.text == '"York" is read and said'
    assert entity.confidence is not None
    assert entity.confidence.value == 0.6


@pytest.mark.parametrize(
    ("sign", "said", "names"),
    [
        ("Oak Street Bakery", "You find it in the Oak Street Bakery.", ["Oak Street Bakery"]),
        ("THE RIVER BAND", "Tonight the river band plays.", ["RIVER BAND"]),
        ("Bakery", "We left the bakery.", ["Bakery"]),
        ("Monday 3 March", "See you on Monday in March.", []),
        ("Platform 4", "It leaves from Platform 4.", []),
        ("turn around there", "Around the corner.", []),
        ("Bäckerei Müller", "Ich war bei Müller.", ["Müller"]),
        ("York", "nobody", []),
    ],
)
def test_named(observed: ObservationOf, sign: str, said: str, names: list[str]) -> None:
    observations = [observed("text", sign), observed("transcript", said, at=(0, 3))]
    assert [entity.name for entity in found(observations, "named")] == names


def test_a_name_has_all_that_say_it(observed: ObservationOf) -> None:
    signs = [observed("text", f"York {word}") for word in ("Minster", "Station")]
    said = [observed("transcript", f"This is York, {word}.", at=(i, i + 1.0)) for i, word in enumerate("ab")]
    (entity,) = found([*signs, *said], "named")
    assert set(entity.members) == {o.id for o in (*signs, *said)}


def test_a_line_stands_in_a_text_too(observed: ObservationOf) -> None:
    sign = observed("text", "NO ENTRY AFTER DARK!")
    page = observed("passage", "The rules say: no entry after dark, and no dogs.")
    (entity,) = found([sign, page, observed("text", "no dogs")], "same_text")
    assert entity.members == (sign.id, page.id)


def test_boxes_of_two_tools_are_one_thing(observed: ObservationOf) -> None:
    value = {"label": "cat"}
    ours = observed("object", "a cat", value=value, box=(0.1, 0.1, 0.4, 0.4), tool="one")
    theirs = observed("object", "a cat there", value=value, box=(0.12, 0.1, 0.4, 0.4), tool="two")
    away = observed("object", "another cat", value=value, box=(0.6, 0.6, 0.3, 0.3), tool="two")
    (entity,) = found([ours, theirs, away], "same_object")
    assert (entity.name, entity.members) == ("cat", (ours.id, theirs.id))


def test_a_file_of_annotations_marks_what_a_detector_sees(observed: ObservationOf, medium: MediaOf) -> None:
    picture = medium("photo.png", mime="image/png", modality="image")
    ours = observed("object", "a cup", medium="photo.png", value={"label": "coffee cup"}, box=(0.1, 0.1, 0.4, 0.4))
    marked = observed(
        "object",
        "cup",
        medium="boxes.json",
        modality="text",
        value={"label": "cup"},
        box=(0.1, 0.1, 0.4, 0.5),
        tool="b",
    )
    marked = Observation.model_validate(
        marked.model_dump(exclude={"id"})
        | {"locator": Locator(region=marked.locator.region, track="photo.png").model_dump()}
    )
    assert len(found([ours, marked], "same_object", media=[picture])) == 1
    assert found([ours, marked], "same_object") == []


fractions = st.integers(0, 10).map(lambda n: n / 20)
regions = st.builds(lambda x, y, w, h: Region(x=x, y=y, w=w, h=h), fractions, fractions, fractions, fractions)


@given(regions, regions)
def test_intersection_over_union_obeys_its_laws(one: Region, other: Region) -> None:
    share = intersection_over_union(one, other)
    assert 0 <= share <= 1
    assert share == intersection_over_union(other, one)
    if one.w and one.h:
        assert intersection_over_union(one, one) == pytest.approx(1)
    apart = one.x + one.w <= other.x or other.x + other.w <= one.x
    if apart:
        assert share == pytest.approx(0)


def test_entities_and_members_beyond_the_most_are_said(observed: Any) -> None:
    places = [f"Harbour Hall {letter}" for letter in "ABCD"]
    signs = [observed("text", place, medium=place) for place in places]
    said = [observed("transcript", f"We meet at {place} today.", at=(i, i + 1)) for i, place in enumerate(places)]
    every = entities([*signs, *said])
    assert len(every) > 1
    *kept, rest = entities([*signs, *said], most=1)
    assert kept == every[:1]
    assert rest.as_(Unobserved).sought == ("entity",)
    assert rest.text == f"{len(every) - 1} more entities of the relation 'named' are not told: only the 1 surest are"
    crowd = [observed("text", "Harbour Hall", medium=f"sign {number}") for number in range(20)]
    (one,) = entities([*crowd, observed("transcript", "At Harbour Hall.", at=(0, 1))])
    assert len(one.value["members"]) == 12
    assert one.text.endswith("; 9 more observations of it are not listed")
