"""One request to a model in each way of asking, and what is read out of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from consilience.models.failures import BrokenOff
from consilience.models.methods import Method
from consilience.models.usage import Usage

__all__ = ["Answer", "Prompt", "Reply", "Sampling", "request"]

_REASONS = ("finish_reason", "stop_reason", "done_reason")
"""Where the providers' models say why a reply ended."""

_IN_WORDS = "Reply with one JSON object and nothing else, following this JSON schema: "


@dataclass(frozen=True)
class Sampling:
    """How a reply is drawn; None leaves it to the endpoint."""

    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    alternatives: int | None = None
    """How many likely first tokens to tell of, where the endpoint `tells_alternatives`."""


@dataclass(frozen=True)
class Prompt:
    """What is asked: see `Endpoint.complete`."""

    messages: tuple[BaseMessage, ...]
    schema: dict[str, Any] | None = None
    sampling: Sampling = Sampling()


@dataclass(frozen=True)
class Answer:
    """What came back, before anything is held against it.

    Attributes:
        text: of the reply; of a function that was called, its arguments.
        used: LangChain's `usage_metadata`; None where the endpoint reports none.
        cut: it reached its token limit.
        refusal: what the model said when it declined to answer; None where it did not.
        alternatives: likely first tokens, each with its log-probability.
    """

    text: str
    used: dict[str, Any] | None = None
    cut: bool = False
    refusal: str | None = None
    alternatives: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        text: never empty, unless `alternatives` were asked for and are told.
        usage: all that the call used, failed attempts and other models included.
        method: how the endpoint was asked.
        cut: it reached its token limit: its JSON is then likely broken.
        alternatives: likely first tokens, each with its log-probability; empty when they were not asked for, or are
            not told.
        model: the endpoint that really answered.
        attempts: how often a model was asked, over all models.
        passed_over: why the models before this one failed, a line each.
    """

    text: str
    usage: Usage
    method: Method
    cut: bool = False
    alternatives: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    attempts: int = 1
    passed_over: tuple[str, ...] = ()


async def request(
    runnable: Runnable[Any, Any], prompt: Prompt, method: Method, on_text: Callable[[str], None] | None
) -> Answer:
    """Asks once.

    Raises:
        BrokenOff: a stream ended without a reason to end.
        Exception: whatever the client raises.
    """
    messages, schema = list(prompt.messages), prompt.schema
    if schema and method == "text":
        messages[-1] = _told(messages[-1], schema)
    if not isinstance(runnable, BaseChatModel):
        return _read(await runnable.ainvoke(messages))
    if schema and method == "native":
        return _read(await _structured(runnable, schema, prompt.sampling).ainvoke(messages))
    options = _options(prompt.sampling, method)
    if schema and method == "json_schema":
        # In `extra_body`, the client hands the body on as it is; as `response_format` it would parse the reply itself
        # and raise on one that was cut off, losing its text and its usage.
        form = {"name": str(schema.get("title", "reply")), "schema": schema, "strict": True}
        options["extra_body"] = {"response_format": {"type": "json_schema", "json_schema": form}}
    if schema and method == "function_calling":
        name = str(schema.get("title", "reply"))
        options["tools"] = [{"type": "function", "function": {"name": name, "parameters": schema}}]
        options["tool_choice"] = {"type": "function", "function": {"name": name}}
    if on_text is None:
        return _read(await runnable.ainvoke(messages, **options))
    # Only of this protocol it is certain that every reply tells why it ended.
    return _read(await _streamed(runnable, messages, options, on_text), must_end=method == "json_schema")


def _options(sampling: Sampling, method: Method) -> dict[str, Any]:
    options: dict[str, Any] = {key: value for key, value in vars(sampling).items() if value is not None}
    if alternatives := options.pop("alternatives", None):
        options |= {"logprobs": True, "top_logprobs": alternatives}
    if method == "native":
        # Many providers' models know no seed and refuse it.
        options.pop("seed", None)
    return options


def _structured(model: BaseChatModel, schema: dict[str, Any], sampling: Sampling) -> Runnable[Any, Any]:
    # What is bound does not reach through `with_structured_output`; what the model itself is set to does.
    known = type(model).model_fields
    settable = {key: value for key, value in _options(sampling, "native").items() if key in known}
    return model.model_copy(update=settable).with_structured_output(schema, include_raw=True)


async def _streamed(
    model: BaseChatModel, messages: list[BaseMessage], options: dict[str, Any], on_text: Callable[[str], None]
) -> AIMessageChunk | None:
    chunks: list[AIMessageChunk] = []
    async for chunk in model.astream(messages, **options):
        if chunk.text:
            on_text(str(chunk.text))
        chunks.append(chunk)
    # At once: added one by one, every sum is a message of its own.
    return add_ai_message_chunks(*chunks) if chunks else None


def _told(message: BaseMessage, schema: dict[str, Any]) -> BaseMessage:
    """The message with the schema at its end."""
    words = _IN_WORDS + json.dumps(schema)
    if isinstance(message.content, str):
        return message.model_copy(update={"content": f"{message.content}\n\n{words}"})
    return message.model_copy(update={"content": [*message.content, {"type": "text", "text": words}]})


def _read(raw: Any, *, must_end: bool = False) -> Answer:
    parsed = None
    if isinstance(raw, dict) and "raw" in raw and "parsed" in raw:
        raw, parsed = raw["raw"], raw["parsed"]
    if not isinstance(raw, AIMessage):
        return Answer("" if raw is None else _text_of(raw))
    metadata = raw.response_metadata
    reasons = {str(metadata[key]).lower() for key in _REASONS if metadata.get(key)}
    if must_end and not reasons:
        raise BrokenOff
    called = raw.tool_calls[0]["args"] if raw.tool_calls and parsed is None else parsed
    return Answer(
        _text_of(raw) if called is None else _text_of(called),
        dict(raw.usage_metadata) if raw.usage_metadata else None,
        bool(reasons & {"length", "max_tokens"}),
        _refusal(raw, reasons),
        _alternatives(metadata),
    )


def _refusal(message: AIMessage, reasons: set[str]) -> str | None:
    told = message.additional_kwargs.get("refusal")
    if isinstance(message.content, list):
        parts = (part for part in message.content if isinstance(part, dict) and part.get("type") == "refusal")
        told = told or next((str(part.get("refusal", "")) for part in parts), None)
    if not told and reasons & {"content_filter", "refusal", "safety"}:
        told = f"it was stopped by {', '.join(sorted(reasons))}"
    return str(told) if told else None


def _alternatives(metadata: dict[str, Any]) -> dict[str, float]:
    """The likely first tokens as the OpenAI protocol tells them."""
    told = (metadata.get("logprobs") or {}).get("content") or [{}]
    return {token["token"]: token["logprob"] for token in told[0].get("top_logprobs", ())}


def _text_of(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, BaseMessage):
        return str(raw.text)
    if isinstance(raw, BaseModel):
        return raw.model_dump_json()
    return json.dumps(raw, ensure_ascii=False, default=str)
