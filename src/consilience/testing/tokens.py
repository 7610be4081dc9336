"""Deterministic token counts, and a prefix cache as inference servers keep one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["BLOCK_TOKENS", "CHARACTERS_PER_TOKEN", "Admitted", "PrefixCache", "count_tokens", "prompt_text"]

CHARACTERS_PER_TOKEN = 4
BLOCK_TOKENS = 16

_BLOCK = BLOCK_TOKENS * CHARACTERS_PER_TOKEN


def count_tokens(text: str) -> int:
    """Tokens of `text` at four characters each, at least 1."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def prompt_text(request: Mapping[str, Any]) -> str:
    """What a model would read of a chat request: its tools, then its messages; media as their hashes."""
    tools = request.get("tools")
    head = _canonical(tools) if tools else ""
    return head + "".join(_message_text(message) for message in request.get("messages", ()))


def _message_text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    parts: Iterable[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    calls = message.get("tool_calls")
    return f"<{message.get('role')}>" + "".join(map(_part_text, parts)) + (_canonical(calls) if calls else "") + "\n"


def _part_text(part: Mapping[str, Any]) -> str:
    if part.get("type") == "text":
        return str(part.get("text", ""))
    return f"<{part.get('type')} {hashlib.sha256(_canonical(part).encode()).hexdigest()}>"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Admitted:
    """A prompt as the cache took it in.

    Attributes:
        seen: tokens with which earlier prompts began, answered or not.
        ready: those of them that belong to prompts which were answered before this one came.
        blocks: digests of its whole blocks, each standing for the prefix up to its end.
    """

    seen: int
    ready: int
    blocks: tuple[bytes, ...]


class PrefixCache:
    """Counts how much of a prompt earlier prompts began with, in whole blocks of 16 tokens.

    `seen` depends on the order of the calls alone, not on how long they took: what a cache could serve at best.
    `ready` leaves out what calls that fly together could not serve one another.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._ready: set[bytes] = set()

    def admit(self, model: str, prompt: str) -> Admitted:
        """Takes in a prompt for `model`; from now on all its whole blocks are seen."""
        chain = hashlib.sha256(model.encode() + b"\0")
        blocks: list[bytes] = []
        for start in range(0, len(prompt) - _BLOCK + 1, _BLOCK):
            chain.update(prompt[start : start + _BLOCK].encode("utf-8", "surrogatepass"))
            blocks.append(chain.digest())
        # Each digest stands for the whole prefix up to there, so none can be found after one was missed.
        seen = sum(block in self._seen for block in blocks)
        ready = sum(block in self._ready for block in blocks)
        self._seen.update(blocks)
        return Admitted(seen * BLOCK_TOKENS, ready * BLOCK_TOKENS, tuple(blocks))

    def answered(self, admitted: Admitted) -> None:
        """From now on the prompt's blocks are ready."""
        self._ready.update(admitted.blocks)
