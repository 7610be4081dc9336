"""Who answers in the end: first the question that a conflict poses, then the user's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consilience.agents.asking import Filled, ask, conversation
from consilience.agents.briefing import debate_brief
from consilience.agents.prompts import prompt
from consilience.agents.replies import ComposeReply, compose_form, resolve_form
from consilience.agents.turn import Turn
from consilience.agents.verdict import Resolution
from consilience.models import Endpoint, Meter, Sampling
from consilience.observations import Rendering

__all__ = ["Judge"]


@dataclass(frozen=True)
class Judge:
    """Reads the cited evidence and the turns, without the speakers' names, and composes the answer."""

    endpoint: Endpoint
    sampling: Sampling = Sampling()

    async def resolve(
        self, question: str, evidence: Rendering, turns: Sequence[Turn], diverging: Sequence[Turn], meter: Meter
    ) -> Resolution:
        """The targeted question: do the diverging positions contradict or complete each other, and which overrides?"""
        told = "\n".join(f"Seat {turn.seat}: {turn.position.text}{_grounds(turn)}" for turn in diverging)
        instruction = prompt("resolve", positions=told, question=question)
        messages = conversation(debate_brief(question, evidence, turns), instruction)
        form = resolve_form([turn.seat for turn in diverging])
        filled = await ask(self.endpoint, messages, form, meter=meter, sampling=self.sampling)
        reply = filled.value
        contradiction = reply.relation == "contradict"
        return Resolution(
            question=instruction,
            contradiction=contradiction,
            stronger=reply.stronger if contradiction and reply.stronger != "none" else None,
            reason=reply.reason,
            answer=reply.answer,
        )

    async def compose(
        self,
        question: str,
        evidence: Rendering,
        turns: Sequence[Turn],
        resolution: Resolution | None,
        meter: Meter,
        on_text: Callable[[str], None] | None = None,
    ) -> Filled[ComposeReply]:
        """The final answer with the claims it rests on."""
        finding = f"You found: {resolution.answer} ({resolution.reason}). " if resolution else ""
        instruction = prompt("compose", finding=finding, question=question)
        messages = conversation(debate_brief(question, evidence, turns), instruction)
        form = compose_form(evidence.labels)
        return await ask(self.endpoint, messages, form, meter=meter, sampling=self.sampling, on_text=on_text)


def _grounds(turn: Turn) -> str:
    cited = [f'[{c.label}] "{c.quote}"' for claim in turn.claims if claim.holds for c in claim.citations]
    return f" ({'; '.join(cited)})" if cited else ""
