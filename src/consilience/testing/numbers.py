"""Numbers that nobody should choose for a parameter, and somebody will."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

__all__ = ["ODD", "numeric"]

ODD = (0, -1, 10**9, math.nan)


def numeric(parameters: type[BaseModel]) -> list[str]:
    """Names of the parameters that may be numbers."""
    properties = parameters.model_json_schema().get("properties", {})
    return [name for name, schema in properties.items() if _may_be_number(schema)]


def _may_be_number(schema: Mapping[str, Any]) -> bool:
    if any(_may_be_number(choice) for choice in schema.get("anyOf", ())):
        return True
    return schema.get("type") in ("integer", "number")
