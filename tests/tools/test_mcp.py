"""MCP both ways: foreign tools as encoders, whatever they answer; our encoders served over stdio and HTTP, and back."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from consilience.tools import Encoding, Excerpt, Runner, encoder
from consilience.tools.deadline import Deadline
from consilience.tools.image.properties import properties
from consilience.tools.mcp import mcp_encoder
from consilience.tools.mcp.replies import Reply
from consilience.tools.mcp.serving import MEDIA_URI, Observed, serve_encoders
from consilience.tools.text.passages import passages
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from fastmcp.utilities.types import Audio
from fastmcp.utilities.types import Image as ImageContent
from mcp_types import EmbeddedResource, ResourceLink, TextContent, TextResourceContents
from PIL import Image

from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Observation, ObservationStore, Source, ingest
from consilience.testing import EncoderConformance

ROOT = Path(__file__).resolve().parents[2]
MEDIA = ROOT / "examples/media"
CONSILIENCE = Path(sys.executable).parent / "consilience"

Bench = tuple[Runner, Media]


# A foreign server in this process


def warmth_server() -> FastMCP:
    server = FastMCP("painter", version="2.1")

    @server.tool
    def warmth(image: str, threshold: float = 1.2) -> dict[str, Any]:
        """Tells warm pictures from cool ones."""
        with Image.open(io.BytesIO(base64.b64decode(image))) as opened:
            red, _, blue = opened.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        word = "warm" if (red + 1) / (blue + 1) > threshold else "cool"
        place = {"region": {"x": 0, "y": 0, "w": 1, "h": 0.5}}
        return {"observations": [{"text": f"it is {word}", "value": {"word": word}, "locator": place}]}

    return server


class TestForeignTool(EncoderConformance):
    """A tool of an MCP server does all that an encoder must."""

    encoder = mcp_encoder(
        server=warmth_server(),
        tool="warmth",
        modality="image",
        kinds=("warmth",),
        arguments={"threshold": 1.2},
    )

    def source(self) -> Source:
        return Image.new("RGB", (64, 48), (200, 40, 40))

    async def test_says_what_the_server_says(self, bench: Bench) -> None:
        (found,) = (await self.observe(bench)).observations
        assert (found.text, found.value) == ("it is warm", {"word": "warm"})
        assert found.provenance.model is not None
        assert found.provenance.model.startswith("painter 2.1, warmth@")

    async def test_places_come_back_into_the_medium(self, bench: Bench) -> None:
        part = Locator.from_fragment("xywh=percent:50,50,50,50")
        (found,) = (await self.observe(bench, where=part)).observations
        assert found.locator == Locator.from_fragment("xywh=percent:50,50,50,25")

    async def test_parameters_reach_the_tool(self, bench: Bench) -> None:
        (found,) = (await self.observe(bench, parameters={"threshold": 100.0})).observations
        assert found.text == "it is cool"


# What a tool may answer


def server_of(answer: Any, **about: Any) -> FastMCP:
    server = FastMCP("foreign", version="1")

    @server.tool(name="tell", **about)
    def tell(media: str) -> Any:
        return answer(media) if callable(answer) else answer

    @server.resource("notes://one", mime_type="text/plain")
    def note() -> str:
        return "the linked words"

    return server


async def asked(folder: Path, answer: Any, kinds: tuple[str, ...] = ("note",), **options: Any) -> Encoding:
    """One encoding of a text by a server that answers so."""
    settings = Settings(cache_dir=folder)
    store = ObservationStore.open(settings)
    server = answer if isinstance(answer, FastMCP) else server_of(answer)
    foreign = mcp_encoder(server=server, tool="tell", modality="text", kinds=kinds, **options)
    encoding = await Runner(store, [foreign], settings=settings).encode(ingest("Some words.", store), foreign)
    assert bool(encoding.failure) != bool(encoding.observations)
    return encoding


PNG = ImageContent(data=b"\x89PNG", format="png")


@pytest.mark.parametrize(
    ("answer", "kinds", "told"),
    [
        ("one line", ("note",), [("note", "one line", {"text": "one line"})]),
        ("two\nlines\u2028\x00", ("note",), [("note", "two lines", {"text": "two\nlines\u2028\x00"})]),
        (["a", "b"], ("object",), [("object", "a", {"label": "a"}), ("object", "b", {"label": "b"})]),
        ({"label": "cup"}, ("object",), [("object", "cup", {"label": "cup"})]),
        ('[{"label": "cup"}]', ("object",), [("object", "cup", {"label": "cup"})]),
        ("[not JSON", ("note",), [("note", "[not JSON", {"text": "[not JSON"})]),
        ({"depth": 3}, ("note",), [("note", '{"depth": 3}', {"depth": 3})]),
        ("hello", ("transcript",), [("transcript", "hello", {"text": "hello", "language": "und"})]),
        ([PNG, "a red cup"], ("description",), [("description", "a red cup", {"text": "a red cup"})]),
        (
            {"observations": [{"text": "x", "kind": "b", "confidence": {"value": 0.5, "kind": "score"}}]},
            ("a", "b"),
            [("b", "x", {"text": "x"})],
        ),
        (
            [
                EmbeddedResource(
                    resource=TextResourceContents(uri="notes://two", text="embedded words", mime_type="text/plain")
                )
            ],
            ("note",),
            [("note", "embedded words", {"text": "embedded words"})],
        ),
        (7, ("note",), [("note", "7", {"text": "7"})]),
    ],
    ids=str,
)
async def test_answers_become_observations(answer: Any, kinds: tuple[str, ...], told: Any, tmp_path: Path) -> None:
    encoding = await asked(tmp_path, answer, kinds)
    assert encoding.failure is None
    # Words that are told as a value of our own shape lose nothing; the line that models read is one line.
    assert [(o.kind, o.text) for o in encoding.observations] == [(kind, text) for kind, text, _ in told]
    assert [o.value for o in encoding.observations] == [value for *_, value in told]


def tells(*observations: dict[str, Any]) -> dict[str, Any]:
    return {"observations": list(observations)}


def deep() -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(200):
        value = {"a": value}
    return value


def raising(media: str) -> str:
    raise ValueError("the model\nis gone")


@pytest.mark.parametrize(
    ("answer", "kinds", "reason"),
    [
        (raising, ("note",), "the model is gone"),
        (tells({"text": "x", "kind": "other"}), ("note",), "was not declared"),
        (tells({"text": "x", "locator": "char=0,9999"}), ("note",), "a place that is not in the medium"),
        (tells({"text": "x", "locator": "page=2"}), ("note",), "a place that is not in the medium"),
        (tells({"text": "x", "locator": "char=b,c"}), ("note",), "invalid literal"),
        (tells({"text": "x", "locator": {"region": {"x": 2, "y": 0, "w": 1, "h": 1}}}), ("note",), "locator.region.x"),
        (tells({"text": "x", "confidence": {"value": 7, "kind": "score"}}), ("note",), "confidence.value"),
        (tells({"text": "x", "value": {"wrong": 1}}), ("object",), "label"),
        (tells({"text": ""}), ("note",), "text"),
        (tells({"text": "\u200b"}), ("note",), "text: String should have at least 1 character"),
        ({"wrong": 1}, ("object",), "label"),
        ("words", ("prosody",), "structured content is wanted"),
        (tells(*({"text": "x"} for _ in range(2001))), ("note",), "2,001 observations"),
        (["x" * 3_000_000, "y" * 3_000_000], ("note",), "more than 4,000,000 characters"),
        ([PNG], ("description",), r"image \(image/png\) and no word"),
        ([Audio(data=b"RIFF", format="wav")], ("transcript",), r"audio \(audio/wav\) and no word"),
        ([ResourceLink(uri="notes://one", name="n")], ("note",), "a link to notes://one and no word"),
    ],
    ids=lambda it: str(it)[:40],
)
async def test_bad_answers_are_failures_with_a_name(
    answer: Any, kinds: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    encoding = await asked(tmp_path, answer, kinds)
    assert encoding.failure is not None
    assert encoding.failure.startswith("foreign, tell: ")
    assert re.search(reason, encoding.failure), encoding.failure
    assert "\n" not in encoding.failure
    assert len(encoding.failure) < 700


async def test_deep_structures_and_halves_of_characters_do_no_harm(tmp_path: Path) -> None:
    nested = await asked(tmp_path, deep())
    assert nested.failure or nested.observations
    halved = await asked(tmp_path, tells({"text": "x", "value": {"a": "\ud800"}}))
    assert halved.failure


async def test_what_could_not_be_observed_stays_that(tmp_path: Path) -> None:
    value = {"sought": ["note"], "reason": "it is dark", "modality": "text"}
    encoding = await asked(tmp_path, tells({"text": "no", "kind": "unobserved", "value": value}))
    assert [o.kind for o in encoding.observations] == ["unobserved"]
    assert "it is dark" in encoding.observations[0].text
    empty = await asked(tmp_path / "other", "")
    assert [o.kind for o in empty.observations] == ["unobserved"]


async def test_long_texts_are_cut_visibly(tmp_path: Path) -> None:
    (found,) = (await asked(tmp_path, "word " * 2000)).observations
    assert len(found.text) == 4000
    assert found.text.endswith("…")


async def test_links_are_followed_only_where_that_is_allowed_and_by_the_server_alone(tmp_path: Path) -> None:
    linked = [ResourceLink(uri="notes://one", name="n")]
    assert (await asked(tmp_path, linked)).failure
    encoding = await asked(tmp_path, linked, fetch_links=True)
    assert [o.text for o in encoding.observations] == ["the linked words"]
    elsewhere = await asked(tmp_path / "other", [ResourceLink(uri="file:///etc/hostname", name="n")], fetch_links=True)
    assert elsewhere.failure
    assert "foreign, tell: " in elsewhere.failure


async def test_an_own_reader_makes_the_observations(tmp_path: Path) -> None:
    def read(reply: Reply, excerpt: Excerpt) -> Iterator[Observation]:
        yield excerpt.observe("count", {"pictures": len(reply.aside)}, f"{len(reply.aside)} pictures")

    encoding = await asked(tmp_path, [PNG, PNG], ("count",), read=read)
    assert [o.value for o in encoding.observations] == [{"pictures": 2}]


# How a medium is passed


def echoing() -> FastMCP:
    """A server that tells what it was handed."""
    server = FastMCP("echo", version="1")

    @server.tool
    def echo(given: Any) -> dict[str, Any]:
        name = given["uri"] if isinstance(given, dict) and "uri" in given else given
        path = Path(str(name).removeprefix("file://"))
        read = path.read_bytes().hex() if str(name).startswith(("/", "file://")) else None
        return {"given": given, "read": read, "suffix": path.suffix if read else None}

    return server


async def handed(folder: Path, source: Source, how: Any, where: Locator | None = None, **options: Any) -> Any:
    settings = Settings(cache_dir=folder)
    store = ObservationStore.open(settings)
    media = ingest(source, store)
    options = {"modality": media.modality, **options}
    foreign = mcp_encoder(server=echoing(), tool="echo", kinds=("echo",), pass_as=how, **options)
    encoding = await Runner(store, [foreign], settings=settings).encode(media, foreign, where=where)
    return encoding.observations[0].value if encoding.observations[0:] else encoding.failure


async def test_base64_data_url_and_content(tmp_path: Path) -> None:
    scene = (MEDIA / "scene.png").read_bytes()
    encoded = base64.b64encode(scene).decode()
    assert (await handed(tmp_path, scene, "base64"))["given"] == encoded
    assert (await handed(tmp_path, scene, "data_url"))["given"] == f"data:image/png;base64,{encoded}"
    content = {"type": "image", "data": encoded, "mimeType": "image/png"}
    assert (await handed(tmp_path, scene, "content"))["given"] == content
    document = (await handed(tmp_path, b"a,b\n1,2\n", "content"))["given"]
    assert (document["type"], document["resource"]["mimeType"]) == ("resource", "text/plain")


@pytest.mark.parametrize("how", ["path", "uri", "link"])
async def test_files_have_their_suffix_and_are_gone_afterwards(how: str, tmp_path: Path) -> None:
    told = await handed(tmp_path, MEDIA / "call.wav", how)
    assert told["suffix"] == ".wav"
    assert bytes.fromhex(told["read"]) == (MEDIA / "call.wav").read_bytes()
    given = str(told["given"]["uri"] if how == "link" else told["given"])
    with pytest.raises(FileNotFoundError):
        os.lstat(given.removeprefix("file://"))
    if how == "link":
        assert (told["given"]["type"], told["given"]["mimeType"]) == ("resource_link", "audio/wave")


async def test_parts_are_files_of_their_own(tmp_path: Path) -> None:
    crop = await handed(tmp_path, MEDIA / "scene.png", "path", Locator.from_fragment("xywh=percent:0,0,50,50"))
    assert Image.open(io.BytesIO(bytes.fromhex(crop["read"]))).size == (300, 295)
    stretch = await handed(tmp_path, MEDIA / "call.wav", "path", Locator.from_fragment("t=1,2"))
    with wave.open(io.BytesIO(bytes.fromhex(stretch["read"]))) as sound:
        assert (sound.getnframes(), sound.getframerate()) == (16_000, 16_000)
    assert (await handed(tmp_path, "Some words.", "text", Locator.from_fragment("char=5,10")))["given"] == "words"


async def test_what_is_too_large_for_a_call_is_told_with_the_cure(tmp_path: Path) -> None:
    told = await handed(tmp_path, MEDIA / "scene.png", "base64", most_bytes=1000)
    assert "124,679 bytes" in told
    assert "pass_as='path'" in told


def test_what_cannot_work_is_refused_when_it_is_declared() -> None:
    with pytest.raises(BadConfiguration, match="cannot read the files"):
        mcp_encoder(server="https://example.org/mcp", tool="t", modality="image", kinds=("k",), pass_as="path")
    with pytest.raises(BadConfiguration, match="not the URL"):
        mcp_encoder(server="npx some-server", tool="t", modality="image", kinds=("k",))
    assert mcp_encoder(server="http://127.0.0.1:1/mcp", tool="t", modality="image", kinds=("k",), pass_as="path")


async def test_the_argument_follows_from_the_tool_or_is_told(tmp_path: Path) -> None:
    server = FastMCP("s", version="1")

    @server.tool(name="tell")
    def tell(language: str, transcript: str) -> str:
        return f"{language}: {transcript}"

    guessed = await asked(tmp_path, server, arguments={"language": "en"})
    assert guessed.observations[0].text == "en: Some words."
    assert "argument='...'" in ((await asked(tmp_path, server)).failure or "")
    told = await asked(tmp_path, server, argument="transcript", arguments={"language": "fr"})
    assert told.observations[0].text == "fr: Some words."


# Servers that change, hang, crash, or are none

SERVER = """
import os, sys, time
from fastmcp import FastMCP
server = FastMCP("stdio", version="1")

@server.tool
def pid(media: str) -> str:
    print("noise on stdout", flush=True)
    return str(os.getpid())

@server.tool
def crash(media: str) -> str:
    print("the disk is full", file=sys.stderr, flush=True)
    os._exit(3)

@server.tool
def hang(media: str) -> str:
    open(media + ".started", "w").close()
    time.sleep(600)
    return ""

server.run(show_banner=False, log_level="CRITICAL")
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    return [sys.executable, str(script)]


def bench_of(folder: Path, *encoders: Any) -> Bench:
    settings = Settings(cache_dir=folder / "cache")
    store = ObservationStore.open(settings)
    return Runner(store, encoders, settings=settings, cache=False), ingest("Some words.", store)


async def test_a_command_is_started_once_and_again_after_a_crash(command: list[str], tmp_path: Path) -> None:
    pid, crash = (mcp_encoder(server=command, tool=tool, modality="text", kinds=("note",)) for tool in ("pid", "crash"))
    runner, media = bench_of(tmp_path, pid, crash)
    first, second = [(await runner.encode(media, pid)).observations[0].text for _ in range(2)]
    assert first == second
    failure = (await runner.encode(media, crash)).failure or ""
    assert "crash: Connection closed. Its last words: the disk is full" in failure
    pid.connection.close()
    again = (await runner.encode(media, pid)).observations[0].text
    assert again != first
    pid.connection.close()
    crash.connection.close()


async def test_a_server_that_hangs_is_given_up_and_another_call_works(command: list[str], tmp_path: Path) -> None:
    hang = mcp_encoder(
        server=command, tool="hang", modality="text", kinds=("note",), pass_as="path", argument="media", seconds=4
    )
    runner, media = bench_of(tmp_path, hang)
    assert "no answer within 4 s" in ((await runner.encode(media, hang)).failure or "")
    hang.connection.close()


async def test_a_cancelled_call_ends(command: list[str], tmp_path: Path) -> None:
    hang = mcp_encoder(
        server=command, tool="hang", modality="text", kinds=("n",), pass_as="path", argument="media", seconds=100
    )
    runner, media = bench_of(tmp_path, hang)
    deadline = Deadline()
    # The call is under way as soon as the connection knows the tool.
    threading.Thread(target=lambda: (hang.connection.identity("hang"), deadline.cancelled.set())).start()
    encoding = await runner.encode(media, hang, deadline=deadline)
    assert "cancelled" in (encoding.failure or "")
    hang.connection.close()


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (["no-such-program"], "No such file"),
        ([sys.executable, "-c", "print('no json')"], "Connection closed"),
        ([sys.executable, "-c", "raise SystemExit('no licence')"], "Its last words: no licence"),
        ("http://127.0.0.1:9/mcp", "connection"),
    ],
    ids=["missing", "garbage", "leaving", "refusing"],
)
async def test_what_is_no_server_is_a_failure_with_a_name(server: Any, told: str, tmp_path: Path) -> None:
    nobody = mcp_encoder(server=server, tool="t", modality="text", kinds=("note",), seconds=20)
    runner, media = bench_of(tmp_path, nobody)
    failure = (await runner.encode(media, nobody)).failure or ""
    assert told in failure
    assert "Check that the server runs." in failure
    nobody.connection.close()


async def test_an_unknown_tool_is_told_with_those_there_are(tmp_path: Path) -> None:
    typo = mcp_encoder(server=warmth_server(), tool="warmht", modality="text", kinds=("note",))
    runner, media = bench_of(tmp_path, typo)
    assert "Did you mean 'warmth'?" in ((await runner.encode(media, typo)).failure or "")


def test_the_tools_definition_and_the_servers_version_are_in_the_cache_key(tmp_path: Path) -> None:
    runner, media = bench_of(tmp_path)

    def key(server: FastMCP, **options: Any) -> str:
        foreign = mcp_encoder(server=server, tool="tell", modality="text", kinds=("note",), **options)
        return foreign.cache_key(media, Locator(), foreign.bind(), runner.settings)

    plain = key(server_of("x"))
    assert key(server_of("x")) == plain
    assert key(server_of("x", description="Another.")) != plain
    newer = server_of("x")
    newer._mcp_server.version = "2"
    assert key(newer) != plain
    assert key(server_of("x"), arguments={"a": 1}) != key(server_of("x"), arguments={"a": 2}) != plain
    assert key(server_of("x"), version="2") != plain


async def test_a_tool_that_changes_between_key_and_call_is_a_failure_once(tmp_path: Path) -> None:
    server = server_of("x")
    foreign = mcp_encoder(server=server, tool="tell", modality="text", kinds=("note",))
    runner, media = bench_of(tmp_path, foreign)
    assert (await runner.encode(media, foreign)).failure is None

    @server.tool(name="tell", description="Changed.")
    def tell(media: str) -> str:
        return "y"

    assert "has changed just now" in ((await runner.encode(media, foreign)).failure or "")
    assert (await runner.encode(media, foreign)).observations[0].text == "y"


# Our own server


@encoder(modality="text", kinds=("note",), version="1")
def noisy(excerpt: Excerpt, *, words: int = 3, failing: bool = False) -> Iterator[Observation]:
    """Prints where it must not.

    Args:
        words: how many it tells.
        failing: whether it breaks down.
    """
    print("noise on stdout", flush=True)
    if failing:
        raise RuntimeError("secret of the machine")
    told = " ".join(excerpt.text().split()[:words])
    yield excerpt.observe("note", {"text": told}, told)


@contextmanager
def our_server(folder: Path, **options: Any) -> Iterator[FastMCP]:
    settings = EncoderConformance().settings(folder)
    with ObservationStore.open(settings) as store:
        runner = Runner(store, [noisy, passages, properties], settings=settings)
        yield serve_encoders(runner, **options)


async def test_tools_have_typed_input_and_published_output(tmp_path: Path) -> None:
    with our_server(tmp_path) as server:
        async with Client(server) as client:
            listed = {tool.name: tool for tool in await client.list_tools()}
            assert set(listed) == {"text_noisy", "text_passages", "image_properties"}
            noisy_tool = listed["text_noisy"]
            assert noisy_tool.input_schema["properties"]["words"]["type"] == "integer"
            assert noisy_tool.input_schema["properties"]["words"]["description"] == "how many it tells."
            assert noisy_tool.annotations is not None
            assert noisy_tool.annotations.read_only_hint
            encoded = base64.b64encode(b"One two three four.").decode()
            result = await client.call_tool_mcp("text_noisy", {"base64": encoded, "words": 2})
            jsonschema.validate(result.structured_content, noisy_tool.output_schema)
    told = Observed.model_validate(result.structured_content)
    assert [o.text for o in told.observations] == ["One two"]
    assert told.observations[0].provenance.media == told.media.id
    text, link = result.content
    assert isinstance(text, TextContent)
    assert "One two" in text.text
    assert isinstance(link, ResourceLink)
    assert (str(link.uri), link.size) == (MEDIA_URI + told.media.id, 19)


async def test_media_are_known_by_id_and_read_as_resources(tmp_path: Path) -> None:
    scene = (MEDIA / "scene.png").read_bytes()
    with our_server(tmp_path) as server:
        async with Client(server) as client:
            sent = {"base64": base64.b64encode(scene).decode(), "file_name": "scene.png"}
            first = (await client.call_tool_mcp("image_properties", sent)).structured_content
            named = first["media"]["id"]
            for again in (named, MEDIA_URI + named):
                result = (await client.call_tool_mcp("image_properties", {"media": again})).structured_content
                assert result["cached"]
                assert result["observations"] == first["observations"]
            (resource,) = await client.read_resource(MEDIA_URI + named)
            assert resource.mime_type == "image/png"
            assert base64.b64decode(resource.blob) == scene  # type: ignore[union-attr]
            crop = {"media": named, "where": "xywh=percent:0,0,50,50"}
            (part,) = (await client.call_tool_mcp("image_properties", crop)).structured_content["observations"]
            assert part["value"]["width"] == 300


@pytest.mark.parametrize("codec", ["cp1252", "utf-16"])
async def test_a_text_in_other_characters_is_sent_as_its_bytes(codec: str, tmp_path: Path) -> None:
    content = "Grüße aus Köln, und bis bald.".encode(codec)
    with our_server(tmp_path) as server:
        async with Client(server) as client:
            sent = {"base64": base64.b64encode(content).decode(), "file_name": "card.txt"}
            told = (await client.call_tool_mcp("text_noisy", sent)).structured_content
            (resource,) = await client.read_resource(MEDIA_URI + told["media"]["id"])
    assert base64.b64decode(resource.blob) == content  # type: ignore[union-attr]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "Give either `media` or `base64`"),
    ({"media": "sha256:0", "base64": "AAAA"}, "Give either `media` or `base64`"),
    ({"media": "sha256:0"}, "is not in the store"),
    ({"media": "/etc/passwd"}, "no file that this server may read"),
    ({"media": "file:///etc/passwd"}, "no file that this server may read"),
    ({"media": "{root}/../secret.txt"}, "no file that this server may read"),
    ({"media": "{root}/link.txt"}, "no file that this server may read"),
    ({"media": "{root}/missing.txt"}, "no file that this server may read"),
    ({"media": "https://example.org/x.png"}, "no file that this server may read"),
    ({"media": "\x00"}, "no file that this server may read"),
    ({"base64": "?"}, "cannot be decoded"),
    ({"base64": "QUFB" * 6_000_000}, "too large to be sent"),
    ({"base64": "QUFB", "words": "many"}, "parameter 'words': Input should be a valid integer"),
    ({"base64": "QUFB", "wrods": 1}, "there is no parameter 'wrods'. Did you mean 'words'"),
    ({"base64": "QUFB", "where": "char=b"}, "is no place in a medium"),
    ({"base64": base64.b64encode((MEDIA / "scene.png").read_bytes()).decode()}, "text.noisy reads text"),
    ({"base64": "QUFB", "failing": True}, "RuntimeError: secret of the machine"),
]


@pytest.mark.parametrize(("arguments", "told"), REFUSED, ids=lambda it: str(it)[:40])
async def test_errors_are_clean(arguments: dict[str, Any], told: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    given = {key: value.format(root=root) if key == "media" else value for key, value in arguments.items()}
    with our_server(tmp_path, roots=[root]) as server:
        async with Client(server) as client:
            result = await client.call_tool_mcp("text_noisy", given)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert told in content.text
    assert "Traceback" not in content.text


@pytest.mark.parametrize("form", ["{root}/note.txt", "file://{root}/note.txt", "{root}/../root/note.txt"])
async def test_files_inside_the_roots_are_read(form: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "note.txt").write_text("One two three four.")
    with our_server(tmp_path, roots=[root]) as server:
        async with Client(server) as client:
            result = await client.call_tool_mcp("text_noisy", {"media": form.format(root=root)})
    assert result.structured_content["observations"][0]["text"] == "One two three"


async def test_biometric_encoders_are_served_only_with_leave(tmp_path: Path) -> None:
    @encoder(modality="image", kinds=("face",), version="1", biometric=True)
    def faces(excerpt: Excerpt) -> Iterator[Observation]:
        """Measures bodies."""
        yield excerpt.observe("face", {"share": 0.1}, "a face")

    with ObservationStore(tmp_path) as store:
        for allowed in (False, True):
            settings = Settings(cache_dir=tmp_path, biometrics=allowed)
            async with Client(serve_encoders(Runner(store, [faces], settings=settings))) as client:
                assert bool(await client.list_tools()) is allowed


def command_line(folder: Path, *arguments: str | Path) -> list[str]:
    """`consilience mcp` with a cache of its own; servers on stdio get no environment from their clients."""
    cache = EncoderConformance().settings(folder).cache_dir
    return ["env", f"CONSILIENCE_CACHE_DIR={cache}", str(CONSILIENCE), "mcp", *map(str, arguments)]


NOISY = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
print("noise before serving", file=sys.stderr)
from test_mcp import noisy, our_server
with our_server(Path({folder!r})) as server:
    asyncio.run(server.run_async("stdio", show_banner=False, log_level="CRITICAL"))
"""


def test_standard_output_carries_messages_alone(tmp_path: Path) -> None:
    program = NOISY.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    messages = [
        {"id": 1, "method": "initialize", "params": about},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "text_noisy", "arguments": {"base64": "QUFB"}}},
    ]
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in messages:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            process.stdin.flush()
        lines = []
        while not any(line.get("id") == 2 for line in lines):
            lines.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.stdout.read() == ""
    assert lines[-1]["result"]["structuredContent"]["observations"][0]["text"] == "AAA"


async def test_a_real_client_over_stdio(tmp_path: Path) -> None:
    command, *rest = command_line(tmp_path, "--root", MEDIA, "--tool", "image.properties")
    transport = StdioTransport(command, rest, log_file=tmp_path / "log")
    async with Client(transport) as client:
        assert [tool.name for tool in await client.list_tools()] == ["image_properties"]
        assert client.server_info is not None
        assert client.server_info.name == "consilience"
        result = await client.call_tool_mcp("image_properties", {"media": str(MEDIA / "scene.png")})
        told = Observed.model_validate(result.structured_content)
    await transport.close()
    assert told.observations[0].value["width"] == 600


@contextmanager
def listening(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The address of `consilience mcp --http`."""
    with subprocess.Popen(
        command_line(folder, "--http", "--port", "0", "--tool", "image.properties", *arguments),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[-1]
        finally:
            process.terminate()
            process.stderr.read()


async def test_a_real_client_over_http_with_a_token(tmp_path: Path) -> None:
    with listening(tmp_path, CONSILIENCE_MCP_TOKEN="sesame") as url:
        encoded = base64.b64encode((MEDIA / "scene.png").read_bytes()).decode()
        async with Client(StreamableHttpTransport(url, auth="sesame")) as client:
            result = await client.call_tool_mcp("image_properties", {"base64": encoded})
        assert Observed.model_validate(result.structured_content).media.name.endswith(".png")
        with pytest.raises(Exception, match="Server returned an error response"):
            async with Client(url):
                pass


class TestRoundTrip(EncoderConformance):
    """Our own encoder, through our own server and our own client."""

    encoder = properties

    def source(self) -> Source:
        return MEDIA / "scene.png"

    async def test_over_stdio_by_path(self, bench: Bench, tmp_path: Path) -> None:
        command = command_line(tmp_path, "--tool", "image.properties", "--root", "/")
        await self._compare(bench, command, pass_as="path", argument="media")

    async def test_over_http_inline(self, bench: Bench, tmp_path: Path) -> None:
        with listening(tmp_path) as url:
            await self._compare(bench, url, pass_as="base64", argument="base64")

    async def _compare(self, bench: Bench, server: Any, **options: Any) -> None:
        runner, media = bench
        over = mcp_encoder(server=server, tool="image_properties", modality="image", kinds=("properties",), **options)
        part = Locator.from_fragment("xywh=percent:0,0,50,50")
        for where in (Locator(), part):
            direct = await runner.encode(media, properties, where=where)
            through = await runner.encode(media, over, where=where)
            assert through.failure is None
            assert [self._content(o) for o in through.observations] == [self._content(o) for o in direct.observations]
            assert (through.observations[0].provenance.model or "").startswith("consilience 0.")
        over.connection.close()

    def _content(self, observation: Observation) -> dict[str, Any]:
        return observation.model_dump(mode="json", include={"kind", "value", "text", "locator", "confidence"})
