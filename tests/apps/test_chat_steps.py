"""From events to chat messages: nothing of a medium or a model becomes markup."""

from __future__ import annotations

import pytest
from consilience.graphs.events import AnswerDelta, PhaseStarted, Recorded, SeatLost, Started

from consilience.apps.chat import load_graph
from consilience.apps.chat_steps import Steps, plain
from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import ObservationStore

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


@pytest.mark.parametrize("name", ["nosuchmodule:graph", "json:nothing", "json"])
def test_a_graph_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(BadConfiguration, match=r"package\.module:graph"):
        load_graph(name)
