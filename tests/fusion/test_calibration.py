"""Fitted maps against what defines them, their JSON, and the two figures that tell how good one is."""

from __future__ import annotations

from math import exp, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from consilience.core.errors import CallerError
from consilience.fusion import (
    Calibration,
    Isotonic,
    Logistic,
    brier,
    expected_calibration_error,
    fit_isotonic,
    fit_logistic,
)

FITS = [fit_isotonic, fit_logistic]
CASES = st.lists(st.tuples(st.integers(-8, 8).map(lambda n: n / 4), st.booleans()), min_size=2, max_size=40)
PROBABILITIES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)

every_fit = pytest.mark.parametrize("fit", FITS)


def parted(cases: list[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    return [score for score, _ in cases], [right for _, right in cases]


def drawn(slope: float, intercept: float, number: int) -> tuple[list[float], list[bool]]:
    random = Random(7)
    scores = [random.uniform(-2, 2) for _ in range(number)]
    return scores, [random.random() < 1 / (1 + exp(-slope * score - intercept)) for score in scores]


def targets(right: list[bool]) -> list[float]:
    hits = sum(right)
    return [(hits + 1) / (hits + 2) if hit else 1 / (len(right) - hits + 2) for hit in right]


@every_fit
@given(CASES, st.floats(-5, 5), st.floats(-5, 5))
def test_a_higher_score_is_never_less_sure(fit: type, cases: list[tuple[float, bool]], one: float, two: float) -> None:
    fitted = fit(*parted(cases), least=2)
    low, high = fitted(min(one, two)), fitted(max(one, two))
    assert 0 < low <= high < 1


@every_fit
@given(CASES)
def test_the_order_of_cases_does_not_matter(fit: type, cases: list[tuple[float, bool]]) -> None:
    one, other = fit(*parted(cases), least=2), fit(*parted(sorted(cases)), least=2)
    assert [one(n / 4) for n in range(-9, 10)] == pytest.approx([other(n / 4) for n in range(-9, 10)], abs=1e-6)


@given(CASES)
def test_isotonic_is_the_best_never_falling_map(cases: list[tuple[float, bool]]) -> None:
    scores, right = parted(cases)
    fitted = fit_isotonic(scores, right, least=2)
    smoothed = targets(right)
    by_score = {s: [t for score, t in zip(scores, smoothed, strict=True) if score == s] for s in sorted(set(scores))}
    levels = list(by_score)

    def mean(i: int, j: int) -> float:
        values = [t for s in levels[i : j + 1] for t in by_score[s]]
        return sum(values) / len(values)

    # The greatest, over all that begins below, of the least mean of what ends above.
    for k, score in enumerate(levels):
        best = max(min(mean(i, j) for j in range(k, len(levels))) for i in range(k + 1))
        assert fitted(score) == pytest.approx(best)


@given(CASES)
def test_logistic_is_of_greatest_likelihood(cases: list[tuple[float, bool]]) -> None:
    scores, right = parted(cases)
    fitted = fit_logistic(scores, right, least=2)
    smoothed = targets(right)

    def likelihood(slope: float, intercept: float) -> float:
        found = [1 / (1 + exp(-slope * score - intercept)) for score in scores]
        return sum(t * log(p) + (1 - t) * log(1 - p) for p, t in zip(found, smoothed, strict=True))

    best = likelihood(fitted.slope, fitted.intercept)
    for slope in (-0.01, 0.0, 0.01):
        for intercept in (-0.01, 0.0, 0.01):
            if fitted.slope + slope >= 0:
                assert likelihood(fitted.slope + slope, fitted.intercept + intercept) <= best + 1e-9


def test_logistic_finds_what_made_the_outcomes() -> None:
    fitted = fit_logistic(*drawn(1.5, -0.4, 4000))
    assert fitted.slope == pytest.approx(1.5, abs=0.15)
    assert fitted.intercept == pytest.approx(-0.4, abs=0.15)


@pytest.mark.parametrize(("factor", "shift"), [(1000.0, 0.0), (0.001, 5.0), (1.0, -300.0)])
def test_the_scale_of_the_score_does_not_matter(factor: float, shift: float) -> None:
    scores, right = drawn(2.0, 0.3, 300)
    plain = fit_logistic(scores, right)
    scaled = fit_logistic([factor * score + shift for score in scores], right)
    for score in (-1.5, 0.0, 1.5):
        assert scaled(factor * score + shift) == pytest.approx(plain(score), abs=1e-6)


@every_fit
def test_fitting_helps_a_score_that_is_too_sure(fit: type) -> None:
    scores, right = drawn(1.0, 0.0, 4000)
    raw = [1 / (1 + exp(-4 * score)) for score in scores]
    fitted = fit(raw[:2000], right[:2000])
    after = [fitted(score) for score in raw[2000:]]
    assert brier(after, right[2000:]) < brier(raw[2000:], right[2000:]) - 0.02
    assert expected_calibration_error(after, right[2000:]) < 0.05
    assert expected_calibration_error(raw[2000:], right[2000:]) > 0.1


@every_fit
@pytest.mark.parametrize("right", [True, False])
def test_what_was_always_so_is_not_certain(fit: type, right: bool) -> None:
    fitted = fit([0.1 * n for n in range(300)], [right] * 300)
    assert fitted(15.0) == pytest.approx(301 / 302 if right else 1 / 302)


@every_fit
def test_a_score_that_is_wrong_way_round_says_nothing(fit: type) -> None:
    scores, right = drawn(-2.0, 0.0, 400)
    fitted = fit(scores, right)
    assert fitted(-2.0) == pytest.approx(fitted(2.0), abs=0.1)
    assert fitted(0.0) == pytest.approx(sum(right) / 400, abs=0.05)


def test_one_score_for_all_says_nothing() -> None:
    right = [n % 3 == 0 for n in range(300)]
    assert fit_logistic([0.1] * 300, right)(0.9) == pytest.approx(1 / 3, abs=0.01)
    assert fit_isotonic([0.1] * 300, right)(0.9) == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize(("fit", "least"), [(fit_logistic, 30), (fit_isotonic, 200)])
def test_too_few_cases_are_refused(fit: type, least: int) -> None:
    scores, right = drawn(1.0, 0.0, least)
    assert fit(scores, right).cases == least
    with pytest.raises(CallerError, match=f"it takes {least}"):
        fit(scores[1:], right[1:])


@every_fit
@pytest.mark.parametrize(
    ("scores", "right"),
    [([0.1] * 300, [True] * 299), ([float("nan")] * 300, [True] * 300), ([1e999] * 300, [True] * 300)],
)
def test_what_is_no_case_is_refused(fit: type, scores: list[float], right: list[bool]) -> None:
    with pytest.raises(ValueError, match="finite score"):
        fit(scores, right)


class Kept(BaseModel):
    calibration: Calibration


@every_fit
@given(CASES)
def test_maps_survive_json(fit: type, cases: list[tuple[float, bool]]) -> None:
    kept = Kept(calibration=fit(*parted(cases), least=2))
    back = Kept.model_validate_json(kept.model_dump_json())
    assert back == kept
    assert back.calibration(0.3) == kept.calibration(0.3)


@pytest.mark.parametrize(
    ("scores", "probabilities"),
    [((), ()), ((0.0,), (0.2, 0.3)), ((1.0, 0.0), (0.2, 0.3)), ((0.0, 1.0), (0.3, 0.2)), ((0.0,), (1.2,))],
)
def test_an_isotonic_map_is_one(scores: tuple[float, ...], probabilities: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        Isotonic(cases=1, scores=scores, probabilities=probabilities)


def test_a_logistic_map_does_not_fall() -> None:
    with pytest.raises(ValidationError):
        Logistic(cases=1, slope=-1, intercept=0)


def test_far_scores_do_not_overflow() -> None:
    fitted = Logistic(cases=1, slope=1, intercept=0)
    assert (fitted(-1e6), fitted(1e6)) == (pytest.approx(0), pytest.approx(1))


@given(PROBABILITIES)
def test_both_figures_are_between_nothing_and_one(cases: list[tuple[float, bool]]) -> None:
    told, right = parted(cases)
    assert 0 <= brier(told, right) <= 1
    assert 0 <= expected_calibration_error(told, right) <= 1 + 1e-9


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_who_knows_is_at_nothing(right: list[bool]) -> None:
    told = [float(hit) for hit in right]
    assert brier(told, right) == expected_calibration_error(told, right) == 0
    assert brier([1 - p for p in told], right) == expected_calibration_error([1 - p for p in told], right) == 1


def test_figures_by_hand() -> None:
    told, right = [0.9, 0.95, 0.2, 0.25], [True, False, False, False]
    assert brier(told, right) == pytest.approx((0.01 + 0.9025 + 0.04 + 0.0625) / 4)
    # 0.9 and 0.95 share a bin: 1.85 told, 1 right; the rest: 0.45 told, 0 right.
    assert expected_calibration_error(told, right) == pytest.approx((0.85 + 0.45) / 4)
    assert expected_calibration_error(told, right, bins=1) == pytest.approx((2.3 - 1) / 4)


@pytest.mark.parametrize("score", [brier, expected_calibration_error])
@pytest.mark.parametrize(("told", "right"), [([], []), ([0.5], []), ([1.5], [True]), ([float("nan")], [True])])
def test_what_cannot_be_scored_is_refused(score: type, told: list[float], right: list[bool]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        score(told, right)


def test_there_is_a_bin() -> None:
    with pytest.raises(ValueError, match="a bin"):
        expected_calibration_error([0.5], [True], bins=0)
