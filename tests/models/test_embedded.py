"""The embedded server, real, with the small model: one for all, found, attached to, ended with its last user."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from langchain_core.messages import HumanMessage

from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.models import resolve
from consilience.models.embedded import Attachment, attach, detach

NAME = "smollm2-135m"

# Attaches, says to whom, and stays until its standard input closes.
USER = f"""
import sys
from consilience.models.embedded import attach
held = attach({NAME!r})
print(held.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A place of its own for the lock files, so that these tests meet no other server."""
    WeightsStore(Settings()).pull(NAME)
    return Settings(runtime_dir=tmp_path / "run")


@pytest.fixture
def held(settings: Settings) -> Iterator[Attachment]:
    yield attach(NAME, settings)
    detach()
    wait_for_end(settings)


def wait_for_end(settings: Settings) -> None:
    """Returns when the server is gone: it holds this lock from its last user's end to its own."""
    (users,) = settings.runtime_dir.glob("*.users")
    with users.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def spawn(settings: Settings) -> subprocess.Popen[str]:
    environment = {**os.environ, "CONSILIENCE_RUNTIME_DIR": str(settings.runtime_dir)}
    return subprocess.Popen(
        [sys.executable, "-c", USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )


def server_of(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    return user.stdout.readline().split()[0]


def leave(user: subprocess.Popen[str]) -> None:
    user.communicate(timeout=60)


def address(settings: Settings) -> Path:
    (path,) = settings.runtime_dir.glob("*.json")
    return path


def status(base_url: str, key: str) -> int:
    place = urlsplit(base_url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
        # llama.cpp serves the list of models to anybody; a completion it does not.
        connection.getresponse().read()
        body = json.dumps({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1})
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_processes_share_one_server_that_ends_with_the_last(settings: Settings) -> None:
    users = [spawn(settings) for _ in range(3)]
    assert len({server_of(user) for user in users}) == 1
    leave(users[0])
    users[1].kill()
    leave(users[1])
    assert address(settings).exists()
    leave(users[2])
    wait_for_end(settings)
    assert not list(settings.runtime_dir.glob("*.json"))


def test_a_killed_server_is_replaced(settings: Settings) -> None:
    first = spawn(settings)
    pid = int(server_of(first))
    os.kill(pid, signal.SIGKILL)
    assert address(settings).exists()
    second = spawn(settings)
    assert int(server_of(second)) != pid
    leave(first)
    leave(second)
    wait_for_end(settings)


def test_one_process_shares_its_attachment(held: Attachment, settings: Settings) -> None:
    assert attach(NAME, settings) is held
    assert status(held.base_url, held.api_key) == 200


def test_a_killed_server_is_replaced_for_its_holder_too(held: Attachment, settings: Settings) -> None:
    os.kill(held.pid, signal.SIGKILL)
    assert attach(NAME, settings).pid != held.pid


def test_the_key_is_needed_and_private(held: Attachment, settings: Settings) -> None:
    assert status(held.base_url, "wrong") == 401
    assert held.base_url.startswith("http://127.0.0.1:")
    assert address(settings).stat().st_mode & 0o077 == 0
    assert settings.runtime_dir.stat().st_mode & 0o077 == 0


async def test_a_schema_holds_and_the_prefix_is_cached(held: Attachment, settings: Settings) -> None:
    endpoint = resolve(f"embedded:{NAME}", settings)
    schema = {
        "title": "pick",
        "type": "object",
        "properties": {"label": {"type": "string", "enum": ["i1", "a1"]}},
        "required": ["label"],
        "additionalProperties": False,
    }
    shared = "A long beginning that both prompts share, word for word. " * 8
    pieces: list[str] = []
    first = await endpoint.complete([HumanMessage(shared + "Pick one.")], schema=schema)
    second = await endpoint.complete([HumanMessage(shared + "Pick another.")], schema=schema, on_text=pieces.append)
    await endpoint.close()
    assert json.loads(first.text)["label"] in ("i1", "a1")
    assert "".join(pieces) == second.text
    assert second.usage.cached_tokens > 0.8 * second.usage.prompt_tokens
    assert second.usage.cost == 0
