"""Questions over media with known answers, and the grading of what is answered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from consilience.agents import Status
from consilience.core.words import folded, words
from consilience.fusion.numerals import digits
from consilience.fusion.times import times

__all__ = ["Grade", "Kind", "Question", "grade", "says"]

Kind = Literal["conflict", "joint", "lone", "unanswerable"]
"""Two sources exclude each other; it takes two to answer; one of them answers; none does."""

# Words that set a value aside when they stand shortly before it, in the same clause.
_SET_ASIDE = re.compile(
    r"\b(?:not|no longer|never|without|instead of|rather than|originally|formerly|previously|was|were)"
    r"(?:\s+\S+){0,4}\s*$"
)
_CLAUSE = re.compile(r"(?<=[.;!?])\s+")
# The whole answer is about what is not there, whatever the status says.
_NOT_SAID = re.compile(
    r"^\W*(?:(?:it|this|that|the \w+(?: \w+)?) (?:is|was|are) )?"
    r"(?:not (?:stated|given|mentioned|known|specified|provided|available|said)|unknown|unclear|no answer|"
    r"(?:cannot|can't|can not) be (?:determined|answered|said|known)|none)\b"
    r"|\b(?:does|do|did) not (?:state|say|mention|specify|give|provide|contain|include|tell|answer)\b"
    r"|\b(?:is|are|was|were) not (?:stated|mentioned|specified|provided|given|known)\b"
    r"|\bno (?:information|evidence|mention|indication)\b"
    r"|\b(?:cannot|can't|can not) be (?:determined|answered)\b"
)


class Question(BaseModel):
    """One question about a record of media, and what tells a right answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    record: str = Field(description="Questions of one record share its media.")
    split: Literal["dev", "test"]
    kind: Kind
    text: str
    options: tuple[str, ...] = Field((), description="None: an open question.")
    accepted: tuple[tuple[str, ...], ...] = Field(
        (), description="Parts that a right answer has, each with the wordings that count; `@14:30` is a time of day."
    )
    rejected: tuple[str, ...] = Field((), description="Wordings that a right answer has only to set them aside.")
    media: tuple[Path, ...]

    @model_validator(mode="after")
    def _is_sound(self) -> Question:
        if (self.kind == "unanswerable") is bool(self.accepted):
            raise ValueError(f"{self.id}: an unanswerable question has no accepted answer, every other one has")
        if not all(self.accepted):
            raise ValueError(f"{self.id}: a part of the answer has no accepted wording")
        if (
            self.options
            and self.accepted
            and not (len(self.accepted) == 1 and set(self.accepted[0]) <= {*self.options})
        ):
            raise ValueError(f"{self.id}: the accepted answer is none of the options")
        return self


class Grade(BaseModel):
    """What an answer is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    right: bool
    abstained: bool = Field(description="It says that the evidence does not answer.")
    withheld: bool = Field(False, description="It abstained, and its text would have been right.")


def grade(question: Question, answer: str, status: Status) -> Grade:
    """Grades a verdict's answer.

    An abstention (by status, or by what the text says) is right for unanswerable questions only, and nothing else is
    right for those. With options the answer has to be the right one, up to case and spaces; an open answer has to hold
    every accepted part, and a rejected wording only to set it aside. A failed run is never right.
    """
    if status == "failed":
        return Grade(right=False, abstained=False)
    abstained = status == "abstained" or _is_abstention(question, answer)
    if abstained or question.kind == "unanswerable":
        right = abstained and question.kind == "unanswerable"
        return Grade(right=right, abstained=abstained, withheld=abstained and not right and _is_right(question, answer))
    return Grade(right=_is_right(question, answer), abstained=False)


def says(text: str, wording: str) -> bool:
    """The words and numbers of `wording` stand in `text` one after the other; or, as `@14:30`, that time of day.

    Case, punctuation, number words, the decimal sign and zeros behind it make no difference.
    """
    return bool(_places(text, wording))


def _is_abstention(question: Question, answer: str) -> bool:
    return not answer.strip() or (answer not in question.options and bool(_NOT_SAID.search(folded(answer))))


def _is_right(question: Question, answer: str) -> bool:
    if question.options:
        right = {_plain(wording) for part in question.accepted for wording in part}
        return _plain(answer) in right
    return (
        bool(question.accepted)
        and all(any(says(answer, wording) for wording in part) for part in question.accepted)
        and not any(_asserted(answer, wording) for wording in question.rejected)
    )


def _asserted(answer: str, wording: str) -> bool:
    """It stands in the answer, and not only behind words that set it aside."""
    return not all(_SET_ASIDE.search(before) for before in _places(answer, wording))


def _places(text: str, wording: str) -> list[str]:
    """For each place where the wording stands in the text, what stands before it in its clause."""
    line = digits(" ".join(text.split()), "en").text
    if wording.startswith("@"):
        hour, _, minute = wording[1:].partition(":")
        wanted = float(60 * int(hour) + int(minute))
        found = [fact.start for fact in times(line) if fact.dimension == "time" and wanted in fact.values]
        return [_CLAUSE.split(line[:start])[-1] for start in found]
    clauses = [_tokens(clause) for clause in _CLAUSE.split(line)]
    there = [(token, i, at) for i, clause in enumerate(clauses) for at, token in enumerate(clause)]
    sought = _tokens(wording)
    return [
        " ".join(clauses[i][:at])
        for start, (_, i, at) in enumerate(there)
        if sought and [token for token, *_ in there[start : start + len(sought)]] == sought
    ]


def _tokens(text: str) -> list[str]:
    return [_number(word) for word in words(digits(text, "en").text)]


def _number(word: str) -> str:
    """4.50, 4,50 and 4.5 are one token; other words, times and dates stay."""
    if not re.fullmatch(r"-?\d+[.,]\d{1,2}", word):
        return word
    whole, _, part = word.replace(",", ".").partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _plain(text: str) -> str:
    return " ".join(folded(text).split())
