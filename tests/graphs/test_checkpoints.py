"""Checkpoints in memory, SQLite and PostgreSQL: the state comes back as it was, and nothing else does."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import checkpointer
from consilience.graphs.checkpoints import _types_of
from langgraph._internal._serde import collect_allowlist_from_schemas

from consilience import DebateState, Expert, Workbench, aask, debate
from consilience.core.errors import BadConfiguration, MissingExtra
from consilience.core.settings import Settings
from consilience.models import Sampling
from consilience.testing import ModelServer

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
KINDS = ("memory", "sqlite", "postgresql")


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").url)
    return {"memory": "memory", "sqlite": f"sqlite:///{tmp_path / 'deep' / 'runs.sqlite'}"}[request.param]


@pytest.mark.parametrize("url", KINDS, indirect=True)
async def test_a_state_comes_back_as_it_was(
    url: str, server: ModelServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with checkpointer(url) as saver, Workbench(model=server.base_url, settings=settings) as bench:
        graph = debate(bench, checkpointer=saver)
        verdict = await aask(QUESTION, [NOTE], graph=graph, settings=settings, thread="one")
        where: Any = {"configurable": {"thread_id": "one"}}
        snapshot = await graph.aget_state(where)
        history = [state async for state in graph.aget_state_history(where)]
    assert snapshot.values["verdict"] == verdict
    assert [type(turn).__name__ for turn in snapshot.values["turns"]] == ["Turn"] * 4
    assert len(history) > 9
    # Neither a type that was not foreseen, nor one that could not be made again.
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_the_next_question_does_not_carry_the_verdict_of_the_last(
    server: ModelServer, settings: Settings
) -> None:
    """It would lie in every checkpoint, and pass for the answer where the next run breaks off."""
    async with checkpointer("memory") as saver, Workbench(model=server.base_url, settings=settings) as bench:
        graph = debate(bench, checkpointer=saver)
        for _ in range(2):
            await aask(QUESTION, [NOTE], graph=graph, settings=settings, thread="one")
        history = [state async for state in graph.aget_state_history({"configurable": {"thread_id": "one"}})]
    ended = [state for state in history if state.values.get("verdict")]
    # Each at its end; the first also where the second question comes in.
    assert [state.next for state in ended] == [(), ("perceive",), ("__start__",), ()]


READ = """
import asyncio, sys
from consilience.graphs import checkpointer, debate

async def read():
    async with checkpointer(sys.argv[1]) as saver:
        state = await debate(checkpointer=saver).aget_state({"configurable": {"thread_id": "one"}})
        print(type(state.values["verdict"]).__name__, state.values["verdict"].answer)

asyncio.run(read())
"""


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_another_process_reads_it_without_being_strict(url: str, server: ModelServer, settings: Settings) -> None:
    async with checkpointer(url) as saver, Workbench(model=server.base_url, settings=settings) as bench:
        await aask(QUESTION, [NOTE], graph=debate(bench, checkpointer=saver), settings=settings, thread="one")
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
        "CONSILIENCE_CACHE_DIR": str(settings.cache_dir),
    }
    command = [sys.executable, "-W", "error", "-c", READ, url]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == (f"Verdict {NOTE}\n", "")


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_what_was_not_foreseen_is_not_made(url: str) -> None:
    where: Any = {"configurable": {"thread_id": "two", "checkpoint_ns": ""}}
    async with checkpointer(url) as saver, checkpointer(url, types=[Expert, Sampling]) as generous:
        kept = {"id": "1", "v": 4, "ts": "", "channel_values": {"a": Expert("x", "y")}}
        kept |= {"channel_versions": {"a": "1"}, "versions_seen": {}, "updated_channels": None}
        await saver.aput(where, kept, {}, {"a": "1"})
        refused = await saver.aget(where)
        made = await generous.aget(where)
    assert refused is not None
    assert made is not None
    assert isinstance(refused["channel_values"]["a"], dict)
    assert made["channel_values"]["a"] == Expert("x", "y")


def test_all_types_of_the_state_are_known() -> None:
    foreseen = {(kind.__module__, kind.__name__) for kind in _types_of(DebateState)}
    reached = {
        name for name in collect_allowlist_from_schemas(schemas=[DebateState]) if name[0].startswith("consilience")
    }
    assert reached <= foreseen
    assert ("consilience.agents.turn", "Turn") in reached


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_many_may_open_a_new_place_at_once(url: str) -> None:
    async def opened() -> None:
        async with checkpointer(url) as saver:
            assert await saver.aget_tuple({"configurable": {"thread_id": "none"}}) is None

    await asyncio.gather(*(opened() for _ in range(6)))


@pytest.mark.parametrize(
    ("url", "about"),
    [
        ("redis://here", "redis://here"),
        ("sqlite:////proc/nowhere/runs.sqlite", "cannot be opened"),
        ("postgresql://nobody@/x?host=/nowhere", "cannot be reached"),
    ],
)
async def test_a_place_that_is_none_is_told(url: str, about: str) -> None:
    with pytest.raises(BadConfiguration, match=about):
        async with checkpointer(url):
            pass


async def test_a_password_is_not_told() -> None:
    with pytest.raises(BadConfiguration) as raised:
        async with checkpointer("mysql://me:sesame@host/db"):
            pass
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "module"),
    [("sqlite:///x", "langgraph.checkpoint.sqlite.aio"), ("postgresql://x", "langgraph.checkpoint.postgres.aio")],
)
async def test_a_missing_package_is_named(url: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match="durable"):
        async with checkpointer(url):
            pass
