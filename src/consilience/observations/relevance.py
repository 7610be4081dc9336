"""How far observations bear on a question: by their words, and by whatever else can compare two texts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import median

from consilience.core.words import UNSPACED, words
from consilience.observations.observation import Observation

__all__ = ["Relevance", "bm25", "fused"]

Relevance = Callable[[Sequence[Observation]], Sequence[float]]
"""Gives each observation, in order, its relevance to one question: 0 (none) to 1. It may block."""

# The usual settings of BM25: how fast repeated words stop counting, and how much length counts against a text.
_SATURATION, _LENGTH = 1.2, 0.75

# Words are told apart by their endings, and languages by theirs: the beginning of a word finds its relatives.
_STEM = 4

_UNSPACED = re.compile(f"[{UNSPACED}]")


def bm25(question: str, texts: Sequence[str]) -> list[float]:
    """Lexical relevance of each text: Okapi BM25 (Robertson and Zaragoza 2009), over the most that any text could get.

    Terms are words, the beginnings of longer words, and pairs of letters in scripts without spaces. 0 to 1.
    """
    asked = set(_terms(question))
    counts = [Counter(term for term in _terms(text) if term in asked) for text in texts]
    lengths = [len(_terms(text)) for text in texts]
    usual = sum(lengths) / max(len(lengths), 1) or 1.0
    holding = Counter(term for count in counts for term in count)
    # Terms that no text holds count too: what is asked for is not all there.
    rarity = {term: math.log(1 + (len(texts) - holding[term] + 0.5) / (holding[term] + 0.5)) for term in asked}
    most = sum(rarity.values()) * (_SATURATION + 1) or 1.0
    return [
        sum(
            rarity[term] * n * (_SATURATION + 1) / (n + _SATURATION * (1 - _LENGTH + _LENGTH * length / usual))
            for term, n in count.items()
        )
        / most
        for count, length in zip(counts, lengths, strict=True)
    ]


def fused(lexical: Sequence[float], cosines: Sequence[float | None], *, share: float = 0.7) -> list[float]:
    """One relevance out of two: a convex combination of both (Bruch et al. 2023).

    Cosines only order, so they count from the usual one, which is 0, to the highest, which is 1.

    Args:
        lexical: 0 to 1.
        cosines: of question and text; None where nobody has compared them, which counts as usual.
        share: of the cosines in the sum.
    """
    known = [cosine for cosine in cosines if cosine is not None]
    usual, highest = (median(known), max(known)) if known else (0.0, 0.0)
    span = highest - usual or 1.0
    return [
        (1 - share) * word + share * max(0.0, (usual if cosine is None else cosine) - usual) / span
        for word, cosine in zip(lexical, cosines, strict=True)
    ]


@lru_cache(maxsize=1 << 14)
def _terms(text: str) -> tuple[str, ...]:
    found = words(text)
    pairs = [one + other for one, other in pairwise(found) if _UNSPACED.match(one) and _UNSPACED.match(other)]
    stems = [word[:_STEM] + "*" for word in found if len(word) > _STEM and word.isalpha()]
    return (*found, *pairs, *stems)
