"""What opens the gate, over openings that were drawn and openings that were thought out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import Gate, Opening, gate
from consilience.observations import MODALITIES, Conflict, Modality, Observation, Provenance

ObservationOf = Callable[..., Observation]


def seen(modality: Modality, text: str, medium: str = "") -> Observation:
    return Observation(
        kind="x_line",
        value={"text": text},
        text=text,
        provenance=Provenance(
            media="sha256:" + (medium or modality).encode().hex().ljust(64, "0"),
            modality=modality,
            tool="made up",
            version="1",
        ),
    )


def disputing(one: Observation, other: Observation) -> Observation:
    value = Conflict(first=one.id, second=other.id, dispute="said_shown", score=0.8)
    return Observation(
        kind="conflict",
        value=value.model_dump(mode="json"),
        text=f"said: {one.text}; shown: {other.text}",
        provenance=one.provenance,
    )


SIGN, BOARD = seen("image", "Platform 4"), seen("image", "York 10:42 Platform 9", "board")
CALL, LIST = seen("audio", "platform nine"), seen("table", "York, 9")
NINE, FOUR = "platform 9", "platform 4"


def opening(voter: str, position: str | None, *cited: Observation, **fields: Any) -> Opening:
    return Opening(voter, position, fields.pop("stated", "fully" if position else "not"), cited, **fields)


def kinds(found: Gate) -> list[str]:
    return [ground.kind for ground in found.grounds]


@st.composite
def drawn(draw: st.DrawFn) -> list[Opening]:
    return [
        opening(
            voter,
            draw(st.sampled_from([NINE, FOUR, None])),
            *draw(st.lists(st.sampled_from([SIGN, BOARD, CALL, LIST]), max_size=3, unique_by=lambda o: o.id)),
            stated=draw(st.sampled_from(["fully", "partly"])),
            view=draw(st.sets(st.sampled_from(MODALITIES), max_size=1).map(frozenset)),
        )
        for voter in "ABCD"[: draw(st.integers(0, 4))]
    ]


def test_three_witnesses_agree() -> None:
    found = gate([opening("A", NINE, BOARD), opening("B", NINE, CALL), opening("C", NINE, LIST)])
    assert not found.debate
    assert (found.position, found.sources) == (NINE, 3)
    assert found.ablation is not None
    assert found.ablation.survives
    assert found.told == "no debate: all who answer (A, B, C) hold 'platform 9', cited from 3 sources"


def test_the_seats_disagree() -> None:
    found = gate([opening("A", NINE, CALL), opening("B", FOUR, SIGN), opening("C", None)])
    assert kinds(found) == ["disagreement"]
    assert found.position is None
    assert found.told == "debate: the seats answer differently (A: 'platform 9'; B: 'platform 4')"


def test_a_conflict_touches_what_is_cited() -> None:
    agreed = [opening("A", NINE, BOARD), opening("B", NINE, CALL)]
    assert kinds(gate(agreed, [disputing(CALL, SIGN)])) == ["conflict"]
    assert kinds(gate(agreed, [disputing(LIST, SIGN)])) == []
    assert kinds(gate(agreed, [disputing(LIST, SIGN)], relevant=[SIGN.id])) == ["conflict"]
    # Something else than a conflict, among them.
    assert kinds(gate(agreed, [CALL, SIGN])) == []


def test_a_conflict_is_told_in_its_own_words() -> None:
    found = gate([opening("A", NINE, BOARD), opening("B", NINE, CALL)], [disputing(CALL, SIGN)])
    assert found.told == "debate: the evidence contradicts itself (said: platform nine; shown: Platform 4)"


@pytest.mark.parametrize(
    ("openings", "told"),
    [
        ([opening("A", NINE), opening("B", NINE)], "nothing that could be checked is cited for 'platform 9'"),
        (
            [opening("A", NINE, BOARD), opening("B", NINE, BOARD)],
            "only one source is cited for 'platform 9' (image)",
        ),
        (
            [opening("A", NINE, BOARD, stated="partly"), opening("B", NINE, CALL, stated="partly")],
            "no seat says that its evidence states 'platform 9' in full",
        ),
    ],
)
def test_a_unanimous_answer_may_be_thin(openings: list[Opening], told: str) -> None:
    assert told in [ground.told for ground in gate(openings).grounds if ground.kind == "thin"]


def test_how_many_sources_are_enough_is_said() -> None:
    agreed = [opening("A", NINE, BOARD), opening("B", NINE, CALL)]
    assert kinds(gate(agreed, independent=3)) == ["thin"]
    assert gate(agreed, independent=3).grounds[0].told == "only 2 sources are cited for 'platform 9' (audio, image)"
    assert kinds(gate([opening("A", NINE, BOARD), opening("B", NINE)], independent=1)) == []


def test_two_media_of_one_modality_are_two_sources_and_one_witness() -> None:
    pictures = frozenset[Modality]({"image"})
    seats = [opening("A", NINE, BOARD, view=pictures), opening("B", NINE, SIGN, view=pictures), opening("C", None)]
    found = gate(seats)
    assert found.sources == 2
    assert kinds(found) == ["witness"]
    assert found.grounds[0].told == "'platform 9' hangs on the image evidence: without it no answer leads"


def test_without_the_main_witness_the_answer_may_be_another_one() -> None:
    seats = [opening("A", NINE, BOARD, SIGN), opening("B", NINE, BOARD), opening("C", FOUR, LIST)]
    found = gate(seats)
    assert kinds(found) == ["disagreement", "witness"]
    assert found.ablation is not None
    assert (found.ablation.without, found.ablation.position) == ("image", FOUR)
    assert found.grounds[1].told == "'platform 9' hangs on the image evidence: without it the answer is 'platform 4'"


def test_of_level_witnesses_the_one_that_it_hangs_on_counts() -> None:
    # Without the sound two still hold it; without the picture one against one.
    seats = [opening("A", NINE, CALL), opening("B", NINE, BOARD), opening("C", NINE, BOARD), opening("D", FOUR, LIST)]
    found = gate(seats)
    assert found.ablation is not None
    assert found.ablation.without == "image"
    assert not found.ablation.survives


def test_a_seat_that_saw_everything_is_left_out_with_all_that_it_cites() -> None:
    both = frozenset[Modality]({"image", "audio"})
    seats = [opening("A", NINE, BOARD, SIGN, view=both), opening("B", NINE, BOARD, CALL, view=both)]
    found = gate(seats)
    assert found.ablation is not None
    assert (found.ablation.without, found.ablation.survives) == ("image", True)


def test_a_seat_that_saw_the_witness_alone_rests_on_it_though_it_cites_nothing() -> None:
    seats = [opening("A", NINE, BOARD), opening("B", NINE, view=frozenset[Modality]({"image"})), opening("C", None)]
    found = gate(seats, independent=1)
    assert found.ablation is not None
    assert (found.ablation.position, found.ablation.survives) == (None, False)
    assert gate([*seats[:1], opening("B", NINE), *seats[2:]], independent=1).ablation != found.ablation


def test_nobody_answers_and_something_is_cited() -> None:
    found = gate([opening("A", None, CALL), opening("B", None)])
    assert found.debate
    assert kinds(found) == ["unanswered"]


@pytest.mark.parametrize(
    ("openings", "told"),
    [
        ([], "no debate: fewer than two seats"),
        ([opening("A", NINE, SIGN)], "no debate: fewer than two seats"),
        ([opening("A", None), opening("B", None)], "no debate: no seat answers, and none cites anything"),
    ],
)
def test_there_is_nothing_to_exchange(openings: list[Opening], told: str) -> None:
    found = gate(openings, [disputing(CALL, SIGN)], relevant=[SIGN.id])
    assert (found.debate, found.grounds, found.told) == (False, (), told)


@given(drawn(), st.booleans())
def test_a_debate_has_grounds_and_no_debate_has_none(openings: list[Opening], conflicting: bool) -> None:
    found = gate(openings, [disputing(CALL, SIGN)] if conflicting else [])
    assert found.debate == bool(found.grounds)
    assert found.told.startswith("debate: " if found.debate else "no debate: ")
    assert all(ground.told in found.told for ground in found.grounds)
    assert Gate.model_validate_json(found.model_dump_json()) == found


@given(drawn(), st.randoms())
def test_the_order_of_seats_does_not_matter(openings: list[Opening], random: Any) -> None:
    shuffled = list(openings)
    random.shuffle(shuffled)
    one, other = gate(openings), gate(shuffled)
    assert (one.debate, kinds(one), one.position, one.sources) == (
        other.debate,
        kinds(other),
        other.position,
        other.sources,
    )
    assert one.ablation == other.ablation


@given(drawn())
def test_who_disagrees_always_debates(openings: list[Opening]) -> None:
    answers = {one.position for one in openings} - {None}
    assert ("disagreement" in kinds(gate(openings))) == (len(answers) > 1)


@given(drawn(), drawn())
def test_a_conflict_never_closes_the_gate(openings: list[Opening], others: list[Opening]) -> None:
    conflicts = [disputing(CALL, SIGN), disputing(LIST, BOARD)]
    if gate(openings).debate:
        assert gate(openings, conflicts).debate


@given(drawn())
def test_without_a_modality_nobody_speaks_who_rests_on_it(openings: list[Opening]) -> None:
    found = gate(openings).ablation
    if found is not None:
        rest = [one.position for one in openings if not one.rests_on(found.without)]
        answers = [position for position in rest if position]
        most = max((answers.count(a) for a in answers), default=0)
        best = {a for a in answers if answers.count(a) == most}
        assert found.position == (best.pop() if len(best) == 1 else None)
