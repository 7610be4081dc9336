"""What the media say together, on the terminal and in the chat."""

from __future__ import annotations

import io
from pathlib import Path

from consilience.graphs import Reconciled
from rich.console import Console

from consilience.apps.chat_steps import Steps
from consilience.apps.console import Narrator
from consilience.observations import ObservationStore

LINE = "[c1] conflict, 0:00.0-0:04.0: said: platform six; shown: Platform 4 [link](http://x)"
NOTE = "Words are not compared with the tone they are said in."


def told_on_terminal(event: Reconciled) -> str:
    written = io.StringIO()
    narrator = Narrator(Console(file=written, width=200))
    narrator.tell(event)
    narrator.close()
    return written.getvalue()


def test_the_terminal_shows_conflicts_and_what_was_not_compared() -> None:
    told = told_on_terminal(Reconciled(lines=(LINE,), notes=(NOTE,)))
    assert "Across the media" in told
    assert LINE in told
    assert NOTE in told


def test_the_terminal_is_silent_where_nothing_was_found() -> None:
    assert told_on_terminal(Reconciled(lines=())) == ""


def test_the_chat_shows_them_as_a_step_of_plain_words(tmp_path: Path) -> None:
    with ObservationStore(tmp_path / "store") as store:
        steps = Steps(store)
        steps.tell(Reconciled(lines=(LINE,), notes=(NOTE,)))
        (step,) = steps.messages
        assert step["metadata"]["title"] == "Across the media: 1"
        assert "platform six" in step["content"]
        assert "[link](" not in step["content"], "words of media make no links"
        assert NOTE.replace(".", "\\.") in step["content"]


def test_the_chat_has_no_step_where_nothing_was_found(tmp_path: Path) -> None:
    with ObservationStore(tmp_path / "store") as store:
        steps = Steps(store)
        steps.tell(Reconciled(lines=()))
        assert steps.messages == []
