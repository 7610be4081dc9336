"""Counting rankings: Borda's points, and ranked choice by instant run-off. Rankings may be incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from consilience.fusion.ballots import Ballot, Count, leading, quoted

__all__ = ["MOST_LEVEL", "count_borda", "count_ranked_choice"]

MOST_LEVEL = 12
"""Of so many options that share the last place every order of sending them out is still followed (about 0.1 s)."""


def count_borda(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """An option gets a point for every option that it stands above; options left out share what is left evenly.

    This is the averaged model of truncated ballots (E. Kamwa, "Scoring rules, ballot truncation, and the truncation
    paradox", Public Choice 192, 2022): with m options every ballot gives m (m - 1) / 2 points in all, so that nobody
    gains weight by ranking less. Each option's points are its pairwise wins and half its pairwise ties, which is why
    an option that loses against every other one cannot win; one that beats every other one may still lose.
    """
    last = len(options) - 1
    points: dict[str, list[float]] = {option: [] for option in options}
    for ballot in ballots:
        ranking = ballot.counted("ranking")
        for place, option in enumerate(ranking):
            points[option].append(last - place)
        for option in set(options) - set(ranking):
            points[option].append((last - len(ranking)) / 2)
    tally = {option: fsum(given) for option, given in points.items()}
    top = leading(tally)
    return Count(tally, top, f"{tally[top[0]]:g} of at most {last * len(ballots)} points")


def count_ranked_choice(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """Each ballot counts for the highest of its options still standing, until one has more than half of the votes.

    Until then the option with the fewest votes goes out (all that have none go together); a ballot with no option
    left drops out of the count. Where several share the fewest, every order of sending them out is followed: one
    winner in all of them wins, several are a tie ("parallel universes": R. Freeman, M. Brill, V. Conitzer, "General
    tiebreaking schemes for computational social choice", AAMAS 2015). That takes time exponential in how many share it;
    where more than twelve do, all that still stand are a tie.

    The tally is the last count in which each option stood, up to the first such fork.
    """
    orders = [ballot.counted("ranking") for ballot in ballots]
    standing = frozenset(options)
    tally: dict[str, float] = dict.fromkeys(options, 0.0)
    out: list[str] = []
    while True:
        votes = _votes(standing, orders)
        tally.update(votes)
        last = _last(votes)
        if _majority(votes) or (len(last) > 1 and min(votes.values()) > 0):
            break
        out += sorted(last)
        standing -= last
        # What nobody chooses any more was never in the race, and is not worth telling.
        out = [option for option in out if tally[option] > 0]
    winners = _winners(standing, orders, {})
    top = tuple(option for option in options if option in winners)
    return Count(tally, top, _told(top, votes, out))


def _told(top: Sequence[str], votes: dict[str, int], out: Sequence[str]) -> str:
    after = f" after {quoted(out)} went out" if out else ""
    if len(top) == 1 and _majority(votes):
        return f"{votes[top[0]]} of {sum(votes.values())} votes{after}"
    if len(top) == 1:
        return f"whichever of the last goes out first{after}"
    return f"it depends on which of the last goes out first{after}"


def _votes(standing: frozenset[str], orders: Sequence[Sequence[str]]) -> dict[str, int]:
    votes = dict.fromkeys(sorted(standing), 0)
    for order in orders:
        for option in order:
            if option in standing:
                votes[option] += 1
                break
    return votes


def _majority(votes: dict[str, int]) -> bool:
    return 2 * max(votes.values()) > sum(votes.values())


def _last(votes: dict[str, int]) -> frozenset[str]:
    """Who has the fewest votes."""
    fewest = min(votes.values())
    return frozenset(option for option, number in votes.items() if number == fewest)


def _winners(
    standing: frozenset[str], orders: Sequence[Sequence[str]], seen: dict[frozenset[str], frozenset[str]]
) -> frozenset[str]:
    """Who wins in some order of sending out those who share the last place."""
    if standing not in seen:
        votes = _votes(standing, orders)
        last = _last(votes)
        if _majority(votes):
            seen[standing] = frozenset([max(votes, key=votes.__getitem__)])
        elif min(votes.values()) == 0:
            seen[standing] = _winners(standing - last, orders, seen)
        elif len(last) > MOST_LEVEL:
            seen[standing] = standing
        else:
            universes = (_winners(standing - {option}, orders, seen) for option in last)
            seen[standing] = frozenset[str]().union(*universes)
    return seen[standing]
