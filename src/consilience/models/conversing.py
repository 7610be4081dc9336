"""Runnables that take a state with messages in it, as whole agents do, in the place of a model."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

__all__ = ["conversing"]


def conversing(runnable: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """The runnable as one from messages to a message; as it is, where its input is no state with `messages`.

    An agent of `create_agent`, a LangGraph graph, or a chain with a placeholder of that name. The message that it gives
    tells the usage of all that were made on the way.
    """
    if not _takes_messages(runnable):
        return runnable

    async def converse(messages: list[BaseMessage], config: RunnableConfig) -> Any:
        return _last(await runnable.ainvoke({"messages": list(messages)}, config), len(messages))

    def converse_now(messages: list[BaseMessage], config: RunnableConfig) -> Any:
        return _last(runnable.invoke({"messages": list(messages)}, config), len(messages))

    return RunnableLambda(converse_now, converse, name=runnable.get_name())


def _takes_messages(runnable: Runnable[Any, Any]) -> bool:
    try:
        schema = runnable.get_input_jsonschema()
    # What a caller's function says of its input may make no schema.
    except Exception:
        return False
    return "messages" in schema.get("properties", {})


def _last(state: Any, given: int) -> Any:
    """The last message of a state, with the usage of all that came after those given."""
    if not isinstance(state, dict) or not state.get("messages"):
        return state
    made = state["messages"][given:]
    last = state["messages"][-1]
    if not made or not isinstance(last, AIMessage):
        # It ended without a word of its own.
        return ""
    usage: UsageMetadata | None = None
    for message in made:
        if isinstance(message, AIMessage) and message.usage_metadata:
            usage = add_usage(usage, message.usage_metadata)
    return last.model_copy(update={"usage_metadata": usage})
