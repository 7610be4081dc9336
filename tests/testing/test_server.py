from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from consilience.testing import Fault, ModelServer, ScriptExhausted

ClientOf = Callable[..., ChatOpenAI]


class Sign(BaseModel):
    platform: int


def test_it_echoes_by_default(client_of: ClientOf) -> None:
    with ModelServer() as server:
        reply = client_of(server).invoke("how are you?")
    assert reply.text == "how are you?"
    assert reply.usage_metadata["output_tokens"] == 3
    assert reply.response_metadata["finish_reason"] == "stop"


def test_replies_come_in_order_and_in_each_form(client_of: ClientOf) -> None:
    with ModelServer(["text", {"a": "é"}, lambda request: request["model"]]) as server:
        client = client_of(server)
        assert [client.invoke("?").text for _ in range(3)] == ["text", '{"a": "é"}', "test-model"]
        assert server.remaining == 0


def test_a_script_that_ran_out_fails_the_test(client_of: ClientOf) -> None:
    with pytest.raises(ScriptExhausted, match="has 1 replies"), ModelServer(["only"]) as server:  # noqa: PT012
        client = client_of(server, max_retries=2)
        client.invoke("?")
        with pytest.raises(openai.BadRequestError, match="ScriptExhausted"):
            client.invoke("?")


def test_a_function_that_fails_fails_the_test(client_of: ClientOf) -> None:
    with pytest.raises(KeyError, match="nothing"), ModelServer(lambda request: request["nothing"]) as server:  # noqa: SIM117
        with pytest.raises(openai.BadRequestError, match="KeyError"):
            client_of(server).invoke("?")


def test_a_fault_function_that_fails_fails_the_test(client_of: ClientOf) -> None:
    with pytest.raises(ZeroDivisionError), ModelServer(faults=lambda number, request: 1 // number) as server:  # noqa: SIM117
        with pytest.raises(openai.BadRequestError):
            client_of(server).invoke("?")


def test_the_tests_own_failure_is_not_hidden(client_of: ClientOf) -> None:
    with pytest.raises(openai.BadRequestError), ModelServer([]) as server:
        client_of(server).invoke("?")


@pytest.mark.parametrize("include_usage", [True, False])
async def test_it_streams(async_client_of: ClientOf, include_usage: bool) -> None:
    with ModelServer(["wörds one by one "]) as server:
        client = async_client_of(server, stream_usage=include_usage)
        chunks = [chunk async for chunk in client.astream("go")]
    assert [chunk.text for chunk in chunks if chunk.text] == ["wörds ", "one ", "by ", "one "]
    usages = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert [usage["output_tokens"] for usage in usages] == [4] * include_usage
    assert any(chunk.response_metadata.get("finish_reason") == "stop" for chunk in chunks)


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(client_of: ClientOf, method: Any) -> None:
    reply: dict[str, Any] = {"platform": 6}
    if method == "function_calling":
        function = {"name": "Sign", "arguments": '{"platform": 6}'}
        reply = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
    with ModelServer([reply]) as server:
        told = client_of(server).with_structured_output(Sign, method=method, include_raw=True).invoke("json: which?")
        sent = server.calls[0].body
    assert told["parsed"] == Sign(platform=6)
    assert "tools" in sent if method == "function_calling" else "response_format" in sent


def test_tool_calls_stream_too(client_of: ClientOf) -> None:
    @tool
    def look(label: str) -> str:
        """Looks again."""
        return label

    function = {"name": "look", "arguments": '{"label": "i1"}'}
    call = {"id": "c1", "type": "function", "function": function}
    with ModelServer([{"role": "assistant", "content": None, "tool_calls": [call]}]) as server:
        whole = None
        for chunk in client_of(server).bind_tools([look]).stream("go"):
            whole = chunk if whole is None else whole + chunk
    assert [(made["name"], made["args"]) for made in whole.tool_calls] == [("look", {"label": "i1"})]


def test_it_takes_pictures_and_recordings(client_of: ClientOf) -> None:
    parts = [
        {"type": "text", "text": "what is it?"},
        {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"},
    ]
    with ModelServer() as server:
        assert client_of(server).invoke([HumanMessage(parts)]).text == "what is it?"
        sent = server.calls[0].body["messages"][0]["content"]
    assert [part["type"] for part in sent] == ["text", "image_url", "input_audio"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not json", "invalid_json"),
        (b"[1]", "invalid_messages"),
        (b'{"messages": []}', "invalid_messages"),
        (b'{"messages": ["hello"]}', "invalid_messages"),
        (b'{"messages": [{"role": "user", "content": [{"type": "video"}]}]}', "invalid_part"),
    ],
)
def test_malformed_requests_are_refused(content: bytes, code: str) -> None:
    with ModelServer([]) as server, httpx2.Client() as client:
        response = client.post(f"{server.base_url}/chat/completions", content=content)
        call = server.calls[0]
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert call.number is None


def test_the_models_are_listed() -> None:
    with (
        ModelServer(model="small", api_key="k") as server,
        openai.OpenAI(base_url=server.base_url, api_key="k") as client,
    ):
        assert [model.id for model in client.models.list()] == ["small"]


def test_a_wrong_key_is_refused(client_of: ClientOf) -> None:
    with ModelServer(["hello"], api_key="sesame") as server:
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
            client_of(server, api_key="wrong").invoke("?")
        with (
            openai.OpenAI(base_url=server.base_url, api_key="wrong") as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.models.list()
        assert client_of(server).invoke("?").text == "hello"
        refused, taken = server.calls
    assert (refused.number, taken.number) == (None, 0)


def test_the_log_tells_all_but_the_key(client_of: ClientOf) -> None:
    with ModelServer(api_key="sesame") as server:
        client_of(server, temperature=0.5).invoke("how many?")
        (call,) = server.calls
    assert (call.index, call.number, call.path, call.in_flight, call.fault) == (0, 0, "/v1/chat/completions", 1, None)
    assert call.body["temperature"] == 0.5
    assert "how many?" in call.text
    assert call.headers["authorization"] == "Bearer"
    assert "sesame" not in repr(call)
    with pytest.raises(AttributeError):
        call.path = "/"  # type: ignore[misc]


async def test_calls_in_flight_are_counted(async_client_of: ClientOf) -> None:
    full = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fault(number: int, request: dict[str, Any]) -> Fault | None:
        if number == 5:
            loop.call_soon_threadsafe(full.set)
        return Fault("hang") if number else None

    with ModelServer(faults=fault) as server:
        client = async_client_of(server)
        await client.ainvoke("alone")
        waiting = asyncio.gather(*(client.ainvoke("?") for _ in range(5)), return_exceptions=True)
        await full.wait()
    assert server.max_in_flight == 5
    assert [call.in_flight for call in server.calls] == [1, 1, 2, 3, 4, 5]
    assert all(isinstance(problem, openai.APIConnectionError) for problem in await waiting)


def test_latency_delays_the_answer(client_of: ClientOf) -> None:
    with ModelServer(latency=0.5) as server:
        with pytest.raises(openai.APITimeoutError):
            client_of(server, timeout=0.1).invoke("?")
        assert client_of(server, timeout=10).invoke("hello").text == "hello"


def test_a_shared_prefix_is_told_as_cached(client_of: ClientOf) -> None:
    with ModelServer() as server:
        client = client_of(server)
        record = "an observation; " * 40
        cached = []
        for question in ("who?", "when?"):
            usage = client.invoke([("system", record), ("user", question)]).usage_metadata
            cached.append(usage["input_token_details"]["cache_read"])
        assert cached == [0, 160]
        assert client.invoke("something else").usage_metadata["input_token_details"]["cache_read"] == 0
        assert [call.prompt.cached for call in server.calls] == [0, 160, 0]


def test_it_listens_on_loopback_and_leaves_nothing_behind(client_of: ClientOf) -> None:
    before = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            with ModelServer() as server:
                client_of(server).invoke("?")
            port = int(server.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=5)
        gc.collect()
    assert threading.active_count() == before


async def test_it_stops_while_calls_are_in_flight(async_client_of: ClientOf) -> None:
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(request: dict[str, Any]) -> str:
        loop.call_soon_threadsafe(arrived.set)
        return "too late"

    with ModelServer(answer, latency=600) as server:
        waiting = asyncio.ensure_future(async_client_of(server).ainvoke("?"))
        await arrived.wait()
    with pytest.raises(openai.APIConnectionError):
        await waiting
