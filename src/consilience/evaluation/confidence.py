"""What confidences are worth, by recorded results: maps to the probability of being right, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from consilience.evaluation.results import Result
from consilience.fusion import ConfidenceMap, brier, expected_calibration_error, fit_isotonic, fit_logistic
from consilience.fusion import flips as count_flips
from consilience.fusion.calibration import LEAST_ISOTONIC
from consilience.fusion.swaps import Flips

__all__ = ["Reliability", "fit_confidence", "order_flips", "reliability"]


_Method: TypeAlias = Literal["agreement", "log_probs", "calibrated"]


class Reliability(BaseModel):
    """How far confidences of one method are from what turned out right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: _Method
    cases: int
    right: float = Field(description="Share of the answers that were right.")
    mean: float = Field(description="Mean confidence: above `right` it is too sure.")
    brier: float
    error: float = Field(description="Expected calibration error, ten bins.")


def fit_confidence(results: Sequence[Result], of: Literal["agreement", "log_probs"]) -> ConfidenceMap:
    """The map from confidences of one method to the probability that the answer is right: `Protocol(calibration=...)`.

    It is of the protocol and the model that gave the results, and is to be judged on results that it was not fitted on.
    From 200 answers on it is isotonic, below that logistic. Abstentions and failures have no answer to be sure of, and
    are left out.

    Raises:
        CallerError: there are fewer than 30 answers with such a confidence.
    """
    values, right = _by_method(results).get(of, ([], []))
    fit = fit_isotonic if len(values) >= LEAST_ISOTONIC else fit_logistic
    return ConfidenceMap(of=of, map=fit(values, right))


def reliability(results: Sequence[Result]) -> tuple[Reliability, ...]:
    """By method, in the order of first appearance, what its confidences were worth."""
    return tuple(
        Reliability(
            method=method,
            cases=len(right),
            right=sum(right) / len(right),
            mean=sum(values) / len(values),
            brier=brier(values, right),
            error=expected_calibration_error(values, right),
        )
        for method, (values, right) in _by_method(results).items()
    )


def order_flips(results: Sequence[Result]) -> Flips:
    """How often the judge answered otherwise over the turns in reverse, of the results where it was asked twice."""
    asked = [result.order_flipped for result in results if result.order_flipped is not None]
    return count_flips(("one", "another" if flipped else "one") for flipped in asked)


def _by_method(results: Sequence[Result]) -> dict[_Method, tuple[list[float], list[bool]]]:
    """The confidences of those that answered, and whether they were right."""
    found: dict[_Method, tuple[list[float], list[bool]]] = {}
    for result in results:
        if result.confidence is not None and not result.abstained and result.status != "failed":
            values, right = found.setdefault(result.confidence.method, ([], []))
            values.append(result.confidence.value)
            right.append(result.right)
    return found
