"""Which way an endpoint is asked for structured output, and how it falls where one gives nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import Runnable

from consilience.core.errors import BadReply, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models import Endpoint, Reply, resolve
from consilience.models.methods import Ladder
from consilience.testing import Fault, ModelServer, ScriptedChatModel

ASKED = [HumanMessage("Which platform?")]
SCHEMA = {"title": "sign", "type": "object", "properties": {"platform": {"type": "integer"}}}
RIGHT = '{"platform": 9}'
QUICK = Settings(retries=3, retry_seconds=0.01)


def call_of(arguments: str) -> dict[str, Any]:
    function = {"name": "sign", "arguments": arguments}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }


def knowing(*methods: str) -> ModelServer:
    """A server that answers these ways of asking, and any other with nothing."""

    def answer(request: dict[str, Any]) -> Any:
        if "response_format" in request:
            return RIGHT if "json_schema" in methods else ""
        if "tools" in request:
            return call_of(RIGHT) if "function_calling" in methods else ""
        schema_told = json.dumps(SCHEMA) in request["messages"][-1]["content"]
        return RIGHT if "text" in methods and schema_told else ""

    return ModelServer(answer)


async def replies_of(server: ModelServer, times: int = 1, **options: Any) -> tuple[Endpoint, list[Reply]]:
    endpoint = resolve(server.base_url, QUICK)
    try:
        return endpoint, [await endpoint.complete(ASKED, schema=SCHEMA, **options) for _ in range(times)]
    finally:
        await endpoint.close()


@pytest.mark.parametrize(
    ("methods", "falls_to", "attempts"),
    [
        (("json_schema", "function_calling", "text"), "json_schema", 1),
        (("function_calling", "text"), "function_calling", 3),
        (("text",), "text", 4),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_way_that_gives_nothing_is_left_once_and_for_good(
    methods: tuple[str, ...], falls_to: str, attempts: int, stream: bool
) -> None:
    with knowing(*methods) as server:
        endpoint, replies = await replies_of(server, 3, on_text=(lambda piece: None) if stream else None)
    assert [json.loads(reply.text) for reply in replies] == [{"platform": 9}] * 3
    assert [reply.method for reply in replies] == [falls_to] * 3
    # The first call finds out, the others know.
    assert [reply.attempts for reply in replies] == [attempts, 1, 1]
    assert endpoint.method == falls_to


async def test_where_no_way_gives_anything_it_is_told() -> None:
    with knowing() as server:
        endpoint = resolve(server.base_url, QUICK)
        with pytest.raises(BadReply, match="empty") as raised:
            await endpoint.complete(ASKED, schema=SCHEMA)
        await endpoint.close()
    assert raised.value.kind == "empty"
    # Nothing was proven, so nothing is remembered.
    assert endpoint.method == "json_schema"


async def test_one_empty_reply_is_chance() -> None:
    with ModelServer(lambda request: RIGHT, faults=[Fault("empty")]) as server:
        _, (reply,) = await replies_of(server)
    assert (reply.method, reply.attempts) == ("json_schema", 2)


async def test_a_way_that_has_worked_is_kept() -> None:
    faults = [None, Fault("empty"), Fault("empty"), Fault("empty")]
    with ModelServer(lambda request: RIGHT, faults=faults) as server:
        _, replies = await replies_of(server, 2)
    assert [(reply.method, reply.attempts) for reply in replies] == [("json_schema", 1), ("json_schema", 4)]


class Strict(ScriptedChatModel):
    """A model that refuses what a server of long ago does not know."""

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        for word in ("response_format", "tools"):
            if word in kwargs or word in kwargs.get("extra_body", {}):
                problem = ValueError(f"Unknown field: {word}")
                problem.status_code = 400  # type: ignore[attr-defined]
                raise problem
        return await super()._agenerate(messages, *args, **kwargs)


async def test_a_way_that_is_refused_is_left_at_once() -> None:
    endpoint = resolve(Strict(replies=[RIGHT] * 2))
    replies = [await endpoint.complete(ASKED, schema=SCHEMA) for _ in range(2)]
    assert [(reply.text, reply.method, reply.attempts) for reply in replies] == [(RIGHT, "text", 3), (RIGHT, "text", 1)]


async def test_a_request_that_is_refused_for_another_reason_is_not_asked_otherwise() -> None:
    problem = ValueError("The prompt is too long.")
    problem.status_code = 400  # type: ignore[attr-defined]
    model = ScriptedChatModel(replies=[problem, RIGHT])
    with pytest.raises(ModelUnavailable):
        await resolve(model).complete(ASKED, schema=SCHEMA)
    assert model.call_count == 1


class Deaf(ScriptedChatModel):
    """Function calling as it is on some local servers: no call, no error, nothing."""

    def with_structured_output(self, schema: Any, **options: Any) -> Runnable[Any, Any]:
        bound: BaseChatModel = self
        return bound | (lambda message: {"raw": AIMessage(""), "parsed": None, "parsing_error": None})


async def test_a_models_own_way_that_gives_nothing_falls_to_words() -> None:
    endpoint = resolve(Deaf(replies=lambda messages: RIGHT))
    with pytest.raises(BadReply, match="empty"):
        await endpoint.complete(ASKED, schema=SCHEMA)
    replies = [await endpoint.complete(ASKED, schema=SCHEMA) for _ in range(2)]
    assert [(reply.text, reply.method) for reply in replies] == [(RIGHT, "text")] * 2


async def test_without_a_schema_nothing_falls() -> None:
    with ModelServer(lambda request: "nine", faults=[Fault("empty")] * 3) as server:
        endpoint = resolve(server.base_url, QUICK)
        reply = await endpoint.complete(ASKED)
        await endpoint.close()
    assert (reply.text, reply.method, endpoint.method) == ("nine", "json_schema", "json_schema")


async def test_a_picture_stays_beside_the_schema_in_words() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    model = ScriptedChatModel(replies=[RIGHT])
    endpoint = resolve(model)
    endpoint._ladder = Ladder("text")
    asked = HumanMessage([{"type": "text", "text": "Which?"}, picture])
    await endpoint.complete([asked], schema=SCHEMA)
    content = model.calls[0].messages[-1].content
    assert content[:2] == asked.content
    assert json.dumps(SCHEMA) in content[2]["text"]  # type: ignore[index]
