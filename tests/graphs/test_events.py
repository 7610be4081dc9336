"""The stream of events: typed, versioned, complete, and the same books as the verdict's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from consilience.graphs import AskOptions, Event, Failed, Finished, Used, events
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from pydantic import TypeAdapter

from consilience import DebateState, Expert, astream
from consilience.core.errors import BadMedia
from consilience.core.settings import Settings
from consilience.models import Usage
from consilience.testing import ModelServer

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
TYPES = {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(Event)[0])}


async def told(media: list[Any], **options: Any) -> tuple[list[Event], Exception | None]:
    """All events, and the error that came behind them."""
    heard: list[Event] = []
    given: AskOptions = {**options}  # type: ignore[typeddict-item]
    try:
        async for event in astream(QUESTION, media, **given):
            heard.append(event)
    except Exception as problem:
        return heard, problem
    return heard, None


async def test_usage_is_told_behind_each_turn_and_adds_up_to_the_books(server: ModelServer, settings: Settings) -> None:
    heard, _ = await told([NOTE], model=server.base_url, settings=settings)
    used = [event for event in heard if isinstance(event, Used)]
    assert [(event.spent.phase, event.round) for event in used] == [
        *[("opening", 0)] * 2,
        *[("exchange", 1)] * 2,
        ("judge", 0),
    ]
    last = heard[-1]
    assert isinstance(last, Finished)
    assert sum((event.spent.usage for event in used), Usage()).tokens == last.verdict.usage.tokens > 0
    for seat, usage in last.verdict.usage_by_seat.items():
        assert sum(event.spent.usage.calls for event in used if event.spent.seat == seat) == usage.calls


async def test_what_a_lost_seat_used_is_told_too(server: ModelServer, settings: Settings) -> None:
    def down(messages: Any) -> str:
        raise ConnectionError("gone")

    seats = (Expert("reader", "a reader"), Expert("clerk", "a clerk", model=RunnableLambda(down)))
    heard, _ = await told([NOTE], model=server.base_url, settings=settings, experts=seats)
    kinds = [event.type for event in heard]
    assert kinds[kinds.index("seat_lost") + 1] == "used"


async def test_a_run_that_an_error_ends_says_so_and_raises(settings: Settings, tmp_path: Path) -> None:
    heard, problem = await told([tmp_path / "gone.png"], settings=settings, model="http://127.0.0.1:9/v1")
    assert isinstance(problem, BadMedia)
    (failed,) = heard
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.reason, failed.cure) == ("BadMedia", problem.problem, problem.cure)


async def test_an_error_that_nobody_foresaw_is_told_as_well(settings: Settings) -> None:
    async def broken(state: DebateState) -> dict[str, Any]:
        raise ZeroDivisionError("own node")

    graph = StateGraph(DebateState)
    graph.add_node("broken", broken)
    graph.add_edge(START, "broken")
    graph.add_edge("broken", END)
    heard, problem = await told([NOTE], settings=settings, graph=graph.compile())
    assert isinstance(problem, ZeroDivisionError)
    assert [event.type for event in heard] == ["started", "failed"]
    assert heard[-1] == Failed(kind="ZeroDivisionError", reason="ZeroDivisionError: own node")


async def test_every_event_survives_json(server: ModelServer, settings: Settings) -> None:
    heard, _ = await told([NOTE], model=server.base_url, settings=settings, protocol="gated_debate")
    adapter: TypeAdapter[Event] = TypeAdapter(Event)
    assert [adapter.validate_json(event.model_dump_json()) for event in heard] == heard
    assert {event.version for event in heard} == {1}


def test_every_type_is_exported_and_in_the_table() -> None:
    assert {kind.__name__ for kind in TYPES.values()} < set(events.__all__)
    page = (Path(__file__).resolve().parents[2] / "docs/observability.md").read_text()
    table = page.partition("## Events\n")[2].partition("## Traces\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"type"} == set(TYPES)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_types_are_names_in_words(name: str) -> None:
    assert re.sub(r"(?<!^)(?=[A-Z])", "_", TYPES[name].__name__).lower() == name
