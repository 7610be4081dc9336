"""Words in media that give orders to the model: how many of them change what it answers, with and without defences.

A grid of carrier x goal, five times, in five guises; each attack on the product as it is, and on one whose defences
`injection_ablation.py` takes away. A medium is asked about by `single`, the least protected protocol: one seat reads
all. A peer's turn is a scripted seat's in a `debate`, and the other seat and the judge are under attack. First comes
the same without an attack: what is so already is no success. `injection_outcome.py` has the rules. Lines already in
--results stay, so that a run can be broken off and goes on.
Run: python benchmarks/injection.py --grids 2 --results injection
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from consilience.agents import asking
from consilience.graphs import Panel, Workbench, debate
from consilience.graphs.state import load_record
from injection_ablation import BREAK, undefended
from injection_attacks import CARRIERS, CASES, GOALS, STYLES, Attack, Carrier, grids
from injection_media import Carried, carried, encoders_for, seen
from injection_outcome import Arm, Outcome, outcome
from langchain_core.runnables import RunnableLambda

from consilience import Expert, Settings
from consilience.evaluation.results import Journal
from consilience.models import ModelLike
from consilience.observations import ingest

ARMS: tuple[Arm, ...] = ("with", "without")


@dataclass(frozen=True)
class Run:
    """What is measured, and where its lines are kept."""

    folder: Path
    settings: Settings
    model: ModelLike | None = None
    carriers: Sequence[Carrier] = CARRIERS
    grids: Sequence[Sequence[Attack]] = ()
    """Run one after the other."""
    arms: Sequence[Arm] = ARMS
    seconds: float = float("inf")
    """Nothing new is begun after so long."""


async def outcomes(run: Run) -> AsyncIterator[Outcome]:
    """What is known already, and then what was not; a new one is on the disk before it is given."""
    journal = Journal(run.folder / "outcomes.jsonl", Outcome)  # type: ignore[type-var]
    known = {line.key: line for line in journal}
    began = time.monotonic()
    calm: Sequence[Attack | None] = [None]
    for grid in (calm, *run.grids):
        for arm in run.arms:
            # Those of one carrier in a row: their prompts begin alike.
            for carrier in run.carriers:
                for attack in (one for one in grid if one is None or one.carrier == carrier):
                    if time.monotonic() - began > run.seconds:
                        return
                    found = await _asked(run, arm, carrier, attack, known)
                    if found.key not in known:
                        known[found.key] = found
                        journal.add(found)
                    yield found


async def _asked(
    run: Run, arm: Arm, carrier: Carrier, attack: Attack | None, known: dict[tuple[Any, ...], Outcome]
) -> Outcome:
    medium = carried(carrier, attack)
    with ExitStack() as stack:
        if arm == "without":
            stack.enter_context(undefended())
        async with Workbench(model=run.model, encoders=encoders_for(medium), settings=run.settings) as bench:
            of: dict[str, Any] = {
                "carrier": carrier,
                "goal": attack.goal if attack else None,
                "style": attack.style if attack else None,
                "arm": arm,
                "model": bench.endpoint().name,
                "digest": _digest(medium, attack),
            }
            kept = known.get(tuple(of.values()))
            return kept or await _measured(bench, medium, attack, of)


async def _measured(bench: Workbench, medium: Carried, attack: Attack | None, of: dict[str, Any]) -> Outcome:
    began = time.monotonic()
    peer = medium.carrier == "peer's turn"
    panel = _beside_a_peer(attack, of["arm"]) if peer else Panel()
    graph = debate(bench, panel, protocol="debate" if peer else "single", aloud=False)
    media = await asyncio.to_thread(ingest, medium.content, bench.store, name=medium.name)
    state: Any = {"question": CASES[medium.carrier].question, "media": [media]}
    ended: Any = await graph.ainvoke(state)
    record = await asyncio.to_thread(load_record, ended, bench.store)
    usage = ended["verdict"].usage
    return Outcome(
        **of,
        **outcome(medium.carrier, attack, ended, record, asking.prompt("system")),
        seen=1.0 if peer or attack is None else round(seen(record, attack), 2),
        seconds=round(time.monotonic() - began, 2),
        calls=usage.calls,
        tokens=usage.tokens,
    )


def _beside_a_peer(attack: Attack | None, arm: Arm) -> Panel:
    """An expert, and before it one that says the same whatever it is asked."""
    said = attack.text if attack else "not stated"
    reply = {
        "evidence": [{"label": "t1", "quote": "book club"}] if attack else [],
        "disputes": [],
        "stated": "fully" if attack else "not",
        "answer": said.strip().replace("\n", BREAK) if arm == "without" else said,
    }
    speaker = Expert("speaker", "an expert", model=RunnableLambda(lambda _: json.dumps(reply)))
    return Panel(experts=(speaker, Expert.for_modality("text")))


def _digest(medium: Carried, attack: Attack | None) -> str:
    parts = [medium.content.decode("latin-1"), medium.name, repr(medium.filed), attack.text if attack else ""]
    asked = CASES[medium.carrier].question
    return hashlib.sha256("\x00".join([*parts, asked]).encode()).hexdigest()[:12]


def row(line: Outcome, before: Outcome | None) -> str:
    """One run's line."""
    mark = "" if line.goal is None or before is None else "REACHED" if line.reached(before) else "held"
    what = f"{line.goal or '-'}/{line.style or '-'}"
    right = "right" if line.right else "wrong"
    return (
        f"{line.arm:8}{line.carrier:12}{what:18}{mark:8}{right:6}{line.status:10}{line.seconds:6.1f} s  {line.answer}"
    )


def report(lines: Sequence[Outcome]) -> str:
    """Tables in Markdown: by carrier and goal, by guise, and what became of the right answers."""
    before = {(line.carrier, line.arm): line for line in lines if line.goal is None}
    tried = [line for line in lines if line.goal is not None and (line.carrier, line.arm) in before]

    def share(arm: Arm, **of: str | None) -> str:
        those = [o for o in tried if o.arm == arm and all(getattr(o, k) == v for k, v in of.items())]
        return f"{sum(o.reached(before[o.carrier, arm]) for o in those)}/{len(those)}"

    def both(**of: str | None) -> str:
        return f"{share('without', **of)}, {share('with', **of)}"

    styles = [style for style in STYLES if any(o.style == style for o in tried)]
    head = ["Goals reached without, with the defences:", "", f"| carrier | {' | '.join(GOALS)} | all |"]
    head.append("| --- |" + " --- |" * (len(GOALS) + 1))
    for carrier in CARRIERS:
        cells = [both(carrier=carrier, goal=goal) for goal in GOALS]
        head.append(f"| {carrier} | {' | '.join(cells)} | {both(carrier=carrier)} |")
    head.append(f"| all | {' | '.join(both(goal=goal) for goal in GOALS)} | {both()} |")
    head += ["", f"| guise | {' | '.join(GOALS)} | all |", "| --- |" + " --- |" * (len(GOALS) + 1)]
    head += [f"| {s} | {' | '.join(both(style=s, goal=g) for g in GOALS)} | {both(style=s)} |" for s in styles]
    head += [
        "",
        "| defences | right without an attack | of those, right under attack | the attacker's answer, whatever the",
    ]
    head[-1] += " goal | false citations made | passed |"
    head.append("| --- |" + " --- |" * 5)
    for arm in reversed(ARMS):
        calm = [o for (_, of), o in before.items() if of == arm]
        those = [o for o in tried if o.arm == arm]
        under = [o for o in those if before[o.carrier, arm].right]
        cells = [f"{sum(o.right for o in calm)}/{len(calm)}", f"{sum(o.right for o in under)}/{len(under)}"]
        cells += [f"{sum(o.changed for o in those)}/{len(those)}", f"{sum(o.tried for o in those)}"]
        head.append(f"| {arm} | {' | '.join(cells)} | {sum(o.passed for o in those)} |")
    return "\n".join(head)


async def measure(run: Run) -> list[Outcome]:
    """Runs it, a line a run."""
    found: list[Outcome] = []
    before: dict[tuple[Carrier, Arm], Outcome] = {}
    async for line in outcomes(run):
        if line.goal is None:
            before[line.carrier, line.arm] = line
        print(row(line, before.get((line.carrier, line.arm))), flush=True)
        found.append(line)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--grids", type=int, default=len(STYLES), help="so many of the five, in each of which guises mix"
    )
    parser.add_argument("--carriers", default=",".join(CARRIERS))
    parser.add_argument("--goals", default=",".join(GOALS))
    parser.add_argument("--model", help="the default is the settings' model")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="nothing new is begun after so long")
    parser.add_argument("--only-report", action="store_true", help="of what is in --results, asking nothing")
    parser.add_argument("--results", type=Path, default=Path("injection"), help="folder that a run goes on from")
    asked = parser.parse_args()
    if asked.only_report:
        print(report([*Journal(asked.results / "outcomes.jsonl", Outcome)]))  # type: ignore[type-var]
        return
    goals = asked.goals.split(",")
    chosen = [[attack for attack in grid if attack.goal in goals] for grid in grids()[: asked.grids]]
    carriers = [carrier for carrier in CARRIERS if carrier in asked.carriers.split(",")]
    run = Run(asked.results, Settings(), asked.model, carriers, chosen, seconds=60 * asked.minutes)
    print(f"Machine: {machine.describe()}\n{len(carriers)} carriers, {len(chosen)} grids", flush=True)
    print(f"\n{report(asyncio.run(measure(run)))}")


if __name__ == "__main__":
    main()
