"""`consilience resume` and `consilience replay`: runs that were kept."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from consilience.apps.console import verdict_panel
from consilience.apps.telling import AsJson, Checkpoint, Trace, citations, conclude, tell
from consilience.core.errors import BadConfiguration
from consilience.graphs import AskOptions, Guidance, Rewind, replay

__all__ = ["replay_command", "resume_command"]

Thread = Annotated[str, typer.Argument(help="The thread that the run was given.")]


def resume_command(
    thread: Thread,
    checkpoint: Checkpoint = None,
    approve: Annotated[bool, typer.Option("--approve", help="Let it go on.")] = False,
    edit: Annotated[
        str | None, typer.Option(help="What holds: the answer, or the finding on a conflict.", metavar="TEXT")
    ] = None,
    reject: Annotated[str | None, typer.Option(help="End it without an answer; why.", metavar="TEXT")] = None,
    answer: Annotated[str | None, typer.Option(help="Take a seat with this position.", metavar="TEXT")] = None,
    cite: Annotated[
        list[str] | None,
        typer.Option(help="What the text rests on: a label of the record, and words of it. Repeatable.", metavar="L=W"),
    ] = None,
    back_to: Annotated[
        str | None,
        typer.Option(metavar="STEP", help="Go on anew from before this step: open, exchange:1 (1 round said), judge."),
    ] = None,
    question: Annotated[str | None, typer.Option(help="With --back-to: ask this instead.")] = None,
    position: Annotated[
        list[str] | None,
        typer.Option(metavar="SEAT=TEXT", help="With --back-to: what a seat held last instead. Repeatable."),
    ] = None,
    as_json: AsJson = False,
    trace: Trace = None,
) -> int:
    """Goes on with a run that was killed, or that waits for you; one that has ended gives its verdict again.

    No model call that was completed is made again.

    Example: consilience resume club

    Example: consilience resume club --edit "In the upper room" --cite "t1=upper room"

    Example: consilience resume club --back-to exchange --position "B=In the cellar"
    """
    said = _guidance({"approve": "" if approve else None, "edit": edit, "reject": reject, "answer": answer}, cite or [])
    back = _rewind(back_to, question, position or [])
    if said and back:
        raise BadConfiguration("Who goes back says nothing to a pause.", cure="Use --back-to, or one of the answers.")
    options: AskOptions = {"thread": thread, "resume": said or back or True}
    if checkpoint:
        options["checkpointer"] = checkpoint
    return tell("", [], options, as_json=as_json, trace=trace)


def replay_command(thread: Thread, checkpoint: Checkpoint = None, as_json: AsJson = False) -> int:
    """Comes to a finished run's verdict once more from what was kept, without asking any model."""
    options: AskOptions = {"thread": thread}
    if checkpoint:
        options["checkpointer"] = checkpoint
    verdict = asyncio.run(replay(**options))
    if not as_json:
        Console().print(verdict_panel(verdict))
    return conclude(verdict, as_json=as_json)


def _guidance(said: dict[str, str | None], cited: list[str]) -> Guidance | None:
    """What the options say; None where they say nothing.

    Raises:
        BadConfiguration: two things at once, or one that lacks its words.
    """
    given = [(action, text) for action, text in said.items() if text is not None]
    if not given and not cited:
        return None
    if len(given) != 1 or (given[0][0] in ("edit", "answer") and not given[0][1].strip()):
        raise BadConfiguration(
            "That is not one thing to say.", cure="Use one of --approve, --edit TEXT, --reject TEXT and --answer TEXT."
        )
    action, text = given[0]
    return Guidance.model_validate({"action": action, "text": text, "citations": citations(cited)})


def _rewind(step: str | None, question: str | None, positions: list[str]) -> Rewind | None:
    """Where to go back to; None where nothing says so.

    Raises:
        BadConfiguration: something is changed and no step named, or it cannot be read.
    """
    if step is None:
        if question is not None or positions:
            raise BadConfiguration("What is changed has its step.", cure="Name it: --back-to exchange")
        return None
    before, _, number = step.partition(":")
    held = {seat.strip(): text.strip() for seat, _, text in (one.partition("=") for one in positions)}
    if (number and not number.isdigit()) or not all(held.values()):
        raise BadConfiguration(
            "That is no step with what is changed there.", cure='Write --back-to exchange:1 --position "B=the cellar".'
        )
    return Rewind(before=before, round=int(number) if number else None, question=question, positions=held)
