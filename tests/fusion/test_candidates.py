"""Positions grouped into candidates, and free text as one of given options: tables, and the laws of both."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import candidates, content_words, option_of, same

WORDS = st.sampled_from(
    "platform 4 9 four at on upper lower room Thursday not or instead of library Gleis neun".split()
)
TEXTS = st.lists(WORDS, max_size=5).map(" ".join)
PLATFORMS = ("platform 4", "platform 9", "platform 9 north")


def groups(positions: list[str]) -> set[frozenset[int]]:
    return {frozenset(candidate.members) for candidate in candidates(positions)}


@given(st.lists(TEXTS, max_size=7))
def test_candidates_part_all_positions_that_say_something(positions: list[str]) -> None:
    members = [index for candidate in candidates(positions) for index in candidate.members]
    assert sorted(members) == [i for i, position in enumerate(positions) if content_words(position)]


@given(st.lists(TEXTS, max_size=6), st.randoms())
def test_candidates_do_not_depend_on_the_order(positions: list[str], random: Random) -> None:
    order = list(range(len(positions)))
    random.shuffle(order)
    moved = candidates([positions[i] for i in order])
    assert {frozenset(order[i] for i in candidate.members) for candidate in moved} == groups(positions)
    assert {candidate.text for candidate in moved} == {candidate.text for candidate in candidates(positions)}


@given(st.lists(TEXTS, max_size=6))
def test_the_same_words_are_one_candidate(positions: list[str]) -> None:
    home = {index: n for n, candidate in enumerate(candidates(positions)) for index in candidate.members}
    for i in home:
        for j in home:
            if same(positions[i], positions[j]):
                assert home[i] == home[j]


@given(st.lists(TEXTS, max_size=6))
def test_no_candidate_has_two_numbers_or_a_negation_and_none(positions: list[str]) -> None:
    for candidate in candidates(positions):
        texts = [positions[i] for i in candidate.members]
        numbers = {frozenset(w for w in content_words(text) if w.isdigit()) for text in texts} - {frozenset()}
        assert len(numbers) <= 1
        assert len({"not" in content_words(text) for text in texts}) == 1


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        (["platform 9", "Platform nine, at the back", "platform 4"], [{0, 1}, {2}]),
        (["9", "platform 9", "platform 9, at the back"], [{0, 1, 2}]),
        # Which room is meant is not said.
        (["room", "upper room", "lower room"], [{0}, {1}, {2}]),
        # What joins two that differ may well be in doubt between them.
        (["upper room", "library", "upper room of the library"], [{0}, {1}, {2}]),
        (["platform 4", "platform 9", "platform 4 or 9"], [{0}, {1}, {2}]),
        (["platform 4", "platform 9, formerly platform 4"], [{0}, {1}]),
        (["library", "upper room instead of library"], [{0}, {1}]),
        (["cancelled", "not cancelled"], [{0}, {1}]),
        (["abgesagt", "nicht abgesagt", "Abgesagt!"], [{0, 2}, {1}]),
        (["platform 9", "platform 9 at 10:42"], [{0}, {1}]),
        (["", "...", "the"], []),
    ],
)
def test_candidates(positions: list[str], expected: list[set[int]]) -> None:
    assert groups(positions) == {frozenset(group) for group in expected}


def test_a_candidate_is_told_in_its_fullest_words() -> None:
    assert [c.text for c in candidates(["9", "The platform: nine!", "platform 9"])] == ["platform 9"]


@given(st.lists(TEXTS.filter(content_words), min_size=1, max_size=5, unique=True))
def test_an_option_is_itself(options: list[str]) -> None:
    assert [option_of(option, options) for option in options] == options


@given(TEXTS, st.lists(TEXTS, max_size=4, unique=True))
def test_what_is_chosen_is_an_option(position: str, options: list[str]) -> None:
    assert option_of(position, options) in [*options, None]


@given(TEXTS, st.lists(TEXTS.filter(lambda text: len(text) > 1), max_size=4, unique=True), st.randoms())
def test_options_may_stand_in_any_order(position: str, options: list[str], random: Random) -> None:
    moved = list(options)
    random.shuffle(moved)
    assert option_of(position, moved) == option_of(position, options)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("platform 9", "platform 9"),
        ("Platform nine.", "platform 9"),
        ("B", "platform 9"),
        ("b)", "platform 9"),
        ("(B)", "platform 9"),
        ("Option B.", "platform 9"),
        ("Answer: B", "platform 9"),
        ("B: platform 9", "platform 9"),
        ("(c) because the sign says so", "platform 9 north"),
        ("C. The train leaves at the north end", "platform 9 north"),
        ("the train leaves from platform 9", "platform 9"),
        ("platform 9 north, I think", "platform 9 north"),
        ("four", "platform 4"),
        # A letter against its words, another letter, two at once, the contrary, or nothing of the kind.
        ("B: platform 4", None),
        ("D", None),
        ("platform 4 or 9", None),
        ("platform 4, no wait, platform 9", None),
        ("not platform 9", None),
        ("platform", None),
        ("not stated", None),
        ("", None),
    ],
)
def test_option_of(position: str, expected: str | None) -> None:
    assert option_of(position, PLATFORMS) == expected


@pytest.mark.parametrize(
    ("position", "options", "expected"),
    [
        ("No, it is not.", ("yes", "no"), "no"),
        ("Yes: it is open", ("yes", "no"), "yes"),
        ("It is not open", ("yes", "no"), None),
        ("Nein, nicht heute", ("ja", "nein"), "nein"),
        ("cancelled", ("not cancelled", "on time"), None),
        ("A", ("B", "A"), "A"),
        ("a dog", ("cat", "dog"), "dog"),
        ("cat", ("a cat", "the cat"), None),
    ],
)
def test_option_of_others(position: str, options: tuple[str, ...], expected: str | None) -> None:
    assert option_of(position, options) == expected
