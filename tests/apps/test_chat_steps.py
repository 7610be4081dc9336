"""From events to chat messages: nothing of a medium or a model becomes markup."""

from __future__ import annotations

import pytest
from consilience.graphs.events import AnswerDelta, Perceived, PhaseStarted, Recorded, SeatLost, Started

from consilience.apps.chat import load_graph
from consilience.apps.chat_steps import Steps, plain
from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, ObservationStore, TimeRange

HOSTILE = "![x](http://example.com/x.png) [y](javascript:alert) <img src=x> **bold** `code` $a$"


@pytest.fixture
def steps(tmp_path: object) -> Steps:
    return Steps(ObservationStore.open(Settings(cache_dir=tmp_path)))


def test_plain_text_has_no_live_mark() -> None:
    escaped = plain(HOSTILE)
    live = escaped.replace("\\\\", "")
    assert not [i for i, mark in enumerate(live) if mark in "[]()<>*`$!:" and live[i - 1] != "\\"]
    assert escaped.replace("\\", "") == HOSTILE


def test_foreign_words_are_escaped_wherever_they_are_shown(steps: Steps) -> None:
    steps.tell(Started(question="?", media=()))
    steps.tell(Recorded(lines=(HOSTILE,)))
    steps.tell(PhaseStarted(phase="opening"))
    steps.tell(SeatLost(seat="A", expert="image", phase="opening", reason=HOSTILE))
    steps.tell(AnswerDelta(text=HOSTILE))
    contents = [message["content"] for message in steps.messages if message["content"]]
    assert len(contents) == 3
    for content in contents:
        assert plain(HOSTILE) in content
        assert HOSTILE not in content


def test_steps_are_nested_and_end(steps: Steps) -> None:
    steps.tell(Started(question="?", media=()))
    steps.tell(PhaseStarted(phase="opening"))
    steps.tell(SeatLost(seat="A", expert="image", phase="opening", reason="gone"))
    phase, lost = (message["metadata"] for message in steps.messages[-2:])
    assert lost["parent_id"] == phase["id"]
    assert phase["status"] == "pending"
    steps.fail("It broke.")
    assert {message["metadata"]["status"] for message in steps.messages if "metadata" in message} == {"done"}
    assert steps.messages[-1]["content"].startswith("**This did not work.**")


def test_the_parts_of_a_film_are_one_step_an_encoder(steps: Steps) -> None:
    film = Media(id=f"sha256:{0:064x}", mime="video/mp4", modality="video", name="film.mp4", size=1)
    steps.tell(Started(question="?", media=(film,)))
    for number in range(3):
        where = Locator(time=TimeRange(start=number, end=number + 1))
        told = {"encoder": "image.text", "where": where, "lines": (f"EXIT {number}",), "seconds": 1, "cached": False}
        steps.tell(Perceived(media=film, done=number + 1, planned=9, **told))
    (step,) = (message for message in steps.messages if "image.text" in message["metadata"]["title"])
    assert step["content"] == "- EXIT 0\n- EXIT 1\n- EXIT 2"
    assert step["metadata"]["title"] == "image.text on film.mp4 (3 parts; 3 of 9 encodings)"


@pytest.mark.parametrize("name", ["nosuchmodule:graph", "json:nothing", "json"])
def test_a_graph_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(BadConfiguration, match=r"package\.module:graph"):
        load_graph(name)
