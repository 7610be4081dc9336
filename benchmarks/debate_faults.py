"""What becomes of whole debates at a server that fails: each fault at two rates, and on one seat, round or the judge.

Three experts, two rounds of exchange, a judge: ten calls. `no answer`: debates that end without one. `turns lost`: of
all that seats and judge should have said. `unnamed`: what neither was said nor is named as lost, with its reason, by
an event and by the verdict; or a verdict that calls itself complete all the same. Waits are cut to a hundredth of a
second and time-outs to one, which changes how long it takes, not what is lost.
Run: python benchmarks/debate_faults.py [rates] [once] [always] [--debates 40] [--seed 0]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import machine
from consilience.graphs import (
    Event,
    Exchange,
    Finished,
    Panel,
    PhaseStarted,
    Protocol,
    SeatLost,
    TurnTaken,
    Workbench,
    debate,
)

from consilience import Expert, Settings
from consilience.observations import ingest
from consilience.testing import Fault, FaultKind, FaultSchedule, ModelServer, at_rate, where, witness

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
EXPERTS = tuple(Expert(name, f"the {name}") for name in ("reader", "clerk", "sceptic"))
PROTOCOL = Protocol("two rounds", exchange=Exchange(rounds=2, stops=()), rule="judge")
RATES = (0.05, 0.3)
SPOTS = {
    "a seat's opening": "the clerk. Look only",
    "a seat's exchange": ", the clerk.",
    "the judge": "You are the judge.",
}
"""Words that only these prompts have."""


@dataclass
class Tally:
    """What became of some debates."""

    debates: int = 0
    complete: int = 0
    unanswered: int = 0
    due: int = 0
    lost: int = 0
    unnamed: int = 0

    def count(self, events: Sequence[Event]) -> None:
        """Adds a debate."""
        end = events[-1]
        assert isinstance(end, Finished)
        verdict, spoken, due = end.verdict, set[str](), 0
        for event in events:
            if isinstance(event, TurnTaken):
                spoken.add(event.turn.seat)
            elif isinstance(event, PhaseStarted):
                due += {"opening": len(EXPERTS), "exchange": len(spoken), "judgement": 1}[event.phase]
        lost = [event for event in events if isinstance(event, SeatLost)]
        taken = sum(isinstance(event, TurnTaken) for event in events)
        judged = any(isinstance(event, PhaseStarted) and event.phase == "judgement" for event in events)
        taken += judged and not any(loss.seat == "judge" for loss in lost)
        fates = {fate.seat: fate.reason or "" for fate in verdict.seats} | {"judge": verdict.stop_reason}
        self.debates += 1
        self.complete += verdict.status == "complete"
        self.unanswered += verdict.status in ("failed", "abstained")
        self.due += due
        self.lost += len(lost)
        self.unnamed += due - taken - len(lost) + sum(loss.reason not in fates[loss.seat] for loss in lost)
        self.unnamed += verdict.status == "complete" and bool(lost)

    def row(self, of: str, kind: str) -> str:
        """A line of the table."""
        return (
            f"{of:26}{kind:16}{self.debates:8}{self.complete:9}{self.unanswered:10}"
            f"{f'{self.lost} of {self.due}':>14}{self.unnamed:9}"
        )


def fault_of(kind: FaultKind) -> Fault:
    """A slow drip takes four seconds, longer than the time-out."""
    return Fault(kind, 0.2) if kind == "slow_drip" else Fault(kind)


async def held(folder: Path, faults: FaultSchedule, debates: int, *, at_once: int = 8, retries: int = 6) -> Tally:
    """The tally of so many debates over the same note."""
    tally = Tally()
    settings = Settings(cache_dir=folder, retry_seconds=0.01, request_seconds=1, retries=retries)
    with ModelServer(witness, faults=faults) as server:
        bench = Workbench(model=server.base_url, settings=settings)
        graph = debate(bench, Panel(experts=EXPERTS), protocol=PROTOCOL)
        state: Any = {"question": QUESTION, "media": [ingest(NOTE, bench.store)]}
        left = iter(range(debates))

        async def one_after_another() -> None:
            for _ in left:
                tally.count([event async for event in graph.astream(state, stream_mode="custom")])

        await asyncio.gather(*(one_after_another() for _ in range(at_once)))
        await bench.close()
    return tally


async def matrix(folder: Path, parts: Sequence[str], debates: int, seed: int) -> None:
    """Prints the table."""
    print(f"{'faults':26}{'kind':16}{'debates':>8}{'complete':>9}{'no answer':>10}{'turns lost':>14}{'unnamed':>9}")
    for kind in get_args(FaultKind):
        fault = fault_of(kind)
        if "rates" in parts:
            for rate in RATES:
                tally = await held(folder, at_rate(rate, [fault], seed=seed), debates)
                print(tally.row(f"{rate:.0%} of the calls", kind), flush=True)
        for spot, words in SPOTS.items():
            if "once" in parts:
                tally = await held(folder, where(words, fault, times=1), 1, at_once=1)
                print(tally.row(f"{spot}, once", kind), flush=True)
            if "always" in parts:
                tally = await held(folder, where(words, fault), 2, at_once=1, retries=2)
                print(tally.row(f"{spot}, always", kind), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["rates", "once", "always"])
    parser.add_argument("--debates", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    with tempfile.TemporaryDirectory() as room:
        weights = Path(room) / "weights"
        weights.symlink_to(Settings().weights_dir)
        asyncio.run(matrix(Path(room), asked.parts, asked.debates, asked.seed))


if __name__ == "__main__":
    main()
