"""Decision rules by name, with one signature, so that a protocol can name one: `rule_named("borda")(ballots, options)`.

What all have in common:

- A tie is no winner, never one that stands first.
- Abstentions are set aside before anything is counted, and stand in no denominator: `more than half` is of those who
  vote. They change nothing but the list of who abstained.
- The order of ballots does not matter, and renaming the options renames the winner.
- None promises the option that beats every other one in pairs (Condorcet's); ranked choice and Borda may pass it over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, log
from types import MappingProxyType

from consilience.core.errors import UnknownName
from consilience.fusion.ballots import LEVEL, Ballot, Count, Decision, Needs, leading, options_of, quoted
from consilience.fusion.pools import count_linear, count_logarithmic, weights_of
from consilience.fusion.ranked import count_borda, count_ranked_choice

__all__ = ["JUDGE", "RULES", "Rule", "consensus", "rule_for", "rule_named"]

JUDGE = "judge"
"""Not a vote: the judge decides. No rule has this name."""

MOST_RELIABLE = 0.99
"""No voter counts as more reliable: else one that was never wrong yet outvotes everybody."""


@dataclass(frozen=True)
class Rule:
    """A way to decide. Call it with ballots, and with the options where they are given.

    Raises (when called):
        UnknownName: a ballot names what is no option.
        ValueError: an option is given twice, or a voter votes twice.
    """

    name: str
    needs: Needs
    """What a ballot has to have, to be counted."""
    count: Callable[[Sequence[Ballot], Sequence[str]], Count]

    def __call__(self, ballots: Sequence[Ballot], options: Sequence[str] = ()) -> Decision:
        """The decision; without options, over all that the ballots name."""
        known = options_of(ballots, options)
        voting = [ballot for ballot in ballots if ballot.counted(self.needs)]
        abstained = tuple(sorted(ballot.voter for ballot in ballots if not ballot.counted(self.needs)))
        said = f"; {', '.join(abstained)} abstain{'' if len(abstained) > 1 else 's'}" if abstained else ""
        title = self.name.replace("_", " ")
        if not voting:
            tally = dict.fromkeys(known, 0.0)
            told = f"no winner by {title}: nobody votes{said}"
            return Decision(winner=None, rule=self.name, tally=tally, abstained=abstained, told=told)
        count = self.count(voting, known)
        one = count.top[0] if len(count.top) == 1 else None
        winner = one if count.short is None else None
        lacking = f", {count.short}" if count.short else ""
        if winner is not None:
            told = f"{quoted([winner])} by {title}: {count.detail}"
        elif one is not None:
            told = f"no winner by {title}: {quoted([one])} leads, {count.detail}{lacking}"
        else:
            told = f"no winner by {title}: {quoted(count.top)} are level, {count.detail}{lacking}"
        return Decision(
            winner=winner,
            rule=self.name,
            tally=dict(count.tally),
            ties=() if one is not None else count.top,
            abstained=abstained,
            told=told + said,
        )


def _plurality(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """The most first choices."""
    tally = _choices(ballots, options)
    top = leading(tally)
    return Count(tally, top, f"{tally[top[0]]:g} of {len(ballots)} votes")


def _majority(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """More than half of the first choices of those who vote."""
    count = _plurality(ballots, options)
    reached = 2 * count.tally[count.top[0]] > len(ballots)
    return Count(count.tally, count.top, count.detail, None if reached else "more than half is needed")


def _approval(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """The most approvals (S. Brams, P. Fishburn, "Approval voting", 1978)."""
    tally = dict.fromkeys(options, 0.0)
    for ballot in ballots:
        for option in ballot.counted("approvals"):
            tally[option] += 1
    top = leading(tally)
    return Count(tally, top, f"approved by {tally[top[0]]:g} of {len(ballots)}")


def _weighted(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """First choices weighted by log-odds of the voters' reliability.

    With two options the weight is log(p / (1 - p)), which makes the best of independent voters (S. Nitzan, J. Paroush,
    "Optimal decision rules in uncertain dichotomous choice situations", International Economic Review 23, 1982). With
    m options it is log((m - 1) p / (1 - p)), the same where a voter who errs is as likely to name any of the others.
    p is at most 0.99, and who is no better than chance counts for nothing, never against what it says. A voter whose
    reliability is unknown counts as the mean of those known; where none is known all count alike.
    """
    wrong = max(len(options), 2) - 1
    given: dict[str, list[float]] = {option: [] for option in options}
    unknown = all(ballot.reliability is None for ballot in ballots)
    for ballot, reliability in zip(ballots, weights_of(ballots), strict=True):
        weight = 1.0 if unknown else _log_odds(reliability, wrong)
        given[ballot.counted("choice")[0]].append(weight)
    tally = {option: fsum(weights) for option, weights in given.items()}
    top = leading(tally)
    total = fsum(weight for weights in given.values() for weight in weights)
    short = None if total > LEVEL else "no voter is better than chance"
    return Count(tally, top, f"a weight of {tally[top[0]]:.2f} of {total:.2f}", short)


def _log_odds(reliability: float, wrong: int) -> float:
    if wrong * reliability <= 1 - reliability:
        return 0.0
    capped = min(reliability, MOST_RELIABLE)
    return log(wrong * capped / (1 - capped))


def _choices(ballots: Sequence[Ballot], options: Sequence[str]) -> dict[str, float]:
    tally = dict.fromkeys(options, 0.0)
    for ballot in ballots:
        tally[ballot.counted("choice")[0]] += 1
    return tally


def consensus(share: float, name: str = "supermajority") -> Rule:
    """The rule that a share of those who vote must choose the same.

    Args:
        share: more than 0.5, at most 1; reached where the votes are at least that share.
        name: of the rule.

    Raises:
        ValueError: the share is outside of that.
    """
    if not 0.5 < share <= 1:
        raise ValueError(f"a consensus takes a share of more than 0.5 and at most 1, not {share}")

    def count(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
        plain = _plurality(ballots, options)
        reached = plain.tally[plain.top[0]] >= share * len(ballots) - LEVEL
        needed = "all are needed" if share == 1 else f"{share:.0%} are needed"
        return Count(plain.tally, plain.top, plain.detail, None if reached else needed)

    return Rule(name, "choice", count)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Rule("majority", "choice", _majority),
            Rule("plurality", "choice", _plurality),
            Rule("approval", "approvals", _approval),
            Rule("borda", "ranking", count_borda),
            Rule("ranked_choice", "ranking", count_ranked_choice),
            Rule("weighted", "choice", _weighted),
            Rule("linear_pool", "probabilities", count_linear),
            Rule("log_pool", "probabilities", count_logarithmic),
            consensus(2 / 3),
            consensus(1, "unanimity"),
        )
    }
)


def rule_named(name: str, share: float | None = None) -> Rule:
    """The rule of that name; `share` is for `supermajority`, two thirds where not given.

    Raises:
        UnknownName: there is no such rule; the error names those there are.
        ValueError: the share is not between 0.5 and 1, or the rule takes none.
    """
    if name not in RULES:
        raise UnknownName("decision rule", name, RULES)
    if share is None:
        return RULES[name]
    if name != "supermajority":
        raise ValueError(f"the rule {name!r} takes no share")
    return consensus(share)


def rule_for(options: Sequence[str], ballots: Sequence[Ballot]) -> str:
    """The name of the rule that fits the task.

    An open question goes to the judge, since no vote decides over free text. Options go to `linear_pool` where every
    ballot that says anything bears probabilities (it is the pool that one wrongly sure voter moves least), else to
    `plurality`.
    """
    if not options:
        return JUDGE
    saying = [ballot for ballot in ballots if ballot.named()]
    return "linear_pool" if saying and all(ballot.probabilities for ballot in saying) else "plurality"
