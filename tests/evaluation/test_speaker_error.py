from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.evaluation.speaker_error import SpeakerError, Turn, speaker_error

TURNS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 300), st.sampled_from("abc")).map(
        lambda t: (t[0] / 100, (t[0] + t[1]) / 100, t[2])
    ),
    max_size=6,
)


@given(TURNS, st.permutations("xyz"), st.sampled_from([0.0, 0.25]))
def test_the_truth_under_other_names_has_no_error(turns: list[Turn], names: list[str], collar: float) -> None:
    renamed = [(start, end, dict(zip("abc", names, strict=True))[name]) for start, end, name in turns]
    error = speaker_error(turns, renamed, collar=collar)
    assert (error.missed, error.false_alarm, error.confusion) == pytest.approx((0, 0, 0))


@given(TURNS, TURNS)
def test_no_other_naming_does_better(reference: list[Turn], found: list[Turn]) -> None:
    best = speaker_error(reference, found).confusion
    for names in permutations("abc"):
        naming = dict(zip("abc", names, strict=True))
        same = sum(_together(reference, found, a, b) for a, b in naming.items())
        shared = speaker_error(reference, found)
        assert best <= shared.speech - shared.missed - same + 1e-6


def _together(reference: list[Turn], found: list[Turn], one: str, other: str) -> float:
    def steps(turns: list[Turn], who: str) -> set[int]:
        return {i for a, b, name in turns if name == who for i in range(round(a * 100), round(b * 100))}

    return len(steps(reference, one) & steps(found, other)) / 100


@given(TURNS, TURNS)
def test_a_collar_leaves_out_errors_and_adds_none(reference: list[Turn], found: list[Turn]) -> None:
    exact, collared = speaker_error(reference, found), speaker_error(reference, found, collar=0.25)
    assert collared.missed <= exact.missed + 1e-9
    assert collared.false_alarm <= exact.false_alarm + 1e-9
    assert collared.speech <= exact.speech + 1e-9


def test_each_error_by_itself() -> None:
    reference = [(0.0, 4.0, "a"), (4.0, 6.0, "b")]
    assert speaker_error(reference, []).rate == pytest.approx(1)
    assert speaker_error(reference, [(0.0, 6.0, "x")]) == SpeakerError(6.0, 0.0, 0.0, 2.0)
    late = speaker_error(reference, [(0.0, 4.0, "x"), (4.0, 9.0, "y")])
    assert (late.false_alarm, late.rate) == pytest.approx((3, 0.5))
    assert speaker_error([], []).rate == 0
    assert speaker_error([(0.0, 1.0, "a")], [(0.0, 1.0, "x"), (0.0, 1.0, "y")]).false_alarm == pytest.approx(1)
