from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import unstated_values


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The train leaves from platform 9.", "it will now leave from platform nine"),
        ("The club meets at 18:30.", "we meet at half past six"),
        ("It costs 12 pounds.", "twelve pounds, please"),
        ("There are three trains.", "3 trains"),
        ("They meet on Thursday.", "every Thursday in the upper room"),
        ("Platform 9, not 4.", "platform nine"),
        ("The flight is LH 441.", "LH 441 to Oslo"),
        ("Gleis 6 um 18:30 Uhr", "auf Gleis sechs, halb sieben"),
        ("It is in the upper room.", "the upper room"),
        ("", ""),
    ],
)
def test_what_the_evidence_states_in_any_form_is_stated(claim: str, evidence: str) -> None:
    assert unstated_values(claim, [evidence]) == ()


@pytest.mark.parametrize(
    ("claim", "evidence", "lacking"),
    [
        ("The train leaves from platform 9.", "platform 4", "platform 9"),
        ("The club meets at 18:30.", "we meet at seven", "18:30"),
        ("They meet on Thursday.", "we meet on Friday", "Thursday"),
        ("It costs twelve pounds.", "it costs money", "twelve pounds"),
        ("In 1912, 40 people came.", "in 1912 people came", "40 people"),
    ],
)
def test_what_it_does_not_state_is_told_in_the_claims_words(claim: str, evidence: str, lacking: str) -> None:
    assert unstated_values(claim, [evidence]) == (lacking,)


@given(st.text("abc 0123456789:.,-£$"), st.lists(st.text("abc 0123456789:."), max_size=3))
def test_a_text_states_all_that_it_says(claim: str, others: list[str]) -> None:
    assert unstated_values(claim, [*others, claim]) == ()


@given(st.text("abc 0123456789:"), st.text("abc 0123456789:"), st.text("abc 0123456789:"))
def test_more_evidence_leaves_no_more_unstated(claim: str, one: str, other: str) -> None:
    assert set(unstated_values(claim, [one, other])) <= set(unstated_values(claim, [one]))
