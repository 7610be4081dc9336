from __future__ import annotations

from collections.abc import Callable

import pytest
from consilience.agents import Citation, Claim, Position, Turn, check_citation, check_claim, check_turn, normalise
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import Record

WORDS = st.sampled_from("Platform 4 10:42 3.5 -5 York Straße CAFÉ поезд 東京 駅 ไทย हिंदी".split())


def cite(label: str, quote: str) -> Citation:
    return Citation(label=label, quote=quote)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("York 10:42 Platform 4", "Platform 4"),
        ("York 10:42 Platform 4", "york, 10:42"),
        ("York 10:42 Platform 4", "“York 10:42 PLATFORM 4.”"),
        ("York 10:42 Platform 4", "York  10:42"),
        ("leaves from platform nine, not four", "platform nine not four"),
        ("1,200.50 € in all", "1,200.50"),
        ("on 2026-03-01", "2026-03-01"),
        ("-5 °C at night", "-5 °C"),
        ("\u22125 °C at night", "-5"),
        ("Straße gesperrt", "STRASSE"),
        ("Le café ouvre", "le CAFE\u0301"),
        ("\uff11\uff10\uff1a\uff14\uff12", "10:42"),
        ("電車は四番ホームから出ます", "四番ホーム"),
        ("รถไฟออกจากชานชาลา 4", "ชานชาลา 4"),
        ("ट्रेन प्लेटफ़ॉर्म 4 से", "प्लेटफ़ॉर्म 4"),
    ],
)
def test_a_quote_that_is_there_holds(record_of: Callable[..., Record], text: str, quote: str) -> None:
    record = record_of(("image", text))
    checked = check_citation(cite("i1", quote), record)
    assert checked.holds
    assert checked.observation == record["i1"].id
    assert checked.quote == quote


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        # A part of a number or of a word is neither.
        ("York 10:42 Platform 14", "Platform 1"),
        ("York 10:42 Platform 14", "Platform 4"),
        ("York 10:42", "York 10"),
        ("3.5 km", "5 km"),
        ("3.5 km", "3 5 km"),
        ("1,200 €", "200"),
        ("on 2026-03-01", "03"),
        ("-5 °C at night", "5 °C"),
        ("cancelled", "cancel"),
        # Other words, another order, words between.
        ("York 10:42 Platform 4", "Platform 9"),
        ("York 10:42 Platform 4", "Platform 4 York"),
        ("York 10:42 Platform 4", "York Platform 4"),
        ("four", "4"),
        # Letters that differ in a mark alone.
        ("année", "annee"),
        ("दिन", "दीन"),
        ("ชานชาลา 14", "ชานชาลา 4"),
    ],
)
def test_a_quote_that_is_not_there_is_at_fault(record_of: Callable[..., Record], text: str, quote: str) -> None:
    checked = check_citation(cite("i1", quote), record_of(("image", text)))
    assert not checked.holds
    assert checked.fault == f"i1 does not say {quote!r}"


@pytest.mark.parametrize("quote", ["", "  ", "…", "“”", "_"])
def test_a_quote_of_no_words_is_at_fault(record: Record, quote: str) -> None:
    assert check_citation(cite("i1", quote), record).fault == "it quotes no words"


@pytest.mark.parametrize("label", ["i9", "", "[i1]", "I1", "sign.png"])
def test_a_label_that_is_missing_is_at_fault(record: Record, label: str) -> None:
    checked = check_citation(cite(label, "Platform 4"), record)
    assert (checked.holds, checked.observation) == (False, None)
    assert checked.fault == f"there is no observation {label}"


def test_the_quote_must_stand_under_its_own_label(record: Record) -> None:
    assert check_citation(cite("a1", "platform nine"), record).holds
    assert not check_citation(cite("i1", "platform nine"), record).holds


def test_a_quote_may_begin_with_the_heading_of_its_line(record_of: Callable[..., Record]) -> None:
    record = record_of(("image", "York 10:42 Platform 4"))
    assert record.line("i1").startswith("[i1] line: York")
    assert check_citation(cite("i1", "line: York 10:42"), record).holds
    assert not check_citation(cite("i1", "line: York 10:43"), record).holds
    assert not check_citation(cite("i1", "line"), record).holds


def test_words_of_a_neighbouring_line_move_the_citation_to_it(record_of: Callable[..., Record]) -> None:
    record = record_of(("image", "York 10:42"), ("image", "Leeds 11:05"), ("image", "Hull 11:05"))
    moved = check_citation(cite("i1", "Leeds 11:05"), record)
    assert (moved.holds, moved.label, moved.given_label) == (True, "i2", "i1")
    assert moved.observation == record["i2"].id
    # Where two lines say it, nobody knows which was meant.
    assert check_citation(cite("i1", "11:05"), record).fault == "i1 does not say '11:05'"


def test_four_words_move_to_another_medium_and_fewer_do_not(record_of: Callable[..., Record]) -> None:
    record = record_of(("image", "York 10:42"), ("audio", "Leeds at five past eleven"))
    moved = check_citation(cite("i1", "Leeds at five past"), record)
    assert (moved.holds, moved.label, moved.given_label) == (True, "a1", "i1")
    assert not check_citation(cite("i1", "Leeds at five"), record).holds


def test_the_own_medium_comes_first_and_two_others_are_none(record_of: Callable[..., Record]) -> None:
    said = "Leeds at five past eleven"
    beside = record_of(("image", "York 10:42"), ("image", said), ("audio", said))
    assert check_citation(cite("i1", said), beside).label == "i2"
    twice = record_of(("image", "York 10:42"), ("audio", said), ("text", said))
    assert not check_citation(cite("i1", said), twice).holds


def test_nobody_quotes_a_line_that_it_was_not_shown(record_of: Callable[..., Record]) -> None:
    record = record_of(("image", "York 10:42"), ("audio", "Leeds at five past eleven"))
    slip = cite("i1", "Leeds at five past")
    assert check_citation(slip, record, seen=["i1", "a1"]).label == "a1"
    assert check_citation(slip, record, seen=["i1"]).fault == "i1 does not say 'Leeds at five past'"


def test_a_check_overrides_what_the_citation_said_of_itself(record: Record) -> None:
    forged = Citation(label="i1", quote="Platform 9", observation=record["i1"].id)
    assert forged.holds
    assert not check_citation(forged, record).holds
    blamed = Citation(label="i1", quote="Platform 4", fault="long ago")
    assert check_citation(blamed, record).holds


def test_a_claim_holds_with_all_its_citations(record: Record) -> None:
    right, wrong = cite("i1", "Platform 4"), cite("i1", "Platform 9")
    assert check_claim(Claim(text="", citations=(right, cite("d1", "Sundays"))), record).holds
    assert not check_claim(Claim(text="", citations=(right, wrong)), record).holds
    assert not check_claim(Claim(text="", citations=()), record).holds
    assert not Claim(text="", citations=(right,)).holds


def test_a_turn_is_checked_claim_by_claim(record: Record) -> None:
    claims = tuple(Claim(text=quote, citations=(cite("i1", quote),)) for quote in ("Platform 4", "Platform 9"))
    position = Position(text="4", stated="fully")
    turn = Turn(seat="A", expert="image", phase="opening", round=0, position=position, claims=claims)
    checked = check_turn(turn, record)
    assert [claim.holds for claim in checked.claims] == [True, False]
    assert checked.model_copy(update={"claims": claims}) == turn


@given(st.text())
def test_what_is_normalised_stays_so(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.lists(WORDS, min_size=1, max_size=8), st.data())
def test_any_run_of_words_can_be_quoted(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    quote = normalise(" ".join(words[start:end]).upper())
    assert f" {quote} " in f" {normalise(' '.join(words))} "
