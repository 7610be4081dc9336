from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import distribution, lettered

OPTIONS = ["platform 4", "platform 9", "platform 11"]
LETTERS = "ABCDEFGHIJKLMNOPQRST"


def test_options_have_letters_in_their_order() -> None:
    assert lettered(OPTIONS) == {"A": "platform 4", "B": "platform 9", "C": "platform 11"}


def test_the_odds_are_those_of_the_letters_alone() -> None:
    told = distribution({"B": log(0.3), "A": log(0.1), "{": log(0.5), "C": log(0.1)}, OPTIONS)
    assert told == pytest.approx({"platform 4": 0.2, "platform 9": 0.6, "platform 11": 0.2})


def test_a_letter_in_brackets_is_that_letter_and_a_word_is_not() -> None:
    told = distribution({" B": log(0.2), "(B": log(0.2), "B": log(0.2), "a": log(0.3), "A": log(0.1)}, OPTIONS[:2])
    assert told == pytest.approx({"platform 4": 0.1 / 0.7, "platform 9": 0.6 / 0.7})


def test_what_is_not_told_is_no_likelier_than_the_rarest_that_is() -> None:
    told = distribution({"A": log(0.8), "x": log(0.1)}, OPTIONS)
    assert told == pytest.approx({"platform 4": 0.8, "platform 9": 0.1, "platform 11": 0.1})


@pytest.mark.parametrize("tokens", [{}, {"{": -0.1}, {"platform": -0.1, "a": -1.0}, {"D": -0.1}])
def test_without_any_letter_there_are_no_odds(tokens: dict[str, float]) -> None:
    assert distribution(tokens, OPTIONS) is None


def test_minus_infinity_is_taken_for_very_rare() -> None:
    told = distribution({"A": -0.1, "B": float("-inf")}, OPTIONS[:2])
    assert told == pytest.approx({"platform 4": 1.0, "platform 9": 0.0})


logprobs = st.floats(-60, 0)


@given(st.integers(2, 20), st.dictionaries(st.sampled_from([*LETTERS, "{", " A", "no"]), logprobs, min_size=1))
def test_it_is_a_distribution_that_never_reverses_what_was_told(number: int, told: dict[str, float]) -> None:
    options = [f"option {place}" for place in range(number)]
    found = distribution(told, options)
    letters = lettered(options)
    if not any(token.strip() in letters for token in told):
        assert found is None
        return
    assert found is not None
    assert list(found) == options
    assert sum(found.values()) == pytest.approx(1)
    held = {o: sum(exp(v) for token, v in told.items() if token.strip() == letter) for letter, o in letters.items()}
    for one in options:
        for other in options:
            if held[one] > held[other] > 0:
                assert found[one] >= found[other]


@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), logprobs, min_size=1), st.floats(-20, 0))
def test_only_ratios_count(told: dict[str, float], shift: float) -> None:
    one, other = distribution(told, OPTIONS), distribution({t: v + shift for t, v in told.items()}, OPTIONS)
    assert one is not None
    assert one == pytest.approx(other)
