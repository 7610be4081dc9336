from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient

from consilience.core.errors import BadConfiguration, MissingExtra, RunError
from consilience.core.settings import Settings
from consilience.models import DEFAULT_EMBEDDED, Endpoint, Reply, Usage, resolve
from consilience.testing import ModelServer, ScriptedChatModel

ASKED = [HumanMessage("hello")]
KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, and no `consilience.toml` in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in (*KEYS, "CONSILIENCE_MODEL", "CONSILIENCE_BASE_URL", "CONSILIENCE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(api_key="sesame", model="the-only") as running:
        yield running


async def reply_of(endpoint: Endpoint) -> Reply:
    try:
        return await endpoint.complete(ASKED)
    finally:
        await endpoint.close()


def test_the_default_is_the_embedded_model() -> None:
    endpoint = resolve()
    assert (endpoint.name, endpoint.provider, endpoint.method) == (
        f"embedded:{DEFAULT_EMBEDDED}",
        "embedded",
        "json_schema",
    )
    assert resolve("embedded").name == endpoint.name
    assert resolve("embedded:other").name == "embedded:other"


def test_the_settings_model_is_taken_where_none_is_given() -> None:
    settings = Settings(model="http://host/v1#m")
    assert resolve(None, settings).name == "http://host/v1#m"
    assert resolve("embedded", settings).provider == "embedded"


def test_an_endpoint_is_taken_as_it_is() -> None:
    endpoint = resolve("embedded")
    assert resolve(endpoint) is endpoint


async def test_a_base_url_with_its_model(server: ModelServer) -> None:
    endpoint = resolve(f"{server.base_url}#my:model", Settings(api_key="sesame"))
    assert (endpoint.name, endpoint.provider) == (f"{server.base_url}#my:model", "openai-compatible")
    assert (await reply_of(endpoint)).text == "hello"
    assert server.calls[0].body["model"] == "my:model"


async def test_a_base_url_alone_takes_the_first_model_that_is_served(server: ModelServer) -> None:
    endpoint = resolve(server.base_url, Settings(api_key="sesame"))
    assert endpoint.name == server.base_url
    assert (await reply_of(endpoint)).text == "hello"
    assert server.calls[0].body["model"] == "the-only"


async def test_a_base_url_in_the_settings_serves_a_plain_name(server: ModelServer) -> None:
    settings = Settings(base_url=server.base_url, model="some-model", api_key="sesame")
    assert (await reply_of(resolve(None, settings))).text == "hello"
    assert server.calls[0].body["model"] == "some-model"


def test_a_base_url_in_the_settings_leaves_other_models_alone() -> None:
    settings = Settings(base_url="http://host/v1")
    assert resolve("embedded", settings).provider == "embedded"
    assert resolve("http://other/v1#m", settings).name == "http://other/v1#m"


async def test_without_a_key_of_ours_openais_is_taken(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    assert (await reply_of(resolve(server.base_url, Settings()))).text == "hello"


def test_nothing_is_connected_to_before_it_is_used() -> None:
    assert resolve("http://127.0.0.1:1/v1").name == "http://127.0.0.1:1/v1"


def test_openai_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadConfiguration) as raised:
        resolve("openai:gpt-5")
    assert raised.value.cure == "Set OPENAI_API_KEY."
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    endpoint = resolve("openai:gpt-5")
    assert (endpoint.name, endpoint.provider, endpoint.method) == ("openai:gpt-5", "openai", "json_schema")


async def test_openai_speaks_the_protocol_and_has_its_price(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
    reply = await reply_of(resolve("openai:gpt-4o"))
    assert server.calls[0].body["model"] == "gpt-4o"
    assert reply.usage.cost


def test_a_key_that_is_missing_elsewhere_is_told() -> None:
    with pytest.raises(BadConfiguration, match="cannot be set up") as raised:
        resolve("azure_openai:gpt-5")
    assert "AZURE_OPENAI_API_KEY" in raised.value.problem
    assert "PROVIDER:MODEL" in raised.value.cure


@pytest.mark.parametrize("name", ["azure_openai:gpt-5", "no-such-provider:model"])
async def test_offline_a_name_stands_for_a_model_that_cannot_be_asked(name: str) -> None:
    endpoint = resolve(name, offline=True)
    assert (endpoint.name, endpoint.provider) == (name, name.partition(":")[0])
    with pytest.raises(RunError, match="the run is replayed"):
        await reply_of(endpoint)
    await endpoint.close()


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_anthropic", None)
    with pytest.raises(BadConfiguration, match="needs another package") as raised:
        resolve("anthropic:claude-sonnet-4-5")
    assert "langchain-anthropic" in raised.value.cure


@pytest.mark.parametrize("name", ["nonsense", "no-such-provider:model", "openai:", "ftp://host/v1"])
def test_a_name_that_means_nothing_is_told(name: str) -> None:
    with pytest.raises(BadConfiguration, match="cannot be set up") as raised:
        resolve(name)
    assert repr(name) in raised.value.problem
    assert "PROVIDER:MODEL" in raised.value.cure


async def test_the_client_that_is_missing_is_told_on_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    endpoint = resolve("http://127.0.0.1:1/v1#m")
    with pytest.raises(MissingExtra) as raised:
        await endpoint.open()
    assert raised.value.extra == "openai"
    with pytest.raises(MissingExtra, match=r"The embedded model needs.*consilience\[embedded\]"):
        await resolve("embedded").open()


async def test_a_chat_model_is_taken_as_it_is() -> None:
    model = ScriptedChatModel(replies=["yes"], model_name="my-model")
    endpoint = resolve(model)
    assert (endpoint.name, endpoint.provider, endpoint.method) == ("my-model", "scripted", "native")
    assert (await reply_of(endpoint)).text == "yes"


async def test_a_chat_openai_speaks_the_protocol(server: ModelServer) -> None:
    async with DefaultAsyncHttpxClient() as client:
        model = ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="sesame", http_async_client=client)
        endpoint = resolve(model)
        assert (endpoint.name, endpoint.provider, endpoint.method) == ("gpt-4o", "openai", "json_schema")
        first, second = await reply_of(endpoint), await reply_of(endpoint)
    # What is given is the caller's to close.
    assert (first.text, second.text) == ("hello", "hello")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("yes", "yes"),
        ({"a": "é"}, '{"a": "é"}'),
        (HumanMessage("told"), "told"),
        (Usage(calls=7), Usage(calls=7).model_dump_json()),
    ],
)
async def test_a_plain_runnable_is_asked_in_words(answer: object, text: str) -> None:
    endpoint = resolve(RunnableLambda(lambda messages: answer, name="chain"))
    assert (endpoint.name, endpoint.provider, endpoint.method) == ("chain", "unknown", "text")
    reply = await reply_of(endpoint)
    assert reply.text == text
    assert (reply.method, reply.usage.calls, reply.usage.cost) == ("text", 1, None)
