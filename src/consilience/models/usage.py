"""What model calls used, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Meter", "Usage", "price"]


class Usage(BaseModel):
    """Tokens, seconds and money of some calls; adds up with `+`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(0, ge=0)
    prompt_tokens: int = Field(0, ge=0)
    cached_tokens: int = Field(0, ge=0, description="Those of the prompt tokens that a prefix cache served.")
    completion_tokens: int = Field(0, ge=0)
    seconds: float = Field(0.0, ge=0, description="From admission to the last token, added over calls.")
    cost: float | None = Field(0.0, description="US dollars; None as soon as one call's price is unknown.")

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
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
    try:
        from genai_prices import Usage as PricedUsage
        from genai_prices import calc_price
    except ImportError:
        return None
    try:
        priced = calc_price(
            PricedUsage(input_tokens=prompt_tokens, cache_read_tokens=cached_tokens, output_tokens=completion_tokens),
            model_ref=model,
            provider_id=provider,
        )
    except LookupError:
        return None
    return float(priced.total_price)


class Meter:
    """Adds up usage as it happens, so that calls which end in an error are paid for in the books too."""

    def __init__(self) -> None:
        self.usage = Usage()

    def add(self, usage: Usage) -> None:
        """Counts one more call."""
        self.usage += usage
