"""What the media of a record state: each fact with the words that tell what it is about."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from consilience.core.words import folded
from consilience.fusion.fact import OF, RANGE, Fact
from consilience.fusion.numerals import language_of
from consilience.fusion.reading import Line, read
from consilience.fusion.terms import is_generic, terms
from consilience.fusion.vocabulary import CHANGES, LANGUAGES
from consilience.observations import Observation
from consilience.observations.locator import one_line

__all__ = ["STATING", "Statement", "is_said", "statements"]

STATING = frozenset({"transcript", "text", "passage", "row", "cell", "description"})
"""Kinds of observation that state something in words."""

_TABULAR = frozenset({"row", "cell"})
_NEARBY = 0.6
"""What a word counts that stands only in the lines before."""
_GENERIC = 0.3
"""What a word counts that names a sort of thing."""
_REACH = 3
"""Lines back in which a bare fact's subject is sought."""
_IDENTIFYING = 3
"""Digits from which on a number tells things apart, wherever it stands: 1042, and not 6."""

_SENTENCE = re.compile(
    r"(?<!\d)(?<!\b[Dd]r)(?<!\b[Mm]r)(?<!\bMrs)(?<!\bNr)(?<!\bNo)(?<!\bSt)[.!?…;]+\s+|(?<=\d)[.!?;]\s+(?=[A-ZÄÖÜÉ¿¡])|"
    r",\s+(?=(?:because|but|while|whereas|weil|aber|während|mais|parce que|tandis|pero|porque|mientras)\b)"
)
_CHANGE = re.compile(rf"\b(?:{'|'.join(sorted(CHANGES))})\b")


@dataclass(frozen=True)
class Statement:
    """A fact as an observation tells it."""

    observation: Observation
    fact: Fact
    told: str
    """The clause it stands in, as written."""
    subject: Mapping[str, float] = field(default_factory=dict)
    """Stems of the words that tell what it is about, with how much each counts (up to 1)."""
    beside: frozenset[tuple[str, str]] = frozenset()
    """The other facts told with it that tell things apart, as (dimension, value)."""
    announces: bool = False
    """It is told as something new."""

    @property
    def stream(self) -> tuple[str, str]:
        """What may not dispute itself: one medium, read as one modality."""
        return self.observation.provenance.media, self.observation.provenance.modality


def is_said(observation: Observation) -> bool:
    """It was heard, or a subtitle writes down what is heard."""
    return observation.kind == "transcript"


def statements(observations: Iterable[Observation]) -> list[Statement]:
    """All facts that the observations state, in order, each with its subject.

    A word counts less the more clauses of its medium have it, once there are more than three.
    """
    found: list[Statement] = []
    telling = [o for o in observations if o.kind in STATING]
    streams: dict[tuple[str, str, str], list[Observation]] = {}
    for observation in telling:
        made = observation.provenance
        streams.setdefault((made.media, made.modality, observation.kind), []).append(observation)
    for members in streams.values():
        language = _language(members)
        clauses = [clause for observation in members for clause in _clauses(observation, language)]
        common = Counter(term for clause in clauses for term in clause.subject)
        for number, clause in enumerate(clauses):
            before = clauses[max(number - _REACH, 0) : number]
            found += _stated(clause, before, common)
    return found


@dataclass(frozen=True)
class _Clause:
    observation: Observation
    line: Line
    subject: frozenset[str]
    headings: frozenset[str]

    @property
    def announces(self) -> bool:
        return bool(_CHANGE.search(self.line.digits.text))


def _language(members: Sequence[Observation]) -> str:
    told = Counter(str(o.value.get("language", "")) for o in members)
    language = told.most_common(1)[0][0].split("-")[0]
    return language if language in LANGUAGES else language_of(o.text for o in members)


def _clauses(observation: Observation, language: str) -> Iterator[_Clause]:
    headings = observation.value.get("headings")
    above = frozenset(terms(folded(" ".join(map(str, headings))))) if isinstance(headings, list) else frozenset()
    # A passage's line begins with its headings, which are weighed apart.
    text = one_line(str(observation.value["text"])) if observation.kind == "passage" else observation.text
    for piece in [text] if observation.kind in _TABULAR else _SENTENCE.split(text):
        if piece and piece.strip():
            line = read(piece.strip(), language)
            yield _Clause(observation, line, frozenset(terms(line.about)), above)


def _stated(clause: _Clause, before: Sequence[_Clause], common: Counter[str]) -> Iterator[Statement]:
    for fact in clause.line.facts:
        if fact.dimension == RANGE:
            continue
        others = [other for other in clause.line.facts if other is not fact]
        own = {term: 1.0 for term in clause.subject | _counted(others)}
        beside, announces = frozenset(_keys(clause.line, others)), clause.announces
        subject = {term: _NEARBY for term in clause.headings} | own
        if not any(not is_generic(term) for term in own):
            near = list(_nearest(before))
            subject = {term: _NEARBY for clause_ in near for term in clause_.subject} | subject
            beside |= {key for clause_ in near for key in _keys(clause_.line, clause_.line.facts)}
            announces = announces or any(clause_.announces for clause_ in near)
        weighed = {term: weight * _weight(term, common[term]) for term, weight in subject.items()}
        told = clause.line.digits.source
        yield Statement(clause.observation, fact, told, weighed, beside, announces)


def _nearest(before: Sequence[_Clause]) -> Iterator[_Clause]:
    """The clauses before, the nearest first, until two words tell the subject."""
    known: set[str] = set()
    for clause in reversed(before):
        if len(known) >= 2:
            return
        known |= {term for term in clause.subject if not is_generic(term)}
        yield clause


def _counted(facts: Iterable[Fact]) -> frozenset[str]:
    return frozenset(fact.dimension.removeprefix(OF) for fact in facts if fact.dimension.startswith(OF))


def _keys(line: Line, facts: Iterable[Fact]) -> Iterator[tuple[str, str]]:
    """What tells things apart: days and dates by value, longer numbers by their digits."""
    for fact in facts:
        if fact.dimension in ("weekday", "date"):
            yield from ((fact.dimension, str(value)) for value in fact.values)
        else:
            figures = re.sub(r"\D", "", line.digits.text[fact.start : fact.end])
            if len(figures) >= _IDENTIFYING:
                yield "figures", figures


def _weight(term: str, clauses: int) -> float:
    return (_GENERIC if is_generic(term) else 1.0) * min(1.0, math.sqrt(3 / max(clauses, 1)))
