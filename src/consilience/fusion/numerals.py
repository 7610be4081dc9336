"""Text in which number words are digits, and the language that a text is most likely in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from consilience.core.words import LETTER, folded
from consilience.fusion.vocabulary import CURRENCIES, FUNCTION_WORDS, LABELS, LANGUAGES, UNITS

__all__ = ["Digits", "digits", "language_of"]

_TOKEN = re.compile(rf"(?:{LETTER})+|\d+|\s+|.", re.DOTALL)
# Ordinals that are more often units and fractions; and the o of o'clock.
_NOT_NUMBERS = frozenset("o second seconds seconde secondes segundo segundos quart cuarto".split())
# Numbers only where what stands beside them says so.
_ARTICLES = frozenset("one ein eine einer einem einen un une una uno".split())
_COUNTED = frozenset({*UNITS, *CURRENCIES, "o'clock", "uhr"})


@dataclass(frozen=True)
class Digits:
    """A folded text with digits for number words, and where in the original each of its characters comes from."""

    text: str
    source: str
    origins: tuple[int, ...]
    """For each character of `text`, the index in `source` of what it stands for; one more for the end."""

    def excerpt(self, start: int, end: int) -> str:
        """What the original says at `start` to `end` of the text."""
        return self.source[self.origins[start] : self.origins[end]]


@dataclass(frozen=True)
class _Word:
    """What text2num reads: a word in lower case."""

    word: str

    def text(self) -> str:
        return self.word

    def nt_separated(self, previous: object) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return self.word in _NOT_NUMBERS


def digits(text: str, language: str) -> Digits:
    """Number words of `language` (one of en, de, fr, es; others have none replaced) become digits: "six" is "6"."""
    from text_to_num import find_numbers

    spans = [(m.start(), m.end()) for m in _TOKEN.finditer(text)]
    words = [folded(text[start:end]) for start, end in spans]
    numbers = find_numbers([_Word(w) for w in words], language, threshold=0) if language in LANGUAGES else []
    replaced = {i: (i + 1, "1") for i, word in enumerate(words) if word in _ARTICLES and _counts(words, i)}
    replaced |= {n.start: (n.end, n.text) for n in numbers if _is_spelt(words[n.start : n.end])}
    written, origins, i = [], list[int](), 0
    while i < len(words):
        end, piece = replaced.get(i, (i + 1, words[i]))
        written.append(piece)
        origins += [spans[i][0]] * len(piece)
        i = end
    return Digits("".join(written), text, (*origins, len(text)))


def _is_spelt(words: list[str]) -> bool:
    """It has no digits, which keep their form (4.50 is no 4 and no 50), and is no lone article."""
    return not any(word.isdigit() for word in words) and (len(words) > 1 or words[0] not in _ARTICLES)


def _counts(words: list[str], place: int) -> bool:
    """An article stands for the number one: behind "platform", or before a unit."""
    before = next((word for word in reversed(words[:place]) if not word.isspace()), "")
    behind = next((word for word in words[place + 1 :] if not word.isspace()), "")
    return before in LABELS or behind in _COUNTED


def language_of(texts: Iterable[str], default: str = "en") -> str:
    """Which of en, de, fr, es has most of its function words in these texts; `default` where none or two have."""
    words = re.findall(rf"(?:{LETTER})+", folded(" ".join(texts)))
    counts = {language: sum(word in known for word in words) for language, known in FUNCTION_WORDS.items()}
    best = max(counts.values())
    leading = [language for language, count in counts.items() if count == best]
    return leading[0] if best and len(leading) == 1 else default
