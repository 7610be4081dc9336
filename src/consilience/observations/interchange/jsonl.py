"""A record as JSON lines, without loss: a header, then every medium, then every observation in order, then what failed.

The bytes of media are not in it; an imported medium is known by its hash until its file is passed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from consilience.core.errors import BadMedia
from consilience.observations.failure import Failure
from consilience.observations.media import Media
from consilience.observations.observation import Observation
from consilience.observations.record import Record

_Form = TypeVar("_Form")

__all__ = ["FORMAT", "VERSION", "from_jsonl", "to_jsonl"]

FORMAT, VERSION = "consilience-record", 2
# The first had no failures.
_READ = (1, VERSION)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Header(_Line):
    type: Literal["header"] = "header"
    format: Literal["consilience-record"] = "consilience-record"
    version: Literal[2] = 2


class _MediaLine(_Line):
    type: Literal["media"] = "media"
    media: Media


class _ObservationLine(_Line):
    type: Literal["observation"] = "observation"
    label: str = Field("", description="For readers; labels follow from the order.")
    observation: Observation


class _FailureLine(_Line):
    type: Literal["failure"] = "failure"
    failure: Failure


class _Whole(BaseModel):
    """A whole record in one object, as `consilience observe --json` prints it."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1, 2]
    media: tuple[Media, ...]
    observations: dict[str, Observation]
    failures: tuple[Failure, ...] = ()

    @field_validator("failures", mode="before")
    @classmethod
    def _of_the_first_version(cls, failures: Any) -> Any:
        """It told them in a line each: `audio.speech on talk.wav: ...`."""
        if not isinstance(failures, list):
            return failures
        return [_from_line(failure) if isinstance(failure, str) else failure for failure in failures]


_PARTS: TypeAdapter[_MediaLine | _ObservationLine | _FailureLine] = TypeAdapter(
    Annotated[_MediaLine | _ObservationLine | _FailureLine, Field(discriminator="type")]
)


_WHOLE: TypeAdapter[_Whole] = TypeAdapter(_Whole)


def to_jsonl(record: Record) -> Iterator[str]:
    """The lines of a record, each one JSON object without its line end."""
    yield _told(_Header())
    for medium in record.media:
        yield _told(_MediaLine(media=medium))
    for label, observation in record:
        yield _told(_ObservationLine(label=label, observation=observation))
    for failure in record.failures:
        yield _told(_FailureLine(failure=failure))


def _from_line(told: str) -> dict[str, Any]:
    encoder, _, rest = told.partition(" on ")
    return {"encoder": encoder, "reason": rest or told}


def _told(line: BaseModel) -> str:
    # A reader may split at any of Unicode's line ends: all of them leave as escapes.
    return json.dumps(line.model_dump(mode="json"), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def from_jsonl(lines: Iterable[str], name: str = "record") -> Record:
    """The record that `to_jsonl` wrote, or `consilience observe --json`; every id is checked against its content.

    Args:
        lines: with or without their line ends; read one by one.
        name: what errors call the source.

    Raises:
        BadMedia: a line is no JSON, of another format or version, or its content does not bear its id.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    number, first = next(numbered, (1, ""))
    head = _parsed(first, number, name)
    if "observations" in head:
        whole = _checked(_WHOLE, first, number, name)
        return Record(whole.media, whole.observations.values(), whole.failures)
    if head.get("format") != FORMAT or head.get("version") not in _READ:
        told = f"{head.get('format')!r} version {head.get('version')!r}"
        raise BadMedia(
            name,
            f"its first line announces {told}, not {FORMAT!r} version {VERSION}.",
            cure="Export it with `consilience export --format jsonl`, or read it with the version that wrote it.",
        )
    media: list[Media] = []
    observations: list[Observation] = []
    failures: list[Failure] = []
    for number, line in numbered:
        part = _checked(_PARTS, line, number, name)
        if isinstance(part, _MediaLine):
            media.append(part.media)
        elif isinstance(part, _ObservationLine):
            observations.append(part.observation)
        else:
            failures.append(part.failure)
    return Record(media, observations, failures)


def _parsed(line: str, number: int, name: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise BadMedia(name, f"line {number} is no JSON ({problem}).", cure="Export the record again.") from problem
    if not isinstance(content, dict):
        raise BadMedia(name, f"line {number} is no JSON object.", cure="Export the record again.")
    return content


def _checked(form: TypeAdapter[_Form], line: str, number: int, name: str) -> _Form:
    try:
        return form.validate_json(line)
    except ValidationError as problem:
        told = problem.errors()[0]["msg"]
        raise BadMedia(
            name, f"line {number} is not what it should be: {told}.", cure="Export the record again."
        ) from problem
