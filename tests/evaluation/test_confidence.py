"""What confidences are worth, maps fitted on them, and how often the order of the turns changed the judge's answer."""

from __future__ import annotations

import random
from typing import Any

import pytest
from consilience.agents import Confidence
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import CallerError
from consilience.evaluation import Result, fit_confidence, order_flips, reliability, report
from consilience.fusion import Isotonic, Logistic
from consilience.models import Usage


def result(number: int, right: bool, value: float | None = None, method: Any = "agreement", **more: Any) -> Result:
    sure = None if value is None else Confidence(value=value, method=method, of="x", told="x")
    told = {
        "question": f"q{number}",
        "record": f"r{number}",
        "kind": "lone",
        "split": "dev",
        "options": True,
        "protocol": "vote",
        "seed": 0,
        "model": "scripted",
        "digest": "d",
        "answer": "x",
        "status": "complete",
        "right": right,
        "abstained": False,
        "withheld": False,
        "usage": Usage(calls=1, prompt_tokens=10),
        "seconds": 1.0,
        "reason": "",
        "confidence": sure,
    }
    return Result.model_validate({**told, **more})


def overconfident(number: int, method: Any = "log_probs") -> list[Result]:
    """Confidences of 0.5 to 1, right six times in ten as often as they say."""
    drawn = random.Random(0)
    values = [0.5 + drawn.random() / 2 for _ in range(number)]
    return [result(i, drawn.random() < 0.6 * value, value, method) for i, value in enumerate(values)]


@pytest.mark.parametrize(("number", "kind"), [(30, Logistic), (199, Logistic), (200, Isotonic)])
def test_a_map_is_fitted_on_as_many_answers_as_there_are(number: int, kind: type) -> None:
    fitted = fit_confidence(overconfident(number), "log_probs")
    assert (fitted.of, type(fitted.map), fitted.map.cases) == ("log_probs", kind, number)


def test_a_map_makes_confidences_of_others_better() -> None:
    everything = overconfident(1200)
    fitted = fit_confidence(everything[:600], "log_probs")
    held_out = everything[600:]
    mapped = [
        result(i, one.right, fitted.map(one.confidence.value), "calibrated")
        for i, one in enumerate(held_out)
        if one.confidence
    ]
    (before,), (after,) = reliability(held_out), reliability(mapped)
    assert before.mean - before.right > 0.2
    assert abs(after.mean - after.right) < 0.05
    assert after.brier < before.brier
    assert after.error < before.error


def test_what_has_no_answer_or_another_confidence_is_no_case() -> None:
    cases = overconfident(40)
    others = [
        *(result(100 + i, True, 0.9, "agreement") for i in range(50)),
        *(result(200 + i, True, 0.9, "log_probs", abstained=True) for i in range(50)),
        *(result(300 + i, False, 0.9, "log_probs", status="failed") for i in range(50)),
        *(result(400 + i, True) for i in range(50)),
    ]
    assert fit_confidence([*cases, *others], "log_probs") == fit_confidence(cases, "log_probs")
    assert [(r.method, r.cases) for r in reliability([*cases, *others])] == [("log_probs", 40), ("agreement", 50)]
    with pytest.raises(CallerError, match="29 recorded outcomes are too few"):
        fit_confidence(cases[:29], "log_probs")


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_figures_stay_within_their_bounds(cases: list[tuple[float, bool]]) -> None:
    (found,) = reliability([result(i, right, value) for i, (value, right) in enumerate(cases)])
    assert found.cases == len(cases)
    assert 0 <= found.brier <= 1
    assert 0 <= found.error <= 1
    # The mean of the bins' gaps is no smaller than the gap of the means.
    assert found.error >= abs(found.mean - found.right) - 1e-9


def test_the_flip_rate_is_of_those_that_were_asked_twice() -> None:
    told = [None, True, False, False, None, True]
    found = order_flips([result(i, True, order_flipped=flipped) for i, flipped in enumerate(told)])
    assert (found.flipped, found.compared, found.rate) == (2, 4, 0.5)
    assert order_flips([result(0, True)]).rate is None


def test_the_report_tells_what_was_recorded_and_nothing_else() -> None:
    written = report([*overconfident(40), result(99, True, 0.9, order_flipped=True)])
    assert "| vote | log_probs | 40 | " in written
    assert "| vote | agreement | 1 | 1.00 | 0.90 | 0.010 | 0.100 |" in written
    assert "vote: 1 of 1 verdicts flipped with the order (100 %)." in written
    bare = report([result(i, True) for i in range(3)])
    assert "Confidence" not in bare
    assert "flipped" not in bare


def test_results_of_before_are_read_as_they_are() -> None:
    line = result(0, True).model_dump_json(exclude={"confidence", "order_flipped"})
    assert Result.model_validate_json(line).confidence is None
