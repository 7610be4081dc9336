"""Flips of verdicts between two orders."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import flips

VERDICTS = st.lists(st.tuples(*[st.sampled_from(["one", "other", "tie", None])] * 2))


@given(VERDICTS)
def test_every_pair_is_counted_once(verdicts: list[tuple[str | None, str | None]]) -> None:
    found = flips(verdicts)
    assert found.compared + found.lost == len(verdicts)
    assert 0 <= found.flipped <= found.compared
    assert (found.rate is None) == (found.compared == 0)


@given(VERDICTS)
def test_which_order_came_first_does_not_matter(verdicts: list[tuple[str | None, str | None]]) -> None:
    assert flips([(other, one) for one, other in verdicts]) == flips(verdicts)


def test_flips_are_told() -> None:
    found = flips([("one", "one"), ("one", "other"), ("tie", "tie"), ("tie", "one"), ("one", None)])
    assert (found.flipped, found.compared, found.lost, found.rate) == (2, 4, 1, 0.5)
    assert found.told == "2 of 4 verdicts flipped with the order (50 %); 1 could not be compared"


def test_nothing_compared_is_no_rate() -> None:
    assert flips([(None, "one")]).told == "no verdict could be compared in both orders; 1 could not be compared"
