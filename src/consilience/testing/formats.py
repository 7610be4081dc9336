"""How the test server reads the request of each route, and writes its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from consilience.testing.calls import ServerCall
from consilience.testing.protocol import (
    Completion,
    chat_body,
    chat_events,
    completion_of,
    error_body,
    event_stream,
    spoilt,
    transcription_body,
)

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Answer", "Refused", "Reply", "echo", "read_chat", "read_form", "write_chat", "write_transcription"]

_PARTS = ("text", "image_url", "input_audio", "file", "refusal")

Reply: TypeAlias = str | Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """A body of a 200, in the pieces in which it is sent."""

    pieces: tuple[bytes, ...]
    media_type: str = "application/json"


class Refused(Exception):
    """A request that is not let in.

    Attributes:
        status: the HTTP status.
        body: the error in the form of the protocol.
    """

    def __init__(self, status: int, message: str, code: str) -> None:
        self.status = status
        self.body = error_body(message, "invalid_request_error", code)
        super().__init__(message)


def echo(request: Mapping[str, Any]) -> str:
    """The text of the last message; for a recording, a sentence that names its file."""
    if "messages" not in request:
        return f"Transcript of {request['file']['filename']}."
    content = request["messages"][-1].get("content") or ""
    return content if isinstance(content, str) else " ".join(part["text"] for part in content if "text" in part)


async def read_chat(request: Request) -> dict[str, Any]:
    """The JSON body of a chat request.

    Raises:
        Refused: it is no JSON object, has no messages, or a part of a kind that the protocol does not know.
    """
    try:
        body = await request.json()
    except ValueError as problem:
        raise Refused(400, f"The body is not JSON: {problem}", "invalid_json") from problem
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(told, dict) for told in messages):
        raise Refused(400, "'messages' must be a list with at least one message.", "invalid_messages")
    for kind in _kinds(messages):
        if kind not in _PARTS:
            raise Refused(400, f"Invalid part {kind!r}. Supported: {', '.join(_PARTS)}.", "invalid_part")
    return dict(body)


def _kinds(messages: list[Any]) -> Iterator[Any]:
    for message in messages:
        if isinstance(message.get("content"), list):
            yield from (part.get("type") for part in message["content"])


async def read_form(request: Request) -> dict[str, Any]:
    """The fields of a transcription request.

    Raises:
        Refused: it brings no file.
    """
    fields: dict[str, Any] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if not isinstance(value, str):
                told = {"filename": value.filename, "content_type": value.content_type}
                fields[name] = {**told, "content": await value.read()}
            elif name.endswith("[]"):
                fields.setdefault(name, []).append(value)
            else:
                fields[name] = value
    if not isinstance(fields.get("file"), dict):
        raise Refused(400, "'file' must be an uploaded recording.", "missing_file")
    return fields


def write_chat(reply: Reply, call: ServerCall, model: str) -> Answer:
    """A chat completion, or the stream of one."""
    completion = spoilt(completion_of(reply), call.fault)
    number = call.number or 0
    if not call.body.get("stream"):
        return _json(chat_body(completion, call.prompt, number=number, model=model))
    include_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
    events = chat_events(completion, call.prompt, number=number, model=model, include_usage=include_usage)
    return Answer(tuple(event_stream(events)), "text/event-stream")


def write_transcription(reply: Reply, call: ServerCall, model: str) -> Answer:
    """A transcription; of a fault of content, the text."""
    if call.fault:
        completion = spoilt(completion_of(reply), call.fault)
        reply = reply if completion == completion_of(reply) else _text(completion)
    if call.body.get("response_format") == "text":
        text = reply if isinstance(reply, str) else str(reply.get("text", ""))
        return Answer((text.encode(),), "text/plain")
    return _json(transcription_body(reply, call.body))


def _text(completion: Completion) -> str:
    return completion.content or completion.refusal or ""


def _json(body: dict[str, Any]) -> Answer:
    return Answer((json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"),))
