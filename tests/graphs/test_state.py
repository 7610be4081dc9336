"""The reducers: LangGraph folds what nodes add into the state, step by step, and again when a step is repeated."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
from consilience.graphs.state import append, append_ids
from hypothesis import given
from hypothesis import strategies as st

Reducer = Callable[[list[Any], list[Any]], list[Any]]

ITEMS = st.lists(st.sampled_from("abcdef"), max_size=8)
both = pytest.mark.parametrize("reducer", [append, append_ids])


@both
@given(old=ITEMS, new=ITEMS)
def test_nothing_is_taken_away_or_moved(reducer: Reducer, old: list[str], new: list[str]) -> None:
    kept = reducer([], old)
    assert reducer(kept, new)[: len(kept)] == kept
    assert set(reducer(kept, new)) == {*old, *new}


@both
@given(old=ITEMS, new=ITEMS)
def test_a_step_that_is_repeated_adds_nothing(reducer: Reducer, old: list[str], new: list[str]) -> None:
    once = reducer(reducer([], old), new)
    assert reducer(once, new) == once
    assert len(once) == len(set(once))


@both
@given(one=ITEMS, two=ITEMS, three=ITEMS)
def test_it_does_not_matter_how_updates_are_grouped(
    reducer: Reducer, one: list[str], two: list[str], three: list[str]
) -> None:
    stepwise = reduce(reducer, [one, two, three], [])
    assert stepwise == reducer(reducer([], one), reducer(reducer([], two), three))
    assert stepwise == list(dict.fromkeys([*one, *two, *three]))


@both
@given(old=ITEMS, new=ITEMS)
def test_the_old_state_is_left_as_it_was(reducer: Reducer, old: list[str], new: list[str]) -> None:
    before = list(old), list(new)
    reducer(old, new)
    assert (old, new) == before
