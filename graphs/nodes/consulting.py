"""consult: a person is asked, and what the person says goes into the debate like everybody else's word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from consilience.agents import Position, Resolution, Turn, check_turn
from consilience.graphs.events import TurnTaken, emit
from consilience.graphs.guidance import Guidance, Pause
from consilience.graphs.journal import journal_of_run
from consilience.graphs.nodes.perception import Node
from consilience.graphs.seating import seats_of
from consilience.graphs.standings import final_turns
from consilience.graphs.state import PERSON, DebateState, Draft, SeatTaken
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Panel, Workbench
from langgraph.types import interrupt

from consilience.core.errors import RunError
from consilience.observations import Record

__all__ = ["consult", "said_at", "taken_up"]


def consult(bench: Workbench, panel: Panel, at: Literal["conflict", "judge"]) -> Node:
    """Makes the node that pauses for a person: `conflict` after the record is reconciled, `judge` before the decision.

    It does nothing where there is nothing to ask: no conflict in the record, or nobody who has spoken. It is resumed
    with a `Guidance`, as JSON: `Command(resume=guidance.model_dump())`.
    """

    @traced
    async def consult(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        lines = _conflicts(record) if at == "conflict" else _positions(state.get("turns", []))
        if not lines:
            return {}
        said = await said_at(Pause(at=at, question=state["question"], lines=lines))
        if said.action == "reject":
            return {"rejected": f"a person ended it: {said.text}".removesuffix(": ")}
        if said.action == "edit" and at == "judge":
            return {"draft": Draft(answer=said.text, stated="fully", claims=said.claims(), by=PERSON)}
        seats = await seats_of(bench, panel, record, state)
        return taken_up(said, state, record, lines, [seat.letter for seat in seats])

    return consult


async def said_at(pause: Pause) -> Guidance:
    """What the person said earlier in this run, or says now: then the graph stops here until it is resumed."""
    journal = journal_of_run()
    if journal and (words := journal.words(pause.place)):
        return Guidance.model_validate_json(words[-1])
    if journal and journal.closed:
        raise RunError("The run waits for a person: it has not ended.", cure="Resume it with an answer first.")
    guidance = Guidance.model_validate(interrupt(pause.model_dump(mode="json")))
    if journal:
        await journal.hear(pause.place, guidance.model_dump_json())
    return guidance


def taken_up(
    said: Guidance, state: DebateState, record: Record, lines: Sequence[str], taken: Sequence[str]
) -> dict[str, Any]:
    """What the state gains by a finding, or by a position in a seat; by consent, nothing.

    Args:
        said: by the person.
        state: of the debate.
        record: that citations are checked against.
        lines: what was asked about.
        taken: letters of the seats that others will have.
    """
    if said.action == "edit":
        return {"resolution": _finding(said, lines)}
    return _seated(said, state, record, taken) if said.action == "answer" else {}


def _conflicts(record: Record) -> tuple[str, ...]:
    return tuple(record.line(label) for label, observation in record if observation.kind == "conflict")


def _positions(turns: Sequence[Turn]) -> tuple[str, ...]:
    return tuple(f"{turn.seat} {turn.expert}: {turn.position.text or 'no answer'}" for turn in final_turns(turns))


def _finding(said: Guidance, lines: Sequence[str]) -> Resolution:
    asked = f"What holds? {'; '.join(lines)}"
    return Resolution(question=asked, stronger=None, reason="a person has said so", answer=said.text, by=PERSON)


def _seated(said: Guidance, state: DebateState, record: Record, taken: Sequence[str]) -> dict[str, Any]:
    """A seat after all others, and the person's turn from it, checked like theirs."""
    seats = state.get("seats", [])
    letter = chr(ord(max([*taken, *(seat.seat for seat in seats)])) + 1)
    # An opening, whenever it is said: nobody has talked the person round.
    turn = Turn(
        seat=letter,
        expert=PERSON,
        phase="opening",
        round=0,
        position=Position(text=said.text, stated="fully"),
        claims=said.claims(),
    )
    turn = check_turn(turn, record)
    emit(TurnTaken(turn=turn))
    return {"seats": [*seats, SeatTaken(seat=letter, expert=PERSON, model=PERSON)], "turns": [turn]}
