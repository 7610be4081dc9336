"""When a debate stops, and what it says then; the distances and counts behind it as laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import Stop, agreement, decline, no_new_evidence, stability, support, total_variation

ANSWERS = st.sampled_from(["red", "green", "blue", None])
ROUNDS = st.dictionaries(st.sampled_from("ABCDE"), ANSWERS, min_size=1)
SUPPORT = st.dictionaries(st.sampled_from(["red", "green", "blue"]), st.integers(0, 3).map(float))


def reason(stop: Stop | None) -> str:
    assert stop is not None
    return stop.reason


@given(ROUNDS)
def test_agreement_is_one_answer_of_two_or_more(positions: dict[str, str | None]) -> None:
    answers = [position for position in positions.values() if position]
    assert (agreement(positions) is not None) == (len(answers) >= 2 and len(set(answers)) == 1)


@pytest.mark.parametrize(
    ("positions", "told"),
    [
        ({"A": "red", "B": "red"}, "all 2 who answer hold 'red'"),
        ({"A": "red", "B": "red", "C": None}, "all 2 who answer hold 'red'; 1 does not answer"),
        ({"A": "red", "B": "red", "C": None, "D": None}, "all 2 who answer hold 'red'; 2 do not answer"),
    ],
)
def test_agreement_is_told(positions: dict[str, str | None], told: str) -> None:
    assert reason(agreement(positions)) == told


@given(ROUNDS, ROUNDS, ROUNDS)
def test_total_variation_is_a_distance(
    one: dict[str, str | None], other: dict[str, str | None], third: dict[str, str | None]
) -> None:
    apart = total_variation(one, other)
    assert 0 <= apart <= 1
    assert apart == total_variation(other, one)
    assert total_variation(one, one) == 0
    assert apart <= total_variation(one, third) + total_variation(third, other) + 1e-9


@given(ROUNDS, st.data())
def test_total_variation_is_who_has_to_move(positions: dict[str, str | None], data: st.DataObject) -> None:
    mover = data.draw(st.sampled_from(sorted(positions)))
    moved = {**positions, mover: "white"}
    assert total_variation(positions, moved) == pytest.approx(1 / len(positions))


def test_total_variation_takes_somebody() -> None:
    with pytest.raises(ValueError, match="nobody"):
        total_variation({}, {"A": "red"})


BEFORE = {"A": "red", "B": "green", "C": "green", "D": None}
SWAPPED = {"A": "green", "B": "red", "C": "green", "D": None}
MOVED = {"A": "red", "B": "red", "C": "green", "D": None}
ANSWERED = {"A": "red", "B": "green", "C": "green", "D": "red"}


@pytest.mark.parametrize(
    ("rounds", "threshold", "patience", "stops"),
    [
        ([BEFORE, BEFORE], 0.05, 1, True),
        # The distribution is what is compared: two who change places leave it as it was.
        ([BEFORE, SWAPPED], 0.05, 1, True),
        ([BEFORE, MOVED], 0.05, 1, False),
        ([BEFORE, MOVED], 0.25, 1, True),
        # To answer where nothing was said is a change.
        ([BEFORE, ANSWERED], 0.05, 1, False),
        ([BEFORE, MOVED, MOVED], 0.05, 1, True),
        ([BEFORE, MOVED, MOVED], 0.05, 2, False),
        ([MOVED, MOVED, MOVED], 0.05, 2, True),
        ([MOVED, MOVED], 0.05, 2, False),
        ([BEFORE], 0.05, 1, False),
        ([], 0.05, 1, False),
        ([BEFORE, {}], 0.05, 1, False),
    ],
)
def test_stability(rounds: list[dict[str, str | None]], threshold: float, patience: int, stops: bool) -> None:
    assert (stability(rounds, threshold=threshold, patience=patience) is not None) is stops


def test_patience_takes_a_round() -> None:
    with pytest.raises(ValueError, match="patience"):
        stability([BEFORE, BEFORE], patience=0)


def test_stability_is_told() -> None:
    assert reason(stability([BEFORE, MOVED], threshold=0.3)) == (
        "the spread of answers changed by 25% in the last round, and 30% counts as stable"
    )


@given(st.sets(st.integers(0, 5).map(str)), st.sets(st.integers(0, 5).map(str)))
def test_evidence_is_new_when_it_was_not_cited_before(cited: set[str], before: set[str]) -> None:
    assert (no_new_evidence(cited, before) is None) == bool(cited - before)


def test_no_new_evidence_is_told() -> None:
    assert "cited before were cited again" in reason(no_new_evidence(["o1"], ["o1", "o2"]))
    assert "nothing was cited" in reason(no_new_evidence([], ["o1"]))


def test_support_counts_observations_and_not_voices() -> None:
    positions = {"A": "red", "B": "red", "C": "green", "D": None}
    cited = {"A": ["o1", "o2"], "B": ["o2"], "D": ["o9"]}
    assert support(positions, cited) == {"red": 2.0, "green": 0.0}


@given(ROUNDS, st.data())
def test_saying_the_same_once_more_is_no_support(positions: dict[str, str | None], data: st.DataObject) -> None:
    cited = {voter: data.draw(st.lists(st.sampled_from(["o1", "o2", "o3"]))) for voter in positions}
    echo = {f"{voter}2": position for voter, position in positions.items()}
    echoed = {f"{voter}2": ids for voter, ids in cited.items()}
    assert support({**positions, **echo}, {**cited, **echoed}) == support(positions, cited)


@given(ROUNDS, ROUNDS, SUPPORT)
def test_who_declined_one_way_repaired_the_other(
    before: dict[str, str | None], now: dict[str, str | None], supported: dict[str, float]
) -> None:
    there, back = decline(before, now, supported), decline(now, before, supported)
    assert not (there and back)
    weight = {None: 0.0, "red": 0.0, "green": 0.0, "blue": 0.0, **supported}
    moves = [weight[now[v]] - weight[before[v]] for v in before.keys() & now.keys()]
    assert (there is not None) == (sum(m < 0 for m in moves) > sum(m > 0 for m in moves))


def seats(positions: str) -> dict[str, str | None]:
    """Positions of A, B, ... by first letter; - for no answer."""
    names = {"r": "red", "g": "green", "-": None}
    return {chr(65 + i): names[letter] for i, letter in enumerate(positions)}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("gggg", "rrgg", "2 seats moved to an answer with less evidence, none to one with more"),
        ("gggr", "grgg", None),
        ("gggr", "rr-g", "3 seats moved to an answer with less evidence, 1 to one with more"),
        ("gggg", "gggg", None),
        ("ggrr", "gggg", None),
        # Who was lost has not moved.
        ("ggg", "gg", None),
        ("gg", "g-", "1 seat moved to an answer with less evidence, none to one with more"),
    ],
)
def test_decline(before: str, now: str, told: str | None) -> None:
    stop = decline(seats(before), seats(now), {"green": 3.0, "red": 1.0})
    assert (stop.reason if stop else None) == told


def test_moves_between_equally_supported_answers_are_no_decline() -> None:
    assert decline(seats("gg"), seats("rr"), {"green": 2.0, "red": 2.0}) is None
