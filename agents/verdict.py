"""The answer, and everything needed to check it."""

from __future__ import annotations

import json
from typing import Literal

from consilience.agents.turn import Claim, Position, Stance
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from consilience.models.methods import Method
from consilience.models.usage import Usage
from consilience.observations import Locator, Media, Observation

__all__ = [
    "Confidence",
    "Dissent",
    "Evidence",
    "Part",
    "PassedOver",
    "PayOff",
    "Resolution",
    "SeatFate",
    "Stage",
    "Status",
    "StruckClaim",
    "ToolCall",
    "Verdict",
]

Status = Literal["complete", "partial", "abstained", "failed"]
"""complete: every seat and tool did its part and the answer is supported; partial: something was lost, or only a part
of the question is answered; abstained: the evidence does not answer; failed: nobody was left to answer."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(_Frozen):
    """A cited observation with the medium it was made on."""

    label: str
    observation: Observation
    media: Media


class Part(_Frozen):
    """A piece of the multimodal answer; bytes by reference."""

    kind: Literal["text", "crop", "clip", "chart", "speech"]
    text: str = Field("", description="The text, or the caption.")
    label: str | None = Field(None, description="Evidence that it shows.")
    media: str | None = Field(None, description="Id of the medium it is cut from.")
    locator: Locator = Locator()
    blob: str | None = Field(None, description="SHA-256 of the rendered bytes in the store.")
    mime: str | None = None


class StruckClaim(_Frozen):
    """A claim of the judge that did not survive the check."""

    claim: Claim
    reason: str
    score: float | None = Field(None, description="How well what it cites supports it, where that is the reason.")


class Dissent(_Frozen):
    """A seat that ended on another position than the answer."""

    seat: str
    expert: str
    position: Position
    reason: str = ""


class Resolution(_Frozen):
    """What the judge said to the targeted question that diverging positions pose."""

    question: str
    stronger: str | None = Field(None, description="Seat whose source is newer or overrides the others.")
    reason: str
    answer: str
    by: Literal["judge", "person"] = "judge"
    leaning: dict[str, float] = Field(
        default_factory=dict,
        description="By seat: log-odds that its source tells of a change; empty where the judge compared in words.",
    )

    @property
    def decided(self) -> bool:
        """It finds something: a source that overrides the others, or what a person says."""
        return self.stronger is not None or self.by == "person"


class ToolCall(_Frozen):
    """A tool that a seat's model called, and what became of that."""

    seat: str
    tool: str
    arguments: dict[str, JsonValue]
    failure: str | None = Field(None, description="Why it gave nothing; no prompt tells it.")
    left_out: int = Field(0, ge=0, description="Lines of a long result that did not come into the record.")
    seconds: float = Field(ge=0)
    lost: int = Field(0, ge=0, description="Calls of it before that were under way when their process ended.")

    @classmethod
    def none(cls, seat: str, reason: str) -> ToolCall:
        """That a seat's model did not say which tool it wants."""
        return cls(seat=seat, tool="no tool", arguments={}, failure=reason, seconds=0)

    def describe(self) -> str:
        """`add({"a": 2}) failed: no result within 30 s`."""
        told = f"{self.tool}({json.dumps(self.arguments, ensure_ascii=False)})"
        told += f", called {self.lost + 1} times, as its process ended" if self.lost else ""
        left_out = f", {self.left_out} lines left out" if self.left_out else ""
        return f"{told} failed: {self.failure}" if self.failure else f"{told}{left_out}"


class SeatFate(_Frozen):
    """What became of one seat."""

    seat: str
    expert: str
    model: str
    status: Literal["answered", "lost"]
    turns: int = Field(ge=0)
    stance: Stance | None = Field(None, description="The part it was given; its position is then no vote.")
    tools: tuple[ToolCall, ...] = Field((), description="The tools that it called.")
    reason: str | None = Field(None, description="Why it was lost, or lost later turns.")
    answered_by: tuple[str, ...] = Field((), description="The models that really answered, where not `model` alone.")
    methods: tuple[Method, ...] = Field(
        (), description="How they were asked for structured output, the first way first; empty in older verdicts."
    )
    passed_over: tuple[str, ...] = Field((), description="Why others did, a line for each call they took over.")


class PassedOver(_Frozen):
    """An expert that was not seated, and why."""

    expert: str
    reason: str


class Confidence(_Frozen):
    """How sure the answer is: a number, by what method, and of what. Never what a model says of itself."""

    value: float = Field(ge=0, le=1)
    method: Literal["agreement", "log_probs", "calibrated"]
    of: str = Field(description="What the number is a share or a probability of.")
    told: str = Field(description="What it was counted over, for example `2 of 3 seats`.")
    raw: float | None = Field(None, ge=0, le=1, description="What the map of `calibrated` was given.")

    def line(self) -> str:
        """`67% by agreement: 2 of 3 seats`."""
        return f"{self.value:.0%} by {_METHODS[self.method]}: {self.told}"


_METHODS = {"agreement": "agreement", "log_probs": "log-probabilities", "calibrated": "a calibrated map"}


class Stage(_Frozen):
    """What a way of asking answered, and what it took to come there."""

    answer: str | None = Field(description="None where it gave no answer.")
    usage: Usage

    def told(self) -> str:
        """`platform 4 (100 tokens, $0.0013, 2.1 s)`; the seconds are those of the model, added over calls."""
        used = f"{self.usage.tokens} tokens{_money(self.usage.cost)}, {self.usage.seconds:.1f} s"
        return f"{self.answer or 'no answer'} ({used})"


class PayOff(_Frozen):
    """Did the debate pay? What cheaper ways would have answered lies in it, and costs nothing more to tell."""

    best_single: Stage
    """The opening with the most support by checked citations."""
    vote: Stage
    """The plurality of the openings; no answer on a tie."""
    late_vote: Stage | None = None
    """The plurality after the exchange, which is part of what it took; None where there was none."""
    debate: Stage
    """All that was done."""
    changed: bool
    """The debate's answer differs from the vote's."""
    ran: Literal["single", "vote", "panel", "debate"] = "debate"
    """What it was: one seat; several; with a judge; with an exchange."""

    @property
    def draws(self) -> int | None:
        """How many single answers its tokens would have bought: a vote over so many is the comparison at equal budget.

        None where tokens are not told.
        """
        single = self.best_single.usage.tokens
        return self.debate.usage.tokens // single if single else None

    def line(self) -> str:
        """The pay-off line: `best single: ... | vote: ... | debate: ... | its tokens buy 9 single answers`."""
        stages = [("best single", self.best_single), ("vote", self.vote), ("vote after the exchange", self.late_vote)]
        # A single answer, or a vote, is not told twice.
        kept = {"single": 0, "vote": 1}.get(self.ran, len(stages))
        told = [f"{name}: {stage.told()}" for name, stage in stages[:kept] if stage]
        told.append(f"{self.ran}: {self.debate.told()}")
        if self.ran != "single" and self.draws:
            told.append(f"its tokens buy {self.draws} single answer{'s' if self.draws > 1 else ''}")
        return " | ".join(told)


class Verdict(_Frozen):
    """The composed answer. Every claim in `claims` holds: its citations exist and quote what they cite."""

    schema_version: Literal[2] = 2
    question: str
    answer: str
    status: Status
    claims: tuple[Claim, ...] = ()
    struck: tuple[StruckClaim, ...] = ()
    evidence: tuple[Evidence, ...] = Field((), description="Every observation that a claim cites, once.")
    parts: tuple[Part, ...] = ()
    confidence: Confidence | None = Field(None, description="None where there is no answer to be sure of.")
    resolution: Resolution | None = None
    order_flipped: bool | None = Field(
        None, description="The judge answered otherwise over the turns in reverse; None where it was not asked twice."
    )
    dissent: tuple[Dissent, ...] = ()
    seats: tuple[SeatFate, ...] = ()
    passed_over: tuple[PassedOver, ...] = Field((), description="Experts that routing did not seat, and why.")
    looks: tuple[str, ...] = Field((), description="What seats had read again, or were refused, a line each.")
    lost_tools: tuple[str, ...] = Field((), description="Encoders that failed, each with its reason.")
    usage: Usage
    usage_by_seat: dict[str, Usage] = Field(default_factory=dict, description="By letter; the judge is `judge`.")
    payoff: PayOff | None = None
    stop_reason: str

    def evidence_for(self, label: str) -> Evidence | None:
        """The cited observation under `label`."""
        return next((evidence for evidence in self.evidence if evidence.label == label), None)

    def order_line(self) -> str | None:
        """What the second order of the turns came to, for a reader; None where the judge was not asked twice."""
        if self.order_flipped is None:
            return None
        return f"the judge answered {'otherwise' if self.order_flipped else 'alike'} over the turns in reverse"

    def __str__(self) -> str:
        lines = [self.answer, ""]
        for claim in self.claims:
            cited = ", ".join(f'[{c.label}] "{c.quote}"' for c in claim.citations)
            lines.append(f"- {claim.text} {cited}")
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        from consilience.agents.html import verdict_html

        return verdict_html(self)


def _money(cost: float | None) -> str:
    if cost is None:
        return ", price unknown"
    return f", ${cost:.4f}" if cost else ""
