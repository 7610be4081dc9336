"""What a person is asked in the middle of a run, what a person can say, and where one can go back to."""

from __future__ import annotations

from typing import Literal, TypeAlias

from consilience.agents import Citation, Claim
from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Guidance", "Pause", "Pausing", "Rewind"]

Pausing: TypeAlias = Literal["conflict", "look", "judge"]
"""Before the openings where the media contradict each other; before an encoder reads a place again that costs more than
`Looks.unasked`; before the answer is decided or judged."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pause(_Frozen):
    """What a person is asked; the run waits."""

    at: Pausing
    question: str = Field(description="The user's.")
    round: int = Field(0, description="Of several pauses at one place, which: the rounds of exchange that stand.")
    lines: tuple[str, ...] = Field(
        description="What it is about: the conflicts of the record, what the seats ask for, or what they hold."
    )

    @property
    def place(self) -> str:
        """What tells it apart from all others of the run."""
        return f"{self.at}/{self.round}"

    def told(self) -> str:
        """For a reader, one line."""
        if self.at == "conflict":
            return "The media contradict each other. Shall the debate go on?"
        if self.at == "look":
            return "The seats ask for more than may be read unasked. Shall it be read?"
        return "The seats have spoken. Shall the answer be decided?"


class Guidance(_Frozen):
    """What a person says to a pause."""

    action: Literal["approve", "edit", "reject", "answer"]
    """approve: it goes on. edit: `text` holds: it is the finding that the judge starts from; before the judge it is the
    answer. reject: it ends without an answer; at a look, nothing is read. answer: the person takes a seat, and `text`
    is its position, heard by the others from then on. At a look, who edits or answers has spared the reading."""
    text: str = Field("", description="What holds, the position; or why it is rejected.")
    citations: tuple[tuple[str, str], ...] = Field(
        (), description="What `text` rests on: labels of the record, each with words of it. They are checked."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Guidance:
        if self.action in ("edit", "answer") and not self.text.strip():
            raise ValueError(f"to {self.action} takes a text")
        return self

    def claims(self) -> tuple[Claim, ...]:
        """What it claims, unchecked."""
        cited = tuple(Citation(label=label, quote=quote) for label, quote in self.citations)
        return (Claim(text=self.text, citations=cited),) if cited else ()


class Rewind(_Frozen):
    """Where a run is gone back to, and what is changed there; options that stand beside it count from there on.

    What was done before that step stands, and is in the books. What comes after is asked anew; of it, what the thread
    kept stays in its history, and is no longer its end.
    """

    before: str = Field(description="Node of the graph that is run next: `open`, `exchange`, `decide`, `judge`, ...")
    round: int | None = Field(None, ge=0, description="Rounds of exchange that stand then; None: the last time.")
    question: str | None = Field(None, description="Asked instead.")
    options: tuple[str, ...] | None = Field(None, description="To choose from instead.")
    positions: dict[str, str] = Field(
        default_factory=dict, description="By seat, what it held last instead; its claims go with what it held."
    )
