"""Positions in many languages, as tables, and the laws that comparing them obeys."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import agrees, content_words, diverging, holds, same

# Words of several scripts, with numbers, number words and words that carry nothing among them.
WORDS = st.sampled_from(
    "platform 4 9 four 10:42 3.5 -5 the at on Upper room Thursday not cancelled six am pm "
    "Gleis sechs Straße für Über der am quai élève Año niño Москва поезд Σίσυφος λόγος 東京 駅 हिंदी पानी קפה".split()
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
QUESTIONS = st.sampled_from(["", "Where?", "Where and when do they meet?", "Which platform?", "Wann kommt der Zug?"])
PUNCTUATION = st.sampled_from(list(".,;:!?…\"'()«»„“。、\uff01\uff1f·"))


@st.composite
def restyled(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and the same with every word's case changed, wrapped in punctuation, more spaces between."""
    words = draw(st.lists(WORDS, max_size=6))
    changed = [draw(st.sampled_from([str.upper, str.lower, str.title, str]))(word) for word in words]
    wrapped = [word + draw(PUNCTUATION) if word[-1] not in "ap" else word for word in changed]
    return " ".join(words), "  ".join(wrapped)


@given(TEXTS)
def test_a_text_is_the_same_as_itself(text: str) -> None:
    assert same(text, text)


@given(TEXTS, TEXTS)
def test_same_is_symmetric(one: str, other: str) -> None:
    assert same(one, other) == same(other, one)


@given(TEXTS, TEXTS)
def test_same_is_to_hold_each_other(one: str, other: str) -> None:
    if content_words(one) or content_words(other):
        assert same(one, other) == (holds(one, other) and holds(other, one))


@given(TEXTS)
def test_what_says_something_holds_and_agrees_with_itself(text: str) -> None:
    assert holds(text, text) == agrees(text, text) == bool(content_words(text))


@given(TEXTS, TEXTS)
def test_a_longer_answer_agrees_with_its_part(part: str, rest: str) -> None:
    whole = f"{part}, {rest}"
    if content_words(part) and content_words(part) <= content_words(whole):
        assert holds(whole, part)
        assert agrees(whole, part)


@given(restyled())
def test_case_punctuation_and_spaces_do_not_count(texts: tuple[str, str]) -> None:
    plain, changed = texts
    assert content_words(plain) == content_words(changed)


@given(restyled(), restyled(), QUESTIONS)
def test_nothing_depends_on_case_or_punctuation(one: tuple[str, str], other: tuple[str, str], question: str) -> None:
    (one_plain, one_changed), (other_plain, other_changed) = one, other
    assert agrees(one_plain, other_plain) == agrees(one_changed, other_changed)
    assert diverging(question, [one_plain, other_plain]) == diverging(question, [one_changed, other_changed])
    assert diverging(question, [one_plain, other_plain]) == diverging(question.upper(), [one_plain, other_plain])


@given(QUESTIONS, TEXTS, st.integers(0, 4))
def test_same_positions_do_not_diverge(question: str, text: str, times: int) -> None:
    assert diverging(question, [text] * times) == []


@given(QUESTIONS, st.lists(TEXTS, min_size=4, max_size=4), st.permutations(range(4)))
def test_divergence_does_not_depend_on_the_order(question: str, positions: list[str], order: list[int]) -> None:
    found = {frozenset(pair) for pair in diverging(question, positions)}
    moved = diverging(question, [positions[i] for i in order])
    assert {frozenset((order[i], order[j])) for i, j in moved} == found


@given(QUESTIONS, st.lists(TEXTS, max_size=4))
def test_divergence_names_pairs_neither_of_which_holds_the_other(question: str, positions: list[str]) -> None:
    pairs = diverging(question, positions)
    assert set(pairs) <= set(combinations(range(len(positions)), 2))
    for i, j in pairs:
        assert not holds(positions[i], positions[j])
        assert not holds(positions[j], positions[i])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Platform 4", "platform four."),
        ("It is on platform 4.", "on the platform 4!"),
        ("At 10:42", "\uff11\uff10\uff1a\uff14\uff12"),
        ("Gleis sechs", "auf dem Gleis 6"),
        ("STRASSE", "Straße"),
        ("Le café", "LE CAFE\u0301"),
        ("¡Mañana!", "mañana"),
        ("Платформа 4", "платформа 4"),
        ("ΛΟΓΟΣ", "λογος"),
        ("東京駅。", "東京駅"),
        ("6 a.m.", "6 AM"),
        ("\u22125 °C", "-5 °C"),
    ],
)
def test_same(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Platform 4", "Platform 14"),
        ("10:42", "10:24"),
        ("3.5", "3 5"),
        ("6 a.m.", "6 p.m."),
        ("six am", "six pm"),
        ("5 °C", "-5 °C"),
        ("cancelled", "not cancelled"),
        ("Gleis 6", "Gleis 9"),
        ("été", "ete"),
        ("दिन", "दीन"),
        ("東京駅", "京都駅"),
        ("", "Platform 4"),
    ],
)
def test_not_same(one: str, other: str) -> None:
    assert not same(one, other)


@pytest.mark.parametrize(
    ("answer", "position", "expected"),
    [
        ("The train leaves from platform 9 at 10:42.", "platform 9", True),
        ("The train leaves from platform nine.", "platform 9", True),
        ("The train leaves from platform 9.", "platform 4", False),
        ("In the upper room on Thursday", "upper room, half past six", False),
        ("In the upper room on Thursday", "upstairs in the upper room", True),
        ("Der Zug fährt von Gleis sechs.", "Gleis 6", True),
        ("Le train part du quai 3", "quai 3", True),
        ("El tren sale a las 8:15", "a las 8:51", False),
        ("anything", "", False),
        ("", "anything", False),
    ],
)
def test_agrees(answer: str, position: str, expected: bool) -> None:
    assert agrees(answer, position) is expected


@pytest.mark.parametrize(
    ("question", "positions", "expected"),
    [
        # Numbers that differ, and the question asks for one thing.
        ("Which platform does the train leave from?", ["platform 4", "platform 9"], [(0, 1)]),
        ("Von welchem Gleis fährt der Zug?", ["Gleis 4", "Gleis neun"], [(0, 1)]),
        ("When do we meet?", ["at 6 a.m.", "at 6 p.m."], [(0, 1)]),
        ("How cold is it?", ["5 degrees", "-5 degrees"], [(0, 1)]),
        # One thing asked for, answered in different words.
        ("What colour is the door?", ["red", "blue"], [(0, 1)]),
        ("Wer spricht?", ["die Lehrerin", "der Arzt"], [(0, 1)]),
        # Two things asked for: a place and a day complete each other.
        ("Where and when do they meet?", ["in the upper room", "on Thursday"], []),
        ("Wo und wann treffen sie sich?", ["im Saal", "am Donnerstag"], []),
        # Two things asked for, and the same one told differently.
        ("Where and when do they meet?", ["the upper room", "the lower room"], [(0, 1)]),
        # One holds the other, or a third joins them.
        ("Where?", ["platform 9", "platform 9, at the back"], []),
        ("Where?", ["upper room", "library", "upper room of the library"], []),
        # The same in other words of number, or only in words of the question.
        ("Which platform?", ["platform 9", "nine"], []),
        ("Does the club meet?", ["the club meets", "they met: the club"], []),
        # Three positions, two of them alike.
        ("Which platform?", ["4", "platform 9", "nine"], [(0, 1), (0, 2)]),
        ("Which platform?", ["4"], []),
        ("Which platform?", [], []),
    ],
)
def test_diverging(question: str, positions: list[str], expected: list[tuple[int, int]]) -> None:
    assert diverging(question, positions) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The train is on platform four", {"train", "platform", "4"}),
        ("Um 18:30 am Donnerstag", {"18:30", "am", "donnerstag"}),
        ("Am Donnerstag um halb sieben", {"donnerstag", "halb", "7"}),
        ("6 a.m. or 6 pm", {"6", "am", "pm"}),
        ("3.5 km, 10-12", {"3.5", "km", "10", "12"}),
        ("हिंदी में", {"हिंदी", "में"}),
        ("…!?", set()),
    ],
)
def test_content_words(text: str, words: set[str]) -> None:
    assert content_words(text) == words
