"""In which order observations earn their place in a prompt, whatever its size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, pairwise

from consilience.core.words import folded, words
from consilience.observations.kinds import Conflict
from consilience.observations.observation import Observation
from consilience.observations.relevance import Relevance

__all__ = ["RUNNING", "Entry", "bearing", "ranked", "streams"]

RUNNING = frozenset({"transcript", "text", "passage"})
"""Kinds whose observations are lines of running text."""

# What carries a fact in words comes before what describes a surface; unnamed kinds stand between the two.
_TELLING: Mapping[str, int] = {
    "conflict": 0,
    "transcript": 1,
    "text": 1,
    "passage": 1,
    "row": 2,
    "description": 2,
    "object": 3,
    "table": 3,
    "unobserved": 5,
    "sound": 6,
    "properties": 7,
}
_UNNAMED = 4

# What describes a surface, or sums up what stands elsewhere: it is shown where it bears on the question.
_BACKGROUND = frozenset(
    {
        *("language", "sentiment", "prosody", "sound", "speaker"),
        *("properties", "object", "shot", "track"),
        *("column", "unobserved"),
    }
)
_BEARS = 0.6
"""Of the highest relevance, what a line of background has at least."""

# Of its neighbour's relevance, what a line of running text has at least; and a party of its conflict's.
_BESIDE, _PARTY = 0.6, 0.9

# After the most relevant of all and the best of each modality, one in five is there for coverage.
_RELEVANT_IN_A_ROW = 4

# Two spellings of one word, as text recognition makes them.
_SHORTEST_MISREAD, _MISREAD = 5, 0.75


@dataclass(frozen=True)
class Entry:
    """An observation with those that say the same of the same medium."""

    label: str
    """Of the most relevant of them."""
    repeats: tuple[str, ...] = ()
    """Labels of the others, in order."""


@dataclass(frozen=True)
class _Candidate:
    entry: Entry
    position: int
    modality: str
    merit: tuple[float, int, float, int]
    """Least first."""


def ranked(observations: Mapping[str, Observation], relevance: Sequence[float]) -> Iterator[Entry]:
    """All observations, by label in order, as entries in the order in which they earn their place.

    First the most relevant, then the best of each other modality; from there on four by merit (relevance, then kind,
    then confidence) and one for coverage take turns: the best of a stretch of a modality's observations that nothing
    has covered yet, the stretches getting shorter. What nearly repeats something before it comes last. The order does
    not depend on how much there is room for, so more room only adds to what is shown.
    """
    candidates = _candidates(observations, _reaching(observations, relevance))
    turns = _taking_turns(sorted(candidates, key=lambda c: c.merit), _covering(candidates))
    alike: dict[tuple[str, str, int, tuple[str, ...]], list[list[str]]] = {}
    late: list[Entry] = []
    for candidate in turns:
        observation = observations[candidate.entry.label]
        text = words(observation.text)
        numbers = tuple(word for word in text if not word.isalpha())
        among = alike.setdefault((observation.provenance.media, observation.kind, len(text), numbers), [])
        if text and any(_misread(text, other) for other in among):
            late.append(candidate.entry)
            continue
        among.append(text)
        yield candidate.entry
    yield from late


def bearing(observations: Mapping[str, Observation], relevance: Relevance) -> tuple[str, ...]:
    """Labels of what a question needs, in order: all but the background that does not bear on it.

    Background describes a surface ("640 x 360 pixels, mostly black") or sums up what stands elsewhere; a small model
    takes it for an answer. It stays where its relevance comes near the highest, and where a medium has nothing else.
    Kinds of plug-ins are no background. Where there is none, `relevance` is not asked.
    """
    background = {label for label, observation in observations.items() if observation.kind in _BACKGROUND}
    if not background:
        return tuple(observations)
    told = {o.provenance.media for label, o in observations.items() if label not in background}
    scores = dict(zip(observations, relevance(list(observations.values())), strict=True))
    enough = _BEARS * max(scores.values())
    return tuple(
        label
        for label, observation in observations.items()
        if label not in background or observation.provenance.media not in told or scores[label] >= enough > 0
    )


def streams(observations: Mapping[str, Observation]) -> list[list[str]]:
    """Labels of running text, medium by medium and kind by kind, in order."""
    found: dict[tuple[str, str], list[str]] = {}
    for label, observation in observations.items():
        if observation.kind in RUNNING:
            found.setdefault((observation.provenance.media, observation.kind), []).append(label)
    return list(found.values())


def _reaching(observations: Mapping[str, Observation], relevance: Sequence[float]) -> dict[str, float]:
    """Relevance by label, which reaches over to the neighbours in running text and to the parties of a conflict.

    A sentence runs on over lines: "We have to move your appointment." - "Please come at eleven instead."
    """
    own = dict(zip(observations, relevance, strict=True))
    reached = dict(own)
    for stream in streams(observations):
        for one, other in pairwise(stream):
            reached[one] = max(reached[one], _BESIDE * own[other])
            reached[other] = max(reached[other], _BESIDE * own[one])
    labels = {observation.id: label for label, observation in observations.items()}
    for label, observation in observations.items():
        if observation.kind == "conflict":
            conflict = observation.as_(Conflict)
            for party in (labels.get(conflict.first), labels.get(conflict.second)):
                if party:
                    reached[party] = max(reached[party], _PARTY * own[label])
    return reached


def _candidates(observations: Mapping[str, Observation], relevance: Mapping[str, float]) -> list[_Candidate]:
    """One for each thing said of a medium, in the order of the first time it is said."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for label, observation in observations.items():
        said = observation.provenance.media, observation.kind, folded(observation.text)
        alike.setdefault(said, []).append(label)
    position = {label: i for i, label in enumerate(observations)}
    found = []
    for labels in alike.values():
        best = max(labels, key=lambda label: relevance[label])
        observation = observations[best]
        sure = observation.confidence.value if observation.confidence else 0.5
        merit = (-round(relevance[best], 2), _TELLING.get(observation.kind, _UNNAMED), -sure, position[best])
        entry = Entry(best, tuple(label for label in labels if label != best))
        found.append(_Candidate(entry, position[best], observation.provenance.modality, merit))
    return sorted(found, key=lambda c: c.position)


def _covering(candidates: Sequence[_Candidate]) -> Iterator[_Candidate]:
    """The best of each modality, then by turns the best of the halves, quarters, ... of what each has, in order."""
    modalities: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        modalities.setdefault(candidate.modality, []).append(candidate)
    waiting = deque(_halving(members) for members in modalities.values())
    while waiting:
        stretches = waiting.popleft()
        best = next(stretches, None)
        if best:
            yield best
            waiting.append(stretches)


def _halving(members: Sequence[_Candidate]) -> Iterator[_Candidate]:
    covered: set[int] = set()
    stretches = [(0, len(members))]
    while stretches:
        for start, end in stretches:
            if covered.isdisjoint(range(start, end)):
                best = min(range(start, end), key=lambda i: members[i].merit)
                covered.add(best)
                yield members[best]
        halves = ((start, (start + end) // 2, end) for start, end in stretches if end - start > 1)
        stretches = [half for start, middle, end in halves for half in ((start, middle), (middle, end))]


def _taking_turns(merited: Sequence[_Candidate], covering: Iterator[_Candidate]) -> Iterator[_Candidate]:
    """Each candidate once."""
    modalities = len({candidate.modality for candidate in merited})
    by_merit = iter(merited)
    seen: set[str] = set()

    def new(source: Iterator[_Candidate], most: int) -> Iterator[_Candidate]:
        while most:
            candidate = next(source, None)
            if candidate is None:
                return
            if candidate.entry.label not in seen:
                seen.add(candidate.entry.label)
                most -= 1
                yield candidate

    yield from chain(new(by_merit, 1), new(covering, modalities - 1))
    while len(seen) < len(merited):
        yield from chain(new(by_merit, _RELEVANT_IN_A_ROW), new(covering, 1))


def _misread(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two texts of as many words differ in misread letters only."""
    return all(
        a == b
        or (
            min(len(a), len(b)) >= _SHORTEST_MISREAD
            and abs(len(a) - len(b)) <= 1
            and SequenceMatcher(None, a, b, autojunk=False).ratio() >= _MISREAD
        )
        for a, b in zip(one, other, strict=True)
    )
