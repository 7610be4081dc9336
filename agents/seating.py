"""Routing: which experts sit down for this question and record, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from consilience.agents.expert import Expert, generalists
from consilience.agents.specialists import BODILY_KINDS, PLAIN_QUESTIONS
from consilience.agents.verdict import PassedOver
from consilience.agents.view import View

from consilience.observations import Record, Relevance

__all__ = ["Likeness", "Routing", "Seating", "joining", "route"]

Likeness: TypeAlias = Callable[[str, Sequence[str]], Sequence[float]]
"""Gives, for a question, how like it each of these questions is, on any scale that orders. It may block."""


@dataclass(frozen=True)
class Routing:
    """By what experts are passed over."""

    most: int = 8
    """Seats, 1 to 26; of more experts those stay whose lines bear on the question most."""
    floor: float = 0.5
    """Who was found right less often than this is passed over, 0 to 1."""
    least: float = 0.1
    """Share of the record's highest relevance that somebody's best line has to have, 0 to 1."""
    enough: int = 4
    """Lines of which one has to bear on the question: of fewer, that none does is chance."""
    margin: float = 0.01
    """By how much a question has to be more like those that an expert is for than like plain ones."""
    biometrics: bool = True
    """Faces and bodies may be observed; where not, that is the reason that is told."""

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 26:
            raise ValueError(f"most must be 1 to 26, not {self.most}")
        if not (0 <= self.floor <= 1 and 0 <= self.least <= 1):
            raise ValueError(f"floor and least are shares, 0 to 1, not {self.floor} and {self.least}")


@dataclass(frozen=True)
class Seating:
    """Who sits down, in the order in which they were given, and who does not."""

    seated: tuple[Expert, ...]
    passed_over: tuple[PassedOver, ...] = ()


def route(
    experts: Sequence[Expert],
    record: Record,
    question: str,
    *,
    relevance: Relevance | None = None,
    likeness: Likeness | None = None,
    track: Mapping[str, float] | None = None,
    rules: Routing = Routing(),
) -> Seating:
    """Seats those who can add something: who see something, were right often enough, and are asked for.

    Somebody always sits down: where none of them passes, the one with the best track record of those who see
    something; where none sees anything, an expert for the whole record; and where nothing was observed at all, the
    first one, who can say so. Raising somebody's track record never unseats it. Blocks where relevance and likeness do.

    Args:
        experts: with different names, at least one.
        record: what was observed.
        question: the user's.
        relevance: of observations to the question; None: nobody is passed over for what it sees.
        likeness: of the question to those that an expert `asks`; None: nobody is passed over for that.
        track: by name, how often an expert is right, 0 to 1, before its own `reliability`.
        rules: see `Routing`.

    Raises:
        ValueError: no expert.
    """
    if not experts:
        raise ValueError("there is nobody to be seated")
    seen = [expert.sees.observed(record) for expert in experts]
    if not any(seen):
        return _blind(experts, record, rules)
    right = [(track or {}).get(expert.name, expert.reliability) for expert in experts]
    bearing = _bearing(seen, record, relevance)
    reasons = [
        _nothing_seen(expert, rules)
        if not lines
        else _often_wrong(rate, rules) or _unasked(expert, question, likeness, rules) or _beside(best, lines, rules)
        for expert, lines, rate, best in zip(experts, seen, right, bearing, strict=True)
    ]
    if all(reasons):
        # Of several, the first.
        able = [i for i, lines in enumerate(seen) if lines]
        best = max(able, key=lambda i: (_known(right[i], rules), bearing[i] or 0.0, -i))
        reasons[best] = ""
    standing = sorted((i for i, reason in enumerate(reasons) if not reason), key=lambda i: (-(bearing[i] or 0.0), i))
    for i in standing[rules.most :]:
        reasons[i] = f"there are {rules.most} seats, and what others see bears more on the question"
    return _seating(experts, reasons)


def joining(experts: Sequence[Expert], record: Record, question: str, likeness: Likeness, rules: Routing) -> Seating:
    """Those of these experts that join others: whom the question asks for, and who sees something.

    Of the others, only who is asked for and sees nothing is told of. Blocks where `likeness` does.
    """
    asked = [expert for expert in experts if not _unasked(expert, question, likeness, rules)]
    return _seating(asked, ["" if e.sees.observed(record) else _nothing_seen(e, rules) for e in asked])


def _seating(experts: Sequence[Expert], reasons: Sequence[str]) -> Seating:
    told = list(zip(experts, reasons, strict=True))
    return Seating(
        tuple(expert for expert, reason in told if not reason),
        tuple(PassedOver(expert=expert.name, reason=reason) for expert, reason in told if reason),
    )


def _blind(experts: Sequence[Expert], record: Record, rules: Routing) -> Seating:
    """Where none of them sees anything."""
    reasons = [_nothing_seen(expert, rules) for expert in experts]
    if View().observed(record):
        return Seating(generalists(1), _seating(experts, reasons).passed_over)
    return _seating(experts, ["", *reasons[1:]])


def _nothing_seen(expert: Expert, rules: Routing) -> str:
    if not rules.biometrics and BODILY_KINDS.intersection(expert.sees.kinds):
        return (
            "nothing that it sees was observed: faces and bodies are only where CONSILIENCE_BIOMETRICS=true allows it"
        )
    return "nothing that it sees was observed"


def _often_wrong(rate: float | None, rules: Routing) -> str:
    if rate is None or rate >= rules.floor:
        return ""
    return f"it was right in {rate:.0%} of the cases in which that was measured, and {rules.floor:.0%} are needed"


def _known(rate: float | None, rules: Routing) -> float:
    """A track record, as good as needed where nobody has measured it."""
    return rules.floor if rate is None else rate


def _unasked(expert: Expert, question: str, likeness: Likeness | None, rules: Routing) -> str:
    if likeness is None or not expert.asks:
        return ""
    scores = likeness(question, (*expert.asks, *PLAIN_QUESTIONS))
    own, plain = max(scores[: len(expert.asks)]), max(scores[len(expert.asks) :])
    return "" if own - plain >= rules.margin else "the question does not ask for what it sees"


def _bearing(seen: Sequence[Sequence[str]], record: Record, relevance: Relevance | None) -> list[float | None]:
    """For each view, the relevance of its best line over the highest of all; None where nobody has compared them."""
    labels = list(record.select(labels={label for lines in seen for label in lines}))
    if relevance is None:
        return [None] * len(seen)
    scores = dict(zip(labels, relevance([record[label] for label in labels]), strict=True))
    highest = max(scores.values())
    if highest <= 0:
        return [None] * len(seen)
    return [max((scores[label] for label in lines), default=0.0) / highest for lines in seen]


def _beside(best: float | None, lines: Sequence[str], rules: Routing) -> str:
    if best is None or best >= rules.least or len(lines) < rules.enough:
        return ""
    return f"none of the {len(lines)} lines that it sees bears on the question"
