"""Pieces of the JSON schemas that models are asked with: every string and list is bounded, every property required."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["list_of", "number", "object_of", "one_of", "string"]


def one_of(choices: Sequence[str]) -> dict[str, Any]:
    """One of these words; any where there are none."""
    # An empty enum is no valid schema; the list around it allows no item then.
    return {"type": "string", "enum": list(choices)} if choices else {"type": "string"}


def string(longest: int) -> dict[str, Any]:
    """At most so many characters."""
    return {"type": "string", "maxLength": longest}


def number() -> dict[str, Any]:
    """0 or more."""
    return {"type": "number", "minimum": 0}


def object_of(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    """All of these, and nothing else."""
    return {
        "title": title,
        "description": f"The {title}.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(title: str, properties: dict[str, Any], most: int) -> dict[str, Any]:
    """At most `most` objects of these."""
    return {"type": "array", "items": object_of(title, properties), "maxItems": most}
