"""What a seat's model holds likely, told by the odds of its first token and not by its words."""

from __future__ import annotations

from collections.abc import Mapping

from consilience.agents.asking import conversation
from consilience.agents.expert import Seat
from consilience.agents.prompts import prompt

from consilience.models import Meter, Sampling

__all__ = ["letter_odds"]

_ALTERNATIVES = 20


async def letter_odds(
    seat: Seat, shared: str, question: str, letters: Mapping[str, str], meter: Meter
) -> Mapping[str, float]:
    """Log-probabilities of the likely first tokens of the seat's reply when it has to name an option by its letter.

    One token is generated, behind a prompt that begins as the seat's last one did, so that a prefix cache serves it.

    Args:
        seat: whose endpoint `tells_alternatives`.
        shared: all that the seat has read.
        question: what is asked.
        letters: the options by letter.
        meter: the seat's books.

    Raises:
        ModelUnavailable: the endpoint failed.
        BadReply: the reply is empty, and no alternatives are told.
        BudgetSpent: the meter's ledger did not admit the call.
    """
    options = "\n".join(f"{letter}: {option}" for letter, option in letters.items())
    messages = conversation(shared, prompt("odds", role=seat.expert.role, question=question, options=options))
    # The odds are those of the model, not of a draw: whatever the seat's temperature.
    sampling = Sampling(max_tokens=1, temperature=0, alternatives=_ALTERNATIVES)
    reply = await seat.endpoint.complete(messages, sampling=sampling, meter=meter)
    return reply.alternatives
