"""A specialist in a seat of the debate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from consilience.agents.asking import ask, conversation
from consilience.agents.briefing import Brief, debate_brief, opening_brief
from consilience.agents.exhibit import Exhibit, told_exhibits
from consilience.agents.prompts import prompt
from consilience.agents.replies import Allowed, Form, TurnReply, turn_form
from consilience.agents.requests import Offer, offered_to, told_offers
from consilience.agents.turn import Phase, Stance, Turn
from consilience.agents.view import View, ViewLike
from langchain_core.messages import BaseMessage

from consilience.models import Endpoint, Meter, ModelLike, Sampling
from consilience.observations import Modality, Record, Relevance, Rendering, Span, between_quotes

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["Expert", "Seat", "default_experts", "generalists", "take_seats"]

_ROLES: dict[Modality, str] = {
    "image": "the expert for pictures: signs, objects, what can be seen",
    "audio": "the expert for recordings: what is said and heard",
    "video": "the expert for videos: what is seen and said, and when",
    "document": "the expert for documents",
    "text": "the expert for written text",
    "table": "the expert for tables and figures",
}


@dataclass(frozen=True)
class Expert:
    """Who sits in a seat: a role, a view of the record, a model."""

    name: str
    role: str
    """Completes the sentence "You are ..."."""
    view: ViewLike | None = None
    """What it sees in its opening: modalities, or a `View` by kinds and encoders too; None: the whole record."""
    model: ModelLike | None = None
    """Its own model; None: the run's."""
    sampling: Sampling = Sampling()
    tokens: int = 1200
    """Budget of the evidence in its opening prompt."""
    background: bool = False
    """Shows it also lines that describe a surface and do not bear on the question; a small model is misled by them."""
    seconds: float | None = None
    """The longest that a turn may take, retries and all; with no turn by then the seat is lost for the round."""
    reliability: float | None = None
    """How often it is right, 0 to 1, where that was measured: what a weighted vote goes by."""
    asks: tuple[str, ...] = ()
    """Questions of the kind that it is for: routing passes it over where a plain question is more like the user's."""
    shown: tuple[Literal["image", "audio"], ...] = ()
    """Of which modalities of its view it is shown the media themselves in its opening, beside the record; its model has
    to say by its profile that it takes them."""
    tools: Sequence[BaseTool] = ()
    """LangChain tools that its model may call before it opens. Their results are lines of the record that it can cite.
    """
    tool_calls: int = 3
    """At most so many."""
    tool_seconds: float = 30.0
    """The longest that one of them may take."""
    stance: Stance | None = None
    """An answer that it is asked to defend or to test. What it cites counts as evidence; its position is then no vote
    and no agreement, for it is not its own."""

    def __post_init__(self) -> None:
        # Lists are as good, and what comes back out of a database has them.
        for name in ("asks", "shown", "tools"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        names = [tool.name for tool in self.tools]
        if len(set(names)) < len(names):
            raise ValueError(f"the tools of an expert have different names, not {names}")
        if self.tool_calls < 1 or self.tool_seconds <= 0:
            raise ValueError("tools need at least one call, and seconds for it")

    @property
    def sees(self) -> View:
        """Its view."""
        return View.of(self.view)

    @classmethod
    def for_modality(cls, modality: Modality) -> Expert:
        """The ready specialist of one modality."""
        return cls(modality, _ROLES[modality], view=(modality,))


@dataclass(frozen=True)
class Seat:
    """An expert with the letter that stands for it in prompts, and the endpoint it speaks through."""

    letter: str
    expert: Expert
    endpoint: Endpoint
    approves: bool = False
    """Where options are given, it is asked which others than its answer the evidence allows."""

    async def open(
        self,
        question: str,
        record: Record,
        meter: Meter,
        *,
        relevance: Relevance | None = None,
        options: Sequence[str] = (),
        offers: Sequence[Offer] = (),
        exhibits: Sequence[Exhibit] = (),
    ) -> Turn:
        """The blind first turn, over the seat's own view.

        `relevance` says what of it stays where not all fits, `offers` what may be read again, and
        `exhibits` are the media that it is shown.
        """
        evidence = await asyncio.to_thread(self.evidence, record, relevance)
        left_out = _left_out(evidence, record)
        offered = offered_to(self.expert.sees.modalities or None, offers)
        approvable = self._approvable(options)
        more = [prompt("look_again")] if left_out else []
        more += [told_offers(offered)] if offered else []
        more += told_exhibits(exhibits)
        more += self._part()
        own = prompt("opening", role=self.expert.role, approve=_approve(approvable), question=question)
        instruction = "\n".join([own, *more])
        media = tuple(dict.fromkeys(span.media for span in left_out))
        allowed = Allowed(evidence.labels, (), media, options, approvable, offered)
        messages = conversation(opening_brief(evidence), instruction, exhibits)
        reply, repaired = await self._reply(messages, turn_form(allowed), meter)
        return self._turn("opening", 0, reply, repaired, left_out)

    def evidence(self, record: Record, relevance: Relevance | None = None) -> Rendering:
        """What its opening prompt shows of its own view. Blocks."""
        results = {label: o.provenance.parameters.get("seat") for label, o in record if o.kind == "tool_result"}
        seen = [label for label in self.expert.sees.labels(record) if label not in results]
        own = [*seen, *(label for label, seat in results.items() if seat == self.letter)]
        return record.render(own, tokens=self.expert.tokens, relevance=relevance, background=self.expert.background)

    async def respond(self, brief: Brief, meter: Meter, on_text: Callable[[str], None] | None = None) -> Turn:
        """A turn that answers the peers' turns, over the evidence cited so far; `on_text` hears it as it is written."""
        dispute = " " + prompt("dispute", rivals=" or ".join(brief.rivals)) if brief.rivals else ""
        stand = " " + prompt("against") if brief.against else ""
        approvable = self._approvable(brief.options)
        asked = {"question": brief.question, "approve": _approve(approvable)}
        # What is this seat's alone comes last, so that the seats of a round have the longest beginning in common.
        own = prompt("exchange", seat=self.letter, role=self.expert.role, dispute=dispute + stand, **asked)
        more = [prompt("asked", asked=between_quotes(brief.asked))] if brief.asked else []
        more += [told] if (told := told_offers(brief.offers)) else []
        instruction = "\n".join([own, *more, *self._part()])
        allowed = Allowed(brief.evidence.labels, tuple(brief.rivals), (), brief.options, approvable, brief.offers)
        messages = conversation(debate_brief(brief.evidence, brief.turns, digests=brief.digests), instruction)
        reply, repaired = await self._reply(messages, turn_form(allowed), meter, on_text)
        return self._turn("exchange", brief.round, reply, repaired).model_copy(update={"asked": brief.asked})

    def _approvable(self, options: Sequence[str]) -> Sequence[str]:
        """The options that it is asked to approve: none where there is no choice, or where its position is no vote."""
        return options if self.approves and len(options) > 1 and self.expert.stance is None else ()

    def _part(self) -> list[str]:
        """What its stance adds to an instruction."""
        stance = self.expert.stance
        return [prompt(stance.aim, position=between_quotes(stance.position))] if stance else []

    async def _reply(
        self,
        messages: Sequence[BaseMessage],
        form: Form[TurnReply],
        meter: Meter,
        on_text: Callable[[str], None] | None = None,
    ) -> tuple[TurnReply, bool]:
        sampling = self.expert.sampling
        filled = await ask(self.endpoint, messages, form, meter=meter, sampling=sampling, on_text=on_text)
        return filled.value, filled.repaired

    def _turn(self, phase: Phase, round_: int, reply: TurnReply, repaired: bool, left_out: Sequence[Span] = ()) -> Turn:
        return Turn(
            seat=self.letter,
            expert=self.expert.name,
            phase=phase,
            round=round_,
            position=reply.position(),
            claims=reply.contract_claims(),
            disputes=reply.contract_disputes(),
            look_again=reply.contract_requests(left_out),
            stance=self.expert.stance,
            repaired=repaired,
        )


def default_experts(modalities: Sequence[Modality]) -> tuple[Expert, ...]:
    """A specialist for each modality, over its own observations only; beside a lone one, a sceptic.

    Nobody sees the whole record blind: a seat that does tends to believe the plainest source, and outvotes the one
    witness of a conflict.
    """
    specialists = tuple(Expert.for_modality(modality) for modality in modalities)
    if len(specialists) > 1:
        return specialists
    return (*specialists, Expert("sceptic", "a sceptic: you accept only what a line of evidence says in plain words"))


def generalists(number: int) -> tuple[Expert, ...]:
    """Experts for the whole record; several draw at a temperature, each with a seed of its own."""
    drawn = Sampling(temperature=0.7) if number > 1 else Sampling()
    names = [f"generalist {i}" for i in range(1, number + 1)] if number > 1 else ["generalist"]
    return tuple(Expert(name, "an expert for all kinds of evidence", sampling=drawn) for name in names)


def take_seats(
    experts: Sequence[Expert], endpoints: Sequence[Endpoint], *, seed: int | None = None, approves: bool = False
) -> tuple[Seat, ...]:
    """Seats in order, lettered from A; each draws with its own seed derived from `seed`, and is one that `approves`.

    Raises:
        ValueError: no expert, more than 26, or two of the same name.
    """
    names = [expert.name for expert in experts]
    if not 1 <= len(experts) <= 26 or len(set(names)) != len(names):
        raise ValueError(f"1 to 26 experts with different names are needed, not {names}")
    return tuple(
        Seat(chr(ord("A") + i), _seeded(expert, seed, i), endpoint, approves)
        for i, (expert, endpoint) in enumerate(zip(experts, endpoints, strict=True))
    )


def _seeded(expert: Expert, seed: int | None, index: int) -> Expert:
    if seed is None or expert.sampling.seed is not None:
        return expert
    return replace(expert, sampling=replace(expert.sampling, seed=seed * 100 + index))


def _approve(options: Sequence[str]) -> str:
    """The sentence that asks what else is accepted; empty where nobody is asked."""
    return " " + prompt("approve") if options else ""


def _left_out(evidence: Rendering, record: Record) -> list[Span]:
    """Where the lines lie that a rendering had no room for, media by the names that the prompt has."""
    names = {medium.id: medium.name for medium in record.media}
    spans = [omission.span for omission in evidence.elsewhere]
    return [span.model_copy(update={"media": names[span.media]}) for span in spans if span.media in names]
