"""Conflicts between media: which are told, which are not, and the laws that telling them obeys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import Timeline, conflicts
from consilience.observations import Conflict, Observation, Provenance, Unobserved

ObservationOf = Callable[..., Observation]


def told(observations: list[Observation]) -> list[str]:
    return [observation.text for observation in conflicts(observations)]


@pytest.fixture
def board(observed: ObservationOf) -> list[Observation]:
    lines = ("DEPARTURES", "10:42  York  Platform 4", "11:05  Leeds  Platform 2")
    return [observed("text", line, sure=0.99) for line in lines]


@pytest.fixture
def call(observed: ObservationOf) -> Callable[..., list[Observation]]:
    return lambda *lines: [
        observed("transcript", line, at=(i * 5.0, i * 5.0 + 4), sure=0.8) for i, line in enumerate(lines)
    ]


Call = Callable[..., list[Observation]]


def test_a_platform_said_disputes_the_platform_shown(board: list[Observation], call: Call) -> None:
    said = call("The ten forty two train to York will now leave from platform six.", "Platform six.")
    (conflict,) = conflicts([*board, *said])
    value = conflict.as_(Conflict)
    assert (value.first, value.second, value.dispute) == (said[0].id, board[1].id, "said_shown")
    assert conflict.text == (
        "said: The ten forty two train to York will now leave from platform six; shown: 10:42 York Platform 4"
    )
    assert 0.5 < value.score < 1
    assert conflict.locator == said[0].locator
    assert conflict.provenance.media == said[0].provenance.media
    assert (conflict.provenance.tool, conflict.provenance.version) == ("fusion.conflicts", "2")


def test_the_right_platform_disputes_nothing(board: list[Observation], call: Call) -> None:
    assert told([*board, *call("The ten forty two train to York leaves from platform four.")]) == []


def test_another_train_disputes_nothing(board: list[Observation], call: Call) -> None:
    assert told([*board, *call("The train to Derby leaves from platform six.")]) == []


def test_a_bare_line_is_about_what_stands_before_it(observed: ObservationOf, call: Call) -> None:
    card = [observed("text", line) for line in ("Dr. Miller, dentist", "Appointment: Tuesday 3 March", "at 9:30")]
    said = call("We have to move your appointment on Tuesday.", "Please come at eleven o'clock instead.")
    assert told([*card, *said]) == ["said: Please come at eleven o'clock instead; shown: at 9:30"]


def test_another_clause_disputes_nothing(observed: ObservationOf, call: Call) -> None:
    note = [observed("passage", line) for line in ("Biology: Monday, room 12.", "History: Tuesday, room 3.")]
    said = call("The biology exam on Monday will be in room seven, because room twelve is being painted.")
    (conflict,) = told([*note, *said])
    assert conflict == "said: The biology exam on Monday will be in room seven; written: Biology: Monday, room 12"


def test_two_written_sources_dispute_numbers(observed: ObservationOf) -> None:
    menu = [observed("text", "Tomato soup  4.50 euro"), observed("text", "Fish pie  9.80 euro")]
    note = observed("passage", "Since Monday the tomato soup costs 5.20 euro. The fish pie stays as it is.")
    (conflict,) = conflicts([*menu, note])
    assert conflict.as_(Conflict).dispute == "numbers"
    assert conflict.text == "shown: Tomato soup 4.50 euro; written: Since Monday the tomato soup costs 5.20 euro"


def test_a_row_of_a_table_is_disputed_by_its_own_number(observed: ObservationOf, call: Call) -> None:
    rows = [
        observed(
            "row",
            f"month: January; shop: {shop}; sales: {sales}",
            modality="table",
            value={"cells": {"month": "January", "shop": shop, "sales": sales}},
        )
        for shop, sales in (("North", "120"), ("South", "95"))
    ]
    said = call("In January the shop in the South had sales of one hundred.")
    (conflict,) = conflicts([*rows, *said])
    assert conflict.as_(Conflict).second == rows[1].id


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The library is closed today.", "library: OPEN"),
        ("Turn left at the old mill.", "Old mill: turn right"),
        ("The ferry is cancelled.", "Ferry on time"),
        ("The yoga class is on Monday at six pm.", "Yoga class: Wednesday 7 pm"),
        ("The choir rehearsal is on Thursday.", "Choir rehearsal: Tuesday"),
        ("The book club meets at half past six.", "Book club 19:00"),
        ("The flea market is on the third of March.", "Flea market, 10 March"),
        ("Your rucksack weighs two kilos.", "Rucksack: 2500 g"),
    ],
)
def test_told(observed: ObservationOf, call: Call, said: str, shown: str) -> None:
    assert len(told([*call(said), observed("text", shown)])) == 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The book club meets at half past six.", "Book club 18:30"),
        ("The book club meets at half past six.", "Book club: upper room, floor 2"),
        ("The library opens at nine.", "Library: 9 to 18 h"),
        ("Come to the library at eleven.", "Library: open 9 to 5 pm"),
        ("It is not platform 4, York, but platform 6.", "York Platform 6"),
        ("There were three people at the lake.", "Lake: 12 euro"),
        ("The parcel weighs two kilos.", "Parcel: 2 euro"),
        ("The train to York leaves from platform six.", "Room 4"),
        ("Six.", "4"),
    ],
)
def test_not_told(observed: ObservationOf, call: Call, said: str, shown: str) -> None:
    assert told([*call(said), observed("text", shown)]) == []


def test_states_are_only_compared_with_what_is_said(observed: ObservationOf) -> None:
    signs = [observed("text", "Library OPEN", medium="one"), observed("text", "Library CLOSED", medium="two")]
    assert told(signs) == []


def test_one_medium_does_not_dispute_itself(observed: ObservationOf) -> None:
    assert told([observed("text", "York Platform 4"), observed("text", "York Platform 6")]) == []


def test_a_films_sound_disputes_its_pictures_where_both_are(observed: ObservationOf) -> None:
    said = observed("transcript", "York: platform six.", medium="film", at=(2.0, 6.0))
    seen = observed("text", "York Platform 4", medium="film", at=(5.0, 9.0), box=(0.1, 0.1, 0.5, 0.1))
    (conflict,) = conflicts([said, seen], Timeline([said, seen]))
    assert str(conflict.locator) == "t=5,6"


def test_a_number_told_twice_is_disputed_once(observed: ObservationOf, call: Call) -> None:
    said = call("York, platform six.", "I repeat, York, platform six.")
    assert len(told([*said, observed("text", "York Platform 4")])) == 1


def test_long_sentences_are_cut_around_their_value(observed: ObservationOf, call: Call) -> None:
    said = call(f"{'and so it went on and on ' * 8} until York, platform six {'and then some more of it ' * 8}")
    (conflict,) = told([*said, observed("text", "York Platform 4")])
    assert "York, platform six" in conflict
    assert len(conflict) < 200


def test_no_more_than_asked_for_and_the_surest_first(observed: ObservationOf, call: Call) -> None:
    cities = ("York", "Leeds", "Derby", "Oxford")
    signs = [observed("text", f"{city} Platform 4", sure=0.9 - i / 10) for i, city in enumerate(cities)]
    said = call(*(f"{city}, platform six." for city in cities))
    found = conflicts([*signs, *said])
    scores = [conflict.as_(Conflict).score for conflict in found]
    assert scores == sorted(scores, reverse=True)
    assert conflicts([*signs, *said], most=len(found)) == found
    # The same number is disputed once, whichever of the four lines it is taken from.
    assert len(found) >= 1


def test_conflicts_beyond_the_most_are_said(observed: ObservationOf, call: Call) -> None:
    cities = ("York", "Leeds", "Derby", "Oxford")
    signs = [observed("text", f"{city} Platform {i + 1}") for i, city in enumerate(cities)]
    said = call(*(f"{city}, platform {i + 11}." for i, city in enumerate(cities)))
    found = conflicts([*signs, *said])
    assert {conflict.kind for conflict in found} == {"conflict"}
    *kept, rest = conflicts([*signs, *said], most=1)
    assert kept == found[:1]
    assert rest.as_(Unobserved).sought == ("conflict",)
    assert rest.text == f"{len(found) - 1} more conflicts are not told: only the 1 surest are"


WORDS = st.sampled_from(
    "York Leeds train platform room Gleis exam biology at on Monday Tuesday is not now open closed 4 6 six 12 10:42 "
    "half past euro 4.50 kg . , ; soup".split()
)
LINES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


def line_of(number: int, text: str, kind: str, media: str) -> Observation:
    value = {"text": text, "language": "en"} if kind == "transcript" else {"text": text}
    made = Provenance(media=media, modality="audio" if kind == "transcript" else "image", tool="t", version=str(number))
    return Observation(kind=kind, value=value, text=text, provenance=made)


@st.composite
def records(draw: st.DrawFn) -> list[Observation]:
    lines = draw(st.lists(st.tuples(LINES, st.sampled_from(["transcript", "text"]), st.sampled_from("ab")), max_size=8))
    return [line_of(i, text, kind, media) for i, (text, kind, media) in enumerate(lines)]


@given(records())
def test_every_conflict_is_between_two_streams_of_the_record(observations: list[Observation]) -> None:
    by_id = {o.id: o for o in observations}
    for conflict in conflicts(observations):
        value = conflict.as_(Conflict)
        first, second = by_id[value.first], by_id[value.second]
        assert (first.provenance.media, first.kind) != (second.provenance.media, second.kind)
        assert 0 < value.score <= 1
        if value.dispute == "said_shown":
            assert (first.kind, second.kind) == ("transcript", "text")
        else:
            assert first.kind == second.kind


@given(records())
def test_what_fusion_made_changes_nothing(observations: list[Observation]) -> None:
    found = conflicts(observations)
    assert conflicts([*observations, *found]) == found


@given(records())
def test_media_that_say_the_same_have_no_conflict(observations: list[Observation]) -> None:
    copies = [line_of(i, o.text, o.kind, "copy") for i, o in enumerate(observations) if o.provenance.media == "a"]
    originals = [o for o in observations if o.provenance.media == "a"]
    of_pairs = [conflict.as_(Conflict) for conflict in conflicts([*originals, *copies])]
    texts = {o.id: o.text for o in [*originals, *copies]}
    assert all(texts[pair.first] != texts[pair.second] for pair in of_pairs)
