"""Trends, steps, bends, outliers and gaps in series made with known ones, and silence over noise."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from consilience.tools.table.order import gaps_of, orders_of, pace_of
from consilience.tools.table.outliers import cleaned, outliers
from consilience.tools.table.shapes import Shape, likelihood_of_chance, long_run_variance, shape_of
from consilience.tools.table.sheet import RawColumn
from consilience.tools.table.typed import Typed, typed
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]


def noise(n: int, seed: int = 0, memory: float = 0.0) -> Array:
    """Normal noise of variance 1, which remembers the value before by `memory`."""
    shocks = np.random.default_rng(seed).normal(size=n + 100) * np.sqrt(1 - memory**2)
    values = [0.0]
    for shock in shocks:
        values.append(memory * values[-1] + shock)
    return np.array(values[-n:])


def course(values: Array) -> Shape:
    return shape_of(np.arange(len(values), dtype=float), values)


@pytest.mark.parametrize("memory", [0.0, 0.5])
@pytest.mark.parametrize("n", [12, 60, 300])
def test_noise_has_no_course(n: int, memory: float) -> None:
    alarms = sum(not course(noise(n, seed, memory)).is_level for seed in range(40))
    assert alarms <= 3


@pytest.mark.parametrize("n", [30, 300])
def test_a_trend_is_found_with_its_slope(n: int) -> None:
    values = 8 / n * np.arange(n) + noise(n)
    shape = course(values)
    assert (shape.steps, shape.bend) == ((), None)
    assert shape.slope == pytest.approx(8 / n, rel=0.25)
    assert likelihood_of_chance(np.arange(n, dtype=float), values, shape) < 0.001


def test_steps_are_no_trend_and_are_found_where_they_are() -> None:
    values = np.repeat([0.0, 5.0, 2.0], [40, 30, 50]) + noise(120)
    shape = course(values)
    assert (shape.slope, shape.bend, len(shape.steps)) == (0, None, 2)
    assert np.abs(np.array(shape.steps) - [40, 70]).max() <= 1


def test_a_step_in_a_trend_is_found_as_both() -> None:
    n = 200
    values = 0.05 * np.arange(n) + 6 * (np.arange(n) >= 120) + noise(n)
    shape = course(values)
    assert shape.steps == pytest.approx((120,), abs=1)
    assert shape.slope == pytest.approx(0.05, rel=0.2)


def test_a_bend_is_found() -> None:
    n = 120
    shape = course(0.3 * np.maximum(0, np.arange(n) - 60) + noise(n))
    assert shape.bend == pytest.approx(60, abs=6)
    assert shape.slope == pytest.approx(0, abs=0.05)
    assert shape.slope_after == pytest.approx(0.3, abs=0.05)


def test_series_without_noise_have_the_course_they_have() -> None:
    assert course(np.arange(20, dtype=float)).slope == pytest.approx(1)
    assert course(np.repeat([1.0, 2.0], 10)).steps == (10,)
    assert course(np.full(20, 3.0)).is_level
    assert course(np.arange(5, dtype=float)).is_level


def test_noise_that_wanders_is_seen_as_such() -> None:
    assert long_run_variance(noise(2000)) == pytest.approx(1, rel=0.2)
    # (1 + m) / (1 - m) of the variance (Priestley 1981).
    assert long_run_variance(noise(5000, memory=0.5)) == pytest.approx(3, rel=0.3)


values_of = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(lambda xs: np.array(xs, dtype=float))


@given(values_of)
def test_any_values_have_a_course(values: Array) -> None:
    shape = course(values)
    assert shape.fitted.shape == values.shape
    assert np.isfinite(shape.fitted).all()
    assert list(shape.steps) == sorted(set(shape.steps))
    assert all(0 < step < len(values) for step in shape.steps)


# Outliers


def found(values: Array) -> list[int]:
    return [outlier.place for outlier in outliers(values, course(cleaned(values)).fitted)]


def test_noise_has_no_outliers() -> None:
    assert sum(len(found(noise(200, seed))) for seed in range(40)) <= 1


@pytest.mark.parametrize("tail", ["gamma", "lognormal", "exponential"])
def test_long_tails_are_no_outliers(tail: str) -> None:
    rng = np.random.default_rng(1)
    draws = {
        "gamma": lambda: rng.gamma(3, 100, 500),
        "lognormal": lambda: rng.lognormal(8, 1, 500),
        "exponential": lambda: rng.exponential(5, 500),
    }
    alarms = sum(
        bool(outliers(values, np.full(500, np.median(values)), ordered=False))
        for values in map(lambda _: draws[tail](), range(40))
    )
    assert alarms <= 3


def test_outliers_are_found_and_what_was_to_be_expected() -> None:
    values = 20 + noise(100)
    values[[30, 71]] = [35, 2]
    first, second = outliers(values, course(cleaned(values)).fitted)
    assert {first.place, second.place} == {30, 71}
    assert first.score > second.score > 5
    assert abs(second.expected - 20) < 2


def test_an_outlier_may_lie_within_the_range_of_a_wave() -> None:
    values = 10 * np.sin(np.arange(200) / 8) + 0.3 * noise(200)
    values[51] += 12
    assert found(values) == [51]


def test_an_outlier_in_a_step_or_trend_stands_out_from_it() -> None:
    values = np.repeat([0.0, 30.0], 50) + noise(100)
    values[20] = 15
    assert found(values) == [20]


def test_rare_counts_are_no_outliers() -> None:
    values = np.zeros(100)
    values[::9] = 1
    assert found(values) == []
    values[50] = 40
    assert found(values) == [50]


def test_cleaning_leaves_what_is_ordinary() -> None:
    values = noise(100)
    spoilt = values.copy()
    spoilt[40] = 1000
    assert cleaned(spoilt)[40] < 3
    assert (cleaned(spoilt) == spoilt).mean() > 0.97


# Order


def columns(**cells: list[str]) -> tuple[list[str], list[Typed]]:
    arrays = {name: pa.chunked_array([pa.array(values, pa.string())]) for name, values in cells.items()}
    return list(arrays), [typed(RawColumn(name, array)) for name, array in arrays.items()]


def days(*spans: tuple[str, int]) -> list[str]:
    return [str(day) for start, many in spans for day in np.datetime64(start) + np.arange(many)]


def test_dates_order_rows_however_they_stand() -> None:
    (order,) = orders_of(*columns(v=["1", "2", "3"], day=["2024-01-03", "2024-01-01", "2024-01-02"]))
    assert order.rows.tolist() == [1, 2, 0]
    assert (order.at(0), order.column, pace_of(order)[0]) == ("2024-01-01", 1, "day")


def test_years_order_rows_too() -> None:
    (order,) = orders_of(*columns(year=["2003", "2001", "2002"], v=["1", "2", "3"]))
    assert (order.rows.tolist(), order.at(0), pace_of(order)[0]) == ([1, 2, 0], "2001", "year")


def test_without_dates_rows_stand_as_they_stand() -> None:
    (order,) = orders_of(*columns(v=["3", "1", "2"]))
    assert (order.rows.tolist(), order.at(1), order.column) == ([0, 1, 2], "row 2", None)


def test_a_column_may_tell_several_series_apart() -> None:
    groups = orders_of(
        *columns(day=["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"], shop=["N", "S", "N", "S"])
    )
    assert [(order.group, order.rows.tolist()) for order in groups] == [("shop N", [0, 2]), ("shop S", [1, 3])]


def test_dates_that_come_again_for_no_reason_are_averaged() -> None:
    (order,) = orders_of(*columns(day=["2024-01-01", "2024-01-01", "2024-01-02"], v=["1", "2", "3"]))
    assert order.mean


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (days(("2024-01-01", 30)), []),
        (days(("2024-01-01", 10), ("2024-01-14", 10)), [(9, 3)]),
        (days(("2024-01-01", 10), ("2024-01-12", 5), ("2024-02-01", 10)), [(14, 15), (9, 1)]),
        (["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30", "2024-08-31"], [(5, 1)]),
        (["2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06", "2024-09"], [(5, 2)]),
        ([day for day in days(("2024-01-01", 40)) if np.is_busday(day)], []),
        ([day for day in days(("2024-01-01", 40)) if np.is_busday(day) and day != "2024-01-17"], [(11, 1)]),
        (["2024-01-01", "2024-01-05"], []),
    ],
)
def test_missing_dates_are_counted_in_the_calendar_they_follow(
    dates: list[str], expected: list[tuple[int, int]]
) -> None:
    (order,) = orders_of(*columns(day=dates))
    assert [(gap.before, gap.missing) for gap in gaps_of(order)] == expected


def test_an_uneven_series_may_pause() -> None:
    rng = np.random.default_rng(2)
    seconds = np.cumsum(rng.uniform(1, 20, 100))
    seconds[60:] += 4000
    stamps = [str(np.datetime64("2024-01-01T00:00:00") + int(second)).replace("T", " ") for second in seconds]
    (order,) = orders_of(*columns(at=stamps))
    assert [(gap.before, gap.missing) for gap in gaps_of(order)] == [(59, None)]
