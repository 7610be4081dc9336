"""A run told at the terminal, or as one JSON object; a person is asked where it pauses."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Prompt

from consilience.agents import Verdict
from consilience.apps.console import Narrator
from consilience.core.errors import BadConfiguration
from consilience.graphs import AskOptions, Event, Finished, Guidance, Paused, Recorded, Started, astream

__all__ = ["AsJson", "Checkpoint", "Trace", "citations", "conclude", "tell"]

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]
Trace = Annotated[Path | None, typer.Option(help="Folder to write events.jsonl, record.txt and verdict.json into.")]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Where runs are kept: sqlite:///file or postgresql://...; else CONSILIENCE_CHECKPOINTS."
    ),
]

_EXIT_FAILED, _EXIT_WAITING, _EXIT_ABSTAINED = 5, 6, 7


def tell(
    question: str, files: Sequence[Path], options: AskOptions, *, as_json: bool = False, trace: Path | None = None
) -> int:
    """Runs it and tells it; at a terminal a person answers where it pauses. Gives the exit code."""
    console = None if as_json else Console()
    told: list[Event] = []
    try:
        last = asyncio.run(_run(question, files, options, console, trace, told))
        while isinstance(last, Paused) and console and sys.stdin.isatty():
            go_on: AskOptions = {**options, "thread": last.thread, "resume": _asked(console)}
            last = asyncio.run(_run("", [], go_on, console, trace, told))
    except KeyboardInterrupt:
        print(_kept(told, options), file=sys.stderr)
        raise
    if isinstance(last, Paused):
        if as_json:
            print(json.dumps({"paused": last.pause.model_dump(mode="json"), "thread": last.thread}))
        else:
            how = _resume(last.thread, options)
            print(f"It waits for you: {how} --approve (or --edit TEXT, --reject TEXT, --answer TEXT).")
        return _EXIT_WAITING
    if not isinstance(last, Finished):
        raise BadConfiguration("The graph ended without a verdict.", cure="Its last node must be `compose`.")
    return conclude(last.verdict, as_json=as_json)


def _resume(thread: str, options: AskOptions) -> str:
    """The command that goes on with the run."""
    where = options.get("checkpointer")
    return f"consilience resume {shlex.quote(thread)}" + (f" --checkpoint {shlex.quote(str(where))}" if where else "")


def _kept(told: Sequence[Event], options: AskOptions) -> str:
    """What becomes of a run that was broken off."""
    thread = next((event.thread for event in told if isinstance(event, Started)), None)
    if thread is None:
        return "Nothing of it is kept: with --thread NAME it could be gone on with."
    return f"What was done is kept, and no call is made twice: {_resume(thread, options)}"


def conclude(verdict: Verdict, *, as_json: bool) -> int:
    """Prints the verdict where nothing was told yet, and gives the exit code."""
    if as_json:
        print(verdict.model_dump_json())
    return {"failed": _EXIT_FAILED, "abstained": _EXIT_ABSTAINED}.get(verdict.status, 0)


def citations(told: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Labels and words from `LABEL=WORDS`.

    Raises:
        BadConfiguration: something else.
    """
    parts = [tuple(part.strip() for part in one.partition("=")[::2]) for one in told]
    if not all(all(part) for part in parts):
        raise BadConfiguration(f"{told[0]!r} cites nothing.", cure='Write --cite "t1=words of that line".')
    return tuple((label, words) for label, words in parts)


async def _run(
    question: str,
    files: Sequence[Path],
    options: AskOptions,
    console: Console | None,
    trace: Path | None,
    told: list[Event],
) -> Event | None:
    """The last event; all of them are added to `told`."""
    narrator = Narrator(console) if console else None
    try:
        async with aclosing(astream(question, files, **options)) as events:
            async for event in events:
                told.append(event)
                if narrator:
                    narrator.tell(event)
    finally:
        if narrator:
            narrator.close()
        if trace:
            await asyncio.to_thread(_write_trace, trace, told)
    return told[-1] if told else None


def _asked(console: Console) -> Guidance:
    """What the person at the terminal says."""
    action = Prompt.ask("You", console=console, choices=["approve", "edit", "reject", "answer"], default="approve")
    if action == "approve":
        return Guidance(action="approve")
    if action == "reject":
        return Guidance(action="reject", text=Prompt.ask("Why", console=console, default=""))
    text = ""
    while not text.strip():
        text = Prompt.ask("What holds" if action == "edit" else "Your position", console=console)
    cited = Prompt.ask("It rests on (LABEL=WORDS; empty: on nothing here)", console=console, default="")
    said = citations([cited]) if cited else ()
    return Guidance(action="edit" if action == "edit" else "answer", text=text, citations=said)


def _write_trace(folder: Path, events: Sequence[Event]) -> None:
    """What happened so far, also after a failure."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.jsonl").write_text("".join(f"{event.model_dump_json()}\n" for event in events))
    for event in events:
        if isinstance(event, Recorded):
            (folder / "record.txt").write_text("\n".join(event.lines) + "\n")
        if isinstance(event, Finished):
            (folder / "verdict.json").write_text(event.verdict.model_dump_json(indent=2))
