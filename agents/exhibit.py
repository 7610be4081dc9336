"""A medium itself, for a model that takes it, as it stands in a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from consilience.agents.prompts import prompt

from consilience.observations import between_quotes

__all__ = ["Exhibit", "blocks_of", "told_exhibits"]


@dataclass(frozen=True)
class Exhibit:
    """A picture or a recording that one seat is shown; without content, one that it is not, and why."""

    name: str
    kind: str = ""
    """`image` or `audio`."""
    mime: str = ""
    content: str = field(default="", repr=False)
    """Base64."""
    note: str = ""


def told_exhibits(exhibits: Sequence[Exhibit]) -> list[str]:
    """What an instruction says of them; nothing where there are none."""
    shown = [f'"{between_quotes(exhibit.name)}"' for exhibit in exhibits if exhibit.content]
    return [prompt("shown", names=", ".join(shown))] if shown else []


def blocks_of(text: str, exhibits: Sequence[Exhibit]) -> str | list[str | dict[str, Any]]:
    """The content of a message: the text, and behind it each exhibit under its name."""
    if not exhibits:
        return text
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": text}]
    for exhibit in exhibits:
        told = f'"{between_quotes(exhibit.name)}"' + (f" ({exhibit.note})" if exhibit.note else "") + ":"
        blocks.append({"type": "text", "text": f"\n{told}"})
        if exhibit.content:
            # No id, which would be another one in each process: a journal knows calls by what they say.
            blocks.append({"type": exhibit.kind, "base64": exhibit.content, "mime_type": exhibit.mime})
    return blocks
