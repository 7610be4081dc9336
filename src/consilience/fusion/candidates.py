"""From free text to what can be voted on: positions grouped into candidates, and a position as one of given options.

Words decide, not meaning, and in doubt two positions stay apart and no option is chosen: a vote over wrongly joined
answers would look like agreement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from consilience.core.words import folded, words
from consilience.fusion.positions import content_words, holds, same

__all__ = ["Candidate", "candidates", "option_of"]

# A longer text that has one of them may say the contrary of the shorter one that it holds.
_TURNING = frozenset(
    "not no nor never neither none without cannot don doesn didn isn aren wasn weren won instead rather except but or "
    "either formerly previously earlier nicht kein keine keinen keiner nie niemals ohne weder statt sondern außer "
    "aber oder entweder früher zuvor bisher ne pas jamais sans aucun aucune ni lieu sauf mais ou soit avant nunca sin "
    "ningún ninguna vez salvo pero o antes".split()
)
_LETTER = re.compile(r"(?:(?:option|answer|choice|antwort|réponse|opción)\s*:?\s*)?\(?([a-z])\)?[.):]?")
_LETTERED = re.compile(r"(?:(?:option|answer|choice|antwort|réponse|opción)\s+)?(?:\(([a-z])\)|([a-z])[.):])\s+(\S.*)")
_CLAUSE = re.compile(r"[,;:.!?]\s|\s[-\u2013\u2014]\s")


@dataclass(frozen=True)
class Candidate:
    """Positions that are taken for one answer."""

    text: str
    """The fullest of them; of the same words, the shortest text."""
    members: tuple[int, ...]
    """Their indices, in order."""


def candidates(positions: Sequence[str]) -> tuple[Candidate, ...]:
    """Positions grouped into candidates, in order of their first members; those without content words are left out.

    Positions of the same words are one candidate. A shorter one joins the fullest position that holds it ("platform
    nine" joins "platform 9, at the back"), where it is clear which: there is only one such, it has no other numbers,
    no negation, alternative or contrast that the shorter has not, and all that it holds hold one another in turn. Else
    the shorter one stands by itself. Being in one group is transitive, and does not depend on the order of positions.
    """
    classes: list[list[int]] = []
    for index, position in enumerate(positions):
        if not content_words(position):
            continue
        for group in classes:
            if same(positions[group[0]], position):
                group.append(index)
                break
        else:
            classes.append([index])
    texts = [min((positions[i] for i in group), key=lambda text: (len(text), text)) for group in classes]
    homes = _homes(texts)
    found = [
        Candidate(
            texts[home], tuple(sorted(i for one, group in enumerate(classes) if homes[one] == home for i in group))
        )
        for home in sorted(set(homes))
    ]
    return tuple(sorted(found, key=lambda candidate: candidate.members))


def _homes(texts: Sequence[str]) -> list[int]:
    """For each text the index of the one that it joins: its own where it joins none."""
    above = [[j for j in range(len(texts)) if j != i and _completes(texts[j], texts[i])] for i in range(len(texts))]
    fullest = [[j for j in over if not above[j]] for over in above]
    homes = [over[0] if len(over) == 1 else i for i, over in enumerate(fullest)]
    return [home if home == i or _is_chain(home, homes, above) else i for i, home in enumerate(homes)]


def _is_chain(home: int, homes: Sequence[int], above: Sequence[Sequence[int]]) -> bool:
    """Of any two that join it, one completes the other."""
    joining = [i for i, joined in enumerate(homes) if joined == home]
    return all(i in above[j] or j in above[i] for i in joining for j in joining if i < j)


def _completes(whole: str, part: str) -> bool:
    """`whole` says what `part` says and more, and does not turn it round."""
    numbers = _numbers(part)
    return holds(whole, part) and _turning(whole) <= _turning(part) and (not numbers or _numbers(whole) == numbers)


def _turning(text: str) -> frozenset[str]:
    return _TURNING.intersection(words(text))


def _numbers(text: str) -> frozenset[str]:
    return frozenset(word for word in content_words(text) if word[-1].isdigit())


def option_of(position: str, options: Sequence[str]) -> str | None:
    """The option that a position chooses; None where it is none of them, or not clear which.

    In this order: the option itself; an option of the same words; a letter ("B", "(b)", "Option B", and "B: platform 9"
    unless its words choose another one), A being the first; the only option in what it says, without a negation or an
    alternative that the option has not ("the train leaves from platform 9"); its first clause, where no other option
    stands in the rest ("No, it is not"); the only option that says what it says and more ("nine").
    """
    if position in options:
        return position
    whole = " ".join(folded(position).split())
    alike = [option for option in options if same(option, position) and content_words(option)]
    if alike:
        return alike[0] if len(alike) == 1 else None
    if found := _LETTER.fullmatch(whole):
        return _lettered(found[1], options)
    if found := _LETTERED.fullmatch(whole):
        by_letter, by_words = _lettered(found[1] or found[2], options), _in_words(found[3], options)
        return by_letter if by_words in (None, by_letter) else None
    return _in_words(position, options)


def _lettered(letter: str, options: Sequence[str]) -> str | None:
    index = ord(letter) - ord("a")
    return options[index] if index < len(options) else None


def _in_words(position: str, options: Sequence[str]) -> str | None:
    said = [option for option in options if holds(position, option)]
    fullest = [option for option in said if all(holds(option, other) for other in said)]
    if said and len(fullest) != 1:
        return None
    if fullest and _turning(position) <= _turning(fullest[0]):
        return fullest[0]
    clause = _CLAUSE.split(position, maxsplit=1)[0]
    opening = [option for option in options if same(option, clause) and content_words(option)]
    if opening and opening == fullest:
        return opening[0]
    fuller = [option for option in options if _holds_as_it_is(option, position)]
    return fuller[0] if not said and len(fuller) == 1 else None


def _holds_as_it_is(option: str, position: str) -> bool:
    return holds(option, position) and _turning(option) <= _turning(position)
