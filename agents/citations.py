"""Checking claims against the record: the observation must exist, and must contain the quoted words."""

from __future__ import annotations

from consilience.agents.turn import Citation, Claim, Turn

from consilience.core.words import words
from consilience.observations import Record

__all__ = ["check_citation", "check_claim", "check_turn", "normalise"]


def normalise(text: str) -> str:
    """Words of `text`, case and punctuation dropped, single spaces between: what quotes are matched on."""
    return " ".join(words(text))


def check_citation(citation: Citation, record: Record) -> Citation:
    """The citation with its observation's id, and with its fault where it does not hold."""
    if citation.label not in record:
        return citation.model_copy(update={"fault": f"there is no observation {citation.label}"})
    observation = record[citation.label]
    quote = normalise(citation.quote)
    fault = None
    if not quote:
        fault = "it quotes no words"
    elif f" {quote} " not in f" {normalise(observation.text)} ":
        fault = f"{citation.label} does not say {citation.quote!r}"
    return citation.model_copy(update={"observation": observation.id, "fault": fault})


def check_claim(claim: Claim, record: Record) -> Claim:
    """The claim with every citation checked."""
    return claim.model_copy(update={"citations": tuple(check_citation(c, record) for c in claim.citations)})


def check_turn(turn: Turn, record: Record) -> Turn:
    """The turn with every claim checked."""
    return turn.model_copy(update={"claims": tuple(check_claim(claim, record) for claim in turn.claims)})
