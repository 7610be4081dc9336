"""The state that every node of a debate reads and adds to. It holds references and words, never bytes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal, Protocol, TypeVar

from consilience.agents import Claim, LookAgain, PassedOver, Resolution, Stance, StruckClaim, ToolCall, Turn, Verdict
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from consilience.fusion import Decision, Gate, Stop
from consilience.models import Method, Usage
from consilience.observations import Media, ObservationStore, Record

_T = TypeVar("_T")

__all__ = [
    "PERSON",
    "Asked",
    "DebateState",
    "Draft",
    "Look",
    "Loss",
    "Node",
    "Odds",
    "SeatTaken",
    "Spent",
    "Swapped",
    "load_record",
    "media_of",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Frozen):
    """An earlier question of the same conversation, with its answer and what that rests on."""

    question: str
    answer: str
    cited: tuple[str, ...] = Field((), description="Ids of the observations that its claims cite.")
    media: tuple[Media, ...] = Field((), description="The media that these were made on.")

    @classmethod
    def of(cls, verdict: Verdict) -> Asked:
        """What a verdict leaves to the questions after it."""
        return cls(
            question=verdict.question,
            answer=verdict.answer,
            cited=tuple(evidence.observation.id for evidence in verdict.evidence),
            # What a tool gave is no medium of the user's, and no encoder is to read it.
            media=tuple(dict.fromkeys(e.media for e in verdict.evidence if e.observation.kind != "tool_result")),
        )


class SeatTaken(_Frozen):
    """Who sits where."""

    seat: str
    expert: str
    model: str
    stance: Stance | None = Field(None, description="The part that it was given; its position is then no vote.")
    reliability: float | None = Field(None, description="How often the expert is right, 0 to 1, where that is known.")


class Loss(_Frozen):
    """A turn that did not come about; `seat` is a letter, or `judge`."""

    seat: str
    phase: str
    reason: str
    round: int = Field(0, ge=0, description="Tells two losses of one seat for one reason apart.")
    budget: bool = Field(False, description="It would have cost more than the run may spend.")


class Spent(_Frozen):
    """What one seat used in one phase."""

    seat: str
    phase: Literal["opening", "exchange", "weighing", "judge", "verification"]
    usage: Usage
    round: int = Field(0, ge=0, description="Tells two turns of one seat that used the same apart.")
    models: tuple[str, ...] = Field((), description="Those that really answered.")
    methods: tuple[Method, ...] = Field((), description="How they were asked for structured output.")
    passed_over: tuple[str, ...] = Field((), description="Why a fallback answered, a line for each model that did not.")


class Odds(_Frozen):
    """How likely a seat's model holds each option, from the odds of its first token."""

    seat: str
    probabilities: dict[str, float] = Field(description="By option, 0 to 1, together 1.")


class Look(_Frozen):
    """A request to look again, and what it brought."""

    request: LookAgain
    seats: tuple[str, ...] = Field(description="Letters of those that made it.")
    labels: tuple[str, ...] = Field(description="What was found; every later prompt shows it.")
    added: tuple[str, ...] = Field((), description="Ids of the observations that an encoder added to the record.")
    seconds: float = Field(0.0, ge=0, description="That the encoder took, or may have taken where it was lost.")
    lost: int = Field(0, ge=0, description="Readings of it before that were under way when their process ended.")
    cached: bool = Field(False, description="The encoding was remembered.")
    refused: str | None = Field(None, description="Why nothing was run; None: it was, or none was asked for.")
    failure: str | None = Field(None, description="Why the encoder observed nothing, with the cure.")

    def describe(self) -> str:
        """`Seats A, C asked for "the fee" in 'talk.wav', 0:00-0:40: 3 lines`."""
        asking = f"Seat{'s' if len(self.seats) > 1 else ''} {', '.join(self.seats)} asked for"
        return f"{asking} {self.request.describe()}: {self._outcome()}"

    def _outcome(self) -> str:
        if self.refused or self.failure:
            return f"refused, {self.refused}" if self.refused else f"failed, {self.failure}"
        lines = "1 line" if len(self.labels) == 1 else f"{len(self.labels) or 'no'} lines"
        if self.request.encoder is None:
            return lines
        new = f"{len(self.added)} new" if self.added else "nothing new"
        how = "cached" if self.cached else f"{self.seconds:.1f} s"
        how += f", read {self.lost + 1} times, as its process ended" if self.lost else ""
        return f"{lines}, {new} ({how})"


PERSON = "person"
"""Who sits in a person's seat, and in the place of its model."""


class Swapped(_Frozen):
    """The judge's answers over the turns in two orders."""

    first: str
    second: str
    flipped: bool = Field(description="They do not agree.")


class Draft(_Frozen):
    """The judge's answer with its claims; checked once `struck` has been filled in by the check."""

    answer: str
    stated: Literal["fully", "partly", "not"]
    claims: tuple[Claim, ...]
    struck: tuple[StruckClaim, ...] = ()
    by: Literal["judge", "person"] = "judge"


def append(old: list[_T], new: list[_T]) -> list[_T]:
    """Reducer: adds what is not there yet, in order; nothing can be taken away, and a repeated step adds nothing."""
    kept = list(old)
    for item in new:
        if item not in kept:
            kept.append(item)
    return kept


def append_ids(old: list[str], new: list[str]) -> list[str]:
    """As `append`, for the thousands of ids of a long record."""
    return list(dict.fromkeys([*old, *new]))


class DebateState(TypedDict, total=False):
    """Input: `question` and `media` (and `options`, `earlier`). Output: `verdict`. `schema_version` is 1.

    On a thread of a checkpointer, media, observations and earlier questions of the conversation add up.
    """

    schema_version: int
    run: str
    question: str
    media: Annotated[list[Media], append]
    options: list[str]
    earlier: Annotated[list[Asked], append]
    observations: Annotated[list[str], append_ids]
    lost_tools: Annotated[list[str], append]
    unperceived: str | None
    seats: list[SeatTaken]
    passed_over: list[PassedOver]
    turns: Annotated[list[Turn], append]
    tool_calls: Annotated[list[ToolCall], append]
    results: Annotated[list[Media], append]
    looks: Annotated[list[Look], append]
    losses: Annotated[list[Loss], append]
    spent: Annotated[list[Spent], append]
    gate: Gate | None
    asked: dict[str, str]
    stop: Stop | None
    odds: list[Odds]
    decision: Decision | None
    resolution: Resolution | None
    swapped: Swapped | None
    draft: Draft | None
    rejected: str | None
    verdict: Verdict | None


class Node(Protocol):
    """A node: reads the state, gives what to add to it."""

    def __call__(self, state: DebateState) -> Awaitable[dict[str, Any]]:
        """One step."""
        ...


def media_of(state: DebateState) -> list[Media]:
    """What was given, and behind it what seats' tools gave: no encoder reads that."""
    return [*state.get("media", []), *state.get("results", [])]


def load_record(state: DebateState, store: ObservationStore) -> Record:
    """The record that the state points at. Blocks for a read of the index."""
    return Record(media_of(state), store.get(state.get("observations", [])))
