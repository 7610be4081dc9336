"""From a raw score to a probability of being right: monotone maps fitted on recorded outcomes, and how good one is.

Written here because the libraries bring more than the task: scikit-learn (which venn-abers needs too) or torch (netcal)
for some twenty lines each, and fitted objects that are stored by pickle; a map here is data, and goes through JSON.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import exp, fsum, isfinite, log, sqrt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from consilience.core.errors import CallerError

__all__ = [
    "LEAST_ISOTONIC",
    "LEAST_LOGISTIC",
    "Calibration",
    "ConfidenceMap",
    "Isotonic",
    "Logistic",
    "brier",
    "expected_calibration_error",
    "fit_isotonic",
    "fit_logistic",
]

LEAST_LOGISTIC = 30
LEAST_ISOTONIC = 200
"""Conventions. That the stepwise map needs more cases than the logistic one is found by A. Niculescu-Mizil and
R. Caruana, "Predicting good probabilities with supervised learning", ICML 2005, who see it ahead from 1,000 on."""

_STEPS = 100
_RIDGE = 1e-9
_ROUNDING = 1e-12


class _Map(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: int = Field(ge=1, description="How many outcomes it was fitted on.")


class Isotonic(_Map):
    """Straight lines between fitted points, level outside of them."""

    method: Literal["isotonic"] = "isotonic"
    scores: tuple[FiniteFloat, ...] = Field(min_length=1, description="Ascending.")
    probabilities: tuple[float, ...] = Field(description="At these scores; never falling.")

    @model_validator(mode="after")
    def _check(self) -> Isotonic:
        values = self.probabilities
        if len(values) != len(self.scores) or any(a >= b for a, b in pairwise(self.scores)):
            raise ValueError("an isotonic map takes ascending scores, with one probability each")
        if any(a > b for a, b in pairwise(values)) or not all(0 <= value <= 1 for value in values):
            raise ValueError("its probabilities are between 0 and 1, and never fall")
        return self

    def __call__(self, score: float) -> float:
        """The probability, 0 to 1; never smaller for a higher score."""
        place = bisect_right(self.scores, score)
        if place in (0, len(self.scores)):
            return self.probabilities[min(place, len(self.scores) - 1)]
        left, right = self.scores[place - 1], self.scores[place]
        low, high = self.probabilities[place - 1], self.probabilities[place]
        return min(max(low + (high - low) * ((score - left) / (right - left)), low), high)


class Logistic(_Map):
    """1 / (1 + exp(-(slope * score + intercept)))."""

    method: Literal["logistic"] = "logistic"
    slope: FiniteFloat = Field(ge=0)
    intercept: FiniteFloat

    def __call__(self, score: float) -> float:
        """The probability, 0 to 1; never smaller for a higher score."""
        return _sigmoid(self.slope * score + self.intercept)


Calibration = Annotated[Isotonic | Logistic, Field(discriminator="method")]
"""Either map, as a field of a pydantic model."""


class ConfidenceMap(BaseModel):
    """A map from the confidence of one method to the probability that the answer is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: Literal["agreement", "log_probs"] = Field(description="The method whose numbers it was fitted on.")
    map: Calibration


def fit_isotonic(scores: Sequence[float], right: Sequence[bool], *, least: int = LEAST_ISOTONIC) -> Isotonic:
    """The never falling map of least squared error, by pooling adjacent violators.

    Outcomes count as Platt's targets (see `fit_logistic`), so that no probability is 0 or 1. Equal scores are one case
    with the mean of their outcomes. (M. Ayer et al., Annals of Mathematical Statistics 26, 1955; for calibration:
    B. Zadrozny, C. Elkan, KDD 2002.)

    Args:
        scores: finite numbers; higher is surer.
        right: whether each turned out right.
        least: how many cases it takes.

    Raises:
        CallerError: there are fewer cases.
        ValueError: the lengths differ, or a score is not finite.
    """
    targets = _targets(scores, right, least)
    by_score: dict[float, list[float]] = {}
    for score, target in sorted(zip(scores, targets, strict=True)):
        by_score.setdefault(score, []).append(target)
    # Each block: its mean, its weight, its lowest and its highest score.
    blocks: list[tuple[float, int, float, float]] = []
    for score, values in by_score.items():
        mean, weight, low, high = fsum(values) / len(values), len(values), score, score
        while blocks and blocks[-1][0] >= mean:
            before, heavy, low, _ = blocks.pop()
            mean, weight = (before * heavy + mean * weight) / (heavy + weight), heavy + weight
        blocks.append((mean, weight, low, high))
    points = {score: mean for mean, _, low, high in blocks for score in (low, high)}
    return Isotonic(cases=len(scores), scores=tuple(points), probabilities=tuple(points.values()))


def fit_logistic(scores: Sequence[float], right: Sequence[bool], *, least: int = LEAST_LOGISTIC) -> Logistic:
    """The logistic map of greatest likelihood, by Newton's method.

    Outcomes are smoothed to (n + 1) / (n + 2) and 1 / (m + 2), of n right and m wrong cases, so that separable cases
    have a finite map (J. Platt, "Probabilistic outputs for support vector machines", 1999; steps as H.-T. Lin,
    C.-J. Lin, R. Weng, Machine Learning 68, 2007). Where higher scores were not more often right the slope is 0: the
    score says nothing, and every case gets the share that was right.

    Args:
        scores: finite numbers; higher is surer.
        right: whether each turned out right.
        least: how many cases it takes.

    Raises:
        CallerError: there are fewer cases.
        ValueError: the lengths differ, or a score is not finite.
    """
    targets = _targets(scores, right, least)
    share = fsum(targets) / len(targets)
    level = Logistic(cases=len(scores), slope=0.0, intercept=log(share / (1 - share)))
    if max(scores) - min(scores) <= _ROUNDING * max(map(abs, scores)):
        return level
    middle = fsum(scores) / len(scores)
    spread = sqrt(fsum((score - middle) ** 2 for score in scores) / len(scores))
    scaled = [(score - middle) / spread for score in scores]
    slope, intercept = _newton(scaled, targets, level.intercept)
    if slope <= 0:
        return level
    return Logistic(cases=len(scores), slope=slope / spread, intercept=intercept - slope * middle / spread)


def _newton(scores: Sequence[float], targets: Sequence[float], intercept: float) -> tuple[float, float]:
    slope, loss = 0.0, _loss(scores, targets, 0.0, intercept)
    for _ in range(_STEPS):
        found = [_sigmoid(slope * score + intercept) for score in scores]
        errors = [p - t for p, t in zip(found, targets, strict=True)]
        curves = [p * (1 - p) for p in found]
        down_a, down_b = fsum(e * s for e, s in zip(errors, scores, strict=True)), fsum(errors)
        if max(abs(down_a), abs(down_b)) < _RIDGE * len(scores):
            break
        aa = fsum(c * s * s for c, s in zip(curves, scores, strict=True)) + _RIDGE
        ab, bb = fsum(c * s for c, s in zip(curves, scores, strict=True)), fsum(curves) + _RIDGE
        area = aa * bb - ab * ab
        step_a, step_b = (bb * down_a - ab * down_b) / area, (aa * down_b - ab * down_a) / area
        size = 1.0
        while size > _RIDGE:
            tried = _loss(scores, targets, slope - size * step_a, intercept - size * step_b)
            if tried < loss:
                break
            size /= 2
        else:
            break
        slope, intercept, loss = slope - size * step_a, intercept - size * step_b, tried
    return slope, intercept


def _loss(scores: Sequence[float], targets: Sequence[float], slope: float, intercept: float) -> float:
    """Negative log-likelihood: log(1 + exp(z)) - t z, told so that nothing overflows."""
    return fsum(
        max(z, 0.0) + log(1 + exp(-abs(z))) - t * z
        for z, t in ((slope * score + intercept, target) for score, target in zip(scores, targets, strict=True))
    )


def _sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z)) if z >= 0 else exp(max(z, -700.0)) / (1 + exp(max(z, -700.0)))


def _targets(scores: Sequence[float], right: Sequence[bool], least: int) -> list[float]:
    if len(scores) != len(right) or not all(map(isfinite, scores)):
        raise ValueError("every case has a finite score and an outcome")
    if len(scores) < max(least, 1):
        raise CallerError(
            f"{len(scores)} recorded outcomes are too few to calibrate on: it takes {max(least, 1)}.",
            cure=f"Record more, or fit a logistic map, which takes {LEAST_LOGISTIC}.",
        )
    hits = sum(map(bool, right))
    return [(hits + 1) / (hits + 2) if hit else 1 / (len(right) - hits + 2) for hit in right]


def brier(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """Mean squared error of probabilities against outcomes, 0 to 1, lower is better (G. Brier, 1950).

    Raises:
        ValueError: there are none, the lengths differ, or one is outside of 0 to 1.
    """
    _check_scored(probabilities, right)
    return fsum((p - bool(hit)) ** 2 for p, hit in zip(probabilities, right, strict=True)) / len(right)


def expected_calibration_error(probabilities: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float:
    """How far probabilities are from the share that was right, 0 to 1, by bins of equal width, weighted by their cases.

    With few cases a bin it is too high even for a perfect map. (M. Naeini et al., AAAI 2015.)

    Raises:
        ValueError: there are none, the lengths differ, one is outside of 0 to 1, or there is no bin.
    """
    _check_scored(probabilities, right)
    if bins < 1:
        raise ValueError("it takes a bin")
    gaps: dict[int, list[float]] = {}
    for p, hit in zip(probabilities, right, strict=True):
        gaps.setdefault(min(int(p * bins), bins - 1), []).append(p - bool(hit))
    return fsum(abs(fsum(inside)) for inside in gaps.values()) / len(right)


def _check_scored(probabilities: Sequence[float], right: Sequence[bool]) -> None:
    if not right or len(probabilities) != len(right) or not all(0 <= p <= 1 for p in probabilities):
        raise ValueError("every case has a probability between 0 and 1 and an outcome, and there is one at least")
