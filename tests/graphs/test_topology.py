from __future__ import annotations

import pytest
from consilience.graphs import neighbours
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import UnknownName

SEATS = st.integers(1, 9).map(lambda n: [chr(ord("A") + i) for i in range(n)])
KINDS = st.one_of(st.sampled_from(["complete", "ring", "star"]), st.integers(1, 12).map(lambda k: f"nearest:{k}"))


@given(KINDS, SEATS)
def test_nobody_hears_itself_and_hearing_is_mutual(kind: str, seats: list[str]) -> None:
    heard = neighbours(kind, seats)
    assert list(heard) == seats
    for seat, others in heard.items():
        assert seat not in others
        assert all(seat in heard[other] for other in others)
        assert list(others) == [one for one in seats if one in others]


@given(SEATS, st.integers(1, 12))
def test_how_many_are_heard(seats: list[str], reach: int) -> None:
    n = len(seats)
    assert all(len(others) == min(2 * reach, n - 1) for others in neighbours(f"nearest:{reach}", seats).values())
    assert neighbours("ring", seats) == neighbours("nearest:1", seats)
    assert sum(map(len, neighbours("complete", seats).values())) == n * (n - 1)
    assert sum(map(len, neighbours("star", seats).values())) == 2 * (n - 1)


def test_an_adjacency_of_ones_own() -> None:
    given = {"A": "BC", "B": ["A", "Z"], "C": "C"}
    assert neighbours(given, ["A", "B", "C"]) == {"A": ("B", "C"), "B": ("A",), "C": ()}


@pytest.mark.parametrize("name", ["", "rings", "nearest", "nearest:0", "nearest:-1", "nearest:2x"])
def test_an_unknown_topology_names_those_there_are(name: str) -> None:
    with pytest.raises(UnknownName, match=r"complete, nearest:K, ring, star"):
        neighbours(name, ["A", "B"])
