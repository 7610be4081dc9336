"""What seats and judge read: the evidence, and what has been said, as one growing text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consilience.agents.requests import Offer
from consilience.agents.turn import Turn

from consilience.observations import Rendering, between_quotes, quoted

__all__ = ["Brief", "debate_brief", "opening_brief"]


@dataclass(frozen=True)
class Brief:
    """What a seat is given in an exchange."""

    question: str
    evidence: Rendering
    """What has been cited, and looked up."""
    turns: Sequence[Turn]
    """Those that it hears, its own among them."""
    rivals: Sequence[str] = ()
    """Letters of the peers whose positions diverge from its own; only they can be disputed."""
    round: int = 1
    """Of the exchange, from 1."""
    against: bool = False
    """It is told not to yield to numbers."""
    options: Sequence[str] = ()
    """Answers to choose from; none: any."""
    offers: Sequence[Offer] = ()
    """What it may have read again."""
    asked: str = ""
    """What the judge asks it; empty: nothing."""


def opening_brief(evidence: Rendering) -> str:
    """The evidence of one seat, nothing of its peers."""
    return f"Evidence:\n{evidence.text or '(none)'}"


def debate_brief(evidence: Rendering, turns: Sequence[Turn]) -> str:
    """The cited evidence, and every turn so far; with more turns, the earlier text is its beginning.

    The question is not here: it comes behind all that is read, with the instruction. A small model that reads it first
    has lost sight of it by the time it answers.
    """
    parts = [opening_brief(evidence)]
    told: set[tuple[str, str]] = set()
    for turn in turns:
        if turn.round != 0 and "\nExchange:" not in parts:
            parts.append("\nExchange:")
        elif turn.round == 0 and "\nStatements:" not in parts:
            parts.append("\nStatements:")
        parts.append(_told(turn, told))
    return "\n".join(parts)


def _told(turn: Turn, told: set[tuple[str, str]]) -> str:
    """`Seat A: on platform 4 (fully stated; [i1] "Platform 4")`; words that an earlier turn has `told`: `[i1]`.

    What a seat says may be what a medium told it to say: it is one line, and imitates no other.
    """
    cited: list[str] = []
    for citation in (c for claim in turn.claims if claim.holds for c in claim.citations):
        known = (citation.label, citation.quote) in told
        words = between_quotes(citation.quote)
        cited.append(f"[{citation.label}]" if known else f'[{citation.label}] "{words}"')
        told.add((citation.label, citation.quote))
    # Peers and judge have to know a voice that is not its own.
    part = [f'asked to {turn.stance.aim} "{between_quotes(turn.stance.position)}"'] if turn.stance else []
    grounds = "; ".join([f"{turn.position.stated} stated", *part, *cited])
    disputes = "".join(f" Disputes seat {dispute.seat}: {quoted(dispute.reason)}" for dispute in turn.disputes)
    asked = f', asked "{between_quotes(turn.asked)}"' if turn.asked else ""
    return f"Seat {turn.seat}{asked}: {quoted(turn.position.text)} ({grounds}){disputes}"
