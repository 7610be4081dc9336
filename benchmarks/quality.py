"""What structure does for the answers: the questions of `questions/` as single, vote, panel, debate and the others.

Openings are asked once and shared; lines already in --results stay, so that a run can be broken off and goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import machine
from consilience.graphs import PROTOCOLS, Exchange, Protocol, Workbench, protocol_named
from question_media import made

from consilience.core.settings import Settings
from consilience.evaluation import Openings, Question, Result, Run, draws_of, report, results

_DEBATE, _PANEL = PROTOCOLS["debate"], PROTOCOLS["panel"]
VARIANTS = {
    protocol.name: protocol
    for protocol in (
        replace(_DEBATE, name="whole_views", seats="generalists", samples=3),
        replace(_DEBATE, name="untargeted", targeted="nothing"),
        replace(_DEBATE, name="together", targeted="together"),
        replace(_DEBATE, name="swapped", swap=True),
        replace(_DEBATE, name="against", exchange=Exchange(against=True)),
        replace(_DEBATE, name="two_rounds", exchange=Exchange(rounds=2)),
        replace(_DEBATE, name="digests", exchange=Exchange(digests=True)),
        replace(_DEBATE, name="judged", rule="judge"),
        replace(_PANEL, name="judged_panel", rule="judge"),
        replace(PROTOCOLS["self_consistency"], name="three_draws", samples=3),
        replace(PROTOCOLS["self_consistency"], name="half_of_draws", samples=3, support=0.5),
        replace(_PANEL, name="untargeted_panel", targeted="nothing"),
        replace(_PANEL, name="together_panel", targeted="together"),
        replace(_PANEL, name="supported_panel", supported="model"),
    )
}
"""A ready protocol with one thing changed: what it is worth."""


def named(name: str) -> Protocol:
    """A ready protocol or a variant."""
    return VARIANTS[name] if name in VARIANTS else protocol_named(name)


def chosen(everything: Sequence[Question], split: str, only: Sequence[str], limit: int | None) -> list[Question]:
    """Questions of the split, or those named."""
    found = [q for q in everything if (q.id in only if only else split in (q.split, "all"))]
    missing = set(only) - {q.id for q in found}
    if missing:
        raise SystemExit(f"There is no question {', '.join(sorted(missing))}.")
    return found[:limit]


def row(result: Result) -> str:
    """One result's line."""
    mark = "right" if result.right else "WRONG"
    return (
        f"  {result.protocol:<20}{mark}  {result.seconds:6.1f} s more  {result.usage.calls:3d} calls  "
        f"{result.usage.tokens:6d} tokens  {result.status:<10}{result.answer}"
    )


def told(openings: Openings) -> None:
    """Openings that were just asked."""
    print(f"  {len(openings.seats)} openings in {openings.seconds:.1f} s", flush=True)


async def measure(bench: Workbench, run: Run) -> list[Result]:
    """Runs it, a line a result."""
    texts = {question.id: f"{question.id} ({question.kind}): {question.text}" for question in run.questions}
    found: list[Result] = []
    began, current = time.monotonic(), ""
    async with bench:
        async for result in results(bench, run):
            if f"{result.question} {result.seed}" != current:
                current = f"{result.question} {result.seed}"
                print(f"{time.monotonic() - began:7.0f} s  seed {result.seed}  {texts[result.question]}", flush=True)
            print(row(result), flush=True)
            found.append(result)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "test", "all"), default="dev")
    parser.add_argument(
        "--protocols", default=",".join(PROTOCOLS), help=f"names, separated by commas, also of {', '.join(VARIANTS)}"
    )
    parser.add_argument("--draws", type=int, default=9, help="of self_consistency, for the comparison at equal budget")
    parser.add_argument("--limit", type=int, help="so many questions at most")
    parser.add_argument("--questions", default="", help="only these, by id, separated by commas")
    parser.add_argument("--baseline", default="vote", help="the protocol that the others are compared with")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--model", help="the default is the settings' model")
    parser.add_argument("--results", type=Path, default=Path("quality"), help="folder that a run goes on from")
    parser.add_argument("--again", action="store_true", help="ask again what failed or lost a seat")
    parser.add_argument("--report", type=Path, help="file for the report")
    arguments = parser.parse_args()
    only = [name for name in arguments.questions.split(",") if name]
    asked = chosen(made(), arguments.split, only, arguments.limit)
    protocols = [named(name) for name in arguments.protocols.split(",")]
    drawn = draws_of(PROTOCOLS["self_consistency"], arguments.draws)
    bench = Workbench(model=arguments.model, settings=Settings())
    run = Run(
        questions=asked,
        protocols=[*protocols, *(drawn if PROTOCOLS["self_consistency"] in protocols else ())],
        folder=arguments.results,
        seeds=range(arguments.seed, arguments.seed + arguments.seeds),
        again=arguments.again,
        on_openings=told,
    )
    print(f"Machine: {machine.describe()}\n{len(asked)} questions of {arguments.split}", flush=True)
    written = report(
        asyncio.run(measure(bench, run)), baseline=arguments.baseline, heading=f"Quality on {arguments.split}"
    )
    print(f"\n{written}")
    if arguments.report:
        arguments.report.write_text(f"{written}\nMachine: {machine.describe()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
