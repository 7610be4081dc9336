"""A span for each attempt at a model call, by the GenAI conventions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from langchain_core.messages import BaseMessage

from consilience.core.tracing import span
from consilience.models.calling import Answer, Prompt
from consilience.models.methods import Method
from consilience.models.usage import Usage

__all__ = ["Request", "Told", "model_span", "provider_name"]

_PROVIDERS = {
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "ibm": "ibm.watsonx.ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""LangChain's names of providers that the conventions call otherwise."""

_ROLES = {"human": "user", "ai": "assistant"}

Told: TypeAlias = Callable[[Answer | None, Usage], None]
"""Is told what came back, if anything did, and what it used."""


@dataclass(frozen=True)
class Request:
    """What a span tells of a call before it is answered.

    Attributes:
        endpoint: its name.
        provider: as the endpoint names it.
        model: what the request asks for.
        prompt: what is asked.
        method: the way of asking.
        streamed: the reply comes in pieces.
        attempt: from 1, over all models that are asked for this reply.
        content: prompt and reply are part of the trace.
    """

    endpoint: str
    provider: str
    model: str
    prompt: Prompt
    method: Method
    streamed: bool
    attempt: int
    content: bool


def provider_name(provider: str) -> str:
    """What the conventions call a provider."""
    return _PROVIDERS.get(provider, provider)


@contextmanager
def model_span(asked: Request) -> Iterator[Told]:
    """A span `chat MODEL` around an attempt; what it gives wants to be called before the block is left."""
    with span(f"chat {asked.model}", lambda: _asking(asked), kind="client") as traced:

        def told(answer: Answer | None, usage: Usage) -> None:
            # What a lost attempt used is an estimate, for the books and not for a trace.
            if traced.on and answer is not None:
                traced.note(_answered(answer, usage, asked))

        yield told


def _asking(asked: Request) -> dict[str, Any]:
    sampling = asked.prompt.sampling
    url = urlsplit(asked.endpoint if "://" in asked.endpoint else "")
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider_name(asked.provider),
        "gen_ai.request.model": asked.model,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.seed": sampling.seed,
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.stream": asked.streamed,
        "gen_ai.output.type": "json" if asked.prompt.schema else "text",
        "server.address": url.hostname,
        "server.port": url.port,
        "consilience.method": asked.method if asked.prompt.schema else None,
        "consilience.attempt": asked.attempt,
    }
    return told | (_prompted(asked.prompt.messages) if asked.content else {})


def _answered(answer: Answer, usage: Usage, asked: Request) -> dict[str, Any]:
    reason = "length" if answer.cut else "content_filter" if answer.refusal is not None else "stop"
    told: dict[str, Any] = {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.response.finish_reasons": (reason,),
        "consilience.cost": usage.cost,
    }
    if asked.content:
        parts = [{"type": "text", "content": answer.text}]
        said = [{"role": "assistant", "parts": parts, "finish_reason": reason}]
        told["gen_ai.output.messages"] = json.dumps(said, ensure_ascii=False)
    return told


def _prompted(messages: Sequence[BaseMessage]) -> dict[str, str]:
    system = [part for message in messages if message.type == "system" for part in _parts(message)]
    rest = [{"role": _ROLES.get(m.type, m.type), "parts": _parts(m)} for m in messages if m.type != "system"]
    told = {"gen_ai.input.messages": json.dumps(rest, ensure_ascii=False)}
    return told | ({"gen_ai.system_instructions": json.dumps(system, ensure_ascii=False)} if system else {})


def _parts(message: BaseMessage) -> list[dict[str, str]]:
    """The words of a message; of pictures and sounds, that there was one."""
    if isinstance(message.content, str):
        return [{"type": "text", "content": message.content}]
    blocks = [{"type": "text", "text": block} if isinstance(block, str) else block for block in message.content]
    return [
        {"type": "text", "content": str(block["text"])}
        if block.get("type") == "text"
        else {"type": str(block.get("type")), "content": "(left out)"}
        for block in blocks
    ]
