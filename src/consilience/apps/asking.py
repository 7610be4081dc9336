"""`consilience ask`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import typer

from consilience.agents import SPECIALISTS, Expert
from consilience.apps.estimate import dry_run
from consilience.apps.offsets import parse_offsets
from consilience.apps.telling import AsJson, Checkpoint, Trace, tell
from consilience.core.errors import BadConfiguration, UnknownName
from consilience.graphs import PROTOCOLS, AskOptions, Protocol, protocol_named
from consilience.models import Budget

__all__ = ["ask_command", "parse_budget", "parse_expert"]

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures, recordings, texts, tables.")]
Experts = Annotated[
    list[str] | None,
    typer.Option(help=f"Seat this expert: {', '.join(SPECIALISTS)}, or NAME=ROLE; @MODEL behind: its own. Repeatable."),
]
Limits = Annotated[
    str | None,
    typer.Option(
        metavar="LIMITS",
        help="What it may cost: `tokens=20000,seconds=120,calls=12,money=0.10,rounds=1`; of the seconds perception "
        "may take `perception=0.75`.",
    ),
]
Deliberated = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"How it is deliberated: {', '.join(PROTOCOLS)}. The default is `single` (CONSILIENCE_PROTOCOL), or "
        "`debate` where experts, rounds, a rule, look-again, routing or a pause are asked for.",
    ),
]
Looks = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Places that seats may have encoders read again, instead of its own."),
]
Rule = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Decision rule instead of its own: judge, plurality, linear_pool, ..."),
]
Route = Annotated[bool, typer.Option("--route", help="Seat only those who can add something here; tell why.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Encode anew, whatever is remembered.")]


def ask_command(
    question: Annotated[str, typer.Argument(help="The question, in any language; the answer comes in the same.")],
    files: Files,
    model: Annotated[
        str | None,
        typer.Option(help="`embedded` (the default), `http://host/v1`, or PROVIDER:MODEL such as openai:gpt-5."),
    ] = None,
    expert: Experts = None,
    route: Route = False,
    protocol: Deliberated = None,
    rule: Rule = None,
    rounds: Annotated[
        int | None, typer.Option(min=0, max=3, help="Rounds of exchange after the blind openings, instead of its own.")
    ] = None,
    look_again: Looks = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An answer to choose from; an open question without any. Repeatable.")
    ] = None,
    offset: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SECONDS", help="When a medium starts on one clock: talk.wav=12.5. Repeatable."),
    ] = None,
    budget: Limits = None,
    seed: Annotated[int, typer.Option(help="For models that draw their words.")] = 0,
    as_json: AsJson = False,
    trace: Trace = None,
    thread: Annotated[
        str | None,
        typer.Option(help="Keep the run under this name as it goes: `consilience resume NAME`.", metavar="NAME"),
    ] = None,
    checkpoint: Checkpoint = None,
    pause: Annotated[
        list[str] | None,
        typer.Option(help="Ask you first: on a `conflict`, a dear `look`, before the `judge`. Repeatable."),
    ] = None,
    no_cache: NoCache = False,
    only_plan: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run, with tokens and cost; call no model.")
    ] = False,
) -> int:
    """Debates a question over files and prints the answer with its evidence.

    Example: consilience ask "Where and when do we meet?" scene.png call.wav
    """
    how = _protocol(protocol, rule)
    given = {
        "protocol": how,
        "pause": pause or None,
        "seed": seed,
        "cache": not no_cache,
        "rounds": rounds,
        "looks": look_again,
        "options": option or None,
        "offsets": parse_offsets(offset) if offset else None,
        "budget": parse_budget(budget) if budget else None,
        "model": model,
        "experts": [parse_expert(text) for text in expert or []] or None,
        "route": route or None,
        "thread": thread,
        "checkpointer": checkpoint,
    }
    options = cast(AskOptions, {name: value for name, value in given.items() if value is not None})
    if only_plan:
        return dry_run(question, files, options, as_json=as_json)
    return tell(question, files, options, as_json=as_json, trace=trace)


def _protocol(name: str | None, rule: str | None) -> Protocol | None:
    if name is None and rule is None:
        return None
    ready = protocol_named(name or "debate")
    return ready if rule is None else replace(ready, rule=rule)


def parse_budget(text: str) -> Budget:
    """A budget from `tokens=20000,seconds=120`.

    Raises:
        BadConfiguration: something else than limits with their numbers.
    """
    cure = "Write for example: --budget tokens=20000,seconds=120,calls=12,money=0.10,rounds=1"
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            limits[name] = float(number) if name in ("money", "seconds", "perception") else int(number)
        except ValueError as problem:
            raise BadConfiguration(f"{part.strip()!r} is no limit with a number.", cure=cure) from problem
    if unknown := limits.keys() - {"tokens", "seconds", "perception", "calls", "money", "rounds"}:
        raise BadConfiguration(f"There is no limit {', '.join(sorted(unknown))}.", cure=cure)
    return Budget(**limits)  # type: ignore[arg-type]


def parse_expert(text: str) -> Expert:
    """An expert from the NAME of a ready one, or `NAME=ROLE`, either with `@MODEL`.

    Raises:
        UnknownName: a bare name that is no ready expert's.
    """
    said, _, model = text.partition("@")
    name, _, role = (part.strip() for part in said.partition("="))
    if role:
        return Expert(name, role, model=model or None)
    if name not in SPECIALISTS:
        listed = f"There are: {', '.join(SPECIALISTS)}; or say the role: --expert '{name}=an expert who ...'."
        raise UnknownName("expert", name, SPECIALISTS, cure=listed)
    return replace(SPECIALISTS[name], model=model or None)
