"""What seats and judge read: the evidence, and what has been said, as one growing text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    digests: bool = False
    """It reads digests of the turns, see `debate_brief`."""


def opening_brief(evidence: Rendering) -> str:
    """The evidence of one seat, nothing of its peers."""
    return f"Evidence:\n{evidence.text or '(none)'}"


@dataclass
class _Told:
    """What a text has told already."""

    quotes: set[tuple[str, str]] = field(default_factory=set)
    above: frozenset[str] = frozenset()
    """Labels of lines that stand above in full, and are not quoted again."""
    answers: dict[str, str] | None = None
    """Who gave an answer first, by its words; None: it is told again."""


def debate_brief(evidence: Rendering, turns: Sequence[Turn], *, digests: bool = False) -> str:
    """The cited evidence, and every turn so far; with more turns, the earlier text is its beginning.

    The question is not here: it comes behind all that is read, with the instruction. A small model that reads it first
    has lost sight of it by the time it answers.

    With `digests`, a turn does not say again what stands above: of a line it names the label and no words, and of an
    answer that was given before, where that is shorter, who gave it.
    """
    parts = [opening_brief(evidence)]
    told = _Told(above=frozenset(evidence.labels), answers={}) if digests else _Told()
    for turn in turns:
        if turn.round != 0 and "\nExchange:" not in parts:
            parts.append("\nExchange:")
        elif turn.round == 0 and "\nStatements:" not in parts:
            parts.append("\nStatements:")
        parts.append(_told(turn, told))
    return "\n".join(parts)


def _told(turn: Turn, told: _Told) -> str:
    """`Seat A: on platform 4 (fully stated; [i1] "Platform 4")`; words that an earlier turn has `told`: `[i1]`.

    What a seat says may be what a medium told it to say: it is one line, and imitates no other.
    """
    cited: list[str] = []
    for citation in (c for claim in turn.claims if claim.holds for c in claim.citations):
        known = citation.label in told.above or (citation.label, citation.quote) in told.quotes
        words = between_quotes(citation.quote)
        cited.append(f"[{citation.label}]" if known else f'[{citation.label}] "{words}"')
        told.quotes.add((citation.label, citation.quote))
    # Peers and judge have to know a voice that is not its own.
    part = [f'asked to {turn.stance.aim} "{between_quotes(turn.stance.position)}"'] if turn.stance else []
    others = ", ".join(f'"{between_quotes(option)}"' for option in turn.position.approves)
    accepts = [f"accepts {others} too"] if others else []
    grounds = "; ".join([f"{turn.position.stated} stated", *accepts, *part, *cited])
    disputes = "".join(f" Disputes seat {dispute.seat}: {quoted(dispute.reason)}" for dispute in turn.disputes)
    asked = f', asked "{between_quotes(turn.asked)}"' if turn.asked else ""
    return f"Seat {turn.seat}{asked}: {_answer(turn, told)} ({grounds}){disputes}"


def _answer(turn: Turn, told: _Told) -> str:
    """Its answer, or `the same as seat A`."""
    answer = quoted(turn.position.text)
    if told.answers is None:
        return answer
    by = told.answers.get(answer)
    told.answers.setdefault(answer, turn.seat)
    if by is None:
        return answer
    same = "the same as before" if by == turn.seat else f"the same as seat {by}"
    return min(answer, same, key=len)
