"""Back to an earlier step of a run that was kept: something is changed there, and it goes on from it anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consilience.agents import Position, Turn
from consilience.graphs.debate import DebateGraph
from consilience.graphs.guidance import Rewind
from consilience.graphs.journal import RunJournal
from consilience.graphs.keeping import Place
from consilience.graphs.options import Asking, AskOptions
from consilience.graphs.standings import final_turns, last_round
from langgraph.types import Overwrite, StateSnapshot

from consilience.core.errors import UnknownName

__all__ = ["rewound"]


async def rewound(
    place: Place, graph: DebateGraph, asking: Asking, options: AskOptions, to: Rewind
) -> tuple[RunJournal, Asking]:
    """Makes the step the newest of the thread, changed; and gives the journal of what comes now, and what is asked.

    Args:
        place: where the run is kept.
        graph: that goes on.
        asking: what was asked.
        options: that count from now on.
        to: where, and what is changed.

    Raises:
        UnknownName: the run never came to that step, or has no such seat.
    """
    steps = await _steps(place, graph)
    step = next((one for one in steps if _is(one, to)), None)
    if step is None:
        raise UnknownName("step", _name(to.before, to.round), dict.fromkeys(map(_told, reversed(steps))))
    given = {"question": to.question, "options": None if to.options is None else list(to.options)}
    change: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if to.positions:
        change["turns"] = Overwrite(_holding(step.values.get("turns", []), to.positions))
    await graph.aupdate_state(step.config, change)
    question = asking.question if to.question is None else to.question
    anew = Asking.of(question, {**options, "options": asking.options if to.options is None else to.options})
    anew = anew.model_copy(update={"media": asking.media, "on": asking.on, "branched": True})
    return await RunJournal.begun(place.saver, place.thread, anew), anew


async def _steps(place: Place, graph: DebateGraph) -> list[StateSnapshot]:
    """What the last question came to, the newest first, from its openings on."""
    steps: list[StateSnapshot] = []
    async for step in graph.aget_state_history(place.config()):
        if (step.metadata or {}).get("source") == "input":
            break
        if len(step.next) == 1 and step.next[0] != "perceive":
            steps.append(step)
    return steps


def _is(step: StateSnapshot, to: Rewind) -> bool:
    return step.next == (to.before,) and to.round in (None, last_round(step.values.get("turns", [])))


def _told(step: StateSnapshot) -> str:
    return _name(step.next[0], last_round(step.values.get("turns", [])))


def _name(node: str, round_: int | None) -> str:
    return f"{node}:{round_}" if round_ else node


def _holding(turns: Sequence[Turn], positions: dict[str, str]) -> list[Turn]:
    """The turns, with the last ones of some seats changed."""
    last = {turn.seat: turn for turn in final_turns(turns)}
    for seat in positions:
        if seat not in last:
            raise UnknownName("seat", seat, last)
    return [_instead(turn, positions.get(turn.seat)) if turn is last[turn.seat] else turn for turn in turns]


def _instead(turn: Turn, text: str | None) -> Turn:
    if text is None:
        return turn
    return turn.model_copy(update={"position": Position(text=text, stated="fully"), "claims": ()})
