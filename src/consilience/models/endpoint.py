"""A language model as the agents see it: messages and a schema in, text and usage out, every failure typed."""

from __future__ import annotations

import asyncio
import json
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from consilience.core.errors import ConsilienceError, ModelUnavailable
from consilience.models.usage import Usage

__all__ = ["Connection", "Endpoint", "Method", "Reply", "Sampling"]

Method: TypeAlias = Literal["json_schema", "native", "text"]
"""How an endpoint is asked for structured output: json_schema in the request of the OpenAI protocol, the LangChain
model's own `with_structured_output`, or not at all (a plain Runnable, which is told the schema in the prompt)."""


@dataclass(frozen=True)
class Sampling:
    """How a reply is drawn; None leaves it to the endpoint."""

    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    alternatives: int | None = None
    """How many likely first tokens to tell of, where the endpoint `tells_alternatives`."""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    text: str
    usage: Usage
    method: Method
    cut: bool = False
    """True when the reply reached its token limit: its JSON is then likely broken."""
    alternatives: Mapping[str, float] = field(default_factory=dict)
    """Likely first tokens, each with its log-probability; empty when they were not asked for, or are not told."""


class Connection(Protocol):
    """Gives the LangChain runnable behind an endpoint, bound to the running event loop, and lets go of it."""

    async def open(self) -> Runnable[Any, Any]:
        """The runnable; may block for a first load, off the loop."""
        ...

    async def close(self) -> None:
        """Closes what `open` opened on the running loop."""
        ...


class Endpoint:
    """One model with the limits its callers must respect: how many calls at once, and how long one may take.

    A time-out starts when the call is admitted, not while it queues. HTTP clients cannot cross event loops, so
    connections and queues are kept by loop.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        provider: str = "unknown",
        method: Method = "native",
        concurrency: int = 8,
        seconds: float = 300,
        tells_alternatives: bool = False,
    ) -> None:
        self.name = name
        self.tells_alternatives = tells_alternatives
        self.provider = provider
        self.method: Method = method
        self._connection = connection
        self._concurrency = concurrency
        self._seconds = seconds
        self._queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )

    async def open(self) -> None:
        """Connects now rather than at the first call (the embedded model loads here).

        Raises:
            ConsilienceError: it cannot be connected to; the error names the cure.
        """
        await self._connected()

    async def close(self) -> None:
        """Lets the running loop's connection go."""
        await self._connection.close()

    async def complete(
        self,
        messages: Sequence[BaseMessage],
        *,
        schema: dict[str, Any] | None = None,
        sampling: Sampling | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """One reply.

        Args:
            messages: the prompt.
            schema: JSON schema that the reply shall follow. A wish, not a promise: validate what comes back.
            sampling: see `Sampling`.
            on_text: called with each piece of text as it is generated, where the endpoint streams.

        Raises:
            ModelUnavailable: not reached, key refused, timed out, or the endpoint answered with an error.
        """
        runnable = await self._connected()
        async with self._queue():
            start = time.perf_counter()
            try:
                async with asyncio.timeout(self._seconds):
                    raw, method = await self._call(runnable, list(messages), schema, sampling or Sampling(), on_text)
            except TimeoutError as problem:
                raise ModelUnavailable(
                    self.name,
                    f"no reply within {self._seconds:g} s.",
                    cure="Raise CONSILIENCE_REQUEST_SECONDS, or take a faster model.",
                ) from problem
            except (ConsilienceError, AssertionError):
                # A scripted model whose script has run out must fail its test, not lose a seat.
                raise
            # Every provider's client has errors of its own: this is where they become ours.
            except Exception as problem:
                raise _explained(self.name, problem) from problem
            return self._reply(raw, method, time.perf_counter() - start)

    async def _connected(self) -> Runnable[Any, Any]:
        try:
            return await self._connection.open()
        except ConsilienceError:
            raise
        except Exception as problem:
            raise _explained(self.name, problem) from problem

    def _queue(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._queues.setdefault(loop, asyncio.Semaphore(self._concurrency))

    async def _call(
        self,
        runnable: Runnable[Any, Any],
        messages: list[BaseMessage],
        schema: dict[str, Any] | None,
        sampling: Sampling,
        on_text: Callable[[str], None] | None,
    ) -> tuple[Any, Method]:
        if not isinstance(runnable, BaseChatModel):
            return await runnable.ainvoke(messages), "text"
        options: dict[str, Any] = {key: value for key, value in vars(sampling).items() if value is not None}
        if alternatives := options.pop("alternatives", None):
            options |= {"logprobs": True, "top_logprobs": alternatives}
        if self.method == "json_schema":
            if schema:
                # In `extra_body`, the client hands the body on as it is; as `response_format` it would parse the reply
                # itself and raise on one that was cut off, losing its text and its usage.
                form = {"name": str(schema.get("title", "reply")), "schema": schema, "strict": True}
                options["extra_body"] = {"response_format": {"type": "json_schema", "json_schema": form}}
            return await _gather(runnable.bind(**options), messages, on_text), "json_schema"
        options.pop("seed", None)
        if schema is None:
            return await _gather(runnable.bind(**options), messages, on_text), "native"
        # What is bound does not reach through `with_structured_output`; what the model itself is set to does.
        settable = {key: value for key, value in options.items() if key in type(runnable).model_fields}
        structured = runnable.model_copy(update=settable).with_structured_output(schema, include_raw=True)
        return await structured.ainvoke(messages), "native"

    def _reply(self, raw: Any, method: Method, seconds: float) -> Reply:
        parsed = None
        if isinstance(raw, dict) and "raw" in raw and "parsed" in raw:
            raw, parsed = raw["raw"], raw["parsed"]
        message = raw if isinstance(raw, AIMessage) else None
        usage = Usage.of_call(
            dict(message.usage_metadata) if message and message.usage_metadata else None,
            seconds=seconds,
            provider=self.provider,
            model=self.name.partition(":")[2] or self.name,
        )
        cut = message is not None and self._is_cut(message.response_metadata)
        alternatives = _alternatives(message.response_metadata) if message else {}
        return Reply(_text_of(raw if parsed is None else parsed), usage, method, cut, alternatives)

    def _is_cut(self, metadata: dict[str, Any]) -> bool:
        """Stopped by the token limit, or a stream that broke off without a reason to end."""
        reasons = {str(metadata[key]).lower() for key in _REASONS if metadata.get(key)}
        return bool(reasons & {"length", "max_tokens"}) or (self.method == "json_schema" and not reasons)


_REASONS = ("finish_reason", "stop_reason", "done_reason")
"""Where the providers' models say why a reply ended."""


async def _gather(
    runnable: Runnable[Any, Any], messages: list[BaseMessage], on_text: Callable[[str], None] | None
) -> Any:
    if on_text is None:
        return await runnable.ainvoke(messages)
    whole: AIMessageChunk | None = None
    async for chunk in runnable.astream(messages):
        if chunk.text:
            on_text(str(chunk.text))
        whole = chunk if whole is None else whole + chunk
    return whole


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


_CURES = {
    "AuthenticationError": ("the key was refused.", "Check the API key (OPENAI_API_KEY, CONSILIENCE_API_KEY, ...)."),
    "PermissionDeniedError": ("the key does not allow this model.", "Check the key's rights, or take another model."),
    "NotFoundError": ("there is no such model or address.", "Check the model's name and the base URL."),
    "APIConnectionError": ("cannot be reached.", "Is the server running, and is the base URL right?"),
    "APITimeoutError": ("did not answer in time.", "Is the server busy? Raise CONSILIENCE_REQUEST_SECONDS."),
    "RateLimitError": ("refused for too many requests, or no credit is left.", "Wait, or use a key with more."),
    "InternalServerError": ("failed with an error of its own.", "Try again, or look at the server's log."),
    "JSONDecodeError": ("answered with something else than JSON.", "Is the base URL right, /v1 included?"),
}


def _explained(name: str, problem: Exception) -> ModelUnavailable:
    """One of our errors for a client's: known ones with their cure, others in their own first line."""
    for kind in type(problem).__mro__:
        if kind.__name__ in _CURES:
            told, cure = _CURES[kind.__name__]
            return ModelUnavailable(name, told, cure=cure)
    first_line = (str(problem).strip() or "no message").splitlines()[0][:200]
    return ModelUnavailable(
        name, f"{type(problem).__name__}: {first_line}", cure="Check the model's name, its settings and the base URL."
    )
