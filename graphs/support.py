"""Whether the lines that a claim cites support it, by a sentence embedder or by a model's odds of yes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from consilience.agents import Claim, Judge

from consilience.models import Meter
from consilience.models.embedder import TextEmbedder
from consilience.observations import Record

__all__ = ["LEAST_COSINE", "Support", "SupportBy", "by_embedder", "by_model"]

SupportBy: TypeAlias = Literal["embedder", "model"]

LEAST_COSINE = 0.83
"""Cosine from which on lines are taken to support a claim; measured by `benchmarks/support.py`, see the docs."""

_LEAST_ODDS = 0.0


@dataclass(frozen=True)
class Support:
    """How well a claim's lines support it."""

    score: float
    """Cosine of question and claim with the lines, or the model's log-odds of yes."""
    least: float
    by: SupportBy

    @property
    def enough(self) -> bool:
        """They do."""
        return self.score >= self.least

    @property
    def told(self) -> str:
        """`what it cites does not support it (0.79 by the embedder, 0.83 are needed)`."""
        return f"what it cites does not support it ({self.score:.2f} by the {self.by}, {self.least:.2f} are needed)"


async def by_embedder(embedder: TextEmbedder, question: str, claims: Sequence[Claim], record: Record) -> list[Support]:
    """The cosine between the question with the claim behind it, and the nearest of the cited lines, or all of them.

    It tells lines that are about something else, not lines that say the contrary: those lie as close. The question is
    there because claims are often a word or two.
    """
    cited = [_lines(claim, record) for claim in claims]
    texts = [f"{question} {claim.text}" for claim in claims]
    everything = [*texts, *(text for lines in cited for text in lines)]
    if not claims:
        return []
    vectors = await asyncio.to_thread(embedder.passages, everything)
    found, place = [], len(texts)
    for number, lines in enumerate(cited):
        near = vectors[place : place + len(lines)] @ vectors[number]
        place += len(lines)
        found.append(Support(round(float(near.max()), 4), LEAST_COSINE, "embedder"))
    return found


async def by_model(judge: Judge, question: str, claims: Sequence[Claim], record: Record, meter: Meter) -> list[Support]:
    """The log-odds of yes on whether the lines support the claim, one token a claim.

    Raises:
        ModelUnavailable: the endpoint failed.
        BadReply: it does not tell the odds.
        BudgetSpent: the meter's ledger did not admit a call.
    """
    odds = [await judge.supports(question, claim, record, meter) for claim in claims]
    return [Support(round(value, 2), _LEAST_ODDS, "model") for value in odds]


def _lines(claim: Claim, record: Record) -> list[str]:
    """The texts of the lines that it cites, each, and where there are several all of them as one."""
    lines = [record[label].text for label in dict.fromkeys(citation.label for citation in claim.citations)]
    return [*lines, " ".join(lines)] if len(lines) > 1 else lines
