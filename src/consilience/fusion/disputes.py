"""Statements of different media that give different values to the same thing.

Whether two statements are about the same thing is told by the words around their values, not by their meaning: what is
told in other words, or in words of another language, is missed. It leans to missing a dispute, since each costs tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from consilience.fusion.fact import NUMBER, OF, Fact
from consilience.fusion.statements import Statement
from consilience.fusion.terms import is_generic

__all__ = ["SAME_THING", "Dispute", "disputes", "likeness"]

SAME_THING = 0.9
"""Likeness from which on two statements are taken to be about the same thing: one telling word in common."""

_COMMON = 30
_LABEL, _ANNOUNCED, _KEY = 0.4, 0.4, 0.8
_APART, _CONTRADICTION = 0.25, 0.75


@dataclass(frozen=True)
class Dispute:
    """Two statements about one thing, of different value, and how alike what they are about is."""

    first: Statement
    second: Statement
    likeness: float


def disputes(stated: Sequence[Statement]) -> list[Dispute]:
    """Pairs in which each is what the other medium has that is most like it, and no equal value is as like.

    The likeliest first; two values are told once for two media, and two clauses dispute each other once.
    """
    best: dict[tuple[int, tuple[str, str]], tuple[float, bool, int]] = {}
    for i, j in _candidates(stated):
        alike = likeness(stated[i], stated[j])
        if alike < SAME_THING:
            continue
        agrees = stated[i].fact.agrees(stated[j].fact)
        # Of equals, the agreeing one: what is confirmed somewhere is not disputed.
        for here, there in ((i, j), (j, i)):
            key = (here, stated[there].stream)
            best[key] = max(best.get(key, (0.0, False, -1)), (alike, agrees, there))
    found: list[Dispute] = []
    for (here, _), (alike, agrees, there) in sorted(best.items()):
        mutual = best[there, stated[here].stream][2] == here
        if mutual and not agrees and here < there:
            found.append(Dispute(stated[here], stated[there], alike))
    return list(_once(sorted(found, key=lambda dispute: -dispute.likeness)))


def _once(found: Iterable[Dispute]) -> Iterator[Dispute]:
    """Each pair of values of two media once, and each pair of clauses."""
    told: set[object] = set()
    for dispute in found:
        one, other = dispute.first, dispute.second
        values = (one.stream, other.stream, one.fact.dimension, one.fact.values, other.fact.values)
        clauses = (one.observation.id, one.told, other.observation.id, other.told)
        if not {values, clauses} & told:
            told |= {values, clauses}
            yield dispute


def likeness(one: Statement, other: Statement) -> float:
    """How surely two statements are about the same thing; 0 when their values cannot be compared.

    Each telling word that both have counts 1 (less where it is generic, common in its medium, or only nearby), each
    day, date or long number that both have 0.8, the name of what is numbered (platform, room) 0.4, and that one of
    them announces something new 0.4. Words of a subject that only one has, on both sides, count against it a
    quarter each, up to two, and different days or dates 0.75.
    """
    if one.fact.negated or other.fact.negated or not _comparable(one, other):
        return 0.0
    words = (one.subject.keys() & other.subject.keys()) - _named_by(one.fact, other.fact)
    keys = one.beside & other.beside
    if not words and not keys and _subject(one) and _subject(other):
        return 0.0
    alike = sum(min(one.subject[word], other.subject[word]) for word in words)
    alike += _KEY * len({value for _, value in keys}) * (1.0 if words else 0.5)
    alike += _LABEL if one.fact.dimension.startswith("label:") else 0.0
    alike += _ANNOUNCED if one.announces or other.announces else 0.0
    apart = min(sum(_rest(one, other)), sum(_rest(other, one)), 2.0)
    return max(alike - _APART * apart - _CONTRADICTION * _contradictions(one, other), 0.0)


def _comparable(one: Statement, other: Statement) -> bool:
    if one.fact.dimension == other.fact.dimension != NUMBER:
        return True
    return _counts(one.fact, other) or _counts(other.fact, one)


def _counts(fact: Fact, bare: Statement) -> bool:
    """A bare number is of the same sort where its words name what the other one counts."""
    return bare.fact.dimension == NUMBER and fact.dimension.startswith(OF) and fact.dimension[len(OF) :] in bare.subject


def _named_by(one: Fact, other: Fact) -> set[str]:
    """What the numbers count is the sort of number, and no sign that they are about the same thing."""
    return {fact.dimension.removeprefix(OF) for fact in (one, other) if fact.dimension.startswith(OF)}


def _subject(statement: Statement) -> bool:
    return any(not is_generic(word) for word in statement.subject)


def _rest(one: Statement, other: Statement) -> Iterator[float]:
    """Weights of the subject's words that only `one` has."""
    return (weight for word, weight in one.subject.items() if word not in other.subject)


def _contradictions(one: Statement, other: Statement) -> int:
    """Dimensions that both tell things apart by, with no value in common: another day, another thing."""
    ours, theirs = _by_dimension(one.beside), _by_dimension(other.beside)
    told = (ours.keys() & theirs.keys()) - {"figures"}
    return sum(not ours[dimension] & theirs[dimension] for dimension in told)


def _by_dimension(keys: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for dimension, value in keys:
        found[dimension].add(value)
    return found


def _candidates(stated: Sequence[Statement]) -> Iterator[tuple[int, int]]:
    """Pairs of different streams worth comparing: values of one sort with a word, a day or a long number in common.

    A word that a stream has in more than thirty statements of a sort brings no pair together by itself: it says next to
    nothing about which of them is meant, and thousands of pages have to be compared in seconds.
    """
    index: dict[tuple[str, object], dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, statement in enumerate(stated):
        for key in _index_keys(statement):
            index[key][statement.stream].append(number)
    seen: set[tuple[int, int]] = set()
    for streams in index.values():
        rare = [members for members in streams.values() if len(members) <= _COMMON]
        for one, other in combinations(rare, 2):
            for pair in product(one, other):
                if pair not in seen:
                    seen.add(pair)
                    yield pair


def _index_keys(statement: Statement) -> Iterator[tuple[str, object]]:
    dimension = statement.fact.dimension
    if dimension == NUMBER:
        # It may be of whatever its words name.
        yield from ((f"{OF}{word}", word) for word in statement.subject)
        return
    yield from ((dimension, word) for word in statement.subject)
    yield from ((dimension, key) for key in statement.beside)
    if dimension.startswith(OF):
        yield dimension, dimension.removeprefix(OF)
    elif dimension.startswith("label:"):
        yield dimension, None
