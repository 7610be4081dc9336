"""The same words read and heard, or read in two places."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from consilience.core.words import LETTER, folded
from consilience.fusion.terms import is_content, is_generic, stem
from consilience.fusion.vocabulary import CURRENCIES, LABELS, MONTHS, UNITS, WEEKDAYS
from consilience.observations import Observation

__all__ = ["Named", "named", "reprinted"]

_WORD = re.compile(rf"(?:{LETTER})+|\d+")
_ORDINARY = frozenset({*WEEKDAYS, *MONTHS, *UNITS, *CURRENCIES, *LABELS})
_SHORTEST = 4
"""Letters of a single word that counts as a name."""
_COMMON = 100
"""Times that a word may be said and still be a name."""
_REPRINTED = 3
"""Words of a line that must stand in a text in the same order."""


@dataclass(frozen=True)
class Named:
    """Words, and the observations that have them."""

    name: str
    members: tuple[Observation, ...]

    @property
    def score(self) -> float:
        """Geometric mean of the confidences that there are; 1 where there are none."""
        known = [o.confidence.value for o in self.members if o.confidence]
        return math.prod(known) ** (1 / len(known)) if known else 1.0


def named(observations: Iterable[Observation]) -> list[Named]:
    """Names that are read on a picture and said: two or more telling words in a row, or one that is written as a name.

    A name of one word is telling where speech writes it with a capital inside of a sentence, or the sign has it alone.
    """
    given = list(observations)
    heard: dict[str, list[tuple[Observation, list[str], int]]] = defaultdict(list)
    for observation in given:
        if observation.kind == "transcript":
            words = _WORD.findall(observation.text)
            for position, word in enumerate(words):
                heard[folded(word)].append((observation, words, position))
    members: dict[str, dict[str, Observation]] = defaultdict(dict)
    names: dict[str, str] = {}
    for sign in (o for o in given if o.kind == "text"):
        for name, speech in _names_on(sign, heard):
            key = folded(name)
            names.setdefault(key, name)
            members[key] |= {sign.id: sign, speech.id: speech}
    return [Named(names[key], tuple(members[key].values())) for key in _outermost(members)]


def _names_on(
    sign: Observation, heard: dict[str, list[tuple[Observation, list[str], int]]]
) -> Iterator[tuple[str, Observation]]:
    read = _WORD.findall(sign.text)
    for start, word in enumerate(read):
        places = heard.get(folded(word), ())
        if not _is_of_a_name(word) or len(places) > _COMMON:
            continue
        for speech, said, position in places:
            length = _common(read[start:], said[position:])
            words = read[start : start + length]
            telling = [w for w in words if _tells(w)]
            capital = said[position][:1].isupper() and position > 0
            if len(telling) >= 2 or (len(telling) == 1 and (capital or len(read) == 1)):
                yield " ".join(_trimmed(words)), speech


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    length = 0
    while length < min(len(one), len(other)) and folded(one[length]) == folded(other[length]):
        length += 1
    return length


def _is_of_a_name(word: str) -> bool:
    plain = folded(word)
    return plain[0].isalpha() and plain not in _ORDINARY and is_content(plain)


def _tells(word: str) -> bool:
    return len(word) >= _SHORTEST and _is_of_a_name(word) and not is_generic(stem(folded(word)))


def _trimmed(words: Sequence[str]) -> Sequence[str]:
    """Without what is of no name at either end."""
    places = [i for i, word in enumerate(words) if _is_of_a_name(word)]
    return words[places[0] : places[-1] + 1]


def _outermost(members: Mapping[str, Mapping[str, Observation]]) -> Iterator[str]:
    """Names that are no part of a longer one of all the same observations."""
    longer: dict[str, list[str]] = defaultdict(list)
    for name in members:
        for word in set(name.split()):
            longer[word].append(name)
    for name, own in members.items():
        around = longer[name.split()[0]]
        if not any(
            len(other) > len(name) and f" {name} " in f" {other} " and own.keys() <= members[other].keys()
            for other in around
        ):
            yield name


def reprinted(observations: Iterable[Observation]) -> list[Named]:
    """Lines of three words or more that are read on a picture and stand in a text, word by word."""
    given = list(observations)
    texts = [(o, f" {_plain(o.text)} ") for o in given if o.kind == "passage"]
    found: list[Named] = []
    for sign in (o for o in given if o.kind == "text"):
        words = _plain(sign.text)
        if len(words.split()) < _REPRINTED:
            continue
        there = [o for o, text in texts if f" {words} " in text and o.provenance.media != sign.provenance.media]
        if there:
            found.append(Named(sign.text, (sign, *there)))
    return found


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(folded(text)))
