"""The forms that models fill in: a JSON schema to ask with, and the check of what comes back.

The schemas allow only the labels and seats that the prompt shows, and keep every string short. They are a request;
`parse` is what holds, since some endpoints ignore schemas and every endpoint can be cut off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from consilience.agents.requests import LookReply, Offer, ReadReply, read_again_schema
from consilience.agents.schemas import list_of, number, object_of, one_of, string
from consilience.agents.turn import Citation, Claim, Dispute, LookAgain, Position
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from consilience.observations import Span, quoted

__all__ = [
    "Allowed",
    "ComposeReply",
    "ExamineReply",
    "Form",
    "ResolveReply",
    "TurnReply",
    "compose_form",
    "examine_form",
    "resolve_form",
    "turn_form",
]

T = TypeVar("T", bound=BaseModel)

_TEXT, _QUOTE, _ANSWER = 160, 120, 160

NOT_STATED = "not stated"
"""What a seat answers whose evidence does not."""


_Line: TypeAlias = Annotated[str, AfterValidator(lambda text: " ".join(text.split()))]
"""One line: prompts show what a seat says as a line, and a second one could pass for another seat's."""


class _Reply(BaseModel):
    # A model may add fields of its own; what counts is that ours are there and right.
    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


class ClaimReply(_Reply):
    """A claim with its one citation."""

    text: _Line
    label: str
    quote: _Line

    def claim(self) -> Claim:
        """As the contract has it."""
        return Claim(text=self.text, citations=(Citation(label=self.label, quote=self.quote),))


class DisputeReply(_Reply):
    """A peer's statement not accepted."""

    seat: str
    reason: _Line


class CitationReply(_Reply):
    """A pointer at a line of evidence."""

    label: str
    quote: _Line


class TurnReply(_Reply):
    """What a seat sends in either phase. Its answer is its claim: a seat's sentence is said, and paid for, once."""

    evidence: list[CitationReply] = Field(default_factory=list)
    disputes: list[DisputeReply] = Field(default_factory=list)
    look_again: list[LookReply] = Field(default_factory=list)
    read_again: list[ReadReply] = Field(default_factory=list)
    stated: Literal["fully", "partly", "not"]
    answer: _Line = Field(min_length=1)

    def position(self) -> Position:
        """As the contract has it."""
        # A word for nothing is no answer, whatever stands beside it.
        return Position(text=self.answer, stated="not" if self.answer == NOT_STATED else self.stated)

    def contract_claims(self) -> tuple[Claim, ...]:
        """As the contract has them."""
        return tuple(
            Claim(text=self.answer, citations=(Citation(label=cited.label, quote=cited.quote),))
            for cited in self.evidence
        )

    def contract_disputes(self) -> tuple[Dispute, ...]:
        """As the contract has them."""
        return tuple(Dispute(seat=dispute.seat, reason=dispute.reason) for dispute in self.disputes)

    def contract_requests(self, left_out: Sequence[Span] = ()) -> tuple[LookAgain, ...]:
        """As the contract has them, what was left out before what is to be read again."""
        looks = [look.request(left_out) for look in self.look_again]
        return (*looks, *(reading.request() for reading in self.read_again))


class ApprovingReply(TurnReply):
    """A turn that also says which other options it would accept."""

    approves: list[_Line] = Field(default_factory=list)

    def position(self) -> Position:
        """As the contract has it. Who does not answer approves of nothing."""
        position = super().position()
        others = dict.fromkeys(said for said in self.approves if said not in ("", self.answer, NOT_STATED))
        return position.model_copy(update={"approves": tuple(others)}) if position.answers else position


class ResolveReply(_Reply):
    """The judge's answer to the targeted question."""

    reason: _Line
    stronger: str
    answer: _Line = Field(min_length=1)


class ExamineReply(_Reply):
    """What the judge asks the seats, by letter."""

    questions: dict[str, _Line]


class ComposeReply(_Reply):
    """The judge's answer to the user's question."""

    claims: list[ClaimReply] = Field(default_factory=list)
    stated: Literal["fully", "partly", "not"]
    answer: str = Field(min_length=1)

    def states(self) -> Literal["fully", "partly", "not"]:
        """How much of the question the evidence answers; a word for nothing is no answer, whatever stands beside it."""
        return "not" if self.answer == NOT_STATED else self.stated


@dataclass(frozen=True)
class Form(Generic[T]):
    """What to ask for, and how to read what comes."""

    schema: dict[str, Any]
    reply: type[T]
    check: Callable[[T], None]
    """Raises ValueError with what is wrong."""
    from_words: Callable[[str], T] | None = None
    """Reads a reply in plain words, from a Runnable that knows nothing of schemas; None where words will not do."""

    def parse(self, text: str) -> T:
        """The reply in `text`, which may be fenced or surrounded by prose.

        Raises:
            ValueError: no JSON object, not of this form, or naming what the prompt did not show.
        """
        start, end = text.find("{"), text.rfind("}")
        if start < 0 or end < start:
            raise ValueError("it holds no JSON object")
        try:
            value = self.reply.model_validate_json(text[start : end + 1])
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from problem
        self.check(value)
        return value


@dataclass(frozen=True)
class Allowed:
    """What a turn may name."""

    labels: Sequence[str]
    """Lines of evidence that it may cite."""
    peers: Sequence[str] = ()
    """Seats that it may dispute one of."""
    media: Sequence[str] = ()
    """Media that it may ask for lines of."""
    options: Sequence[str] = ()
    """Answers; none: any."""
    approvable: Sequence[str] = ()
    """Options that it is asked to approve beside its answer; none: it is not asked."""
    offers: Sequence[Offer] = ()
    """What it may have read again."""


def turn_form(allowed: Allowed) -> Form[TurnReply]:
    """A seat's turn."""
    citation = {"label": one_of(allowed.labels), "quote": string(_QUOTE)}
    answer = one_of([*allowed.options, NOT_STATED]) if allowed.options else string(_ANSWER)
    # The answer comes first: a small model that has to choose lines before it has an answer answers what it has chosen.
    properties = {"answer": answer, "evidence": list_of("citation", citation, 2 if allowed.labels else 0)}
    if allowed.peers:
        dispute = {"seat": one_of(allowed.peers), "reason": string(_TEXT)}
        properties["disputes"] = list_of("dispute", dispute, 1)
    properties["stated"] = _STATED
    if allowed.approvable:
        others = {"items": one_of(allowed.approvable), "maxItems": len(allowed.approvable) - 1}
        properties["approves"] = {"type": "array", **others}
    if allowed.media:
        look = {"medium": one_of(allowed.media), "words": string(_QUOTE), "start": number(), "end": number()}
        properties["look_again"] = list_of("request", look, 1)
    if allowed.offers:
        properties["read_again"] = read_again_schema(allowed.offers, allowed.labels)
    reply = ApprovingReply if allowed.approvable else TurnReply
    return Form(object_of("turn", properties), reply, partial(_check_turn, allowed), _turn_in_words)


def _check_turn(allowed: Allowed, reply: TurnReply) -> None:
    _check_labels(reply.evidence, allowed.labels)
    for dispute in reply.disputes:
        if dispute.seat not in allowed.peers:
            raise ValueError(f"there is no seat {dispute.seat!r} to dispute (there are: {', '.join(allowed.peers)})")
    for look in reply.look_again:
        if look.medium not in allowed.media:
            left_out = ", ".join(allowed.media) or "nothing"
            raise ValueError(quoted(f"there is nothing left out of {look.medium!r} (of: {left_out})"))


def _turn_in_words(text: str) -> TurnReply:
    return TurnReply(stated="fully", answer=text)


def resolve_form(seats: Sequence[str]) -> Form[ResolveReply]:
    """The targeted question to the judge, about these seats."""
    properties = {
        "reason": string(_TEXT),
        "stronger": one_of([*seats, "neither"]),
        "answer": string(_ANSWER),
    }

    def check(reply: ResolveReply) -> None:
        if reply.stronger not in (*seats, "neither"):
            raise ValueError(f"there is no seat {reply.stronger!r} (there are: {', '.join(seats)})")

    return Form(object_of("resolution", properties), ResolveReply, check)


def examine_form(seats: Sequence[str]) -> Form[ExamineReply]:
    """A question of the judge to each of these seats."""
    asked = object_of("questions", {seat: string(_TEXT) for seat in seats})

    def check(reply: ExamineReply) -> None:
        if unknown := sorted(reply.questions.keys() - set(seats)):
            raise ValueError(f"there is no seat {unknown[0]!r} to ask (there are: {', '.join(seats)})")
        if missing := [seat for seat in seats if not reply.questions.get(seat)]:
            raise ValueError(f"it asks nothing of seat {missing[0]}")

    return Form(object_of("examination", {"questions": asked}), ExamineReply, check)


def compose_form(labels: Sequence[str], options: Sequence[str] = ()) -> Form[ComposeReply]:
    """The judge's final answer over these labels; with options, one of them or that none is stated."""
    claim = {"text": string(_TEXT), "label": one_of(labels), "quote": string(_QUOTE)}
    claims = list_of("claim", claim, 3 if labels else 0)
    answer = one_of([*options, NOT_STATED]) if options else string(2 * _ANSWER)
    properties = {"answer": answer, "claims": claims, "stated": _STATED}

    def check(reply: ComposeReply) -> None:
        _check_labels(reply.claims, labels)
        if options and reply.answer not in (*options, NOT_STATED):
            raise ValueError(f"the answer is none of the options ({'; '.join(options)}), nor {NOT_STATED!r}")

    return Form(object_of("answer", properties), ComposeReply, check)


_STATED = {"type": "string", "enum": ["fully", "partly", "not"]}


def _check_labels(citing: Sequence[ClaimReply | CitationReply], labels: Sequence[str]) -> None:
    for item in citing:
        if item.label not in labels:
            raise ValueError(f"there is no label {json.dumps(item.label)} (there are: {', '.join(labels)})")
