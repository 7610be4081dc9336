"""What happens in a debate, as it happens: one typed stream for the command line, the chat and servers."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from consilience.agents import PassedOver, Phase, Resolution, StruckClaim, ToolCall, Turn, Verdict
from consilience.graphs.guidance import Pause
from consilience.graphs.state import Look, Odds, SeatTaken, Spent
from langgraph.config import get_stream_writer
from pydantic import BaseModel, ConfigDict, Field

from consilience.core.errors import ConsilienceError
from consilience.fusion import Decision, Gate, Stop
from consilience.observations import Locator, Media

__all__ = [
    "AnswerDelta",
    "ClaimStruck",
    "Comparing",
    "Decided",
    "Event",
    "Failed",
    "Finished",
    "GateDecided",
    "LookedAgain",
    "Paused",
    "Perceived",
    "PhaseStarted",
    "PullingWeights",
    "Reconciled",
    "Recorded",
    "Resolved",
    "SeatLost",
    "Seated",
    "Settled",
    "Started",
    "ToolCalled",
    "TurnTaken",
    "Used",
    "Weighed",
    "course_of",
    "emit",
]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1


class Started(_Event):
    """The inputs are taken in."""

    type: Literal["started"] = "started"
    question: str
    media: tuple[Media, ...]
    thread: str | None = Field(None, description="Under which it is kept and can be resumed; None: it is not kept.")


class PullingWeights(_Event):
    """Weights are being downloaded."""

    type: Literal["pulling_weights"] = "pulling_weights"
    name: str
    done: int = Field(description="Bytes.")
    total: int = Field(description="Bytes.")


class Perceived(_Event):
    """One encoder is through with one medium, or a part of it."""

    type: Literal["perceived"] = "perceived"
    media: Media
    encoder: str
    where: Locator = Locator()
    lines: tuple[str, ...] = Field(description="The observations' texts.")
    seconds: float
    cached: bool
    failure: str | None = None
    done: int = Field(1, description="Encodings finished so far.")
    planned: int = Field(1, description="Encodings known so far to be needed.")


class Recorded(_Event):
    """Perception is complete: the record, a labelled line an observation."""

    type: Literal["recorded"] = "recorded"
    lines: tuple[str, ...]


class Reconciled(_Event):
    """The observations of all media have been compared: conflicts and entities, a labelled line each."""

    type: Literal["reconciled"] = "reconciled"
    lines: tuple[str, ...]
    notes: tuple[str, ...] = Field((), description="What could not be compared, and the cure.")


class Comparing(_Event):
    """A record that is longer than a prompt is compared with the question, line by line; only new lines are."""

    type: Literal["comparing"] = "comparing"
    done: int = Field(description="Lines.")
    total: int = Field(description="Lines.")


class Seated(_Event):
    """Who sits where, and which experts do not sit down and why."""

    type: Literal["seated"] = "seated"
    seats: tuple[SeatTaken, ...]
    passed_over: tuple[PassedOver, ...] = ()


class PhaseStarted(_Event):
    """The seats, or the judge, begin to speak."""

    type: Literal["phase_started"] = "phase_started"
    phase: Phase | Literal["judgement"]
    round: int = 0


class ToolCalled(_Event):
    """A seat's model has called a tool before its opening; its lines are in the record."""

    type: Literal["tool_called"] = "tool_called"
    call: ToolCall
    lines: tuple[str, ...] = Field((), description="Of the record.")


class TurnTaken(_Event):
    """A seat has spoken; its claims are checked."""

    type: Literal["turn_taken"] = "turn_taken"
    turn: Turn


class Used(_Event):
    """What a turn, or the judge's answer, has used, right behind it; also where the seat was lost."""

    type: Literal["used"] = "used"
    round: int = 0
    spent: Spent


class LookedAgain(_Event):
    """Seats asked for lines that their prompts had no room for, or had an encoder read a place again.

    Every later prompt shows what was found; `look` says for whom it was, what it took, or why it was not done.
    """

    type: Literal["looked_again"] = "looked_again"
    look: Look
    lines: tuple[str, ...]


class GateDecided(_Event):
    """Whether there is an exchange, and on what grounds."""

    type: Literal["gate_decided"] = "gate_decided"
    gate: Gate


class Settled(_Event):
    """The exchange ends, and why."""

    type: Literal["settled"] = "settled"
    stop: Stop


class Weighed(_Event):
    """A seat's model has told how likely it holds each option."""

    type: Literal["weighed"] = "weighed"
    odds: Odds


class Decided(_Event):
    """A rule has counted the seats' positions."""

    type: Literal["decided"] = "decided"
    decision: Decision


class SeatLost(_Event):
    """A seat, or the judge, could not speak."""

    type: Literal["seat_lost"] = "seat_lost"
    seat: str
    expert: str
    phase: str
    reason: str


class Resolved(_Event):
    """The judge has answered the question that diverging positions posed."""

    type: Literal["resolved"] = "resolved"
    resolution: Resolution


class AnswerDelta(_Event):
    """The next piece of the answer, as the judge writes it. `Finished` holds the answer that counts."""

    type: Literal["answer_delta"] = "answer_delta"
    text: str


class ClaimStruck(_Event):
    """A claim of the judge did not survive the check."""

    type: Literal["claim_struck"] = "claim_struck"
    struck: StruckClaim


class Finished(_Event):
    """The verdict; the last event of a run that comes to one."""

    type: Literal["finished"] = "finished"
    verdict: Verdict


class Failed(_Event):
    """The run was ended by an error, which is raised behind this last event."""

    type: Literal["failed"] = "failed"
    kind: str = Field(description="Class of the error.")
    reason: str
    cure: str = Field("", description="What the reader can do about it, where that is known.")

    @classmethod
    def of(cls, problem: Exception) -> Failed:
        """What is told of an error; of one that nobody foresaw, that too."""
        kind = type(problem).__name__
        if isinstance(problem, ConsilienceError):
            return cls(kind=kind, reason=problem.problem, cure=problem.cure)
        return cls(kind=kind, reason=f"{kind}: {problem}")


class Paused(_Event):
    """A person is asked: the run goes on when it is resumed with an answer. The last event of this process's part."""

    type: Literal["paused"] = "paused"
    thread: str
    pause: Pause


Event: TypeAlias = Annotated[
    Started
    | PullingWeights
    | Perceived
    | Recorded
    | Reconciled
    | Comparing
    | Seated
    | PhaseStarted
    | ToolCalled
    | TurnTaken
    | Used
    | LookedAgain
    | GateDecided
    | Settled
    | Weighed
    | Decided
    | SeatLost
    | Resolved
    | AnswerDelta
    | ClaimStruck
    | Paused
    | Finished
    | Failed,
    Field(discriminator="type"),
]


def course_of(event: GateDecided | Settled | Weighed | Decided) -> str:
    """`No further round: all 3 who answer hold 'platform 4'`: how the debate goes on, one line for a reader."""
    match event:
        case GateDecided():
            return event.gate.told[:1].upper() + event.gate.told[1:]
        case Settled():
            return f"No further round: {event.stop.reason}"
        case Weighed():
            ranked = sorted(event.odds.probabilities.items(), key=lambda item: -item[1])
            return f"Seat {event.odds.seat}: " + ", ".join(f"{option} {value:.0%}" for option, value in ranked)
        case Decided():
            return event.decision.told[:1].upper() + event.decision.told[1:]


def emit(event: _Event) -> None:
    """Sends an event down the running graph's stream; does nothing when a node is called outside of a graph."""
    try:
        write = get_stream_writer()
    except RuntimeError:
        return
    write(event)
