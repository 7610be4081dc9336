"""Encoders as tools of a real LangChain agent: the model reads lines, the graph keeps observations, errors are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Excerpt, encoder
from consilience.tools.image.properties import properties
from consilience.tools.text.passages import passages
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from PIL import Image

from consilience.core.settings import Settings
from consilience.observations import Media, Observation, ObservationStore, ingest
from consilience.testing import ScriptedChatModel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def note(store: ObservationStore) -> Media:
    return ingest("The book club meets in the upper room.\n\nBring a cake.", store)


def calling(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"id": "call-1", "name": name, "args": arguments}])


def agent_that(*replies: Any, store: ObservationStore) -> Any:
    settings = Settings(cache_dir=store.root.parent)
    tools = [each.tool(store, settings) for each in (passages, properties)]
    return create_agent(ScriptedChatModel(replies=replies), tools)


def answer_of(state: dict[str, Any]) -> ToolMessage:
    (message,) = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    return message


ASKED = {"messages": [HumanMessage("Where do they meet?")]}


async def test_an_agent_reads_lines_and_keeps_observations(store: ObservationStore, note: Media) -> None:
    agent = agent_that(calling("text_passages", media=note.id), "In the upper room.", store=store)
    state = await agent.ainvoke(ASKED)
    message = answer_of(state)
    assert "[t1] passage: The book club meets in the upper room." in message.content
    assert message.status == "success"
    assert [type(item) for item in message.artifact] == [Observation, Observation]
    assert message.artifact[1].locator.chars is not None
    assert state["messages"][-1].content == "In the upper room."


def test_an_agent_without_a_loop(store: ObservationStore, note: Media) -> None:
    agent = agent_that(calling("text_passages", media=note.id, longest=100), "done", store=store)
    assert len(answer_of(agent.invoke(ASKED)).artifact) == 2


async def test_a_blocking_agent_inside_a_running_loop(store: ObservationStore, note: Media) -> None:
    agent = agent_that(calling("text_passages", media=note.id), "done", store=store)
    assert len(answer_of(agent.invoke(ASKED)).artifact) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"media": "sha256:0"}, "is not in the store"),
        ({"media": "{note}", "where": "char=x"}, "is no place in a medium"),
        ({"media": "{note}", "where": "page=2"}, "has no page 2"),
        ({"media": "{note}", "where": "t=1,2"}, "has no times"),
        ({"media": "{note}", "where": "xywh=percent:0,0,50,50"}, "has no regions"),
        ({"media": "{note}", "where": "char=90000,90001"}, "has no character 90000"),
        ({"media": "{picture}"}, "text.passages reads text"),
        ({"media": "{note}", "longest": "long"}, "longest"),
        ({"media": "{note}", "longest": 0}, "It is: integer, at least 20, at most 100000."),
        ({"media": "{note}", "lonegst": 1}, "lonegst"),
        ({}, "media"),
    ],
    ids=str,
)
async def test_the_model_is_told_what_it_did_wrong(
    arguments: dict[str, Any], told: str, store: ObservationStore, note: Media
) -> None:
    picture = ingest(Image.new("RGB", (8, 8)), store)
    named = {"{note}": note.id, "{picture}": picture.id}
    given = {key: named.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()}
    message = answer_of(await agent_that(calling("text_passages", **given), "sorry", store=store).ainvoke(ASKED))
    assert message.status == "error"
    assert told in str(message.content)


async def test_an_encoder_that_breaks_down_does_not_end_the_agent(store: ObservationStore, note: Media) -> None:
    @encoder(modality="text", kinds=("note",), version="1")
    def broken(excerpt: Excerpt) -> Iterator[Observation]:
        """Leaves the process."""
        raise SystemExit("gone")
        yield

    model = ScriptedChatModel(replies=[calling("text_broken", media=note.id), "sorry"])
    state = await create_agent(model, [broken.tool(store, Settings(cache_dir=store.root.parent))]).ainvoke(ASKED)
    assert answer_of(state).status == "error"
    assert "SystemExit: gone" in str(answer_of(state).content)


def test_the_model_is_told_names_types_and_meanings(store: ObservationStore) -> None:
    @encoder(modality="text", kinds=("note",), version="1")
    def told(excerpt: Excerpt, *, most: int = 3) -> Iterator[Observation]:
        """Tells.

        Args:
            most: how many it tells,
                at most.
        """
        yield excerpt.observe("note", {}, "x")

    tool = told.tool(store, Settings(cache_dir=store.root.parent))
    assert (tool.name, tool.description) == ("text_told", "Tells.")
    assert tool.args["most"] == {
        "default": 3,
        "description": "how many it tells, at most.",
        "title": "Most",
        "type": "integer",
    }
    assert "sha256" in tool.args["media"]["description"]


async def test_what_is_for_machines_is_counted_and_what_is_long_is_cut(store: ObservationStore) -> None:
    @encoder(modality="text", kinds=("embedding",), version="1")
    def vectors(excerpt: Excerpt) -> Iterator[Observation]:
        """Makes a vector."""
        yield excerpt.observe("embedding", {"model": "m", "of": "text", "vector": [0.5] * 400}, "a vector")

    settings = Settings(cache_dir=store.root.parent)
    media = ingest(" ".join(f"Sentence number {n} is here." for n in range(5000)), store)
    call = {"type": "tool_call", "id": "1", "args": {"media": media.id}}
    silent = await vectors.tool(store, settings).ainvoke({**call, "name": "text_vectors"})
    assert silent.content == "1 observation of text.vectors, for machines only."
    long = await passages.tool(store, settings).ainvoke({**call, "name": "text_passages"})
    assert len(long.content) < 16_000
    assert "left out" in long.content.lower()
    assert len(long.artifact) > 100
