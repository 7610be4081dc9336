"""A person is asked before an encoder reads again what is dear; what is refused is told, and nothing is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import PROTOCOLS, Guidance, LookedAgain, Paused, Protocol
from langchain_core.messages import BaseMessage
from PIL import Image, ImageDraw, ImageFont

from consilience import Expert, Looks, astream
from consilience.core.settings import Settings
from consilience.testing import ScriptedChatModel

PANEL = (Expert("eyes", "an expert for pictures"), Expert("sceptic", "a sceptic"))
CROP = {"medium": "sign.png", "encoder": "image.text", "box": [0, 0, 100, 50]}
OTHER = {**CROP, "box": [0, 50, 100, 100]}
Run = Callable[..., Any]


def model(first: dict[str, Any], later: dict[str, Any] | None = None) -> ScriptedChatModel:
    """In the openings everybody asks for the first reading, in the exchange for the later one."""

    def reply(messages: list[BaseMessage]) -> dict[str, Any]:
        prompt = messages[-1].text
        said = {"stated": "not", "answer": "not stated"}
        if "You are the judge" in prompt:
            return {"claims": [], **said}
        asked = later if "You are seat" in prompt else first
        return {"evidence": [], **said, "read_again": [asked] if asked and '"read_again"' in prompt else []}

    return ScriptedChatModel(replies=reply)


def asking(unasked: float = 0.0) -> Protocol:
    return replace(PROTOCOLS["debate"], looks=Looks(requests=3, unasked=unasked), pause=("look",))


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    picture = Image.new("RGB", (600, 200), "white")
    ImageDraw.Draw(picture).text((20, 60), "PIER 4", font=ImageFont.load_default(60), fill="black")
    picture.save(tmp_path / "sign.png")
    return tmp_path / "sign.png"


@pytest.fixture
def run(settings: Settings) -> Run:
    """The events of a run, or of what comes of it once it is resumed."""

    async def run(of: ScriptedChatModel, media: Any = (), **options: Any) -> list[Any]:
        question = "Which pier?" if media else ""
        given = {"experts": PANEL, "thread": "one", "model": of, "settings": settings, **options}
        return [event async for event in astream(question, media, **given)]

    return run


def looked(events: list[Any]) -> list[Any]:
    return [event.look for event in events if isinstance(event, LookedAgain)]


async def test_what_is_permitted_is_read(run: Run, sign: Path) -> None:
    paused = (await run(model(CROP), [sign], protocol=asking()))[-1]
    assert isinstance(paused, Paused)
    assert paused.pause.at == "look"
    assert paused.pause.lines[0].startswith("image.text on 'sign.png', box 0 0 100 50 %: about")
    (look,) = looked(await run(model(CROP), resume=Guidance(action="approve")))
    assert (look.refused, look.seats) == (None, ("A", "B"))
    assert look.seconds > 0


async def test_what_is_refused_is_not_read_and_told_to_the_seats(run: Run, sign: Path, settings: Settings) -> None:
    of = model(CROP)
    await run(of, [sign], protocol=asking())
    events = await run(of, resume=Guidance(action="reject", text="it costs too much"))
    (look,) = looked(events)
    assert (look.refused, look.seconds, look.added) == ("a person said no: it costs too much", 0, ())
    assert events[-1].verdict.looks == (look.describe(),)


async def test_who_knows_it_takes_a_seat_and_spares_the_reading(run: Run, sign: Path) -> None:
    of = model(CROP)
    await run(of, [sign], protocol=asking())
    events = await run(of, resume=Guidance(action="answer", text="It is pier 4."))
    assert [look.refused for look in looked(events)] == ["a person knew it"]
    assert [fate.expert for fate in events[-1].verdict.seats] == ["eyes", "sceptic", "person"]
    assert any("It is pier 4." in call.prompt for call in of.calls if "You are seat" in call.prompt)


async def test_each_round_is_asked_for_itself(run: Run, sign: Path) -> None:
    of = model(CROP, OTHER)
    # What is read after the last round nobody would hear.
    first = (await run(of, [sign], protocol=asking(), rounds=2))[-1]
    second = (await run(of, resume=Guidance(action="approve")))[-1]
    assert isinstance(second, Paused)
    assert (first.pause.lines[0] == second.pause.lines[0], len(second.pause.lines)) == (False, 1)
    events = await run(of, resume=Guidance(action="reject"))
    assert [look.refused for look in looked(events)] == ["a person said no"]


async def test_what_is_cheap_is_read_unasked(run: Run, sign: Path) -> None:
    events = await run(model(CROP), [sign], protocol=asking(unasked=60.0))
    assert events[-1].type == "finished"
    assert [look.refused for look in looked(events)] == [None]


async def test_what_cannot_be_read_is_not_asked_about(run: Run, sign: Path) -> None:
    events = await run(model({**CROP, "medium": "other.png"}), [sign], protocol=asking())
    assert events[-1].type == "finished"
    assert all(look.refused for look in looked(events))
