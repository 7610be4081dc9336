"""Runs that are killed and resumed: the verdict comes, and no call that was completed is made again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from consilience.graphs import Exchange, Protocol, checkpointer
from consilience.graphs.journal import RunJournal
from consilience.graphs.options import Asking
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver

from consilience import Expert, Verdict, Workbench, aask, ask, astream, debate
from consilience.core.errors import BadConfiguration, UnknownName, Waiting
from consilience.core.settings import Settings
from consilience.models import Budget, Sampling
from consilience.observations import Media
from consilience.testing import Fault, ModelServer, witness

NOTE = "The book club meets in the upper room."
TABLE = "club,room\nbook,cellar\n"
QUESTION = "Where does the book club meet?"
NODES = (
    *("perceive", "reconcile", "open_round", "look", "gate", "exchange", "settle", "decide", "judge", "verify"),
    "compose",
)
PLACES = ("sqlite", "postgresql")
CALLS = 2 + 2 + 2
"""Openings, exchange, and the judge's two."""


@pytest.fixture
def media(tmp_path: Path) -> list[str]:
    table = tmp_path / "rooms.csv"
    table.write_text(TABLE)
    return [NOTE, str(table)]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.sqlite'}"


@pytest.fixture
def place(request: pytest.FixtureRequest, url: str) -> str:
    """Where runs are kept: a file, or a database that is empty, of the kind the test names."""
    if request.param == "sqlite":
        return url
    server = request.getfixturevalue("postgres").url
    name = f"runs_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return str(server).replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store that several tests share, so that all but the first need not encode."""
    place = tmp_path_factory.mktemp("warm")
    (place / "weights").symlink_to(Settings().weights_dir)
    return Settings(cache_dir=place)


@pytest.fixture
def begin(mother: Any, warm: Settings, media: list[str]) -> Callable[..., int]:
    """Starts a process that asks, and gives its id."""

    def begin(url: str, server: ModelServer, dies_in: str | None = None) -> int:
        told = {"checkpointer": url, "model": server.base_url, "cache": str(warm.cache_dir), "dies_in": dies_in}
        return mother.begin(question=QUESTION, media=media, thread="one", protocol="gated_debate", **told)

    return begin


@pytest.fixture
def killed(mother: Any, begin: Callable[..., int]) -> Callable[..., None]:
    """Lets a process ask that is killed at the end of a node."""

    def killed(url: str, server: ModelServer, dies_in: str) -> None:
        begin(url, server, dies_in)
        assert mother.ended() == -signal.SIGKILL

    return killed


def bodies(server: ModelServer) -> Counter[str]:
    return Counter(json.dumps(call.body, sort_keys=True) for call in server.calls)


async def resumed(url: str, settings: Settings) -> Verdict:
    return await aask(thread="one", resume=True, checkpointer=url, settings=settings)


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("node", NODES)
async def test_killed_at_the_end_of_a_node_it_repeats_no_call(
    node: str, place: str, killed: Callable[..., None], server: ModelServer, warm: Settings
) -> None:
    killed(place, server, node)
    verdict = await resumed(place, warm)
    assert (verdict.answer, verdict.status) == (NOTE, "complete")
    assert set(bodies(server).values()) == {1}
    assert verdict.usage.calls == len(server.calls) == CALLS
    assert verdict.usage.failed == 0


class Killer:
    """Answers as `witness` does; when a call arrives that is the last to, its caller is dead."""

    def __init__(self, last: int) -> None:
        self.process: int | None = None
        self._last = last
        self._calls = 0

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self._calls += 1
        if self._calls == self._last and self.process:
            os.kill(self.process, signal.SIGKILL)
        return witness(request)


def written(place: str) -> Counter[str]:
    """How many calls the journal knows as begun and as ended."""
    if place.startswith("postgresql:"):
        with psycopg.connect(place) as connection:
            asked = "SELECT channel FROM checkpoint_writes WHERE checkpoint_ns = 'consilience-journal'"
            return Counter(channel for (channel,) in connection.execute(asked).fetchall())
    with sqlite3.connect(place.removeprefix("sqlite:///")) as file:
        rows = file.execute("SELECT channel FROM writes WHERE checkpoint_ns = 'consilience-journal'").fetchall()
    file.close()
    return Counter(channel for (channel,) in rows)


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("last", range(1, CALLS + 1))
async def test_killed_during_a_call_it_repeats_what_was_in_flight_alone(
    last: int, place: str, mother: Any, begin: Callable[..., int], warm: Settings
) -> None:
    killer = Killer(last)
    with ModelServer(killer, latency=0.02) as server:
        killer.process = begin(place, server)
        assert mother.ended() == -signal.SIGKILL
        before, journal = len(server.calls), written(place)
        in_flight = journal["begun"] - journal["ended"]
        assert in_flight >= 1
        killer.process = None
        verdict = await resumed(place, warm)
        assert verdict.answer == NOTE
        assert len(server.calls) - before == CALLS - journal["ended"]
        assert sum(count - 1 for count in bodies(server).values()) <= in_flight
        assert max(bodies(server).values()) <= 2
    # What was lost with the process is in the books.
    assert verdict.usage.failed == in_flight
    assert verdict.usage.calls == CALLS + in_flight


async def test_what_a_person_said_outlives_the_process(
    mother: Any, server: ModelServer, warm: Settings, media: list[str], url: str
) -> None:
    options: dict[str, Any] = {"model": server.base_url, "checkpointer": url, "settings": warm}
    with pytest.raises(Waiting):
        await aask(QUESTION, media, thread="one", pause=("judge",), **options)
    says = {"action": "edit", "text": "In the yard."}
    told = {"thread": "one", "checkpointer": url, "cache": str(warm.cache_dir)}
    mother.begin(**told, says=says, dies_in="consult")
    assert mother.ended() == -signal.SIGKILL
    assert (await resumed(url, warm)).answer == "In the yard."
    assert set(bodies(server).values()) == {1}


async def test_killed_before_its_first_step_was_kept_it_begins_anew(
    killed: Callable[..., None], server: ModelServer, warm: Settings, url: str
) -> None:
    killed(url, server, "open_round")
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("DELETE FROM checkpoints WHERE checkpoint_ns = ''")
    connection.close()
    assert (await resumed(url, warm)).answer == NOTE
    assert set(bodies(server).values()) == {1}


async def test_killed_before_the_first_step_of_a_second_question_it_is_that_one_that_is_answered(
    settings: Settings, url: str
) -> None:
    other = "Where does the chess club meet?"
    with ModelServer(witness) as server:
        given: dict[str, Any] = {"thread": "one", "checkpointer": url, "settings": settings}
        await aask(QUESTION, [NOTE], model=server.base_url, **given)
        async with checkpointer(url) as saver:
            asking = Asking.of(other, {"model": server.base_url, "protocol": "single"})
            await RunJournal.begun(saver, "one", asking)
        verdict = await aask(resume=True, **given)
    assert verdict.question == other


async def test_a_run_that_ended_gives_its_verdict_without_a_call(settings: Settings, media: list[str]) -> None:
    with ModelServer(witness) as server:
        verdict = await aask(QUESTION, media, thread="one", model=server.base_url, settings=settings)
        made = len(server.calls)
        again = await aask(thread="one", resume=True, settings=settings)
        assert len(server.calls) == made
    # The server is gone; the default place is the cache folder.
    assert again == await aask(thread="one", resume=True, settings=settings) == verdict
    assert (settings.cache_dir / "runs.sqlite").exists()


def test_it_is_kept_and_resumed_without_an_event_loop(server: ModelServer, settings: Settings) -> None:
    verdict = ask(QUESTION, [NOTE], thread="one", model=server.base_url, settings=settings)
    assert ask(thread="one", resume=True, settings=settings) == verdict


async def test_a_call_that_failed_is_made_again(settings: Settings) -> None:
    """What could not be had when the process ended may be had now; what it cost stands in the books."""
    url = f"sqlite:///{settings.cache_dir / 'here.sqlite'}"
    options: dict[str, Any] = {"thread": "one", "settings": settings, "checkpointer": url}
    down = [True]

    def judge_is_down(number: int, request: dict[str, Any]) -> Fault | None:
        return Fault("server_error") if down[0] and "You are the judge" in json.dumps(request["messages"]) else None

    with ModelServer(witness, faults=judge_is_down) as server:
        bench_settings = settings.model_copy(update={"retries": 0})
        first = await aask(QUESTION, [NOTE], model=server.base_url, **options | {"settings": bench_settings})
        assert "the judge was lost" in first.stop_reason
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:  # as if it had died in `judge`
            steps = "SELECT checkpoint_id FROM writes WHERE channel = 'losses' AND checkpoint_ns = ''"
            judged = max(step for (step,) in connection.execute(steps))
            connection.execute("DELETE FROM checkpoints WHERE checkpoint_ns = '' AND checkpoint_id > ?", (judged,))
            connection.execute("DELETE FROM writes WHERE checkpoint_ns = '' AND checkpoint_id >= ?", (judged,))
        connection.close()
        down[0] = False
        second = await aask(resume=True, **options)
    assert (second.status, second.answer) == ("complete", NOTE)
    assert second.usage_by_seat["judge"].calls == 2
    assert second.usage_by_seat["judge"].failed == 1


async def test_the_thread_is_told_where_none_was_named(server: ModelServer, settings: Settings, url: str) -> None:
    told = [
        event async for event in astream(QUESTION, [NOTE], checkpointer=url, model=server.base_url, settings=settings)
    ]
    verdict = await aask(thread=told[0].thread, resume=True, checkpointer=url, settings=settings)  # type: ignore[union-attr]
    assert verdict == told[-1].verdict  # type: ignore[union-attr]


async def test_an_own_graph_with_a_checkpointer_is_resumed(settings: Settings) -> None:
    saver = InMemorySaver()
    with ModelServer(witness) as server:
        async with Workbench(model=server.base_url, settings=settings) as bench:
            graph = debate(bench, checkpointer=saver)
            verdict = await aask(QUESTION, [NOTE], graph=graph, thread="one", settings=settings)
    with pytest.raises(BadConfiguration, match="objects of your own as graph"):
        await aask(thread="one", resume=True, checkpointer=saver, settings=settings)
    assert await aask(graph=graph, thread="one", resume=True, settings=settings) == verdict


async def test_a_question_asked_again_is_asked_again(server: ModelServer, settings: Settings) -> None:
    options: dict[str, Any] = {"thread": "one", "model": server.base_url, "settings": settings}
    first = await aask(QUESTION, [NOTE], **options)
    made = len(server.calls)
    second = await aask(QUESTION, [NOTE], **options)
    assert len(server.calls) == 2 * made
    assert first.answer == second.answer


async def test_what_cannot_be_resumed_says_why(server: ModelServer, settings: Settings, url: str) -> None:
    options: dict[str, Any] = {"checkpointer": url, "settings": settings}
    with pytest.raises(BadConfiguration, match="none is named"):
        await aask(resume=True, **options)
    with pytest.raises(UnknownName, match="'none'"):
        await aask(thread="none", resume=True, **options)
    seats = [Expert("rule", "a rule", model=RunnableLambda(lambda messages: "upstairs")), Expert("reader", "a reader")]
    await aask(QUESTION, [NOTE], thread="own", experts=seats, model=server.base_url, **options)
    with pytest.raises(BadConfiguration, match="experts"):
        await aask(thread="own", resume=True, **options)
    with pytest.raises(UnknownName, match="Did you mean 'own'"):
        await aask(thread="owm", resume=True, **options)
    assert (await aask(thread="own", resume=True, experts=seats, **options)).answer
    with pytest.raises(BadConfiguration, match="has its question"):
        await aask("Another?", thread="own", resume=True, experts=seats, **options)


def test_how_it_was_asked_comes_back() -> None:
    protocol = Protocol("mine", exchange=Exchange(2, topology={"A": "B", "B": ["A"]}), rule="judge", quorum=0.5)
    experts = (Expert("a", "an a", view=("text",), model="openai:x", sampling=Sampling(seed=3)), Expert("b", "a b"))
    given: Any = {"protocol": protocol, "experts": experts, "model": "embedded", "seed": 7, "options": ("x", "y")}
    given |= {"budget": Budget(tokens=9), "fallbacks": ("openai:y",), "judge": "openai:z", "offsets": {"n": 1.5}}
    medium = Media(id=f"sha256:{'0' * 64}", mime="text/plain", modality="text", name="n", size=1)
    kept = Asking.model_validate_json(
        Asking.of("Why?", given).model_copy(update={"media": (medium,)}).model_dump_json()
    )
    assert kept.media == (medium,)
    back: Any = kept.completed({})
    assert tuple(back.pop("experts")) == experts
    topology = {"A": ["B"], "B": ["A"]}
    assert back.pop("protocol").exchange.topology == topology
    assert {name: back[name] for name in given if name in back} == {
        name: value for name, value in given.items() if name not in ("experts", "protocol")
    }


def test_two_resume_at_once(server: ModelServer, settings: Settings, media: list[str]) -> None:
    """Threads of one place do not touch one another."""

    async def both() -> list[Verdict]:
        names = ("left", "right")
        options: dict[str, Any] = {"model": server.base_url, "settings": settings}
        await asyncio.gather(*(aask(QUESTION, media, thread=name, **options) for name in names))
        return await asyncio.gather(*(aask(thread=name, resume=True, settings=settings) for name in names))

    left, right = asyncio.run(both())
    assert left.answer == right.answer == NOTE
