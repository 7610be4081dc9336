"""What a seat would accept beside its answer, on the terminal and in the chat."""

from __future__ import annotations

import io
from pathlib import Path

from consilience.agents import Position, Turn
from consilience.graphs import TurnTaken
from rich.console import Console

from consilience.apps.chat_steps import Steps
from consilience.apps.console import Narrator
from consilience.observations import ObservationStore


def test_a_reader_is_told_what_a_seat_would_accept_too(tmp_path: Path) -> None:
    position = Position(text="platform 4", stated="fully", approves=("[red]9[/]",))
    event = TurnTaken(turn=Turn(seat="A", expert="a", phase="opening", round=0, position=position))
    written = io.StringIO()
    Narrator(Console(file=written, width=200)).tell(event)
    assert "(fully stated; accepts [red]9[/] too)" in written.getvalue()
    with ObservationStore(tmp_path / "store") as store:
        steps = Steps(store)
        steps.tell(event)
        assert any("fully stated; accepts " in step["content"] for step in steps.messages)
