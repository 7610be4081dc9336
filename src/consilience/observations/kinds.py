"""The kinds of observation that consilience itself makes, and the shape of each one's value.

A plug-in may use these kinds, or bring its own: an unknown kind carries any JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from consilience.observations.media import Modality

__all__ = [
    "VALUES",
    "Description",
    "Detection",
    "Passage",
    "Properties",
    "Sound",
    "TableRow",
    "TableShape",
    "Transcript",
    "Unobserved",
    "Value",
    "VisibleText",
    "Word",
]


class Value(BaseModel):
    """What was observed, as data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VisibleText(Value):
    """kind `text`: a line read off a picture or page."""

    text: str


class Detection(Value):
    """kind `object`: something seen."""

    label: str


class Properties(Value):
    """kind `properties`: measured facts of a picture."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    colours: tuple[str, ...] = Field(description="Dominant first, as #rrggbb.")
    brightness: float = Field(ge=0, le=1, description="Mean luma.")
    sharpness: float = Field(ge=0, description="Variance of the Laplacian of luma in 0-1.")
    exif: dict[str, str] = Field(default_factory=dict)


class Description(Value):
    """kind `description`: what a vision model says it sees."""

    text: str


class Word(Value):
    """One spoken word; seconds from the start of the medium."""

    text: str
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    probability: float | None = Field(None, ge=0, le=1)


class Transcript(Value):
    """kind `transcript`: a stretch of speech."""

    text: str
    language: str = Field(description="ISO 639-1.")
    words: tuple[Word, ...] = ()


class Sound(Value):
    """kind `sound`: what is heard over a span."""

    label: str


class Passage(Value):
    """kind `passage`: a stretch of written text."""

    text: str
    headings: tuple[str, ...] = Field((), description="Outermost first.")


class TableShape(Value):
    """kind `table`: what a table holds."""

    columns: tuple[str, ...]
    rows: int = Field(ge=0)


class TableRow(Value):
    """kind `row`: one row, by column."""

    cells: dict[str, JsonValue]


class Unobserved(Value):
    """kind `unobserved`: the medium did not allow an observation."""

    sought: tuple[str, ...] = Field(description="Kinds that the encoder looks for.")
    reason: str
    modality: Modality


VALUES: Mapping[str, type[Value]] = MappingProxyType(
    {
        "description": Description,
        "object": Detection,
        "passage": Passage,
        "properties": Properties,
        "row": TableRow,
        "sound": Sound,
        "table": TableShape,
        "text": VisibleText,
        "transcript": Transcript,
        "unobserved": Unobserved,
    }
)
