"""From what a script says to the messages of LangChain, and from a message to structured output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

from consilience.testing.tokens import count_tokens

__all__ = ["Scripted", "chunks", "finished", "message_of", "parsed", "text_of"]

Scripted: TypeAlias = str | dict[str, Any] | BaseModel | AIMessage | Exception
"""One reply: text, what is written as JSON text, a whole message, or what is raised."""


def message_of(reply: Scripted) -> AIMessage:
    """The message that a reply stands for.

    Raises:
        Exception: the reply, when it is one.
        TypeError: it is none of the forms a reply can have.
    """
    if isinstance(reply, Exception):
        raise reply
    if isinstance(reply, AIMessage):
        return reply
    if isinstance(reply, str):
        return AIMessage(reply)
    if isinstance(reply, BaseModel):
        return AIMessage(reply.model_dump_json())
    if isinstance(reply, dict):
        return AIMessage(json.dumps(reply, ensure_ascii=False))
    raise TypeError(
        f"A scripted reply is text, a dict, a pydantic model, an AIMessage or an exception, not {type(reply).__name__}."
    )


def finished(message: AIMessage, prompt: Sequence[BaseMessage], model_name: str) -> AIMessage:
    """`message` with usage and metadata, where it brings none of its own."""
    read = count_tokens(text_of(prompt))
    written = count_tokens(message.text + "".join(json.dumps(call["args"]) for call in message.tool_calls))
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    told = {"model_name": model_name, "finish_reason": "tool_calls" if message.tool_calls else "stop"}
    return message.model_copy(
        update={
            "usage_metadata": message.usage_metadata or usage,
            "response_metadata": {**told, **message.response_metadata},
        }
    )


def text_of(messages: Sequence[BaseMessage]) -> str:
    """The text of all messages, a line break between two."""
    return "\n".join(message.text for message in messages)


def chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    """The message word by word; tool calls, usage and metadata come with the last chunk."""
    pieces: list[Any] = re.findall(r"\s*\S+\s*|\s+", message.content) if isinstance(message.content, str) else []
    *before, last = pieces or [message.content]
    for piece in before:
        yield ChatGenerationChunk(message=AIMessageChunk(content=piece, id=message.id))
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
        for index, call in enumerate(message.tool_calls)
    ]
    end = AIMessageChunk(
        content=last,
        id=message.id,
        tool_call_chunks=calls,
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        chunk_position="last",
    )
    yield ChatGenerationChunk(message=end)


def parsed(message: BaseMessage, schema: dict[str, Any] | type) -> Any:
    """What `message` says in the form of `schema`: from its first tool call, else from its text as strict JSON.

    Raises:
        OutputParserException: it is no JSON object, or a pydantic `schema` does not accept it.
    """
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    try:
        value = calls[0]["args"] if calls else json.loads(message.text)
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            return schema.model_validate(value)
        if not isinstance(value, dict):
            raise ValueError(f"Not a JSON object, but {type(value).__name__}.")
        return value
    except ValueError as problem:
        raise OutputParserException(str(problem), llm_output=message.text) from problem
