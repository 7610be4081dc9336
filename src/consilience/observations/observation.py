"""The unit of evidence: something observed, where, how surely, and by what."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from consilience.observations.kinds import VALUES, Value
from consilience.observations.locator import Locator, one_line
from consilience.observations.media import Modality

__all__ = ["Confidence", "Observation", "Provenance", "canonical_json"]

V = TypeVar("V", bound=Value)


class Confidence(BaseModel):
    """How sure an encoder is, and what the number means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float = Field(ge=0, le=1)
    kind: Literal["probability", "score", "calibrated"]
    """probability: the model's own; score: orders, no more; calibrated: fitted against outcomes."""

    @field_validator("value")
    @classmethod
    def _to_ten_thousandths(cls, value: float) -> float:
        return round(value, 4)

    def __str__(self) -> str:
        return f"{self.value:.0%} {self.kind}"


class Provenance(BaseModel):
    """What made an observation, precisely enough to make it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    media: str = Field(description="Id of the medium.")
    modality: Modality
    tool: str
    version: str
    model: str | None = Field(
        None,
        description="Weights with their hash, packages of weights with their version, or a remote model at its server.",
    )
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


class Observation(BaseModel):
    """One located, scored, attributed observation. Its id follows from everything else in it.

    Raises:
        pydantic.ValidationError: the value does not have its kind's shape, or a given id is not the derived one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    id: str = Field("", description="`obs:` and 20 hexadecimal digits; derived.")
    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    value: dict[str, JsonValue] = Field(description="Shape by kind: see `consilience.observations.kinds`.")
    text: str = Field(min_length=1, description="One line for a language model; quotes are matched against it.")
    locator: Locator = Locator()
    confidence: Confidence | None = None
    provenance: Provenance

    @field_validator("text")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not (line := one_line(text)):
            raise ValueError("text says nothing; what could not be observed is of kind `unobserved`")
        return line

    @model_validator(mode="after")
    def _check(self) -> Observation:
        if self.kind in VALUES:
            VALUES[self.kind].model_validate(self.value)
        content = self.model_dump(mode="json", exclude={"id"})
        derived = "obs:" + hashlib.sha256(canonical_json(content).encode()).hexdigest()[:20]
        if self.id not in ("", derived):
            raise ValueError(f"id {self.id} does not belong to this content (it should be {derived})")
        object.__setattr__(self, "id", derived)
        return self

    def as_(self, kind: type[V]) -> V:
        """The value as its typed form, for example `observation.as_(Transcript).words`."""
        return kind.model_validate(self.value)


def canonical_json(content: JsonValue | dict[str, Any]) -> str:
    """The one JSON text of `content`: keys sorted, no spaces; what hashes are taken of."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
