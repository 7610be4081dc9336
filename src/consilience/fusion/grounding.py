"""Whether the values that a claim tells stand in the evidence that it cites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consilience.fusion.fact import RANGE, Fact, Quantity
from consilience.fusion.numerals import language_of
from consilience.fusion.positions import content_words
from consilience.fusion.reading import Line, read

__all__ = ["unstated_values"]


def unstated_values(claim: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The numbers, times, dates, days and amounts of `claim` that no piece of evidence states, as the claim words them.

    A value is stated in whatever form: "half past six" states 18:30, "twelve pounds" 12. What a claim denies ("not
    four") need not be stated. Words are not compared: whether the rest of the claim follows, this does not tell.
    """
    language = language_of([claim, *evidence])
    said, lines = read(claim, language), [read(text, language) for text in evidence]
    known = frozenset[Quantity]().union(*(_values(fact) for line in lines for fact in line.facts))
    figures = frozenset[str]().union(*(_figures(line.digits.text) for line in lines))
    return tuple(
        _worded(said, fact)
        for fact in said.facts
        if _is_value(fact) and not _values(fact) & known and not _stands_in(said, fact, figures)
    )


def _is_value(fact: Fact) -> bool:
    return not fact.negated and fact.dimension != RANGE and not fact.dimension.startswith("state:")


def _values(fact: Fact) -> frozenset[Quantity]:
    """Its alternatives; the number of a label ("platform 9") is a number like any other."""
    return frozenset(_as_number(value) for value in fact.values)


def _as_number(value: Quantity) -> Quantity:
    return float(value) if isinstance(value, str) and value.isdecimal() else value


def _figures(text: str) -> frozenset[str]:
    return frozenset(word for word in content_words(text) if any(letter.isdigit() for letter in word))


def _stands_in(line: Line, fact: Fact, figures: Iterable[str]) -> bool:
    """Its figures stand in the evidence as they are, whatever they were read as there."""
    own = _figures(line.digits.text[fact.start : fact.end])
    return bool(own) and own <= frozenset(figures)


def _worded(line: Line, fact: Fact) -> str:
    return line.digits.excerpt(fact.start, fact.end).strip(" ,;:.") or line.digits.text[fact.start : fact.end]
