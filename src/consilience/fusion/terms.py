"""Words that tell what something is about, in a form in which they can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

from consilience.core.words import LETTER
from consilience.fusion.vocabulary import FUNCTION_WORDS, GENERIC, LIGHT_WORDS

__all__ = ["is_content", "is_generic", "stem", "terms"]

_WORD = re.compile(rf"(?:{LETTER}){{2,}}")
_ENDINGS = ("ings", "ing", "ed", "es", "en", "er", "em", "s", "e", "n")
_EMPTY = frozenset().union(*FUNCTION_WORDS.values()) | LIGHT_WORDS


def is_content(word: str) -> bool:
    """A folded word of a subject: neither a function word nor one that fits everywhere."""
    return word not in _EMPTY


def is_generic(term: str) -> bool:
    """A stem that tells the sort of thing and not which: train, exam, appointment."""
    return term in _GENERIC


def stem(word: str) -> str:
    """The word without one common ending: eggs and egg, Termine and Termin, cost and costs are the same."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def terms(text: str) -> Iterator[str]:
    """Stems of the content words of a folded text."""
    return (stem(word) for word in _WORD.findall(text) if is_content(word))


_GENERIC = frozenset(stem(word) for word in GENERIC)
