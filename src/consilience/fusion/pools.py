"""Pooling what several say about the same options as probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, fsum, log

from consilience.fusion.ballots import Ballot, Count, leading

__all__ = ["LEAST_PROBABILITY", "count_linear", "count_logarithmic", "linear_pool", "log_pool", "weights_of"]

LEAST_PROBABILITY = 0.001
"""The logarithmic pool takes no probability for smaller: else one who is wrongly sure vetoes an option."""

Distribution = Mapping[str, float]


def linear_pool(distributions: Sequence[Distribution], weights: Sequence[float] | None = None) -> dict[str, float]:
    """The weighted mean of the distributions (M. Stone, "The opinion pool", 1961): robust, and never sharper than they.

    Args:
        distributions: probabilities by option; an option left out has 0. Each is scaled to add up to 1.
        weights: one each, none negative; None, or all 0: equal ones.

    Returns:
        Probabilities by option, in the order of first appearance; they add up to 1.

    Raises:
        ValueError: there are no distributions.
    """
    shares = _shares(weights, len(distributions))
    scaled = [_scaled(given) for given in distributions]
    return _scaled({
        option: fsum(share * given.get(option, 0.0) for share, given in zip(shares, scaled, strict=True))
        for option in _options(distributions)
    })  # fmt: skip


def log_pool(distributions: Sequence[Distribution], weights: Sequence[float] | None = None) -> dict[str, float]:
    """The weighted geometric mean, scaled to add up to 1 (C. Genest, J. Zidek, Statistical Science 1, 1986).

    Its most probable option is that of the product of independent experts. It suits calibrated probabilities; one
    expert that is wrongly sure moves it far, though `LEAST_PROBABILITY` keeps it from a veto.

    Args, Returns and Raises: as `linear_pool`.
    """
    shares = _shares(weights, len(distributions))
    scaled = [_scaled(given) for given in distributions]
    logs = {
        option: fsum(
            share * log(max(given.get(option, 0.0), LEAST_PROBABILITY))
            for share, given in zip(shares, scaled, strict=True)
        )
        for option in _options(distributions)
    }
    highest = max(logs.values())
    return _scaled({option: exp(value - highest) for option, value in logs.items()})


def weights_of(ballots: Sequence[Ballot]) -> list[float]:
    """Each ballot's reliability; where it has none, the mean of those known; all 1 where none is known."""
    known = [ballot.reliability for ballot in ballots if ballot.reliability is not None]
    mean = fsum(known) / len(known) if known else 1.0
    return [mean if ballot.reliability is None else ballot.reliability for ballot in ballots]


def count_linear(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """`linear_pool` over the options, weighted by reliability where it is known."""
    return _count(linear_pool([_over(ballot, options) for ballot in ballots], weights_of(ballots)))


def count_logarithmic(ballots: Sequence[Ballot], options: Sequence[str]) -> Count:
    """`log_pool` over the options, weighted by reliability where it is known."""
    return _count(log_pool([_over(ballot, options) for ballot in ballots], weights_of(ballots)))


def _count(pooled: dict[str, float]) -> Count:
    top = leading(pooled)
    return Count(pooled, top, f"a pooled probability of {pooled[top[0]]:.0%}")


def _over(ballot: Ballot, options: Sequence[str]) -> dict[str, float]:
    return {option: ballot.probabilities.get(option, 0.0) for option in options}


def _options(distributions: Sequence[Distribution]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(option for given in distributions for option in given))


def _scaled(given: Distribution) -> dict[str, float]:
    total = fsum(given.values())
    return {option: value / total for option, value in given.items()}


def _shares(weights: Sequence[float] | None, number: int) -> list[float]:
    if not number:
        raise ValueError("there is nothing to pool")
    total = fsum(weights) if weights is not None else 0.0
    return [1 / number] * number if weights is None or total == 0 else [weight / total for weight in weights]
