"""Staggering: of seats that speak at once, one goes ahead, so that the others find what it had read in a cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from consilience.agents import Seat

from consilience.models import Endpoint

__all__ = ["Stagger"]


class Stagger:
    """One seat of each endpoint goes ahead; the others of that endpoint follow when it begins to be answered.

    By then the endpoint has read what all their prompts begin with. That is when prefix caches can serve it: "a cache
    entry only becomes available after the first response begins" (Anthropic, Prompt caching: "If you need cache hits
    for parallel requests, wait for the first response before sending subsequent requests"). An endpoint that does not
    stream begins when it ends.
    """

    def __init__(self, seats: Sequence[Seat]) -> None:
        self._ahead: dict[Endpoint, str] = {}
        for seat in seats:
            self._ahead.setdefault(seat.endpoint, seat.letter)
        self._begun = {endpoint: asyncio.Event() for endpoint in self._ahead}

    def on_text(self, seat: Seat) -> Callable[[str], None] | None:
        """What the call of a seat that goes ahead is to tell its first words to; None for those that follow."""
        if self._ahead[seat.endpoint] != seat.letter:
            return None
        return lambda _: self._begun[seat.endpoint].set()

    @asynccontextmanager
    async def place(self, seat: Seat) -> AsyncIterator[None]:
        """Around a seat's turn: it waits for its place; one that ends without a word holds nobody up."""
        begun = self._begun[seat.endpoint]
        if self._ahead[seat.endpoint] != seat.letter:
            await begun.wait()
            yield
            return
        try:
            yield
        finally:
            begun.set()
