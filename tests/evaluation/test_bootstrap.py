"""Intervals: what they hold, and that whole groups are drawn."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.evaluation import bootstrap


def test_equal_values_have_no_width() -> None:
    interval = bootstrap([0.5] * 12, list(range(12)))
    assert (interval.mean, interval.low, interval.high, interval.number) == (0.5, 0.5, 0.5, 12)
    assert interval.excludes_zero
    assert not bootstrap([0.0, 0.0], "ab").excludes_zero


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=40), st.integers(0, 3))
def test_the_mean_lies_between_the_least_and_the_most(values: list[float], seed: int) -> None:
    interval = bootstrap(values, list(range(len(values))), draws=200, seed=seed)
    assert min(values) <= interval.low <= interval.high <= max(values)
    assert interval == bootstrap(values, list(range(len(values))), draws=200, seed=seed)
    turned = bootstrap([-value for value in values], list(range(len(values))), draws=200, seed=seed)
    assert (turned.low, turned.high) == pytest.approx((-interval.high, -interval.low))


def test_values_of_one_group_count_as_little_as_one() -> None:
    values = [float(i % 2) for i in range(40)]
    alone = bootstrap(values, list(range(40)))
    together = bootstrap([value for value in values for _ in range(5)], [i for i in range(40) for _ in range(5)])
    assert (together.low, together.high) == (alone.low, alone.high)
    apart = bootstrap([value for value in values for _ in range(5)], list(range(200)))
    assert apart.high - apart.low < 0.6 * (alone.high - alone.low)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    draw = random.Random(1)
    covered = 0
    for trial in range(200):
        values = [float(draw.random() < 0.4) for _ in range(60)]
        interval = bootstrap(values, list(range(60)), draws=500, seed=trial)
        covered += interval.low <= 0.4 <= interval.high
    assert 180 <= covered <= 199


@pytest.mark.parametrize(("values", "groups", "level"), [([], [], 0.95), ([1.0], [], 0.95), ([1.0], [1], 1.0)])
def test_what_has_no_interval_is_refused(values: list[float], groups: list[int], level: float) -> None:
    with pytest.raises(ValueError, match="at least one"):
        bootstrap(values, groups, level=level)
