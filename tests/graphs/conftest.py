from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consilience.core.settings import Settings
from consilience.testing import ModelServer, PostgresServer, witness


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own, beside the machine's weights."""
    place = tmp_path / "cache"
    place.mkdir()
    (place / "weights").symlink_to(Settings().weights_dir)
    return Settings(cache_dir=place)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(witness) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Starting one takes seconds; a test that needs an empty place makes a database, or a thread, of its own."""
    with PostgresServer() as running:
        yield running


@pytest.fixture
def seeker() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A reply for `ModelServer`: calls the tool `timetable` once, has `text.glimpse` read once, else is a witness."""
    reading = {"medium": "text.txt", "encoder": "text.glimpse", "settings": [{"name": "closeness", "value": "2"}]}

    def seeker(request: dict[str, Any]) -> dict[str, Any]:
        prompt = json.dumps(request["messages"])
        asked = request["response_format"]["json_schema"]["schema"]["properties"]
        if "calls" in asked:
            seen = "tool_result" in prompt or "gave nothing" in prompt
            return {"calls": [] if seen else [{"tool": "timetable", "arguments": '{"town": "York"}'}]}
        reply = witness(request)
        return {**reply, "read_again": [reading]} if "read_again" in asked else reply

    return seeker


MOTHER = '''
import asyncio, json, os, signal, sys
import aiohttp, langchain_openai, langgraph.checkpoint.postgres.aio, langgraph.checkpoint.sqlite.aio, openai
import consilience.tools.catalog
from dataclasses import replace
from pathlib import Path
from langchain_core.tools import tool
from consilience import Expert, Looks, aask, encoder
from consilience.core.settings import Settings
from consilience.graphs import PROTOCOLS, Guidance, nodes, replay

def mortal(factory):
    def make(*arguments, **options):
        node = factory(*arguments, **options)
        async def dies(state):
            await node(state)  # it has done all its work, and does not return
            os.kill(os.getpid(), signal.SIGKILL)
        return dies
    return make

def dies(told):
    if told.get("in_flight"):
        os.kill(os.getpid(), signal.SIGKILL)

def counted(told):
    """What counts its calls in a file: a seat's tool, and an encoder that reads again."""
    def count(what):
        with open(told["counts"], "a") as file:
            print(what, file=file)

    @tool
    def timetable(town: str) -> str:
        """Tells from which platform trains leave."""
        count("called")
        dies(told)
        return f"{town}: platform nine"

    @encoder(modality="text", kinds=("glimpse",), version="1", name="text.glimpse")
    def glimpse(excerpt, *, closeness: int = 1):
        """Tells how closely it looks."""
        if closeness > 1:
            count("read")
            dies(told)
        yield excerpt.observe("glimpse", {"closeness": closeness}, f"seen {closeness} times as close")

    if told["kind"] == "tool":
        return {"experts": [Expert("reader", "a reader"), Expert("clerk", "a clerk", tools=(timetable,))]}
    return {"encoders": [glimpse]}

def child(told):
    if told.get("dies_in"):
        setattr(nodes, told["dies_in"], mortal(getattr(nodes, told["dies_in"])))
    options = {name: told[name] for name in ("thread", "checkpointer")}
    if told.get("says"):
        options |= {"resume": Guidance(**told["says"])}
    elif told.get("resume"):
        options |= {"resume": True}
    else:
        options |= {name: told[name] for name in ("question", "media", "protocol", "model")}
        if told.get("kind") == "reading":
            options["protocol"] = replace(PROTOCOLS[told["protocol"]], looks=Looks(encoders=("text.glimpse",)))
    if told.get("kind"):
        options |= counted(told)
    options |= {"settings": Settings(cache_dir=told["cache"])}
    if told.get("replay"):
        del options["resume"]
        verdict = asyncio.run(replay(**options))
    else:
        verdict = asyncio.run(aask(**options))
    if told.get("verdict"):
        Path(told["verdict"]).write_text(verdict.model_dump_json())

for line in sys.stdin:
    pid = os.fork()
    if not pid:
        child(json.loads(line))
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
'''


class Mother:
    """A process with everything imported; what it asks, a child of its own asks, which may be killed."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", MOTHER]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def begin(self, **told: Any) -> int:
        """The child's process id."""
        assert self._process.stdin
        print(json.dumps(told), file=self._process.stdin, flush=True)
        return int(self._line())

    def ended(self) -> int:
        """Waits for the child's end, and gives its exit code."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def mother() -> Iterator[Mother]:
    running = Mother()
    yield running
    running.close()
