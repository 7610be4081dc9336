"""From a model's likely first tokens to probabilities of lettered options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, fsum

__all__ = ["MOST_OPTIONS", "distribution", "lettered"]

MOST_OPTIONS = 20
"""More first tokens than that no endpoint tells of, and each option needs one of its own."""

_FLOOR = -1e4
"""Some endpoints tell minus infinity."""

_AROUND = " \t\n()[]\"'.:*"


def lettered(options: Sequence[str]) -> dict[str, str]:
    """The options by letter, from A."""
    return {chr(ord("A") + place): option for place, option in enumerate(options)}


def distribution(logprobs: Mapping[str, float], options: Sequence[str]) -> dict[str, float] | None:
    """Probabilities of the options, 0 to 1, together 1, from log-probabilities of the tokens a reply may begin with.

    Tokens that differ in spaces and brackets around the letter add up. A letter that is not told of counts as the
    rarest token that is, which is the most it can have. Tokens that are no option's letter are set aside: what is left
    is conditional on an option being chosen.

    Args:
        logprobs: natural logarithms, by token.
        options: in the order of their letters.

    Returns:
        By option; None where none of the letters is among the tokens.
    """
    letters = lettered(options)
    found: dict[str, list[float]] = {option: [] for option in letters.values()}
    for token, logprob in logprobs.items():
        # Upper case only: "a" begins a sentence.
        if (letter := token.strip(_AROUND)) in letters:
            found[letters[letter]].append(logprob)
    if not any(found.values()):
        return None
    rarest = max(min(logprobs.values()), _FLOOR)
    held = {option: [max(value, _FLOOR) for value in values] or [rarest] for option, values in found.items()}
    highest = max(max(values) for values in held.values())
    weights = {option: fsum(exp(value - highest) for value in values) for option, values in held.items()}
    total = fsum(weights.values())
    return {option: weight / total for option, weight in weights.items()}
