"""What a function's docstring says of its arguments, in Google's style."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

__all__ = ["argument_docs"]

_ARGUMENT = re.compile(r"    (\w+)(?: \(.*?\))?: (\S.*)")


def argument_docs(function: Callable[..., Any]) -> dict[str, str]:
    """One line for each argument that the section `Args:` of the docstring describes."""
    lines = (inspect.getdoc(function) or "").splitlines()
    if "Args:" not in lines:
        return {}
    docs: dict[str, str] = {}
    name = ""
    for line in lines[lines.index("Args:") + 1 :]:
        if line and not line.startswith(" "):
            break
        if argument := _ARGUMENT.fullmatch(line):
            name = argument[1]
            docs[name] = argument[2].strip()
        elif name and line.strip():
            docs[name] += f" {line.strip()}"
    return docs
