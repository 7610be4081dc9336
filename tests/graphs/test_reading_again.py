"""Seats have a place read again: encoders run, the record grows, everybody reads it; or it is told why not."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consilience.agents import LookAgain, Position, Turn
from consilience.graphs import LookedAgain, PhaseStarted, Reconciled, nodes
from consilience.graphs.state import load_record
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage
from PIL import Image, ImageDraw, ImageFont

from consilience import DebateState, Excerpt, Exchange, Expert, Looks, Protocol, Verdict, Workbench, astream, encoder
from consilience.core.settings import Settings
from consilience.models import Budget
from consilience.observations import Media, Observation, Region, Span, ingest
from consilience.testing import ScriptedChatModel

CALL = Path(__file__).resolve().parents[2] / "examples/media/call.wav"
FEE = "48 crowns"
QUESTION = "What does a night at the mooring cost?"
PANEL = (Expert("eyes", "an expert for pictures"), Expert("sceptic", "a sceptic"))
LEFT, RIGHT = Region(x=0, y=0, w=0.5, h=1), Region(x=0.5, y=0, w=0.5, h=1)


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A big board with a line of small print, which is lost when the whole is scaled down to be read."""
    picture = Image.new("RGB", (6000, 4000), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((375, 400), "HARBOUR OFFICE", font=ImageFont.load_default(375), fill="black")
    pen.text((4320, 3440), f"Mooring costs {FEE} a night", font=ImageFont.load_default(12), fill="black")
    path = tmp_path_factory.mktemp("board") / "board.png"
    picture.save(path)
    return path


def asking(wanted: str, quote: str, **request: Any) -> ScriptedChatModel:
    """A model that asks for this reading as long as it may and has no line with `wanted`, and answers with the line."""

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        cited = re.search(rf"\[(\w\d+)\][^\n]*{re.escape(wanted)}", prompt)
        stated = "fully" if cited else "not"
        said = {"label": cited[1], "quote": quote} if cited else None
        if "You are the judge" in prompt:
            claims = [{"text": f"It is {quote}.", **said}] if said else []
            return {"claims": claims, "stated": stated, "answer": quote if said else "not stated"}
        turn = {"evidence": [said] if said else [], "stated": stated, "answer": quote if said else "not stated"}
        return {**turn, "read_again": [] if cited or '"read_again"' not in prompt else [request]}

    return ScriptedChatModel(replies=reply)


async def debated(model: ScriptedChatModel, media: list[Any], settings: Settings, **options: Any) -> list[Any]:
    options = {"experts": PANEL, "looks": 2, **options}
    return [event async for event in astream(QUESTION, media, model=model, settings=settings, **options)]


def looked(events: list[Any]) -> list[LookedAgain]:
    return [event for event in events if isinstance(event, LookedAgain)]


def recorded(events: list[Any]) -> tuple[str, ...]:
    lines: tuple[str, ...] = next(event.lines for event in events if event.type == "recorded")
    return lines


async def test_small_print_is_read_from_the_crop_that_a_seat_asks_for(board: Path, settings: Settings) -> None:
    model = asking(FEE, FEE, medium="board.png", encoder="image.text", box=[68, 80, 88, 92])
    events = await debated(model, [board], settings)
    before = recorded(events)
    assert any("HARBOUR OFFICE" in line for line in before)
    assert not any("ooring" in line for line in before)
    (event,) = looked(events)
    assert event.look.seats == ("A", "B")
    assert (event.look.refused, event.look.failure, event.look.cached) == (None, None, False)
    assert event.look.seconds > 0
    # A label of its own, behind those that were there.
    taken = {line.split("]")[0] for line in before}
    assert [FEE in line and line.split("]")[0] not in taken for line in event.lines] == [True]
    verdict: Verdict = events[-1].verdict
    assert (verdict.answer, verdict.status) == (FEE, "complete")
    (evidence,) = verdict.evidence
    where = evidence.observation.locator.region
    # The print lies at 72 and 86 percent: the crop's place is carried back into the whole picture.
    assert where is not None
    assert abs(where.x - 0.72) < 0.01
    assert abs(where.y - 0.86) < 0.01
    assert verdict.looks == (event.look.describe(),)
    assert verdict.looks[0].startswith(
        "Seats A, B asked for image.text on 'board.png', box 68 80 88 92 %: 1 line, 1 new"
    )


async def test_a_line_that_was_misread_is_read_again_from_nearby(settings: Settings, tmp_path: Path) -> None:
    picture = Image.new("RGB", (3200, 2400), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((200, 240), "HARBOUR OFFICE", font=ImageFont.load_default(200), fill="black")
    pen.text((2304, 2064), f"Mooring costs {FEE} a night", font=ImageFont.load_default(8), fill="black")
    path = tmp_path / "board.png"
    picture.save(path)
    # A seat sees words and labels, no boxes: it points at the second line.
    events = await debated(asking(FEE, FEE, medium="board.png", encoder="image.text", near="i2"), [path], settings)
    misread = next(line for line in recorded(events) if line.startswith("[i2]"))
    assert "night" in misread
    assert FEE not in misread
    (event,) = looked(events)
    assert event.look.request.near is None
    assert event.look.request.region is not None
    assert [FEE in line for line in event.lines] == [True]
    assert events[-1].verdict.answer == FEE


async def test_seconds_and_language_of_a_recording_may_be_asked_for(settings: Settings) -> None:
    wanted = {"medium": "call.wav", "encoder": "audio.speech", "start": 5.9, "end": 60}
    model = asking("(nobody says it)", "", **wanted, settings=[{"name": "language", "value": "de"}])
    (event,) = looked(await debated(model, [CALL], settings))
    assert event.look.request.parameters == (("language", "de"),)
    bench = Workbench(settings=settings)
    made = bench.store.get(event.look.added)
    told = [observation for observation in made if observation.kind == "transcript"]
    assert told
    for observation in told:
        assert observation.provenance.parameters["language"] == "de"
        # The request went on beyond the recording's 7.8 s.
        assert observation.locator.time is not None
        assert 5.9 <= observation.locator.time.start < observation.locator.time.end <= 7.9


async def test_an_encoder_that_nobody_ran_may_be_asked_for(settings: Settings) -> None:
    model = asking("(never)", "", medium="call.wav", encoder="audio.sounds")
    events = await debated(model, [CALL], settings)
    assert "audio.sounds" not in {event.encoder for event in events if event.type == "perceived"}
    (event,) = looked(events)
    assert event.look.failure is None
    assert any(o.provenance.tool == "audio.sounds" for o in Workbench(settings=settings).store.get(event.look.added))


async def test_without_looks_no_prompt_speaks_of_it(settings: Settings) -> None:
    model = asking(FEE, FEE, medium="call.wav", encoder="audio.speech", start=0, end=2)
    events = await debated(model, [CALL], settings, looks=0)
    assert looked(events) == []
    assert not any("read_again" in call.prompt for call in model.calls)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"encoder": "audio.speech", "start": 90, "end": 99}, "it lasts only 7.8 s"),
        ({"encoder": "image.text"}, "image.text is not asked to read it again"),
        ({"encoder": "audio.speech", "medium": "film.mp4", "start": 1, "end": 2}, "there is no medium 'film.mp4'"),
        ({"encoder": "audio.speech"}, "the record has that already"),
    ],
)
async def test_what_is_refused_is_told(settings: Settings, request_: dict[str, Any], told: str) -> None:
    events = await debated(asking("(never)", "", **{"medium": "call.wav", **request_}), [CALL], settings)
    (event,) = looked(events)
    assert told in (event.look.refused or "")
    assert (event.look.labels, event.look.added, event.lines) == ((), (), ())
    verdict = events[-1].verdict
    assert told in verdict.looks[0]
    assert verdict.lost_tools == ()


async def test_a_language_that_does_not_exist_is_a_failure_that_is_told(settings: Settings) -> None:
    wrong = [{"name": "language", "value": "xx"}]
    model = asking("(never)", "", medium="call.wav", encoder="audio.speech", settings=wrong)
    events = await debated(model, [CALL], settings)
    (event,) = looked(events)
    assert "'xx' is not a valid language code" in (event.look.failure or "")
    verdict = events[-1].verdict
    assert "audio.speech on 'call.wav', language xx: " in verdict.lost_tools[0]
    assert "failed, " in verdict.looks[0]


class Eyes:
    """An encoder of pictures that counts how often it works."""

    def __init__(self) -> None:
        self.read: list[tuple[str, int]] = []
        self.going = threading.Event()

        @encoder(modality="image", kinds=("glimpse",), version="1", name="image.glimpse")
        def glimpse(excerpt: Excerpt, *, closeness: int = 1) -> Iterator[Observation]:
            """Tells what part it looks at, and how closely."""
            self.read.append((excerpt.where.to_fragment(), closeness))
            if closeness == 13:
                raise RuntimeError("thirteen is too close")
            while closeness == 99:
                excerpt.check()
                self.going.wait(0.01)
            yield excerpt.observe("glimpse", {"closeness": closeness}, f"seen {closeness} times as close")

        self.encoder = glimpse


def glimpse(region: Region | None = None, closeness: int | None = None, **place: Any) -> LookAgain:
    settings = () if closeness is None else (("closeness", str(closeness)),)
    span = Span(media="spot.png", **place)
    return LookAgain(span=span, encoder="image.glimpse", region=region, parameters=settings)


def turn(seat: str, *requests: LookAgain, round_: int = 0) -> Turn:
    nothing = Position(text="not stated", stated="not")
    phase: Any = "exchange" if round_ else "opening"
    return Turn(seat=seat, expert=f"the {seat}", phase=phase, round=round_, position=nothing, look_again=requests)


class Table:
    """A picture that has been perceived, and seats that ask."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.eyes = Eyes()
        path = folder / "spot.png"
        Image.new("RGB", (64, 64), "white").save(path)
        settings = Settings(cache_dir=folder / "cache", threads=1)
        self.bench = Workbench(settings=settings, encoders=[self.eyes.encoder], **options)
        self.bench.runner.encoders = {"image.glimpse": self.eyes.encoder}
        self.medium: Media = ingest(path, self.bench.store)

    async def perceived(self) -> DebateState:
        state: DebateState = {"question": QUESTION, "media": [self.medium]}
        state |= await nodes.perceive(self.bench)(state)  # type: ignore[typeddict-item]
        state |= {"looks": [], "lost_tools": [], "turns": []}
        self.eyes.read.clear()
        return state

    async def looks(self, state: DebateState, *turns: Turn, looks: Looks | None = None) -> dict[str, Any]:
        state = {**state, "turns": list(turns)}
        return await nodes.look(self.bench, looks=looks or Looks())(state)


REGIONS = st.sampled_from([None, LEFT, RIGHT])
REQUESTS = st.lists(st.builds(glimpse, REGIONS, st.sampled_from([None, 1, 2, 3])), max_size=3)


@examples(max_examples=25)
@given(st.lists(REQUESTS, min_size=1, max_size=4))
def test_what_seats_ask_for_is_read_once_for_all_of_them(asked: list[list[LookAgain]]) -> None:
    async def run(folder: Path) -> None:
        table = Table(folder, cache=False)
        state = await table.perceived()
        turns = [turn("ABCD"[n], *requests) for n, requests in enumerate(asked)]
        found = await table.looks(state, *turns, looks=Looks(requests=50))
        # Of one place and closeness, whatever the words: no closeness is a closeness of 1.
        wanted: dict[tuple[str, int], set[str]] = {}
        for spoken in turns:
            for request in spoken.look_again:
                fragment = f"xywh=percent:{100 * request.region.x:g},0,50,100" if request.region else ""
                closeness = int(dict(request.parameters).get("closeness", 1))
                wanted.setdefault((fragment, closeness), set()).add(spoken.seat)
        first = wanted.pop(("", 1), None)
        assert sorted(table.eyes.read) == sorted(wanted)
        looks = found.get("looks", [])
        assert [look.refused for look in looks if look.refused] == ["the record has that already"] * bool(first)
        assert sorted(map(sorted, wanted.values())) == sorted(sorted(look.seats) for look in looks if not look.refused)
        grown = [*state["observations"], *found.get("observations", [])]
        assert len(grown) == len(set(grown)) == 1 + len(wanted)
        # Asked for again, by anybody, it is answered already.
        again: DebateState = {**state, "looks": looks, "observations": grown}
        later = [turn("D", *requests, round_=1) for requests in asked]
        table.eyes.read.clear()
        assert (await table.looks(again, *later, looks=Looks(requests=50))).get("looks", []) == []
        assert table.eyes.read == []

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


async def test_labels_stay_and_the_new_come_behind(tmp_path: Path) -> None:
    table = Table(tmp_path)
    state = await table.perceived()
    before = load_record(state, table.bench.store)
    found = await table.looks(state, turn("A", glimpse(LEFT)), turn("B", glimpse(RIGHT, 2)))
    state["observations"] = [*state["observations"], *found["observations"]]
    after = load_record(state, table.bench.store)
    assert after.labels[: len(before)] == before.labels
    assert [label for look in found["looks"] for label in look.labels] == ["i2", "i3"]
    assert [after["i2"].locator.region, after["i3"].locator.region] == [LEFT, RIGHT]
    assert [look.added for look in found["looks"]] == [(after["i2"].id,), (after["i3"].id,)]
    # The bench's own record is the one that the state points at.
    assert (await table.bench.records.of(state)).labels == after.labels


async def test_a_place_that_was_read_in_another_run_costs_nothing(tmp_path: Path) -> None:
    table = Table(tmp_path)
    state = await table.perceived()
    await table.looks(state, turn("A", glimpse(LEFT)))
    state = await table.perceived()
    (look,) = (await table.looks(state, turn("A", glimpse(LEFT))))["looks"]
    assert table.eyes.read == []
    assert look.cached
    assert look.describe().endswith("1 line, 1 new (cached)")


async def test_no_more_is_read_than_a_run_may(tmp_path: Path) -> None:
    table = Table(tmp_path)
    state = await table.perceived()
    wanted = [glimpse(LEFT, closeness) for closeness in range(2, 6)]
    found = await table.looks(state, turn("A", *wanted[:2]), turn("B", *wanted[2:]), looks=Looks(requests=3))
    assert len(table.eyes.read) == 3
    assert [look.refused for look in found["looks"]] == [None, None, None, "a run may have 3 places read again"]
    state = {**state, "looks": found["looks"], "observations": [*state["observations"], *found["observations"]]}
    (later,) = (await table.looks(state, turn("A", glimpse(RIGHT), round_=1), looks=Looks(requests=3)))["looks"]
    assert later.refused == "a run may have 3 places read again"


async def test_the_seconds_of_the_run_hold(tmp_path: Path) -> None:
    table = Table(tmp_path, budget=Budget(seconds=0.2))
    state = await table.perceived()
    (look,) = (await table.looks(state, turn("A", glimpse(LEFT))))["looks"]
    assert table.eyes.read == []
    assert re.fullmatch(r"it may take 0 s, and 0 s are left for it", look.refused)


async def test_who_takes_longer_than_is_left_is_stopped(tmp_path: Path) -> None:
    table = Table(tmp_path)
    state = await table.perceived()
    found = await table.looks(state, turn("A", glimpse(LEFT, 99)), looks=Looks(seconds=0.6))
    (look,) = found["looks"]
    assert look.failure == "it was stopped after 0.6 s, all that was left for looking again"
    assert look.seconds >= 0.6
    assert found["lost_tools"] == [f"image.glimpse on 'spot.png', box 0 0 50 100 %, closeness 99: {look.failure}"]
    assert "observations" not in found


async def test_one_that_fails_takes_no_other_down(tmp_path: Path) -> None:
    table = Table(tmp_path)
    state = await table.perceived()
    found = await table.looks(state, turn("A", glimpse(LEFT, 13)), turn("B", glimpse(LEFT, 2)))
    failed, read = found["looks"]
    assert failed.failure == "RuntimeError: thirteen is too close"
    assert failed.describe() == (
        "Seat A asked for image.glimpse on 'spot.png', box 0 0 50 100 %, closeness 13: "
        "failed, RuntimeError: thirteen is too close"
    )
    assert read.failure is None
    assert len(read.labels) == 1


async def test_a_debate_without_looks_refuses(tmp_path: Path) -> None:
    table = Table(tmp_path)
    state: DebateState = {**await table.perceived(), "turns": [turn("A", glimpse(LEFT))]}
    (look,) = (await nodes.look(table.bench)(state))["looks"]
    assert look.refused == "this debate has nothing read again"
    assert table.eyes.read == []


async def test_the_exchange_may_ask_as_long_as_a_round_follows(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "spot.png"
    Image.new("RGB", (64, 64), "white").save(path)
    eyes = Eyes()
    closer = iter(range(2, 99))

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        if "You are the judge" in prompt:
            return {"claims": [], "stated": "not", "answer": "not stated"}
        more = {"medium": "spot.png", "encoder": "image.glimpse", "box": [0, 0, 50, 100]}
        more["settings"] = [{"name": "closeness", "value": str(next(closer))}]
        asked = [more] if '"read_again"' in prompt else []
        return {"evidence": [], "stated": "not", "answer": "not stated", "read_again": asked}

    two = Protocol("two", exchange=Exchange(rounds=2, stops=()), looks=Looks(requests=8, encoders=("image.glimpse",)))
    model = ScriptedChatModel(replies=reply)
    events = await debated(model, [path], settings, protocol=two, looks=8, encoders=[eyes.encoder])
    course = [
        f"{event.phase} {event.round}" if isinstance(event, PhaseStarted) else "look"
        for event in events
        if isinstance(event, PhaseStarted | LookedAgain)
    ]
    assert course == ["opening 0", "look", "look", "exchange 1", "look", "look", "exchange 2", "judgement 0"]
    last = [call.prompt for call in model.calls if "You are seat" in call.prompt][-1]
    assert all(f"seen {closeness} times as close" in last for closeness in (2, 3, 4, 5))


async def test_what_is_read_again_is_compared_with_the_other_media(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "sign.png"
    Image.new("RGB", (64, 64), "white").save(path)

    @encoder(modality="image", kinds=("text",), version="1", name="image.sign")
    def sign(excerpt: Excerpt) -> Iterator[Observation]:
        """Reads the sign, from nearby."""
        told = "The train to York leaves from platform 4." if excerpt.where.region else "too small to read"
        yield excerpt.observe("text", {"text": told}, told)

    model = asking("(never)", "", medium="sign.png", encoder="image.sign", box=[0, 0, 50, 100])
    media = [path, "The train to York leaves from platform 9."]
    events = await debated(model, media, settings, encoders=[sign])
    first, second = [event for event in events if isinstance(event, Reconciled)]
    assert not any("conflict" in line for line in first.lines)
    assert any("platform 4" in line and "platform 9" in line for line in second.lines)
    assert events.index(second) > events.index(looked(events)[0])
