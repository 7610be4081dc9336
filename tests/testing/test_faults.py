from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, get_args

import httpx2
import openai
import pytest
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import OpenAIRefusalError
from pydantic import BaseModel, ValidationError

from consilience.core.errors import UnknownName
from consilience.testing import Fault, FaultKind, ModelServer

ClientOf = Callable[..., ChatOpenAI]
REPLY = {"platform": 6}


class Sign(BaseModel):
    platform: int


def served(kind: Any, **settings: float) -> ModelServer:
    return ModelServer([REPLY], faults=[Fault(kind, **settings)])


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'reset'"):
        Fault("rest")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "error"), [("rate_limit", openai.RateLimitError), ("server_error", openai.InternalServerError)]
)
def test_errors_of_status(client_of: ClientOf, kind: str, error: type[openai.APIStatusError]) -> None:
    with served(kind, seconds=0.25) as server:
        with pytest.raises(error) as raised:
            client_of(server).invoke("?")
        assert raised.value.response.headers.get("retry-after") == ("0.25" if kind == "rate_limit" else None)
        assert raised.value.body["message"]
        # The reply was not lost with the call that failed.
        assert json.loads(client_of(server).invoke("?").text) == REPLY


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "reset"])
def test_the_clients_own_retries_overcome(client_of: ClientOf, kind: str) -> None:
    with served(kind) as server:
        assert json.loads(client_of(server, max_retries=1).invoke("?").text) == REPLY
        assert [call.fault and call.fault.kind for call in server.calls] == [kind, None]


def test_reset_is_a_reset(client_of: ClientOf) -> None:
    with ModelServer(faults=[Fault("reset")] * 2) as server:
        with pytest.raises(openai.APIConnectionError) as raised:
            client_of(server).invoke("?")
        assert not isinstance(raised.value, openai.APITimeoutError)
        with httpx2.Client() as plain, pytest.raises(httpx2.ReadError, match="reset by peer"):
            plain.post(f"{server.base_url}/chat/completions", json={"messages": [{"role": "user", "content": "?"}]})


async def test_hang_lasts_until_the_client_leaves(async_client_of: ClientOf) -> None:
    with served("hang") as server:
        with pytest.raises(openai.APITimeoutError):
            await async_client_of(server, timeout=0.2).ainvoke("?")
        assert json.loads((await async_client_of(server).ainvoke("?")).text) == REPLY
        # It is no longer in flight: the server saw the client leave.
        assert [call.in_flight for call in server.calls] == [1, 1]


async def test_hang_ends_with_the_server(async_client_of: ClientOf) -> None:
    hung = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fault(number: int, request: dict[str, Any]) -> Fault:
        loop.call_soon_threadsafe(hung.set)
        return Fault("hang")

    with ModelServer(faults=fault) as server:
        waiting = asyncio.ensure_future(async_client_of(server).ainvoke("?"))
        await hung.wait()
    with pytest.raises(openai.APIConnectionError):
        await waiting


def test_truncated_json(client_of: ClientOf) -> None:
    with served("truncated_json") as server, pytest.raises(json.JSONDecodeError):
        client_of(server).invoke("?")


def test_a_truncated_stream_has_no_end(client_of: ClientOf) -> None:
    with ModelServer(["many words " * 10], faults=[Fault("truncated_json")]) as server:
        chunks = list(client_of(server).stream("?"))
    assert 0 < len([chunk for chunk in chunks if chunk.text]) < 20
    assert not any(chunk.response_metadata.get("finish_reason") for chunk in chunks)


@pytest.mark.parametrize("stream", [False, True])
def test_empty(client_of: ClientOf, stream: bool) -> None:
    with served("empty") as server:
        client = client_of(server)
        told = "".join(chunk.text for chunk in client.stream("?")) if stream else client.invoke("?").text
    assert told == ""


def test_refusal(client_of: ClientOf) -> None:
    with ModelServer([], faults=[Fault("refusal"), Fault("refusal"), Fault("refusal")]) as server:
        client = client_of(server)
        reply = client.invoke("?")
        assert (reply.text, reply.additional_kwargs["refusal"]) == ("", "I cannot help with that.")
        told = client.with_structured_output(Sign, method="json_schema", include_raw=True).invoke("?")
        assert isinstance(told["parsing_error"], OpenAIRefusalError)
        with openai.OpenAI(base_url=server.base_url, api_key="k") as plain:
            events = plain.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}], stream=True)
            assert "".join(event.choices[0].delta.refusal or "" for event in events) == "I cannot help with that."


@pytest.mark.parametrize(("kind", "is_json"), [("garbage", False), ("wrong_schema", True)])
def test_content_that_is_not_what_was_asked_for(client_of: ClientOf, kind: str, is_json: bool) -> None:
    with ModelServer([REPLY], faults=[Fault(kind)] * 2) as server:
        text = client_of(server).invoke("?").text
        assert text.startswith("{") == is_json
        with pytest.raises(ValidationError):
            client_of(server).with_structured_output(Sign, method="json_schema").invoke("?")
        assert client_of(server).with_structured_output(Sign, method="json_schema").invoke("?") == Sign(platform=6)


def test_length(client_of: ClientOf) -> None:
    with ModelServer([REPLY, REPLY], faults=[Fault("length")] * 2) as server:
        reply = client_of(server).invoke("?")
        assert (reply.text, reply.response_metadata["finish_reason"]) == ('{"platf', "length")
        with pytest.raises(openai.LengthFinishReasonError):
            client_of(server).with_structured_output(Sign, method="json_schema", include_raw=True).invoke("?")


@pytest.mark.parametrize("stream", [False, True])
def test_slow_drip(client_of: ClientOf, stream: bool) -> None:
    with ModelServer(["wörter, viele " * 5], faults=[Fault("slow_drip", seconds=0.02)]) as server:
        client, start = client_of(server), time.perf_counter()
        told = "".join(chunk.text for chunk in client.stream("?")) if stream else client.invoke("?").text
    assert told == "wörter, viele " * 5
    assert time.perf_counter() - start > 10 * 0.02


def test_faults_by_function(client_of: ClientOf) -> None:
    def fault(number: int, request: dict[str, Any]) -> Fault | None:
        asks_judge = request["messages"][-1]["content"].startswith("judge")
        return Fault("server_error") if asks_judge and number < 2 else None

    with ModelServer(faults=fault) as server:
        client = client_of(server)
        assert client.invoke("expert").text == "expert"
        with pytest.raises(openai.InternalServerError):
            client.invoke("judge")
        assert client.invoke("judge").text == "judge"


def test_a_call_that_is_turned_away_fills_no_cache(client_of: ClientOf) -> None:
    with ModelServer(faults=[Fault("server_error")]) as server:
        with pytest.raises(openai.InternalServerError):
            client_of(server).invoke("x" * 400)
        for _ in range(2):
            client_of(server).invoke("x" * 400)
        assert [call.prompt.cached for call in server.calls] == [0, 0, 96]


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_fault_passes_and_the_next_call_is_answered(client_of: ClientOf, kind: FaultKind) -> None:
    raises = {"hang", "rate_limit", "reset", "server_error", "truncated_json"}
    fails = pytest.raises((openai.OpenAIError, json.JSONDecodeError)) if kind in raises else nullcontext()
    with ModelServer(faults=[Fault(kind)]) as server:
        with fails:
            client_of(server, timeout=1 if kind == "hang" else 20).invoke("?")
        assert client_of(server).invoke("again").text == "again"
        assert server.calls[0].fault == Fault(kind)
