"""Checking claims against the record: the observation must exist, and must contain the quoted words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from consilience.agents.requests import placed
from consilience.agents.turn import Citation, Claim, Turn

from consilience.core.words import words
from consilience.observations import RUNNING, Observation, Record, heading_of

__all__ = ["check_citation", "check_claim", "check_turn", "normalise"]


_UNMISTAKABLE = 4
"""Words from which on a quote tells its line among all media: "platform 4" may stand in two by chance."""


def normalise(text: str) -> str:
    """Words of `text`, case and punctuation dropped, single spaces between: what quotes are matched on."""
    return " ".join(words(text))


def check_citation(citation: Citation, record: Record, seen: Collection[str] | None = None) -> Citation:
    """The citation with its observation's id, and with its fault where it does not hold.

    The quote may begin with how the prompt told of the line ("row, row 3: day: Thursday"). Words that stand in exactly
    one other line of the medium, or if they are four or more of the record, are taken as a slip of the label: the
    citation is moved to that line, and says so; to another medium only where its line is among the labels `seen` by who
    cites (None: all), for nobody quotes what it was not shown.
    """
    if citation.label not in record:
        return citation.model_copy(update={"observation": None, "fault": f"there is no observation {citation.label}"})
    quote = normalise(citation.quote)
    if not quote:
        return _faulty(citation, record, "it quotes no words")
    if _says(record[citation.label], quote):
        return _held(citation, record, citation.label)
    meant = _meant(citation.label, quote, record, seen)
    if meant is not None:
        return _held(citation, record, meant)
    return _faulty(citation, record, f"{citation.label} does not say {citation.quote!r}")


def _held(citation: Citation, record: Record, label: str) -> Citation:
    moved = {"label": label, "given_label": citation.label} if label != citation.label else {}
    return citation.model_copy(update={"observation": record[label].id, "fault": None, **moved})


def _faulty(citation: Citation, record: Record, fault: str) -> Citation:
    return citation.model_copy(update={"observation": record[citation.label].id, "fault": fault})


def _meant(label: str, quote: str, record: Record, seen: Collection[str] | None) -> str | None:
    """The only other line of the medium, or else of the record, that says these words; None where there is no one."""
    saying = [other for other, line in record if other != label and _says(line, quote)]
    medium = record[label].provenance.media
    beside = [other for other in saying if record[other].provenance.media == medium]
    if beside or len(quote.split()) < _UNMISTAKABLE:
        return _only(beside, record)
    meant = _only(saying, record)
    return meant if seen is None or meant in seen else None


def _only(labels: Sequence[str], record: Record) -> str | None:
    # Kinds that repeat the words of running text do not make its line ambiguous.
    running = [label for label in labels if record[label].kind in RUNNING]
    found = labels if len(labels) == 1 else running
    return found[0] if len(found) == 1 else None


def _says(observation: Observation, quote: str) -> bool:
    """The words stand in it one after the other, those that the prompt puts before it set aside."""
    said = normalise(observation.text)
    return f" {quote} " in f" {said} " or f" {_without_heading(observation, quote)} " in f" {said} "


def _without_heading(observation: Observation, quote: str) -> str:
    """The quote behind the words of the line's heading (kind and place) that it begins with; never all of it."""
    heading, quoted = normalise(heading_of(observation)).split(), quote.split()
    length = next(
        (n for n in range(min(len(heading), len(quoted) - 1), 0, -1) if quoted[:n] == heading[len(heading) - n :]), 0
    )
    return " ".join(quoted[length:])


def check_claim(claim: Claim, record: Record, seen: Collection[str] | None = None) -> Claim:
    """The claim with every citation checked."""
    return claim.model_copy(update={"citations": tuple(check_citation(c, record, seen) for c in claim.citations)})


def check_turn(turn: Turn, record: Record, seen: Collection[str] | None = None) -> Turn:
    """The turn with every claim checked, and every place that it wants to be looked at found; `seen`: its own view."""
    claims = tuple(check_claim(claim, record, seen) for claim in turn.claims)
    requests = tuple(placed(request, record) for request in turn.look_again)
    return turn.model_copy(update={"claims": claims, "look_again": requests})
