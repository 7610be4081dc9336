"""What sort of answer a question asks for, and what the judge is told of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from consilience.core.words import folded

__all__ = ["Task", "task_of"]


@dataclass(frozen=True)
class Task:
    """What sort of answer is asked for. Whichever it is, the question may turn out to be unanswerable."""

    kind: Literal["choose", "yes_no", "number", "open"] = "open"
    """One of the options; yes or no; a number with its unit; anything else."""
    options: tuple[str, ...] = ()


_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|old|far|often|tall|big|large|high|heavy|wide|deep|fast)|"
    r"wie ?(?:viele?n?|lange|alt|weit|oft|groß|hoch|schwer|breit|tief|schnell)|"
    r"combien|cuánt[oa]s?)\b"
)
_AUXILIARY = (
    r"(?:is|are|am|was|were|do|does|did|has|have|had|can|could|will|would|should|shall|may|might|must|"
    r"isn't|aren't|wasn't|weren't|don't|doesn't|didn't|hasn't|haven't|can't|won't|"
    r"ist|sind|war|waren|hat|haben|hatte|hatten|kann|können|wird|werden|darf|dürfen|muss|müssen|soll|sollen|gibt|"
    r"est[- ]ce|est|sont|était|a-t-(?:il|elle|on)|y a-t-il|peut-on|"
    r"es|está|están|son|hay|ha|han|puede|pueden|tiene|tienen)"
)
_YES_NO = re.compile(rf"(?:^|[,.;:]\s+)¿?\s*{_AUXILIARY}\b")
_INTERROGATIVE = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|wer|wen|wem|wessen|was|welche[rsnm]?|wann|wo|wohin|woher|"
    r"warum|wie|qui|quoi|quel(?:le)?s?|quand|où|pourquoi|comment|quién(?:es)?|qué|cuál(?:es)?|cuándo|dónde|por qué|"
    r"cómo)\b"
)
_CHOICE = re.compile(r"\b(?:or|oder|ou|o)\b")


def task_of(question: str, options: Sequence[str] = ()) -> Task:
    """What the question asks for, by its words, in English, German, French and Spanish; in doubt `open`.

    A question that asks for several things, or offers a choice in words ("is it red or blue?"), is open.
    """
    if options:
        return Task("choose", tuple(options))
    asked = folded(question).strip()
    if _NUMBER.search(asked) and len(_INTERROGATIVE.findall(asked)) <= 1:
        return Task("number")
    if _YES_NO.search(asked) and not _INTERROGATIVE.search(asked) and not _CHOICE.search(asked):
        return Task("yes_no")
    return Task()
