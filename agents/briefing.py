"""What seats and judge read: the question, the evidence, and what has been said, as one growing text."""

from __future__ import annotations

from collections.abc import Sequence

from consilience.agents.turn import Turn

from consilience.observations import Rendering

__all__ = ["debate_brief", "opening_brief"]


def opening_brief(question: str, evidence: Rendering) -> str:
    """The question and the evidence of one seat, nothing of its peers."""
    return f"Question: {question}\n\nEvidence:\n{evidence.text or '(none)'}"


def debate_brief(question: str, evidence: Rendering, turns: Sequence[Turn]) -> str:
    """The question, the cited evidence, and every turn so far; with more turns, the earlier text is its beginning."""
    parts = [opening_brief(question, evidence)]
    for turn in turns:
        if turn.round != 0 and "\nExchange:" not in parts:
            parts.append("\nExchange:")
        elif turn.round == 0 and "\nStatements:" not in parts:
            parts.append("\nStatements:")
        parts.append(_told(turn))
    return "\n".join(parts)


def _told(turn: Turn) -> str:
    """`Seat A: on platform 4 (fully stated; [i1] "Platform 4")`."""
    cited = [f'[{c.label}] "{c.quote}"' for claim in turn.claims if claim.holds for c in claim.citations]
    grounds = "; ".join([f"{turn.position.stated} stated", *cited])
    disputes = "".join(f" Disputes seat {dispute.seat}: {dispute.reason}" for dispute in turn.disputes)
    return f"Seat {turn.seat}: {turn.position.text} ({grounds}){disputes}"
