from __future__ import annotations

import pytest
from consilience.agents import task_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "question",
    [
        "Is the ferry late?",
        "Does the sign say platform 4?",
        "According to the note, is the museum closed?",
        "Ist das Museum geschlossen?",
        "Gibt es einen Aufzug?",
        "Est-ce que le train part à l'heure ?",
        "¿Está abierto el museo?",
        "¿Hay un ascensor?",
    ],
)
def test_yes_or_no(question: str) -> None:
    assert task_of(question).kind == "yes_no"


@pytest.mark.parametrize(
    "question",
    [
        "How many eggs does it take?",
        "How long does the ferry to Dublin take?",
        "How much is the oil change?",
        "Wie viele Eier braucht man?",
        "Wie lange dauert die Fahrt?",
        "Combien coûte le billet ?",
        "¿Cuánto cuesta la entrada?",
    ],
)
def test_a_number(question: str) -> None:
    assert task_of(question).kind == "number"


@pytest.mark.parametrize(
    "question",
    [
        "Where and when do we meet?",
        "From which pier does the 14:10 ferry leave?",
        "Is it red or blue?",
        "Ist es rot oder blau?",
        "Is it known who paid?",
        "Who paid, and how much?",
        "Island hopping: which ferry?",
        "Wo ist der Eingang?",
        "What does Ms Lund teach?",
        "",
    ],
)
def test_in_doubt_it_is_open(question: str) -> None:
    assert task_of(question).kind == "open"


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=3))
def test_options_are_to_choose_from_whatever_the_words_are(question: str, options: list[str]) -> None:
    assert (task_of(question, options).kind == "choose") is bool(options)
    assert task_of(question, options).options == tuple(options)
    assert task_of(question.upper()) == task_of(question.upper().lower())
