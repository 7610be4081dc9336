from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations.relevance import bm25, fused

WORDS = st.lists(st.sampled_from("train platform nine four York bridge café Straße 列車 駅".split()), max_size=12)
TEXTS = st.lists(WORDS.map(" ".join), max_size=8)
SHARES = st.floats(0, 1)


@given(WORDS.map(" ".join), TEXTS)
def test_lexical_relevance_lies_between_nothing_and_everything(question: str, texts: list[str]) -> None:
    scores = bm25(question, texts)
    assert len(scores) == len(texts)
    assert all(0 <= score <= 1 for score in scores)


@given(WORDS.map(" ".join), TEXTS)
def test_who_shares_no_word_has_no_lexical_relevance(question: str, texts: list[str]) -> None:
    asked = set(question.split())
    for text, score in zip(texts, bm25(question, texts), strict=True):
        assert (score > 0) == bool(asked & set(text.split()))


@given(WORDS.map(" ".join), TEXTS, st.randoms())
def test_the_order_of_texts_does_not_matter(question: str, texts: list[str], chance: object) -> None:
    order = sorted(range(len(texts)), key=lambda i: hash((i, str(chance))))
    scores = bm25(question, texts)
    assert bm25(question, [texts[i] for i in order]) == pytest.approx([scores[i] for i in order])


@pytest.mark.parametrize(
    ("question", "better", "worse"),
    [
        ("the ferry to Inchmore", "the last ferry to Inchmore casts off", "the ferry has a café"),
        ("the harbour of Inchmore", "Inchmore is far", "the bridge of the town"),
        ("When do the appointments move?", "we moved your appointment", "the choir meets"),
        ("列車は何番線ですか", "列車は九番線から", "会議は三時です"),
        ("platform", "platform 9", "platform " + "and a lot of other words " * 20),
    ],
)
def test_rare_words_relatives_and_short_lines_count_for_more(question: str, better: str, worse: str) -> None:
    others = ["the town is small", "the market is on the square"] * 3
    first, second, *_ = bm25(question, [better, worse, *others])
    assert first > second


@given(st.lists(st.tuples(SHARES, st.none() | st.floats(-1, 1)), max_size=9), SHARES)
def test_both_relevances_make_one(scores: list[tuple[float, float | None]], share: float) -> None:
    lexical, cosines = [one for one, _ in scores], [other for _, other in scores]
    made = fused(lexical, cosines, share=share)
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in made)
    assert fused(lexical, [None] * len(scores), share=share) == pytest.approx([(1 - share) * one for one in lexical])


def test_a_cosine_counts_from_the_usual_one() -> None:
    assert fused([0, 0, 0], [0.8, 0.9, 0.7], share=1) == pytest.approx([0, 1, 0])
    assert fused([0.5, 0, 0], [None, None, None], share=0.7) == pytest.approx([0.15, 0, 0])
