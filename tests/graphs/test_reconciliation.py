"""The reconcile node: what it adds, what it tells, and who does not get to see it before the time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import DebateState, Reconciled, nodes
from consilience.graphs.nodes import reconciliation
from consilience.graphs.state import load_record
from langgraph.graph import END, START, StateGraph

from consilience import Expert, Workbench, aask, astream
from consilience.core.errors import BadConfiguration, MissingExtra, UnknownName
from consilience.core.settings import Settings
from consilience.fusion import Timeline, conflicts
from consilience.observations import (
    Conflict,
    Locator,
    Media,
    Observation,
    ObservationStore,
    Provenance,
    TimeRange,
    ingest,
)
from consilience.testing import ModelServer, witness

NOTE = "Since Monday the tomato soup costs 5.20 euro."
TABLE = b"dish,price\ntomato soup,4.50 euro\nfish pie,9.80 euro\n"
QUESTION = "How much does the tomato soup cost now?"
PAIR = (Expert("reader", "a reader", view=("text",)), Expert("clerk", "a clerk", view=("table",)))


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    path = tmp_path / "menu.csv"
    path.write_bytes(TABLE)
    return path


async def reconciled(bench: Workbench, media: list[Media], observations: list[Observation]) -> tuple[Any, Any]:
    """What the node tells and what it leaves in the state, inside of a graph of its own."""
    graph = StateGraph(DebateState)
    graph.add_node("reconcile", nodes.reconcile(bench))
    graph.add_edge(START, "reconcile")
    graph.add_edge("reconcile", END)
    ids = await asyncio.to_thread(bench.store.put, observations)
    state: DebateState = {"question": QUESTION, "media": media, "observations": list(ids)}
    told: Any = None
    async for mode, part in graph.compile().astream(state, stream_mode=["custom", "values"]):
        told, state = (part, state) if mode == "custom" else (told, part)
    return told, state


async def test_the_record_gets_the_conflict_of_its_media(settings: Settings, server: ModelServer, menu: Path) -> None:
    options: dict[str, Any] = {"model": server.base_url, "settings": settings, "experts": PAIR, "rounds": 0}
    events = [event async for event in astream(QUESTION, [NOTE, menu], **options)]
    (event,) = [event for event in events if isinstance(event, Reconciled)]
    (line,) = event.lines
    assert line.startswith("[c1] conflict")
    assert "5.20 euro" in line
    assert "4.50 euro" in line
    assert event.notes == ()


async def test_no_seat_sees_it_in_its_own_view(settings: Settings, server: ModelServer, menu: Path) -> None:
    await aask(QUESTION, [NOTE, menu], model=server.base_url, settings=settings, experts=PAIR, rounds=0)
    openings = [call.body["messages"][-1]["content"] for call in server.calls[:2]]
    assert all("Evidence:" in opening for opening in openings)
    assert all("[c1]" not in opening for opening in openings)
    assert not any("5.20" in opening and "4.50" in opening for opening in openings)


def said_and_shown(store: ObservationStore) -> tuple[list[Media], list[Observation]]:
    media = [ingest("York, platform six.", store), ingest("York Platform 4", store)]
    made = [Provenance(media=medium.id, modality="text", tool="test", version="1") for medium in media]
    value = {"text": "York, platform six.", "language": "en"}
    said = Observation(kind="transcript", value=value, text=value["text"], provenance=made[0])
    shown = Observation(kind="text", value={"text": "York Platform 4"}, text="York Platform 4", provenance=made[1])
    return media, [said, shown]


async def test_running_it_again_adds_nothing(settings: Settings) -> None:
    bench = Workbench(settings=settings)
    media, observations = said_and_shown(bench.store)
    told, state = await reconciled(bench, media, observations)
    assert [line.split(":")[0] for line in told.lines] == ["[c1] conflict"]
    again, after = await reconciled(bench, media, list(bench.store.get(state["observations"])))
    assert again.lines == ()
    assert after["observations"] == state["observations"]


async def test_a_look_that_brings_a_conflict_adds_it(settings: Settings) -> None:
    bench = Workbench(settings=settings)
    media, (said, shown) = said_and_shown(bench.store)
    _, before = await reconciled(bench, media, [shown])
    assert before["observations"] == [shown.id]
    _, after = await reconciled(bench, media, [shown, said])
    record = await asyncio.to_thread(load_record, after, bench.store)
    assert [observation.as_(Conflict).first for label, observation in record if label == "c1"] == [said.id]
    assert record.select(modalities=["text"]) == ("t1", "t2")


async def test_without_the_lexicon_it_says_so_and_goes_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Workbench(settings=settings)
    media, (said, shown) = said_and_shown(bench.store)
    while_said = Locator(time=TimeRange(start=0, end=2))
    timed = Observation.model_validate(said.model_dump(exclude={"id"}) | {"locator": while_said.model_dump()})
    look = Observation(
        kind="expression",
        value={"label": "angry", "scores": {"angry": 0.9}},
        text="a face looks angry",
        locator=while_said,
        provenance=said.provenance,
    )

    def missing(text: str) -> float:
        raise MissingExtra("vaderSentiment", "text", "Reading the tone of words")

    monkeypatch.setattr(reconciliation, "polarity", missing)
    told, state = await reconciled(bench, media, [timed, shown, look])
    assert "consilience[text]" in told.notes[0]
    assert len(told.lines) >= 1
    assert len(state["observations"]) > 3


def taciturn(request: dict[str, Any]) -> dict[str, Any]:
    """Seats that answer in words from which nobody could tell that they disagree; the judge is a witness."""
    reply = witness(request)
    if "evidence" in reply:
        reads = "[t1]" in str(request["messages"][-1]["content"])
        reply["evidence"] = [{"label": "t1", "quote": "5.20 euro"} if reads else {"label": "b2", "quote": "4.50 euro"}]
        reply["answer"] = "as noted" if reads else "see list"
    return reply


async def test_a_conflict_is_put_to_the_judge_where_the_answers_do_not_show_it(settings: Settings, menu: Path) -> None:
    with ModelServer(taciturn) as server:
        options: dict[str, Any] = {"model": server.base_url, "settings": settings, "experts": PAIR, "rounds": 0}
        verdict = await aask("Where is it, and when?", [NOTE, menu], **options)
    assert verdict.resolution is not None


A, B = (
    "WEBVTT\n\n00:05.000 --> 00:08.000\n<v Ann>Hello there.\n",
    "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Bo>Good day.\n",
)


@pytest.mark.parametrize(("offsets", "clocks"), [({}, 2), ({"a.vtt": 0.0, "b.vtt": 12.5}, 1)])
async def test_offsets_that_are_asked_with_put_media_on_one_clock(
    settings: Settings, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offsets: Any, clocks: int
) -> None:
    (tmp_path / "a.vtt").write_text(A)
    (tmp_path / "b.vtt").write_text(B)
    seen: list[Timeline] = []

    def spied(observed: Any, timeline: Timeline, **options: Any) -> list[Observation]:
        seen.append(timeline)
        return conflicts(observed, timeline, **options)

    monkeypatch.setattr(reconciliation, "conflicts", spied)
    given: dict[str, Any] = {"offsets": offsets} if offsets else {}
    files = [tmp_path / "a.vtt", tmp_path / "b.vtt"]
    await aask("Who speaks?", files, model=server.base_url, settings=settings, rounds=0, **given)
    assert len(seen[0].clocks) == clocks
    if offsets:
        assert [moment.span.start for moment in seen[0].moments(seen[0].clocks[0])][-1] == 13.5


@pytest.mark.parametrize(
    ("offsets", "error"), [({"c.vtt": 1.0}, UnknownName), ({"note.txt": float("nan")}, BadConfiguration)]
)
async def test_offsets_of_nothing_are_refused(
    settings: Settings, server: ModelServer, tmp_path: Path, offsets: dict[str, float], error: type[Exception]
) -> None:
    (tmp_path / "note.txt").write_text(NOTE)
    with pytest.raises(error):
        await aask(QUESTION, [tmp_path / "note.txt"], model=server.base_url, settings=settings, offsets=offsets)
