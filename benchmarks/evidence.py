"""Evidence weighed by its kind, source and time: the openings of a run of `quality.py`, decided in other ways.

No model is asked: the blind openings of the specialists are counted again, each seat with a weight by

- `kind`: how often the expert of that modality was right on the dev questions (`track_record`);
- `source`: how sure the encoders were of the lines that it cites, the mean;
- `time`: whether what it cites comes from a medium that announces a change ("now", "instead", "has been moved");
- `support`: how many of its citations hold;

beside the plain vote. What a vote leaves level goes to the seat with the most checked support, in every row.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import machine
from consilience.agents import Turn
from consilience.graphs import PROTOCOLS, Workbench, nodes
from question_media import made

from consilience.core.settings import Settings
from consilience.evaluation import Journal, Openings, Question, Result, grade, report, track_record
from consilience.evaluation.results import Key
from consilience.fusion.statements import statements
from consilience.models import Usage
from consilience.observations import Observation, ingest

SPECIALISTS = frozenset({"image", "audio", "video", "document", "text", "table", "sceptic"})
SURE, UNSURE = 0.9, 0.6
"""Reliability of who cites an announced change, and of who does not."""


@dataclass(frozen=True)
class Case:
    """A question, what the specialists opened with, and what the encoders observed."""

    question: Question
    openings: Openings
    observed: Mapping[str, Observation]

    def cited(self, turn: Turn) -> list[Observation]:
        """The observations whose citation holds."""
        ids = {c.observation for claim in turn.claims for c in claim.citations if c.holds}
        return [self.observed[one] for one in ids if one in self.observed]


Weight = Callable[[Case, Turn], float | None]


def by_source(case: Case, turn: Turn) -> float | None:
    sure = [o.confidence.value for o in case.cited(turn) if o.confidence is not None]
    return mean(sure) if sure else None


def by_time(case: Case, turn: Turn) -> float | None:
    changing = {s.observation.provenance.media for s in statements(case.observed.values()) if s.announces}
    return SURE if any(o.provenance.media in changing for o in case.cited(turn)) else UNSURE


def by_support(case: Case, turn: Turn) -> float | None:
    return 1 - 0.5 ** (1 + len(case.cited(turn)))


async def observed(bench: Workbench, question: Question) -> dict[str, Observation]:
    """What all encoders observe of its media, by id."""
    media = [ingest(path, bench.store, limits=bench.settings.limits) for path in question.media]
    return {o.id: o async for encoding in bench.runner.perceive(media) for o in encoding.observations}


async def cases(bench: Workbench, questions: Sequence[Question], folder: Path) -> list[Case]:
    """The questions that the run has openings of."""
    opened = {
        kept.question: kept
        for kept in Journal(folder / "openings.jsonl", Openings)
        if kept.seats and kept.seed == 0 and {seat.expert for seat in kept.seats} <= SPECIALISTS
    }
    asked = [question for question in questions if question.id in opened]
    return [Case(question, opened[question.id], await observed(bench, question)) for question in asked]


async def decided(case: Case, name: str, weight: Weight | None) -> Result:
    """The vote of the openings, plain or weighted."""
    turns = {turn.seat: turn for turn in case.openings.turns}
    seats = [
        seat.model_copy(update={"reliability": weight(case, turns[seat.seat]) if weight else None})
        for seat in case.openings.seats
        if seat.seat in turns
    ]
    protocol = replace(PROTOCOLS["vote"], rule="weighted" if weight else "plurality")
    question = case.question
    state: Any = {
        "question": question.text,
        "options": list(question.options),
        "seats": seats,
        "turns": [*turns.values()],
    }
    found = await nodes.decide(protocol)(state)
    draft = found.get("draft")
    answer = draft.answer if draft else ""
    graded = grade(question, answer, "complete" if draft else "abstained")
    usage = sum((spent.usage for spent in case.openings.spent), Usage())
    model = case.openings.seats[0].model
    blank = Result.failed(question, Key(question.id, name, case.openings.seed), model, case.openings.digest, "")
    outcome = {"answer": answer, "status": "complete" if draft else "abstained", "usage": usage}
    return blank.model_copy(update={**outcome, **graded.model_dump()})


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", type=Path, required=True, help="results of quality.py on dev, for the track record")
    parser.add_argument("--results", type=Path, required=True, help="results of quality.py that are decided again")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    arguments = parser.parse_args()
    questions = made()
    known = track_record(
        Journal(arguments.dev / "openings.jsonl", Openings), [q for q in questions if q.split == "dev"]
    )
    told = ", ".join(f"{name} {share:.2f}" for name, share in sorted(known.items()) if name in SPECIALISTS)
    weights: dict[str, Weight | None] = {
        "vote": None,
        "kind": lambda case, turn: known.get(turn.expert),
        "source": by_source,
        "time": by_time,
        "support": by_support,
    }
    bench = Workbench(settings=Settings())
    async with bench:
        found = await cases(bench, [q for q in questions if q.split == arguments.split], arguments.results)
        results = [await decided(case, name, weight) for case in found for name, weight in weights.items()]
    print(f"Machine: {machine.describe()}\nRight where it answers on dev: {told}\n")
    print(report(results, heading=f"Evidence weighed, {arguments.split}"))


if __name__ == "__main__":
    asyncio.run(main())
