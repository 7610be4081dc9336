from __future__ import annotations

import asyncio
import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import BaseModel, ValidationError

from consilience.testing import ScriptedChatModel, ScriptExhausted


class Sign(BaseModel):
    platform: int
    legible: bool = True


SIGN_SCHEMA = {"title": "Sign", "type": "object", "properties": {"platform": {"type": "integer"}}}


class TestStandard(ChatModelUnitTests):
    """What LangChain asks of every chat model."""

    @property
    def chat_model_class(self) -> type[ScriptedChatModel]:
        return ScriptedChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"replies": ["yes"]}


def test_each_form_of_reply() -> None:
    replies = ["text", {"a": "é"}, Sign(platform=4), AIMessage("whole"), lambda messages: messages[-1].text.upper()]
    model = ScriptedChatModel(replies=replies)
    told = [model.invoke("hello").text for _ in replies]
    assert told == ["text", '{"a": "é"}', '{"platform":4,"legible":true}', "whole", "HELLO"]


def test_an_exception_is_raised_and_logged() -> None:
    model = ScriptedChatModel(replies=[TimeoutError("late"), "then"])
    with pytest.raises(TimeoutError, match="late"):
        model.invoke("hello")
    assert model.invoke("again").text == "then"
    assert isinstance(model.calls[0].reply, TimeoutError)


def test_a_reply_of_no_known_form_is_told() -> None:
    with pytest.raises(TypeError, match="not int"):
        ScriptedChatModel(replies=[7]).invoke("hello")


def test_a_function_may_fail_by_returning_an_exception() -> None:
    model = ScriptedChatModel(replies=lambda messages: ConnectionError("down"))
    with pytest.raises(ConnectionError):
        model.invoke("hello")
    assert model.remaining is None


@pytest.mark.parametrize("replies", [[], ["only"]])
def test_it_fails_when_the_script_runs_out(replies: list[str]) -> None:
    model = ScriptedChatModel(replies=replies)
    for _ in replies:
        model.invoke("hello")
    with pytest.raises(ScriptExhausted, match=f"has {len(replies)} replies") as raised:
        model.invoke("once more")
    assert isinstance(raised.value, AssertionError)
    assert raised.value.replies == model.call_count == len(replies)


async def test_it_fails_when_the_script_runs_out_in_every_way_of_calling() -> None:
    model = ScriptedChatModel()
    with pytest.raises(ScriptExhausted):
        await model.ainvoke("hello")
    with pytest.raises(ScriptExhausted):
        list(model.stream("hello"))
    with pytest.raises(ScriptExhausted):
        [chunk async for chunk in model.astream("hello")]


def test_the_log_keeps_what_was_seen() -> None:
    model = ScriptedChatModel(replies=["one", "two"])
    model.invoke([SystemMessage("be brief"), HumanMessage("who?")])
    model.bind(temperature=0.5).invoke("when?", seed=3)
    first, second = model.calls
    assert [message.type for message in first.messages] == ["system", "human"]
    assert first.prompt == "be brief\nwho?"
    assert dict(second.kwargs) == {"temperature": 0.5, "seed": 3}
    assert isinstance(second.reply, AIMessage)
    assert second.reply.text == "two"
    with pytest.raises(AttributeError):
        first.reply = second.reply  # type: ignore[misc]
    with pytest.raises(TypeError):
        second.kwargs["seed"] = 4  # type: ignore[index]


def test_usage_is_four_characters_a_token_and_at_least_one() -> None:
    model = ScriptedChatModel(replies=["x" * 40, "x"])
    assert model.invoke("y" * 100).usage_metadata == {"input_tokens": 25, "output_tokens": 10, "total_tokens": 35}
    assert model.invoke("y").usage_metadata == {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


def test_what_a_message_brings_is_kept_and_the_script_unchanged() -> None:
    usage = {"input_tokens": 7, "output_tokens": 8, "total_tokens": 15}
    given = AIMessage("cut", usage_metadata=usage, response_metadata={"finish_reason": "length"})
    reply = ScriptedChatModel(replies=[given], model_name="mine").invoke("hello")
    assert reply.usage_metadata == usage
    assert reply.response_metadata == {"finish_reason": "length", "model_name": "mine"}
    assert given.response_metadata == {"finish_reason": "length"}


@pytest.mark.parametrize("text", ["two words", "  spaces\n\nand lines  ", "", "   ", "one"])
async def test_it_streams_by_word_and_tells_the_usage_last(text: str) -> None:
    model = ScriptedChatModel(replies=[text, text])
    chunks = list(model.stream("hello"))
    assert chunks == [chunk.model_copy(update={"id": chunks[0].id}) async for chunk in model.astream("hello")]
    assert "".join(chunk.text for chunk in chunks) == text
    assert len(chunks) == max(1, len(text.split()))
    assert [bool(chunk.usage_metadata) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert isinstance(whole, AIMessageChunk)
    assert whole.response_metadata == {"model_name": "scripted", "finish_reason": "stop"}


def test_it_streams_tool_calls() -> None:
    call = {"name": "look", "args": {"region": [0, 0, 1, 1]}, "id": "c1"}
    (chunk,) = ScriptedChatModel(replies=[AIMessage("", tool_calls=[call])]).stream("hello")
    assert chunk.tool_calls == [{**call, "type": "tool_call"}]
    assert chunk.response_metadata["finish_reason"] == "tool_calls"


async def test_concurrent_tasks_are_answered_in_their_order() -> None:
    model = ScriptedChatModel(replies=[str(number) for number in range(50)])
    replies = await asyncio.gather(*(model.ainvoke(str(number)) for number in range(50)))
    assert [reply.text for reply in replies] == [str(number) for number in range(50)]
    assert [call.prompt for call in model.calls] == [str(number) for number in range(50)]


def test_threads_share_a_script_without_loss() -> None:
    model = ScriptedChatModel(replies=[str(number) for number in range(200)])
    with ThreadPoolExecutor(8) as pool:
        told = [reply.text for reply in pool.map(model.invoke, ["hello"] * 200)]
    assert sorted(told, key=int) == [str(number) for number in range(200)]
    assert [call.reply.text for call in model.calls] == [str(number) for number in range(200)]


def test_copies_share_script_and_log() -> None:
    model = ScriptedChatModel(replies=list("abcdef"))
    others = [
        model.bind(temperature=0),
        model.model_copy(),
        model.model_copy(deep=True),
        copy.copy(model),
        copy.deepcopy({"seat": model})["seat"],
    ]
    assert [other.invoke("hello").text for other in [model, *others]] == list("abcdef")
    assert model.call_count == 6
    assert model.remaining == 0


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


async def test_tools_are_told_and_called_in_an_agent() -> None:
    call = {"name": "add", "args": {"a": 2, "b": 3}, "id": "c1"}
    model = ScriptedChatModel(
        replies=[AIMessage("", tool_calls=[call]), lambda messages: f"It is {messages[-1].text}."]
    )
    state = await create_agent(model, [add]).ainvoke({"messages": [HumanMessage("2 + 3?")]})
    assert state["messages"][-1].text == "It is 5."
    assert [told["function"]["name"] for told in model.calls[0].kwargs["tools"]] == ["add"]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize("include_raw", [False, True])
async def test_structured_output(method: Any, include_raw: bool) -> None:
    model = ScriptedChatModel(replies=lambda messages: Sign(platform=6))
    for schema, expected in [(Sign, Sign(platform=6)), (SIGN_SCHEMA, {"platform": 6, "legible": True})]:
        structured = model.with_structured_output(schema, method=method, include_raw=include_raw)
        for told in (structured.invoke("which?"), await structured.ainvoke("which?")):
            if include_raw:
                assert told["raw"].usage_metadata["output_tokens"] > 0
                assert told["parsing_error"] is None
                told = told["parsed"]
            assert told == expected


def test_structured_output_tells_the_schema() -> None:
    model = ScriptedChatModel(replies=[{"platform": 6}])
    model.with_structured_output(SIGN_SCHEMA, strict=True).invoke("which?")
    form = model.calls[0].kwargs["response_format"]["json_schema"]
    assert (form["name"], form["strict"]) == ("Sign", True)
    assert form["schema"]["properties"] == SIGN_SCHEMA["properties"]


def test_structured_output_of_a_typed_dict() -> None:
    class Found(TypedDict):
        platform: int

    assert ScriptedChatModel(replies=[{"platform": 2}]).with_structured_output(Found).invoke("?") == {"platform": 2}


def test_structured_output_from_a_tool_call() -> None:
    call = {"name": "Sign", "args": {"platform": 9}, "id": "c1"}
    model = ScriptedChatModel(replies=[AIMessage("I call.", tool_calls=[call])])
    assert model.with_structured_output(Sign, method="function_calling").invoke("?") == Sign(platform=9)


@pytest.mark.parametrize("reply", ["no JSON", '{"platform": 4', '{"platform": "four"}', "[4]", ""])
def test_a_bad_reply_is_a_value_with_include_raw_and_an_error_without(reply: str) -> None:
    model = ScriptedChatModel(replies=[reply, reply])
    told = model.with_structured_output(Sign, include_raw=True).invoke("?")
    assert told["parsed"] is None
    assert told["raw"].text == reply
    assert isinstance(told["parsing_error"], OutputParserException)
    assert isinstance(told["parsing_error"].__cause__, json.JSONDecodeError | ValidationError)
    with pytest.raises(OutputParserException):
        model.with_structured_output(Sign).invoke("?")


@pytest.mark.parametrize("reply", ["no JSON", "[4]", "4"])
def test_a_schema_takes_objects_only(reply: str) -> None:
    told = ScriptedChatModel(replies=[reply]).with_structured_output(SIGN_SCHEMA, include_raw=True).invoke("?")
    assert told["parsed"] is None
    assert isinstance(told["parsing_error"], OutputParserException)


def test_a_models_own_failure_is_raised_with_include_raw_too() -> None:
    model = ScriptedChatModel(replies=[ConnectionError("down")])
    with pytest.raises(ConnectionError):
        model.with_structured_output(Sign, include_raw=True).invoke("?")
