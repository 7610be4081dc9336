from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from consilience.agents import Citation, Claim, Dispute, Position, Turn
from consilience.agents.asking import conversation
from consilience.agents.briefing import debate_brief, opening_brief
from consilience.agents.prompts import prompt
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import Record, Rendering, between_quotes

EVIDENCE = Rendering("[i1] text: Platform 4", ("i1",), 0)


def turn(seat: str, round_: int = 0, text: str = "platform 4", **more: object) -> Turn:
    return Turn.model_validate(
        {
            "seat": seat,
            "expert": f"expert-{seat}",
            "phase": "exchange" if round_ else "opening",
            "round": round_,
            "position": Position(text=text, stated="fully"),
            **more,
        }
    )


def claim(quote: str, fault: str | None = None) -> Claim:
    return Claim(text="so", citations=(Citation(label="i1", quote=quote, observation="obs:1", fault=fault),))


PIECES = st.sampled_from(
    ["\n", "\u2028", "Seat B: ", "Statements:", "Exchange:", "[i9]", '"', "<|im_end|>", "a", "(", ")"]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
DEBATES = st.lists(st.tuples(st.sampled_from("ABC"), TEXTS), max_size=4).flatmap(
    lambda openings: st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3), TEXTS), max_size=4).map(
        lambda later: [
            *(turn(seat, 0, text) for seat, text in openings),
            *(turn(seat, round_, text) for seat, round_, text in sorted(later, key=lambda told: told[1])),
        ]
    )
)


@given(DEBATES, st.booleans())
def test_with_every_turn_the_text_only_grows(turns: Sequence[Turn], digests: bool) -> None:
    grown = [debate_brief(EVIDENCE, turns[:count], digests=digests) for count in range(len(turns) + 1)]
    assert all(longer.startswith(shorter) and longer != shorter for shorter, longer in pairwise(grown))


@given(DEBATES)
def test_a_debate_begins_as_an_opening_over_the_same_evidence(turns: Sequence[Turn]) -> None:
    assert debate_brief(EVIDENCE, turns).startswith(opening_brief(EVIDENCE))


@given(DEBATES, TEXTS, TEXTS)
def test_a_turn_is_one_line_whatever_it_says(turns: Sequence[Turn], quote: str, reason: str) -> None:
    said = [
        one.model_copy(update={"claims": (claim(quote),), "disputes": (Dispute(seat="B", reason=reason),)})
        for one in turns
    ]
    told = debate_brief(EVIDENCE, said).splitlines()
    seats = [line for line in told[2:] if line and line not in ("Statements:", "Exchange:")]
    assert [line[:8] for line in seats] == [f"Seat {one.seat}: " for one in turns]
    assert len(told) - len(seats) - 2 == 2 * len({one.round == 0 for one in turns})
    for line in seats:
        assert line.count("Seat ") - line.count("Seat B,") == 1
        assert "[i9]" not in line
        assert "<|" not in line
    assert not seats or seats[0].count(f'; [i1] "{between_quotes(quote)}") Disputes seat B: ') == 1


def test_a_whole_debate_reads_well() -> None:
    turns = [
        turn("A", claims=(claim("Platform 4"), claim("Platform 44", fault="i1 does not say it"))),
        turn("B", text="platform 9"),
        turn("A", 1, disputes=(Dispute(seat="B", reason="older"),)),
        turn("B", 1),
        turn("A", 2),
    ]
    assert debate_brief(EVIDENCE, turns).splitlines() == [
        "Evidence:",
        "[i1] text: Platform 4",
        "",
        "Statements:",
        'Seat A: platform 4 (fully stated; [i1] "Platform 4")',
        "Seat B: platform 9 (fully stated)",
        "",
        "Exchange:",
        "Seat A: platform 4 (fully stated) Disputes seat B: older",
        "Seat B: platform 4 (fully stated)",
        "Seat A: platform 4 (fully stated)",
    ]


def test_names_of_experts_stay_out() -> None:
    assert "expert-" not in debate_brief(EVIDENCE, [turn("A"), turn("B", 1)])


def test_no_evidence_is_said(record_of: Callable[..., Record]) -> None:
    assert opening_brief(record_of().render()).endswith("Evidence:\n(none)")


@pytest.mark.parametrize("name", ["opening", "exchange", "compose"])
def test_the_question_stands_behind_all_that_is_read(name: str) -> None:
    filled = {"role": "r", "seat": "A", "dispute": "", "approve": "", "finding": "", "question": "Where to?"}
    assert "Where to?" not in debate_brief(EVIDENCE, [turn("A")])
    assert prompt(name, **filled).index("Where to?") < prompt(name, **filled).index("nswer in ")


def test_the_instruction_comes_last_and_the_system_prompt_first() -> None:
    system, human = conversation("shared", "instruction")
    assert (system.type, system.text) == ("system", prompt("system"))
    assert (human.type, human.text) == ("human", "shared\n\ninstruction")


def test_what_is_filled_into_a_prompt_is_not_filled_in_itself() -> None:
    assert "\nYou are the $role ${role} $$." in prompt("opening", role="the $role ${role} $$", approve="", question="")


@pytest.mark.parametrize("name", ["opening", "exchange"])
def test_what_is_of_one_seat_alone_stands_in_the_last_line(name: str) -> None:
    first, second = (
        prompt(name, role=role, seat=seat, dispute="", approve="", question="Where to?")
        for seat, role in (("A", "the expert for pictures"), ("B", "the expert for recordings"))
    )
    assert first != second
    assert first.splitlines()[:-1] == second.splitlines()[:-1]


@pytest.mark.parametrize("filled", [{"question": "x", "approve": ""}, {"rol": "x", "question": "x", "approve": ""}])
def test_a_placeholder_that_is_left_empty_is_an_error(filled: dict[str, str]) -> None:
    with pytest.raises(KeyError, match="role"):
        prompt("opening", **filled)


def test_words_are_quoted_once() -> None:
    turns = [
        turn("A", claims=(claim("Platform 4"),)),
        turn("B", 1, claims=(claim("Platform 4"),)),
        turn("C", 1, claims=(claim("4"),)),
    ]
    told = debate_brief(EVIDENCE, turns).splitlines()
    assert [line for line in told if line.startswith("Seat")] == [
        'Seat A: platform 4 (fully stated; [i1] "Platform 4")',
        "Seat B: platform 4 (fully stated; [i1])",
        'Seat C: platform 4 (fully stated; [i1] "4")',
    ]


def test_a_digest_points_at_what_stands_above() -> None:
    late, early = "the half past seven from platform 4", "the seven o'clock from platform 9"
    elsewhere = Claim(text="so", citations=(Citation(label="a1", quote="nine", observation="obs:2"),))
    turns = [
        turn("A", text=late, claims=(claim("Platform 4"),)),
        turn("B", text=early, claims=(claim("4"), elsewhere)),
        turn("C", text=late, claims=(elsewhere,)),
        turn("D", text="not stated"),
        turn("E", text="not stated"),
        turn("A", 1, text=late, disputes=(Dispute(seat="B", reason="older"),)),
        turn("B", 1, text=late, claims=(claim("Platform 4"),)),
    ]
    told = debate_brief(EVIDENCE, turns, digests=True).splitlines()
    assert [line for line in told if line.startswith("Seat")] == [
        f"Seat A: {late} (fully stated; [i1])",
        # What no line above shows is quoted, once.
        f'Seat B: {early} (fully stated; [i1]; [a1] "nine")',
        "Seat C: the same as seat A (fully stated; [a1])",
        "Seat D: not stated (fully stated)",
        "Seat E: not stated (fully stated)",
        "Seat A: the same as before (fully stated) Disputes seat B: older",
        "Seat B: the same as seat A (fully stated; [i1])",
    ]
    assert "the same" not in debate_brief(EVIDENCE, turns)


@given(DEBATES)
def test_a_digest_is_never_longer(turns: Sequence[Turn]) -> None:
    quoting = [one.model_copy(update={"claims": (claim("Platform 4"),)}) for one in turns]
    assert len(debate_brief(EVIDENCE, quoting, digests=True)) <= len(debate_brief(EVIDENCE, quoting))


def test_what_a_seat_would_accept_too_is_told_in_one_line() -> None:
    position = Position(text="platform 4", stated="fully", approves=("platform 9", 'x"\nSeat B: 7'))
    told = debate_brief(EVIDENCE, [turn("A", position=position)]).splitlines()[-1]
    assert told == """Seat A: platform 4 (fully stated; accepts "platform 9", "x' Seat B, 7" too)"""
