"""A chat model that answers from a script, through the same seam as a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import PrivateAttr, SkipValidation

from consilience.testing.replies import Scripted, chunks, finished, message_of, parsed, text_of
from consilience.testing.script import Script

__all__ = ["ScriptedCall", "ScriptedChatModel"]


@dataclass(frozen=True)
class ScriptedCall:
    """One call as the model saw it.

    Attributes:
        messages: the prompt.
        kwargs: what was bound or passed beside it (tools, response_format, temperature, ...).
        reply: what was answered, or raised.
    """

    messages: tuple[BaseMessage, ...]
    kwargs: Mapping[str, Any]
    reply: AIMessage | Exception

    @property
    def prompt(self) -> str:
        """The text of all messages."""
        return text_of(self.messages)


class ScriptedChatModel(BaseChatModel):
    """A chat model whose replies are written down beforehand; an `AssertionError` when it is asked for more.

    It streams word by word, takes tools and structured output, and counts a token for four characters. Concurrent
    calls are answered in the order in which they came; `bind`, `model_copy` and the like share script and log.

    Attributes:
        replies: a sequence of `Scripted` or of functions from messages to `Scripted`, used up one a call, or one such
            function that answers every call.
        model_name: what the model is called in traces and usage.
    """

    replies: SkipValidation[
        Sequence[Scripted | Callable[[list[BaseMessage]], Scripted]] | Callable[[list[BaseMessage]], Scripted]
    ] = ()
    model_name: str = "scripted"

    _script: Script = PrivateAttr()
    _log: dict[int, ScriptedCall] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Any, /) -> None:
        """Begins the script."""
        super().model_post_init(context)
        self._script = Script(self.replies)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> ScriptedChatModel:
        # A copy with a script of its own would start again from the first reply.
        return self.model_copy()

    @property
    def calls(self) -> tuple[ScriptedCall, ...]:
        """Every call that was answered, a raised error included."""
        return tuple(call for _, call in sorted(self._log.items()))

    @property
    def call_count(self) -> int:
        """How many calls were answered."""
        return len(self.calls)

    @property
    def remaining(self) -> int | None:
        """Replies that are left; None when a function answers."""
        return self._script.remaining

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def _reply(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        number, entry = self._script.draw()
        seen, bound = tuple(messages), MappingProxyType(kwargs)
        try:
            reply = message_of(entry(list(messages)) if callable(entry) else entry)
        except Exception as problem:
            self._log[number] = ScriptedCall(seen, bound, problem)
            raise
        message = finished(reply, seen, self.model_name)
        self._log[number] = ScriptedCall(seen, bound, message)
        return message

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, kwargs))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # Not in a thread, as the base class would: the order of the replies would be the threads'.
        return self._generate(messages, stop, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from chunks(self._reply(messages, kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in chunks(self._reply(messages, kwargs)):
            yield chunk

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with `tools` told to it; that it calls them is for the script to say (`AIMessage.tool_calls`)."""
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **choice, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        method: Literal["json_schema", "function_calling", "json_mode"] = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model followed by a strict parser: JSON text, or the arguments of the reply's first tool call.

        Pydantic classes are validated, JSON schemas are not, as with the models of providers. With `include_raw` the
        output is `{"raw", "parsed", "parsing_error"}`, and a bad reply is a value in it.

        Raises:
            OutputParserException: on use, when the reply is no such JSON and `include_raw` is not set.
        """
        model = self._asked_for(schema, method, strict, kwargs)

        def alone(message: BaseMessage) -> Any:
            return parsed(message, schema)

        def with_raw(message: BaseMessage) -> dict[str, Any]:
            try:
                return {"raw": message, "parsed": parsed(message, schema), "parsing_error": None}
            except OutputParserException as problem:
                return {"raw": message, "parsed": None, "parsing_error": problem}

        return model | RunnableLambda(with_raw if include_raw else alone)

    def _asked_for(
        self, schema: dict[str, Any] | type, method: str, strict: bool | None, kwargs: dict[str, Any]
    ) -> Runnable[LanguageModelInput, AIMessage]:
        traced = {"ls_structured_output_format": {"kwargs": {"method": method}, "schema": schema}, **kwargs}
        if method == "function_calling":
            return self.bind_tools([schema], tool_choice="any", **traced)
        if method == "json_mode":
            return self.bind(response_format={"type": "json_object"}, **traced)
        wanted = convert_to_json_schema(schema, strict=strict)
        form = {"name": wanted.get("title", "reply"), "schema": wanted, "strict": strict}
        return self.bind(response_format={"type": "json_schema", "json_schema": form}, **traced)
