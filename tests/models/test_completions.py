"""What ChatOpenAI gives with plain completions is what it gives with the client's own."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from consilience.models.clients import OpenAIProtocol
from consilience.models.completions import PlainCompletions
from consilience.testing import ModelServer

PROMPT = [SystemMessage("Be brief."), HumanMessage("From which platform?")]
CALLED = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"place": "hall"}'}}
REPLIES: list[Any] = [
    "platform 4",
    {"answer": "platform 4"},
    {"role": "assistant", "content": None, "refusal": "I cannot."},
    {"role": "assistant", "content": None, "tool_calls": [CALLED]},
]
FORM = {"extra_body": {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}}


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("options", [{}, {**FORM, "temperature": 0.5, "seed": 3, "max_tokens": 9}])
async def test_requests_and_replies_are_the_same(reply: Any, options: dict[str, Any]) -> None:
    given = {"model": "m", "api_key": "k", "max_retries": 0}
    with ModelServer([reply, reply]) as server:
        theirs = await ChatOpenAI(base_url=server.base_url, **given).ainvoke(PROMPT, **options)
        connection = OpenAIProtocol(lambda: {"base_url": server.base_url, "model": "m", "api_key": "k"})
        ours = await (await connection.open()).ainvoke(PROMPT, **options)
        await connection.close()
        one, other = server.calls
    assert one.body == other.body
    assert {name: one.headers[name] for name in ("authorization", "content-type", "accept")} == {
        name: other.headers[name] for name in ("authorization", "content-type", "accept")
    }
    assert (ours.content, ours.tool_calls, ours.usage_metadata) == (
        theirs.content,
        theirs.tool_calls,
        theirs.usage_metadata,
    )
    for name in ("finish_reason", "model_name", "logprobs"):
        assert ours.response_metadata[name] == theirs.response_metadata[name]
    assert ours.additional_kwargs.get("refusal") == theirs.additional_kwargs.get("refusal")


async def test_an_error_is_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "of another")
    with ModelServer(["never"], api_key="secret") as server:
        connection = OpenAIProtocol(lambda: {"base_url": server.base_url, "model": "m", "api_key": "wrong"})
        model = await connection.open()
        with pytest.raises(openai.AuthenticationError):
            await model.ainvoke(PROMPT)
        await connection.close()


class _Response:
    def __init__(self, body: str, mime: str) -> None:
        self.text = body
        self.headers = {"content-type": mime}

    @property
    def http_response(self) -> _Response:
        return self

    def json(self) -> Any:
        return json.loads(self.text)


class _Client:
    def __init__(self, reply: _Response) -> None:
        self._reply = reply

    async def post(self, path: str, **_: Any) -> _Response:
        assert path == "/chat/completions"
        return self._reply


@pytest.mark.parametrize(("mime", "read"), [("application/json", {"a": 1}), ("text/plain; charset=utf-8", {"a": 1})])
async def test_json_is_read_whatever_it_says_it_is(mime: str, read: Any) -> None:
    reply = await PlainCompletions(_Client(_Response('{"a": 1}', mime))).with_raw_response.create(model="m")
    assert reply.parse() == read


async def test_a_page_is_text_and_broken_json_an_error() -> None:
    page = await PlainCompletions(_Client(_Response("<html>", "text/html"))).with_raw_response.create(model="m")
    assert page.parse() == "<html>"
    cut = await PlainCompletions(_Client(_Response('{"a', "application/json"))).with_raw_response.create(model="m")
    with pytest.raises(ValueError, match="Unterminated"):
        cut.parse()
