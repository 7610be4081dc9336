from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableLambda

from consilience.core.errors import MissingExtra, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models import Endpoint, Patience, Reply, Sampling, resolve
from consilience.testing import Fault, FaultKind, ModelServer, ScriptedChatModel, ScriptExhausted

ASKED = [HumanMessage("Which platform?")]
ONCE = Patience(retries=0)
QUICK = Settings(api_key="sesame", retries=2, retry_seconds=0.01)
SCHEMA = {"title": "sign", "type": "object", "properties": {"platform": {"type": "integer"}}}


class Held:
    """A connection to a function of the prompt; it notes when it is opened and closed."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._runnable: Runnable[Any, Any] = RunnableLambda(answer)
        self.log: list[str] = []

    async def open(self) -> Runnable[Any, Any]:
        self.log.append("open")
        return self._runnable

    async def close(self) -> None:
        self.log.append("close")


class Gate:
    """Answers when it is opened; counts who is inside."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.entered: asyncio.Queue[None] = asyncio.Queue()
        self.inside = self.most = 0

    async def __call__(self, messages: Any) -> str:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.put_nowait(None)
        await self.opened.wait()
        self.inside -= 1
        return "through"


async def reply_of(model: Any, **options: Any) -> Reply:
    """One reply through a connection that is closed again."""
    endpoint = model if isinstance(model, Endpoint) else resolve(model, QUICK)
    try:
        return await endpoint.complete(ASKED, **options)
    finally:
        await endpoint.close()


def faulty(kind: FaultKind) -> ModelServer:
    """A server at which every call meets this fault, repeated attempts too."""
    return ModelServer(lambda request: "right", faults=lambda number, request: Fault(kind))


@asynccontextmanager
async def unavailable(about: str, cure: str) -> AsyncIterator[None]:
    with pytest.raises(ModelUnavailable) as raised:
        yield
    assert about in raised.value.problem
    assert cure in raised.value.cure


@pytest.fixture
def web_page() -> Iterator[str]:
    """The address of a web server that answers everything with a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # What was sent is read, or closing would reset the connection.
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            page = b"<html>Welcome</html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_calls_than_allowed_run_at_once(concurrency: int) -> None:
    gate = Gate()
    endpoint = Endpoint("gated", Held(gate), concurrency=concurrency)
    calls = [asyncio.ensure_future(endpoint.complete(ASKED)) for _ in range(8)]
    for _ in range(concurrency):
        await gate.entered.get()
    gate.opened.set()
    assert [reply.text for reply in await asyncio.gather(*calls)] == ["through"] * 8
    assert gate.most == concurrency


async def test_a_server_meets_no_more_calls_than_allowed() -> None:
    with ModelServer(latency=0.01) as server:
        endpoint = resolve(server.base_url, Settings(concurrency=8))
        await asyncio.gather(*(endpoint.complete(ASKED) for _ in range(24)))
        await endpoint.close()
        assert len(server.calls) == 24
        assert server.max_in_flight <= 8


async def test_a_call_that_fails_makes_room_for_the_next() -> None:
    async def fail(messages: Any) -> str:
        raise ConnectionError("gone")

    endpoint = Endpoint("failing", Held(fail), concurrency=1, patience=ONCE)
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="gone"):
            await endpoint.complete(ASKED)


async def test_a_call_that_is_cancelled_makes_room_for_the_next() -> None:
    gate = Gate()
    endpoint = Endpoint("gated", Held(gate), concurrency=1)
    first = asyncio.ensure_future(endpoint.complete(ASKED))
    await gate.entered.get()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.opened.set()
    assert (await endpoint.complete(ASKED)).text == "through"


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    gate = Gate()
    endpoint = Endpoint("gated", Held(gate), patience=Patience(seconds=0.05, retries=0))
    async with unavailable("no reply within 0.05 s", "CONSILIENCE_REQUEST_SECONDS"):
        await endpoint.complete(ASKED)


async def test_the_time_in_the_queue_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, gate, ahead = asyncio.get_running_loop(), Gate(), [0.0]
    now = loop.time
    monkeypatch.setattr(loop, "time", lambda: now() + ahead[0])
    endpoint = Endpoint("gated", Held(gate), concurrency=1, patience=Patience(seconds=60, retries=0))
    first, second = (asyncio.ensure_future(endpoint.complete(ASKED)) for _ in range(2))
    await gate.entered.get()
    ahead[0] += 61
    with pytest.raises(ModelUnavailable, match="no reply within 60 s"):
        await first
    gate.opened.set()
    assert (await second).text == "through"


async def test_a_server_that_hangs_is_given_up() -> None:
    with faulty("hang") as server:
        async with unavailable("", "CONSILIENCE_REQUEST_SECONDS"):
            await reply_of(resolve(server.base_url, QUICK.model_copy(update={"request_seconds": 0.3})))


@pytest.mark.parametrize(
    ("kind", "about", "cure"),
    [
        ("rate_limit", "too many requests", "Wait"),
        ("server_error", "an error of its own", "server's log"),
        ("reset", "broke off the connection", "Is the server running"),
        ("truncated_json", "half a reply", "base URL"),
    ],
)
async def test_each_fault_is_told_with_its_cure(kind: FaultKind, about: str, cure: str) -> None:
    with faulty(kind) as server:
        async with unavailable(about, cure):
            await reply_of(server.base_url)


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "reset"])
async def test_a_fault_that_passes_is_overcome(kind: FaultKind) -> None:
    with ModelServer(["right"], faults=[Fault(kind)]) as server:
        assert (await reply_of(server.base_url)).text == "right"


@pytest.mark.parametrize("suffix", ["", "#test-model"])
async def test_a_wrong_key(suffix: str) -> None:
    with ModelServer(api_key="another") as server:
        async with unavailable("key was refused", "CONSILIENCE_API_KEY"):
            await reply_of(server.base_url + suffix)


@pytest.mark.parametrize("suffix", ["", "#test-model"])
async def test_an_address_that_is_not_there(suffix: str) -> None:
    with ModelServer() as server:
        async with unavailable("no such model or address", "base URL"):
            await reply_of(f"{server.base_url}/elsewhere{suffix}")


@pytest.mark.parametrize("suffix", ["", "#test-model"])
async def test_a_server_that_is_down(suffix: str) -> None:
    with ModelServer() as server:
        address = server.base_url
    async with unavailable("cannot be reached", "Is the server running"):
        await reply_of(address + suffix)


@pytest.mark.parametrize("suffix", ["", "#test-model"])
async def test_a_web_page_is_no_model_server(web_page: str, suffix: str) -> None:
    async with unavailable("", "base URL"):
        await reply_of(web_page + suffix)


@pytest.mark.parametrize("suffix", ["", "#test-model"])
async def test_an_address_that_is_none(suffix: str) -> None:
    async with unavailable("Invalid port", "base URL"):
        await reply_of(f"http://127.0.0.1:port/v1{suffix}")


async def test_opening_ahead_tells_the_same() -> None:
    for address in ("http://127.0.0.1:port/v1", "http://127.0.0.1:port/v1#m"):
        with pytest.raises(ModelUnavailable, match="Invalid port"):
            await resolve(address, Settings()).open()


@pytest.mark.parametrize("kind", ["garbage", "wrong_schema"])
async def test_bad_content_is_a_reply_all_the_same(kind: FaultKind) -> None:
    with faulty(kind) as server:
        reply = await reply_of(server.base_url, schema=SCHEMA)
    assert reply.usage.calls == 1
    assert reply.usage.prompt_tokens > 0
    assert not reply.cut


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reply_at_the_token_limit_is_cut(stream: bool) -> None:
    pieces: list[str] = []
    with ModelServer(["half of this"], faults=[Fault("length")]) as server:
        reply = await reply_of(server.base_url, schema=SCHEMA, on_text=pieces.append if stream else None)
    assert (reply.text, reply.cut) == ("half o", True)
    assert reply.usage.completion_tokens > 0


async def test_a_stream_that_breaks_off_is_asked_for_again_in_one_piece() -> None:
    pieces: list[str] = []
    with ModelServer(["many words " * 10, "whole"], faults=[Fault("truncated_json")]) as server:
        reply = await reply_of(server.base_url, on_text=pieces.append)
        assert [bool(call.body.get("stream")) for call in server.calls] == [True, False]
    assert (reply.text, reply.cut, reply.attempts) == ("whole", False, 2)
    assert ("many words " * 10).startswith("".join(pieces))


async def test_a_stream_that_never_began_is_asked_for_again_as_a_stream() -> None:
    pieces: list[str] = []
    with ModelServer(["one two"], faults=[Fault("server_error")]) as server:
        assert (await reply_of(server.base_url, on_text=pieces.append)).attempts == 2
    assert pieces == ["one ", "two"]


@pytest.mark.parametrize(
    ("metadata", "cut"),
    [
        ({"finish_reason": "length"}, True),
        ({"finish_reason": "MAX_TOKENS"}, True),
        ({"stop_reason": "max_tokens"}, True),
        ({"done_reason": "length"}, True),
        ({"stop_reason": "end_turn"}, False),
        ({"done_reason": "stop"}, False),
    ],
)
async def test_every_providers_word_for_cut_is_known(metadata: dict[str, str], cut: bool) -> None:
    # The scripted model adds a finish_reason of its own; these providers send none.
    given = {"finish_reason": None, **metadata}
    model = ScriptedChatModel(replies=[AIMessage("{", response_metadata=given)])
    assert (await reply_of(model)).cut is cut


async def test_pieces_arrive_as_they_are_written() -> None:
    pieces: list[str] = []
    with ModelServer(["from platform nine"]) as server:
        reply = await reply_of(server.base_url, on_text=pieces.append)
    assert pieces == ["from ", "platform ", "nine"]
    assert (reply.text, reply.cut) == ("from platform nine", False)
    assert reply.usage.prompt_tokens == server.calls[0].prompt.tokens


async def test_usage_comes_from_the_server() -> None:
    with ModelServer(["right"] * 2) as server:
        endpoint = resolve(server.base_url, Settings())
        asked = [HumanMessage("x" * 400)]
        first, second = await endpoint.complete(asked), await endpoint.complete(asked)
        await endpoint.close()
        prompts = [call.prompt for call in server.calls]
    for reply, prompt in zip((first, second), prompts, strict=True):
        assert (reply.usage.prompt_tokens, reply.usage.cached_tokens) == (prompt.tokens, prompt.cached)
    assert first.usage.cached_tokens == 0 < second.usage.cached_tokens
    assert first.usage.failed == 0
    assert first.usage.cost is None


async def test_the_schema_goes_into_the_request() -> None:
    with ModelServer([{"platform": 9}]) as server:
        reply = await reply_of(server.base_url, schema=SCHEMA)
        (call,) = server.calls
    assert call.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "sign", "schema": SCHEMA, "strict": True},
    }
    assert (reply.text, reply.method) == ('{"platform": 9}', "json_schema")


async def test_sampling_goes_into_the_request() -> None:
    with ModelServer(["right"] * 2) as server:
        await reply_of(server.base_url, sampling=Sampling(temperature=0.5, seed=7, max_tokens=9))
        await reply_of(server.base_url)
        drawn, plain = (call.body for call in server.calls)
    assert (drawn["temperature"], drawn["seed"]) == (0.5, 7)
    assert 9 in (drawn.get("max_tokens"), drawn.get("max_completion_tokens"))
    assert not {"temperature", "seed", "max_tokens", "max_completion_tokens"} & set(plain)


def test_one_endpoint_serves_one_event_loop_after_the_other() -> None:
    with ModelServer(["first", "second", "third"]) as server:
        endpoint = resolve(server.base_url, Settings())
        told = [asyncio.run(reply_of(endpoint)).text for _ in range(3)]
    assert told == ["first", "second", "third"]


def test_a_queue_does_not_outlive_its_event_loop() -> None:
    gates: list[Gate] = []

    async def pass_gate(messages: Any) -> str:
        return await gates[-1](messages)

    async def several() -> list[str]:
        gates.append(Gate())
        calls = [asyncio.ensure_future(endpoint.complete(ASKED)) for _ in range(3)]
        await gates[-1].entered.get()
        gates[-1].opened.set()
        return [reply.text for reply in await asyncio.gather(*calls)]

    endpoint = Endpoint("gated", Held(pass_gate), concurrency=1)
    for _ in range(2):
        assert asyncio.run(several()) == ["through"] * 3
    assert [gate.most for gate in gates] == [1, 1]


async def test_one_loop_has_one_client_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[openai.DefaultAioHttpClient] = []

    class Client(openai.DefaultAioHttpClient):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(openai, "DefaultAioHttpClient", Client)
    with ModelServer() as server:
        endpoint = resolve(server.base_url, Settings())
        await asyncio.gather(*(endpoint.complete(ASKED) for _ in range(4)))
        assert [client.is_closed for client in made] == [False]
        await endpoint.close()
        await endpoint.close()
        await reply_of(endpoint)
    assert [client.is_closed for client in made] == [True, True]


async def test_without_aiohttp_the_other_client_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise RuntimeError("To use the aiohttp client you must have installed the package with the `aiohttp` extra")

    monkeypatch.setattr(openai, "DefaultAioHttpClient", missing)
    with ModelServer(["right"]) as server:
        assert (await reply_of(server.base_url)).text == "right"


async def test_opening_and_closing_are_the_connections() -> None:
    held = Held(str)
    endpoint = Endpoint("held", held)
    await endpoint.open()
    await endpoint.close()
    assert held.log == ["open", "close"]


async def test_a_native_model_is_asked_in_its_own_way() -> None:
    model = ScriptedChatModel(replies=[{"platform": 9}, "platform nine", "plain"])
    endpoint = resolve(model, Settings())
    told = await endpoint.complete(ASKED, schema=SCHEMA)
    assert (told.text, told.method) == ('{"platform": 9}', "native")
    # What cannot be parsed comes as it was, and is paid for.
    bad = await endpoint.complete(ASKED, schema=SCHEMA)
    assert (bad.text, bad.usage.completion_tokens) == ("platform nine", 3)
    assert (await endpoint.complete(ASKED)).text == "plain"
    assert model.calls[0].kwargs["response_format"]["json_schema"]["schema"]["properties"] == SCHEMA["properties"]
    assert "response_format" not in model.calls[2].kwargs


async def test_a_native_model_draws_as_it_is_told() -> None:
    drawn: list[float | None] = []

    class Warm(ScriptedChatModel):
        temperature: float | None = None

        async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            drawn.append(kwargs.get("temperature", self.temperature))
            return await super()._agenerate(messages, *args, **kwargs)

    model = Warm(replies=[{"platform": 9}] * 3)
    for options in ({"schema": SCHEMA}, {}):
        await reply_of(model, sampling=Sampling(temperature=0.5, seed=7), **options)
    assert drawn == [0.5, 0.5]
    # The caller's own model stays as it was.
    assert model.temperature is None
    await reply_of(model, schema=SCHEMA)
    assert drawn[-1] is None


async def test_any_error_of_a_model_is_ours_with_its_first_line() -> None:
    model = ScriptedChatModel(replies=[RuntimeError("no luck\nsecond line"), RuntimeError()])
    async with unavailable("scripted: RuntimeError: no luck", "settings"):
        await reply_of(model)
    async with unavailable("RuntimeError: no message", "settings"):
        await reply_of(model)


async def test_errors_of_ours_and_of_a_test_pass_as_they_are() -> None:
    model = ScriptedChatModel(replies=[MissingExtra("p", "e", "It")])
    with pytest.raises(MissingExtra):
        await reply_of(model)
    with pytest.raises(ScriptExhausted):
        await reply_of(model)
