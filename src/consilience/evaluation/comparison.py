"""What the results of several protocols on the same questions say: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from pydantic import BaseModel, ConfigDict, Field

from consilience.evaluation.bootstrap import Interval, bootstrap
from consilience.evaluation.results import Result

__all__ = [
    "Abstention",
    "EqualBudget",
    "Flips",
    "abstention",
    "accuracy",
    "by_protocol",
    "difference",
    "equal_budget",
    "flips",
    "recommended",
    "tokens",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Flips(_Frozen):
    """Questions on which a protocol's answer and another one's are not both right or both wrong."""

    right_to_wrong: int = Field(description="The other one was right, this one is not.")
    wrong_to_right: int


class Abstention(_Frozen):
    """How good the choice is to say nothing."""

    abstained: int
    unanswerable: int
    rightly: int = Field(description="Unanswerable ones on which it abstained.")
    withheld: int = Field(description="Of the abstentions on answerable ones, those whose text was right.")

    @property
    def precision(self) -> float | None:
        """Share of the abstentions that were right to be; None where there are none."""
        return self.rightly / self.abstained if self.abstained else None

    @property
    def recall(self) -> float | None:
        """Share of the unanswerable ones that it abstained on; None where there are none."""
        return self.rightly / self.unanswerable if self.unanswerable else None


class EqualBudget(_Frozen):
    """A protocol beside the vote of as many draws as its tokens pay for."""

    protocol: str
    tokens: float = Field(description="Mean of the protocol.")
    draws: str = Field(description="The protocol of draws that costs most without costing more.")
    draws_tokens: float
    difference: Interval = Field(description="In accuracy, the protocol's less that of the draws.")


def by_protocol(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results by protocol, in order of appearance; of several on one question and seed the last one counts."""
    found: dict[str, dict[tuple[str, int], Result]] = {}
    for result in results:
        found.setdefault(result.protocol, {})[result.question, result.seed] = result
    return {protocol: list(of_it.values()) for protocol, of_it in found.items()}


def accuracy(results: Sequence[Result]) -> Interval:
    """Share of right answers; at least one result."""
    return bootstrap([float(result.right) for result in results], [result.record for result in results])


def tokens(results: Sequence[Result]) -> float:
    """Mean tokens of a question, prompt and completion."""
    return mean(result.usage.tokens for result in results)


def difference(results: Sequence[Result], others: Sequence[Result]) -> Interval:
    """Accuracy of `results` less that of `others`, over the questions and seeds that both have.

    Raises:
        ValueError: they have none in common.
    """
    pairs = _paired(results, others)
    return bootstrap([float(one.right) - float(other.right) for one, other in pairs], [one.record for one, _ in pairs])


def flips(results: Sequence[Result], others: Sequence[Result]) -> Flips:
    """Where `results` turn what `others` had, over the questions and seeds that both have."""
    pairs = _paired(results, others)
    return Flips(
        right_to_wrong=sum(other.right and not one.right for one, other in pairs),
        wrong_to_right=sum(one.right and not other.right for one, other in pairs),
    )


def abstention(results: Sequence[Result]) -> Abstention:
    """When it abstained, and whether it should have."""
    return Abstention(
        abstained=sum(result.abstained for result in results),
        unanswerable=sum(result.kind == "unanswerable" for result in results),
        rightly=sum(result.abstained and result.kind == "unanswerable" for result in results),
        withheld=sum(result.withheld for result in results),
    )


def equal_budget(
    results: Mapping[str, Sequence[Result]], protocols: Sequence[str], draws: Sequence[str]
) -> list[EqualBudget]:
    """Each protocol beside the dearest of `draws` that costs no more than it does, if one does.

    Args:
        results: by protocol.
        protocols: those to compare.
        draws: protocols of one kind with different numbers of draws.
    """
    found = []
    for protocol in protocols:
        spent = tokens(results[protocol])
        affordable = [name for name in draws if name != protocol and tokens(results[name]) <= spent]
        if affordable:
            dearest = max(affordable, key=lambda name: tokens(results[name]))
            found.append(
                EqualBudget(
                    protocol=protocol,
                    tokens=spent,
                    draws=dearest,
                    draws_tokens=tokens(results[dearest]),
                    difference=difference(results[protocol], results[dearest]),
                )
            )
    return found


def recommended(results: Mapping[str, Sequence[Result]]) -> str:
    """The cheapest protocol by tokens, unless a dearer one is better with zero excluded; then that, and so on up."""
    cheapest, *dearer = sorted(results, key=lambda name: tokens(results[name]))
    best = cheapest
    for name in dearer:
        if difference(results[name], results[best]).low > 0:
            best = name
    return best


def _paired(results: Sequence[Result], others: Sequence[Result]) -> list[tuple[Result, Result]]:
    there = {(other.question, other.seed): other for other in others}
    return [
        (result, there[result.question, result.seed]) for result in results if (result.question, result.seed) in there
    ]
