"""Within what the numbers lie that encoders take: models and clients choose them, and each has to end in a result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from consilience.core.errors import BadConfiguration, nearest

__all__ = ["LONGEST", "SHORTEST", "Beam", "Few", "Length", "Many", "Pause", "Share", "Window", "in_words", "refused"]

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""A score, a probability, a share of the whole."""

Few: TypeAlias = Annotated[int, Field(ge=1, le=1_000)]
"""How many things of one picture, document or column are told."""

Many: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
"""How many rows, cells or marks are told."""

Length: TypeAlias = Annotated[int, Field(ge=20, le=100_000)]
"""Characters of a passage."""

Pause: TypeAlias = Annotated[float, Field(ge=0, le=3_600)]
"""Seconds; what is shorter does not count."""

SHORTEST, LONGEST = 1, 86_400

Window: TypeAlias = Annotated[float, Field(ge=SHORTEST, le=LONGEST)]
"""Seconds that are handled at once; shorter ones would make more parts of a medium than anybody reads."""

Beam: TypeAlias = Annotated[int, Field(ge=1, le=20)]
"""Readings that are followed side by side."""

_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def in_words(schema: Mapping[str, Any]) -> str:
    """`number or null, at least 0`: the JSON schema of a parameter in words."""
    if "anyOf" in schema:
        return " or ".join(in_words(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    limits = [f"{words} {schema[key]:.15g}" for key, words in _BOUNDS.items() if key in schema]
    inner = f" of {in_words(schema['items'])}" if schema.get("items") else ""
    return ", ".join([f"{schema.get('type', 'any')}{inner}", *limits])


def refused(tool: str, parameters: type[BaseModel], problem: ValidationError) -> BadConfiguration:
    """The error that names the first parameter that is wrong, and what it may be."""
    first = problem.errors()[0]
    name = ".".join(map(str, first["loc"]))
    schema = parameters.model_json_schema().get("properties", {})
    about = schema.get(name.partition(".")[0])
    have = ", ".join(parameters.model_fields) or "none"
    if first["type"] == "extra_forbidden":
        near = nearest(name, parameters.model_fields)
        hint = f"Did you mean {near!r}? " if near else ""
        return BadConfiguration(f"{tool}: there is no parameter {name!r}.", cure=f"{hint}Its parameters are: {have}.")
    return BadConfiguration(
        f"{tool}: parameter {name!r}: {first['msg']}.",
        cure=f"It is: {in_words(about)}." if about else f"Its parameters are: {have}.",
    )
