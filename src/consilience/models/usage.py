"""What model calls used, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from consilience.core.once import once

__all__ = ["Usage", "price"]


class Usage(BaseModel):
    """Tokens, seconds and money of some calls; adds up with `+`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(0, ge=0, description="Attempts, also those that failed.")
    failed: int = Field(
        0,
        ge=0,
        description="Those of the attempts that failed. Where one may have been read and told no usage, its prompt "
        "counts by estimate.",
    )
    prompt_tokens: int = Field(0, ge=0)
    cached_tokens: int = Field(0, ge=0, description="Those of the prompt tokens that a prefix cache served.")
    completion_tokens: int = Field(0, ge=0)
    seconds: float = Field(0.0, ge=0, description="From admission to the last token, added over calls.")
    cost: float | None = Field(0.0, description="US dollars; None as soon as one call's price is unknown.")

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            failed=self.failed + other.failed,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            seconds=round(self.seconds + other.seconds, 3),
            cost=None if self.cost is None or other.cost is None else self.cost + other.cost,
        )

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    @classmethod
    def of_call(cls, metadata: Mapping[str, Any] | None, *, seconds: float, provider: str, model: str) -> Usage:
        """One call's usage, from LangChain's `usage_metadata` (None where the endpoint reports none)."""
        told = metadata or {}
        details = told.get("input_token_details") or {}
        prompt, completion = int(told.get("input_tokens", 0)), int(told.get("output_tokens", 0))
        cached = min(prompt, int(details.get("cache_read") or 0))
        return cls(
            calls=1,
            prompt_tokens=prompt,
            cached_tokens=cached,
            completion_tokens=completion,
            seconds=round(seconds, 3),
            cost=price(prompt, completion, cached, provider=provider, model=model),
        )


def price(
    prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0, *, provider: str, model: str
) -> float | None:
    """US dollars for these tokens, the cached ones being part of the prompt's.

    0 for the embedded model, None where no price is known.
    """
    if provider == "embedded":
        return 0.0
    pricing = _pricing(provider, model)
    return pricing(prompt_tokens, completion_tokens, cached_tokens) if pricing else None


@once
def _pricing(provider: str, model: str) -> Callable[[int, int, int], float] | None:
    """The price list's entry, or None. Looked up once: both the missing package and the missing entry are slow."""
    try:
        from genai_prices import Usage as PricedUsage
        from genai_prices import calc_price
    except ImportError:
        return None

    def priced(prompt: int, completion: int, cached: int) -> float:
        used = PricedUsage(input_tokens=prompt, cache_read_tokens=cached, output_tokens=completion)
        return float(calc_price(used, model_ref=model, provider_id=provider).total_price)

    try:
        priced(0, 0, 0)
    except LookupError:
        return None
    return priced
