"""Deterministic token counts, and a prefix cache as inference servers keep one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["BLOCK_TOKENS", "CHARACTERS_PER_TOKEN", "PrefixCache", "count_tokens", "prompt_text"]

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


class PrefixCache:
    """Counts how much of a prompt earlier prompts began with, in whole blocks of 16 tokens.

    A block counts as cached once an earlier prompt carried it, answered or not: the figure then depends on the order
    of the calls alone, not on how long they took.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def admit(self, model: str, prompt: str) -> int:
        """Tokens of `prompt` that are cached for `model`; from now on all its whole blocks are."""
        chain = hashlib.sha256(model.encode() + b"\0")
        cached = 0
        for start in range(0, len(prompt) - _BLOCK + 1, _BLOCK):
            # Each digest stands for the whole prefix up to here, so none can be found after one was missed.
            chain.update(prompt[start : start + _BLOCK].encode("utf-8", "surrogatepass"))
            digest = chain.digest()
            if digest in self._seen:
                cached += BLOCK_TOKENS
            self._seen.add(digest)
        return cached
