"""Opinion pools are distributions, agree with who agrees, and differ where one voter is wrongly sure."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consilience.fusion import RULES, Ballot, linear_pool, log_pool

OPTIONS = ("red", "green", "blue")
POOLS = [linear_pool, log_pool]

every_pool = pytest.mark.parametrize("pool", POOLS)


@st.composite
def distributions(draw: st.DrawFn) -> dict[str, float]:
    weights = [draw(st.integers(0, 9)) for _ in OPTIONS]
    assume(sum(weights))
    return {option: weight / sum(weights) for option, weight in zip(OPTIONS, weights, strict=True)}


several = st.lists(distributions(), min_size=1, max_size=6)


@every_pool
@given(several, st.data())
def test_a_pool_is_a_distribution(pool: type, given_: list[dict[str, float]], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0, 10), min_size=len(given_), max_size=len(given_)))
    pooled = pool(given_, weights)
    assert sum(pooled.values()) == pytest.approx(1)
    assert all(0 <= probability <= 1 for probability in pooled.values())


@every_pool
@given(distributions(), st.integers(1, 5))
def test_who_agrees_is_agreed_with(pool: type, one: dict[str, float], times: int) -> None:
    # The logarithmic pool lifts what is below its least probability.
    assert pool([one] * times) == pytest.approx(one, abs=0.003)


@every_pool
@given(several)
def test_a_weight_of_nothing_is_no_voice(pool: type, given_: list[dict[str, float]]) -> None:
    alone = pool(given_[:1])
    assert pool(given_, [1.0, *[0.0] * (len(given_) - 1)]) == pytest.approx(alone)


@given(several)
def test_the_linear_pool_stays_between_the_voters(given_: list[dict[str, float]]) -> None:
    pooled = linear_pool(given_)
    for option in OPTIONS:
        told = [one[option] for one in given_]
        assert min(told) - 1e-9 <= pooled[option] <= max(told) + 1e-9


@given(several)
def test_the_logarithmic_pool_orders_as_the_product(given_: list[dict[str, float]]) -> None:
    product = {option: prod(max(one[option], 0.001) for one in given_) for option in OPTIONS}
    pooled = log_pool(given_)
    for one in OPTIONS:
        for other in OPTIONS:
            if product[one] > product[other] * 1.000001:
                assert pooled[one] > pooled[other]


def test_one_who_is_wrongly_sure_moves_the_logarithmic_pool_farther() -> None:
    ballots = [Ballot(voter=voter, probabilities={"red": 0.7, "green": 0.3}) for voter in "ABC"]
    ballots.append(Ballot(voter="D", probabilities={"green": 1.0}))
    assert RULES["linear_pool"](ballots).winner == "red"
    assert RULES["log_pool"](ballots).winner == "green"


def test_nobody_has_a_veto() -> None:
    nearly = {"red": 0.9, "green": 0.1}
    ballots = [Ballot(voter=voter, probabilities=nearly) for voter in "ABCDEF"]
    against = Ballot(voter="G", probabilities={"green": 1.0})
    assert RULES["log_pool"]([*ballots, against]).winner == "red"


def test_reliability_weighs() -> None:
    ballots = [
        Ballot(voter="A", probabilities={"red": 0.6, "green": 0.4}, reliability=0.9),
        Ballot(voter="B", probabilities={"red": 0.3, "green": 0.7}, reliability=0.3),
    ]
    assert RULES["linear_pool"](ballots).winner == "red"
    assert RULES["linear_pool"](ballots).tally["red"] == pytest.approx((0.9 * 0.6 + 0.3 * 0.3) / 1.2)
    equal = [ballot.model_copy(update={"reliability": None}) for ballot in ballots]
    assert RULES["linear_pool"](equal).winner == "green"


def test_a_ballot_without_probabilities_abstains() -> None:
    decision = RULES["linear_pool"]([Ballot(voter="A", probabilities={"red": 1.0}), Ballot(voter="B", choice="green")])
    assert decision.abstained == ("B",)
    assert decision.told == "'red' by linear pool: a pooled probability of 100%; B abstains"


@every_pool
def test_nothing_cannot_be_pooled(pool: type) -> None:
    with pytest.raises(ValueError, match="nothing to pool"):
        pool([])
