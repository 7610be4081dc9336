"""A stand-in for a model that debates: it fills in whatever form a seat or a judge is asked for."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["witness"]

_LINE = re.compile(r"^\[(\w+)\] [^:\n]*(?:\d:\d[^:\n]*)*: (.+)$", re.MULTILINE)

_EMPTY = ("disputes", "settings")


def witness(request: dict[str, Any]) -> dict[str, Any]:
    """A reply for `ModelServer`: cites the first line of evidence in the prompt, and answers with its words.

    Its citations hold, so that a whole debate runs to a verdict; what it says means nothing.
    """
    prompt = "\n".join(str(message["content"]) for message in request["messages"])
    lines = dict(_LINE.findall(prompt))
    schema = request["response_format"]["json_schema"]["schema"]
    return {name: _fill(part, lines, name) for name, part in schema["properties"].items()}


def _fill(schema: dict[str, Any], lines: dict[str, str], name: str) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] in ("number", "integer"):
        return schema.get("minimum", 0)
    if schema["type"] == "array":
        return [_fill(schema["items"], lines, name)] if schema.get("maxItems", 1) and name not in _EMPTY else []
    if schema["type"] == "object":
        filled = {key: _fill(part, lines, key) for key, part in schema["properties"].items()}
        return {**filled, "quote": lines[filled["label"]]} if "quote" in filled else filled
    return next(iter(lines.values()), "not stated")
