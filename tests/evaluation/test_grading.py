"""What counts as a right answer to a question."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from consilience.evaluation import Question, grade, says


def question(**changes: object) -> Question:
    told: dict[str, object] = {"id": "q", "record": "r", "split": "dev", "kind": "conflict", "text": "?", "media": ()}
    return Question.model_validate({**told, "accepted": [["7"]], "rejected": ["pier 2"], **changes})


def unanswerable(**changes: object) -> Question:
    return question(kind="unanswerable", accepted=(), rejected=(), **changes)


@pytest.mark.parametrize(
    ("text", "wording", "said"),
    [
        ("It costs 4.50 euro.", "4,5", True),
        ("It costs 14.50 euro.", "4.50", False),
        ("There are twenty-one lamps", "21", True),
        ("There are 121 lamps", "21", False),
        ("The Great Hall!", "great hall", True),
        ("the hall is great", "great hall", False),
        ("Shelf C4", "c 4", True),
        ("at half past two", "@14:30", True),
        ("2:30 pm", "@14:30", True),
        ("2:30 am", "@14:30", False),
        ("14.30 Uhr", "@14:30", True),
        ("it begins at eight", "@20:00", True),
        ("at a quarter to ten", "@9:45", True),
        ("anything", "", False),
    ],
)
def test_wordings_are_found_whatever_their_form(text: str, wording: str, said: bool) -> None:
    assert says(text, wording) is said


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("From pier 7.", True),
        ("Seven", True),
        ("Pier 17", False),
        ("Pier 2 or pier 7", False),
        ("Pier 7, not pier 2", True),
        ("It was pier 2; now it is pier 7", True),
        ("Pier 7 instead of pier two", True),
        ("Not today. Pier 2, or 7", False),
        ("Pier 2", False),
    ],
)
def test_open_answers_hold_the_accepted_and_set_aside_the_rejected(answer: str, right: bool) -> None:
    assert grade(question(), answer, "complete").right is right
    assert grade(question(), answer, "partial").right is right


def test_every_part_is_needed_in_any_of_its_wordings() -> None:
    both = question(accepted=[["Alba", "the blue room"], ["@14:30"]], rejected=[])
    assert grade(both, "In the blue room at half past two", "complete").right
    assert not grade(both, "In room Alba", "complete").right


def test_an_option_has_to_be_the_very_one() -> None:
    options = question(options=["Pier 2", "Pier 7"], accepted=[["Pier 7"]])
    assert grade(options, "pier  7", "complete").right
    assert not grade(options, "From pier 7", "complete").right
    assert not grade(options, "Pier 2", "complete").right


@pytest.mark.parametrize("answer", ["not stated", "", "It is not mentioned.", "The sign does not say who it was."])
def test_abstaining_is_right_where_nothing_answers_and_only_there(answer: str) -> None:
    for status in ("complete", "abstained"):
        assert grade(unanswerable(), answer, status).right
        assert grade(question(), answer, status) == grade(question(), "not stated", "abstained")
        assert not grade(question(), answer, status).right


def test_an_answer_to_the_unanswerable_is_wrong() -> None:
    assert not grade(unanswerable(), "The owner is Mr Bell", "complete").right
    assert not grade(unanswerable(options=["A", "B"]), "A", "complete").right
    assert grade(unanswerable(options=["A", "B"]), "not stated", "abstained").right


def test_a_right_text_under_an_abstention_is_withheld_not_right() -> None:
    graded = grade(question(), "Pier 7", "abstained")
    assert (graded.right, graded.abstained, graded.withheld) == (False, True, True)
    assert not grade(question(), "Pier 2", "abstained").withheld


def test_words_of_absence_inside_an_answer_are_no_abstention() -> None:
    assert grade(question(accepted=[["unknown artist"]]), "By an unknown artist", "complete").right
    assert grade(question(), "Pier 7; the delay is unknown", "complete").right
    assert grade(question(options=["none", "7"], accepted=[["none"]]), "none", "complete").right


@pytest.mark.parametrize("asked", [question(), unanswerable()])
def test_a_failed_run_is_never_right(asked: Question) -> None:
    assert not grade(asked, "Pier 7", "failed").right
    assert not grade(asked, "", "failed").right


@pytest.mark.parametrize(
    "changes",
    [
        {"accepted": []},
        {"kind": "unanswerable"},
        {"accepted": [[]]},
        {"options": ["a", "b"], "accepted": [["c"]]},
        {"options": ["a", "b"], "accepted": [["a"], ["b"]]},
    ],
)
def test_a_question_that_cannot_be_graded_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        question(**changes)
