"""What results of several protocols say: pairs, flips, abstention, equal budgets, the default, and the report."""

from __future__ import annotations

import pytest

from consilience.evaluation import (
    Result,
    abstention,
    accuracy,
    by_protocol,
    difference,
    equal_budget,
    flips,
    recommended,
    report,
)
from consilience.models import Usage


def result(question: int, protocol: str, right: bool, **changes: object) -> Result:
    told = {
        "question": f"q{question}",
        "record": f"r{question // 2}",
        "kind": "conflict",
        "split": "test",
        "options": question % 2 == 0,
        "protocol": protocol,
        "seed": 0,
        "model": "scripted",
        "digest": "d",
        "answer": "x",
        "status": "complete",
        "right": right,
        "abstained": False,
        "withheld": False,
        "usage": Usage(calls=2, prompt_tokens=100, completion_tokens=20),
        "seconds": 1.0,
        "reason": "",
    }
    return Result.model_validate({**told, **changes})


def many(protocol: str, rights: str, tokens: int = 100) -> list[Result]:
    """A result for each digit, `1` being right."""
    usage = Usage(calls=1, prompt_tokens=tokens)
    return [result(i, protocol, digit == "1", usage=usage) for i, digit in enumerate(rights)]


def test_pairs_are_of_one_question_and_seed() -> None:
    vote, debate = many("vote", "1100"), many("debate", "1011")
    assert difference(debate, vote).mean == 0.25
    assert (flips(debate, vote).wrong_to_right, flips(debate, vote).right_to_wrong) == (2, 1)
    assert difference(debate[:2], vote).mean == -0.5
    other_seed = [one.model_copy(update={"seed": 1}) for one in vote]
    with pytest.raises(ValueError, match="at least one"):
        difference(debate, other_seed)


def test_a_failed_result_is_a_wrong_one() -> None:
    failed = result(0, "vote", False, status="failed")
    assert accuracy([failed, result(1, "vote", True)]).mean == 0.5
    assert "| vote | 1 of 2 |" in report([failed, result(1, "vote", True)])


def test_of_results_asked_again_the_last_one_counts() -> None:
    found = by_protocol([result(0, "vote", False), result(1, "vote", True), result(0, "vote", True)])
    assert [one.right for one in found["vote"]] == [True, True]


def test_abstaining_has_a_precision_and_a_recall() -> None:
    found = abstention(
        [
            result(0, "vote", True, kind="unanswerable", abstained=True),
            result(1, "vote", False, kind="unanswerable"),
            result(2, "vote", False, kind="unanswerable"),
            result(3, "vote", False, abstained=True, withheld=True),
            result(4, "vote", True),
        ]
    )
    assert (found.abstained, found.unanswerable, found.rightly, found.withheld) == (2, 3, 1, 1)
    assert (found.precision, found.recall) == (0.5, pytest.approx(1 / 3))
    nobody = abstention([result(0, "vote", True)])
    assert (nobody.precision, nobody.recall) == (None, None)


def test_a_protocol_stands_beside_as_many_draws_as_it_pays_for() -> None:
    results = {
        "debate": many("debate", "1110", 450),
        "vote": many("vote", "1000", 150),
        "draws@2": many("draws@2", "1100", 200),
        "draws@4": many("draws@4", "1111", 400),
        "draws@5": many("draws@5", "0000", 500),
    }
    (beside,) = equal_budget(results, ["debate", "vote"], ["draws@2", "draws@4", "draws@5"])
    assert (beside.protocol, beside.draws, beside.draws_tokens) == ("debate", "draws@4", 400)
    assert beside.difference.mean == -0.25


def test_a_dearer_protocol_is_the_default_only_where_zero_is_excluded() -> None:
    single = many("single", "10" * 10, 100)
    slightly = many("vote", "10" * 9 + "11", 200)
    clearly = many("debate", "1" * 20, 300)
    assert recommended({"vote": slightly, "single": single}) == "single"
    assert recommended({"debate": clearly, "vote": slightly, "single": single}) == "debate"
    worse = many("panel", "10" * 10, 400)
    assert recommended({"panel": worse, "debate": clearly, "single": single}) == "debate"


def test_the_report_tells_all_of_it() -> None:
    everything = [
        *many("single", "1010", 100),
        *many("vote", "1100", 150),
        *many("debate", "0111", 400),
        *many("self_consistency@3", "1111", 300),
    ]
    written = report(everything)
    assert "4 questions over 2 records, model scripted, seeds 0." in written
    assert "| debate | 3 of 4 | 75.0%" in written
    assert "| debate | 2 | 1 |" in written
    assert "| debate | 400 | self_consistency@3 (300) | 4/4 | -25.0" in written
    assert "the default is **single**" in written
    assert "Not complete" not in written
    assert "Not complete: the protocols have 3 to 4 results" in report(everything[1:])
