"""What the seats hold, round by round: their positions as options, or as candidates where the question is open."""

from __future__ import annotations

from collections.abc import Sequence

from consilience.agents import Turn

from consilience.fusion import Positions, agrees, candidates, option_of

__all__ = [
    "best_supported",
    "cited_by",
    "final_turns",
    "holds_to",
    "last_round",
    "named_positions",
    "own_voices",
    "standings",
]


def named_positions(turns: Sequence[Turn], options: Sequence[str] = ()) -> list[str | None]:
    """For each turn the option that it chooses, or the candidate that it belongs to; None where it does not answer.

    Candidates are grouped over all these turns, so that what a seat says in two rounds has one name.
    """
    texts = [turn.position.text if turn.position.answers else "" for turn in turns]
    if options:
        return [option_of(text, options) if text else None for text in texts]
    names: dict[int, str] = {i: group.text for group in candidates(texts) for i in group.members}
    return [names.get(i) for i in range(len(texts))]


def holds_to(turn: Turn, answer: str, options: Sequence[str] = ()) -> bool:
    """Its position is what the answer says: the same option, or where the question is open, in words."""
    if not turn.position.answers:
        return False
    if answer in options:
        return option_of(turn.position.text, options) == answer
    return agrees(answer, turn.position.text)


def standings(turns: Sequence[Turn], options: Sequence[str] = ()) -> list[Positions]:
    """For each round, the opening first, what every seat holds after it: its last position so far, by letter."""
    named = dict(zip(((turn.seat, turn.round) for turn in turns), named_positions(turns, options), strict=True))
    rounds: list[Positions] = []
    held: dict[str, str | None] = {}
    for number in sorted({turn.round for turn in turns}):
        held = held | {seat: position for (seat, round_), position in named.items() if round_ == number}
        rounds.append(held)
    return rounds


def cited_by(turns: Sequence[Turn]) -> dict[str, set[str]]:
    """Ids of the observations whose citation by a seat was checked and holds, by letter."""
    cited: dict[str, set[str]] = {}
    for turn in turns:
        ids = {c.observation for claim in turn.claims for c in claim.citations if c.holds and c.observation}
        cited.setdefault(turn.seat, set()).update(ids)
    return cited


def final_turns(turns: Sequence[Turn]) -> list[Turn]:
    """The last turn of every seat, by letter."""
    last = {turn.seat: turn for turn in sorted(turns, key=lambda turn: turn.round)}
    return [last[seat] for seat in sorted(last)]


def own_voices(turns: Sequence[Turn]) -> list[Turn]:
    """Those whose position is the seat's own: a seat that was given a part in the argument has no vote."""
    return [turn for turn in turns if turn.stance is None]


def last_round(turns: Sequence[Turn]) -> int:
    """Number of the last round; 0 is the opening."""
    return max((turn.round for turn in turns), default=0)


def best_supported(turns: Sequence[Turn]) -> Turn:
    """The turn that says the most of the answer is stated, then the one with the most claims that hold."""
    return max(turns, key=lambda turn: (_STATED.index(turn.position.stated), sum(claim.holds for claim in turn.claims)))


_STATED = ("not", "partly", "fully")
