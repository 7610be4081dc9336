"""What became of an encoder that did not get to observe: a record tells it beside what the others observed."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from consilience.observations.locator import Locator

__all__ = ["Cause", "Failure"]

Cause: TypeAlias = Literal["missing", "unreadable", "model", "configuration", "other"]
"""A package or weights are not here; the medium cannot be read; no model answered; a setting forbids it or is wrong;
anything else."""


class Failure(BaseModel):
    """An encoder that failed on a medium, or on a part of it.

    It is no observation: the medium may well allow what was sought, and the next run tries again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str
    media: str = Field("", description="Id of the medium; empty where an older record does not say.")
    where: Locator = Locator()
    reason: str = Field(description="What went wrong, and the cure.")
    cause: Cause = "other"

    def describe(self, name: str = "") -> str:
        """`audio.speech on talk.wav 0:02-0:04: ...` of a medium of this name."""
        place = f"{name} {self.where.describe()}".strip()
        return f"{self.encoder} on {place}: {self.reason}" if place else f"{self.encoder}: {self.reason}"
