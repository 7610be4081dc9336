"""What a person is asked in the middle of a run, and what a person can say."""

from __future__ import annotations

from typing import Literal, TypeAlias

from consilience.agents import Citation, Claim
from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Guidance", "Pause", "Pausing"]

Pausing: TypeAlias = Literal["conflict", "judge"]
"""Before the openings where the media contradict each other; before the answer is decided or judged."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pause(_Frozen):
    """What a person is asked; the run waits."""

    at: Pausing
    question: str = Field(description="The user's.")
    lines: tuple[str, ...] = Field(description="What it is about: the conflicts of the record, or what the seats hold.")

    def told(self) -> str:
        """For a reader, one line."""
        if self.at == "conflict":
            return "The media contradict each other. Shall the debate go on?"
        return "The seats have spoken. Shall the answer be decided?"


class Guidance(_Frozen):
    """What a person says to a pause."""

    action: Literal["approve", "edit", "reject", "answer"]
    """approve: it goes on. edit: `text` holds: at a conflict it is the finding that the judge starts from; before the
    judge it is the answer. reject: it ends without an answer. answer: the person takes a seat, and `text` is its
    position, heard by the others from then on."""
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
