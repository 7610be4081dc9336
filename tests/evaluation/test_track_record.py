"""How often experts are right: only where they answer, and never always or never."""

from __future__ import annotations

from pathlib import Path

from consilience.agents import Expert, Position, Stance, Turn
from hypothesis import given
from hypothesis import strategies as st

from consilience.evaluation import Openings, Question, track_record

QUESTION = Question(
    id="q", record="r", split="dev", kind="lone", text="Which platform?", accepted=(("6",),), media=(Path("x.txt"),)
)
UNANSWERABLE = QUESTION.model_copy(update={"id": "u", "kind": "unanswerable", "accepted": ()})


def opened(question: str, *said: tuple[str, str], stance: Stance | None = None) -> Openings:
    turns = tuple(
        Turn(
            seat=chr(ord("A") + i),
            expert=expert,
            phase="opening",
            round=0,
            position=Position(text=text, stated="not" if text == "not stated" else "fully"),
            claims=(),
            stance=stance,
        )
        for i, (expert, text) in enumerate(said)
    )
    return Openings(question=question, digest="d", panel="p", seed=0, seats=(), turns=turns, seconds=1.0)


def test_an_expert_is_counted_where_it_answers() -> None:
    kept = [
        opened("q", ("image", "platform 6"), ("audio", "platform 4"), ("text", "not stated")),
        opened("u", ("image", "platform 6"), ("text", "not stated")),
        opened("another", ("image", "platform 6")),
    ]
    assert track_record(kept, [QUESTION, UNANSWERABLE]) == {"image": 2 / 4, "audio": 1 / 3}


def test_a_part_that_was_given_is_nobodys_record() -> None:
    kept = opened("q", ("advocate", "platform 6"), stance=Stance.defend("platform 6"))
    assert track_record([kept], [QUESTION]) == {}


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_nobody_is_infallible_and_more_right_answers_never_hurt(right: list[bool]) -> None:
    kept = [opened("q", ("image", "platform 6" if one else "platform 4")) for one in right]
    found = track_record(kept, [QUESTION])["image"]
    better = track_record([*kept, opened("q", ("image", "platform 6"))], [QUESTION])["image"]
    assert 0 < found < better < 1


def test_a_record_seats_and_weighs() -> None:
    known = track_record([opened("q", ("image", "platform 6"))], [QUESTION])
    assert Expert("image", "x", reliability=known["image"]).reliability == 2 / 3
