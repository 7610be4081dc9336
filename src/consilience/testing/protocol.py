"""The bodies of the OpenAI protocol: chat completions, their streams, transcriptions, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from consilience.testing.faults import Fault
from consilience.testing.tokens import count_tokens

__all__ = [
    "Completion",
    "Prompt",
    "chat_body",
    "chat_events",
    "completion_of",
    "error_body",
    "event_stream",
    "spoilt",
    "transcription_body",
]

SECONDS_PER_WORD = 0.5


@dataclass(frozen=True)
class Prompt:
    """What a call, or several, asked to be read, in tokens at four characters each.

    Attributes:
        tokens: in all.
        cached: those of them with which an earlier prompt began, in whole blocks of 16; told to clients as cached.
        ready: those of `cached` that belong to a prompt which was answered before this one came.
    """

    tokens: int = 0
    cached: int = 0
    ready: int = 0

    def __add__(self, other: Prompt) -> Prompt:
        return Prompt(self.tokens + other.tokens, self.cached + other.cached, self.ready + other.ready)


@dataclass(frozen=True)
class Completion:
    """An assistant's message and how it ended."""

    content: str | None
    refusal: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    finish_reason: str = "stop"

    @property
    def tokens(self) -> int:
        """Tokens of all that was written."""
        called = json.dumps(self.tool_calls) if self.tool_calls else ""
        return count_tokens(f"{self.content or ''}{self.refusal or ''}{called}")


def completion_of(reply: str | Mapping[str, Any]) -> Completion:
    """Text as it is; an assistant's message (`{"role": "assistant", ...}`) too; any other dict as JSON text."""
    if isinstance(reply, str):
        return Completion(reply)
    if reply.get("role") == "assistant":
        calls = tuple(reply.get("tool_calls") or ())
        return Completion(reply.get("content"), reply.get("refusal"), calls, "tool_calls" if calls else "stop")
    return Completion(json.dumps(reply, ensure_ascii=False))


def spoilt(completion: Completion, fault: Fault | None) -> Completion:
    """The completion that comes of `completion` under a fault of content; itself under any other."""
    text = completion.content or ""
    match fault.kind if fault else None:
        case "empty":
            return Completion("")
        case "refusal":
            return Completion(None, refusal="I cannot help with that.")
        case "garbage":
            return Completion("Well, {as I see it: the, answer")
        case "wrong_schema":
            return Completion('{"not_what_was_asked_for": true}')
        case "length":
            return replace(completion, content=text[: len(text) // 2], finish_reason="length")
    return completion


def chat_body(completion: Completion, prompt: Prompt, *, number: int, model: str) -> dict[str, Any]:
    """The answer to a call that does not stream."""
    message: dict[str, Any] = {"role": "assistant", "content": completion.content, "refusal": completion.refusal}
    if completion.tool_calls:
        message["tool_calls"] = list(completion.tool_calls)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": completion.finish_reason}
    head = _head("chat.completion", number, model)
    return {**head, "choices": [choice], "usage": _usage(completion, prompt)}


def chat_events(
    completion: Completion, prompt: Prompt, *, number: int, model: str, include_usage: bool
) -> Iterator[dict[str, Any]]:
    """The answer to a call that streams: a word an event, then the reason for the end, then the usage if asked for."""
    head = _head("chat.completion.chunk", number, model)

    def event(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}

    yield event({"role": "assistant", "content": "", "refusal": None})
    for word in re.findall(r"\s*\S+\s*|\s+", completion.content or ""):
        yield event({"content": word})
    if completion.refusal:
        yield event({"refusal": completion.refusal})
    if completion.tool_calls:
        yield event({"tool_calls": [{"index": place, **call} for place, call in enumerate(completion.tool_calls)]})
    yield event({}, completion.finish_reason)
    if include_usage:
        yield {**head, "choices": [], "usage": _usage(completion, prompt)}


def event_stream(events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Events as server-sent events, with the mark of the end."""
    for event in events:
        yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
    yield b"data: [DONE]\n\n"


def transcription_body(reply: str | Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """A verbose transcription: half a second a word, a segment a sentence; a dict replaces what it names."""
    given = {"text": reply} if isinstance(reply, str) else dict(reply)
    words = str(given.get("text", "")).split()
    body: dict[str, Any] = {
        "task": "transcribe",
        "language": request.get("language", "english"),
        "duration": len(words) * SECONDS_PER_WORD,
        "text": "",
        "segments": list(_segments(words)),
    }
    if "word" in request.get("timestamp_granularities[]", ()):
        body["words"] = [{"word": word, **_span(place, place + 1)} for place, word in enumerate(words)]
    if request.get("response_format", "json") != "verbose_json":
        body = {"text": ""}
        given = {"text": given.get("text", "")}
    return {**body, **given}


def _segments(words: list[str]) -> Iterator[dict[str, Any]]:
    first, number = 0, 0
    for place, word in enumerate(words, 1):
        if word.endswith((".", "!", "?")) or place == len(words):
            yield {
                "id": number,
                "seek": 0,
                **_span(first, place),
                "text": " " + " ".join(words[first:place]),
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": -0.1,
                "compression_ratio": 1.0,
                "no_speech_prob": 0.01,
            }
            first, number = place, number + 1


def _span(first: int, end: int) -> dict[str, float]:
    return {"start": first * SECONDS_PER_WORD, "end": end * SECONDS_PER_WORD}


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """An error as clients of the protocol expect it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _head(kind: str, number: int, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 0, "model": model}


def _usage(completion: Completion, prompt: Prompt) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt.tokens,
        "completion_tokens": completion.tokens,
        "total_tokens": prompt.tokens + completion.tokens,
        "prompt_tokens_details": {"cached_tokens": prompt.cached},
    }
