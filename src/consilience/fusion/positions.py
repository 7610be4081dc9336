"""Comparing what experts answer: are two positions the same, does one hold the other, do they diverge?

Text against text, by words: cheap, deterministic, and wrong where only meaning would tell. It errs towards
`diverging`, which costs a question to the judge, never towards `same`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, pairwise

from consilience.core.words import LETTER, folded

__all__ = ["agrees", "content_words", "diverging", "holds", "same"]

_ENGLISH_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_GERMAN_NUMBERS = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"
_NUMBERS = {
    word: str(number) for words in (_ENGLISH_NUMBERS, _GERMAN_NUMBERS) for number, word in enumerate(words.split())
}
_EMPTY_WORDS = frozenset(
    "a an and are as at by for from in is it its of on or that the to was were will with this there "
    "der die das den dem ein eine einer und ist sind am an auf bei im in um von zu zum zur mit".split()
)
_INTERROGATIVE = (
    r"\b(?:who|whom|whose|what|which|when|where|why|how|"
    r"wer|wen|wem|wessen|was|welche[rsnm]?|wann|wo|wohin|woher|warum|wie)\b"
)
_WORD = re.compile(rf"(?:(?<!\S)-)?\d+(?:[.,:]\d+)*|(?:{LETTER})+")
_HALF_DAY = re.compile(r"\b([ap])\.\s?m\b")


@lru_cache(maxsize=1024)
def content_words(text: str) -> frozenset[str]:
    """Words that carry content, folded; number words as digits."""
    words = [_NUMBERS.get(word, word) for word in _WORD.findall(_HALF_DAY.sub(r"\1m", folded(text)))]
    # Behind a number, "am" is no German preposition but half a day.
    return frozenset(
        word
        for before, word in pairwise(["", *words])
        if word not in _EMPTY_WORDS or (word == "am" and _is_number(before))
    )


def same(one: str, other: str) -> bool:
    """The same content words."""
    return content_words(one) == content_words(other)


def holds(whole: str, part: str) -> bool:
    """`whole` has all content words of `part`, which has some."""
    return bool(content_words(part)) and content_words(part) <= content_words(whole)


def agrees(answer: str, position: str) -> bool:
    """`answer` has every number of `position` and at least half of its content words."""
    wanted, there = content_words(position), content_words(answer)
    return bool(wanted) and _numbers(wanted) <= there and 2 * len(wanted & there) >= len(wanted)


def diverging(question: str, positions: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions, by index, that cannot both answer the question, as far as words tell.

    Words of the question are set aside. What is left of two positions diverges when both have numbers and the numbers
    differ, or when they share words and differ in others, or when the question asks for one thing only and they
    answer it in different words. A pair of which one holds the other, or that a third position joins, does not
    diverge: they complete each other.
    """
    asked = content_words(question)
    rests = [frozenset(w for w in content_words(p) if not _asked_for(w, asked)) for p in positions]
    single = len(re.findall(_INTERROGATIVE, folded(question))) == 1
    return [
        (i, j)
        for i, j in combinations(range(len(positions)), 2)
        if rests[i] - rests[j]
        and rests[j] - rests[i]
        and not any(rests[i] | rests[j] <= third for third in rests)
        and (single or rests[i] & rests[j] or (_numbers(rests[i]) and _numbers(rests[j])))
    ]


def _asked_for(word: str, asked: frozenset[str]) -> bool:
    """The question has the word, or another form of it: `meets` where it says `meet`."""
    return word in asked or (
        len(word) > 3 and any(len(a) > 3 and (word.startswith(a) or a.startswith(word)) for a in asked)
    )


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if _is_number(word))


def _is_number(word: str) -> bool:
    return word[-1:].isdigit()
