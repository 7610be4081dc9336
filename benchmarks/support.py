"""Does the sentence embedder tell supported claims from unsupported ones? On the questions of `questions/`.

True: a question's right answer as the claim, and the lines of its record that carry it. False: the same claim with the
lines that carry the answer to a question of another record (`swapped`); with other lines of its own record (`beside`);
and, which no comparison of topics can tell, a wrong answer with the right lines (`wrong`). With --answers, the right
answers of models, out of the results of a run of `quality.py`, are true claims too.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import machine
from consilience.agents import Citation, Claim
from consilience.graphs import Workbench
from consilience.graphs.support import LEAST_COSINE, by_embedder
from question_media import made, records

from consilience.core.settings import Settings
from consilience.evaluation import Question, Result
from consilience.fusion import content_words
from consilience.models.embedder import text_embedder
from consilience.observations import Record, ingest

SWAPPED, BESIDE = 10, 5
THRESHOLDS = (0.79, 0.80, 0.81, 0.82, LEAST_COSINE, 0.84, 0.85)


@dataclass(frozen=True)
class Case:
    """A question with its record, the lines that carry its answer, and that answer."""

    question: Question
    record: Record
    labels: tuple[str, ...]
    answer: str

    def claim(self, text: str, labels: Sequence[str]) -> Claim:
        """A claim that cites these lines."""
        return Claim(text=text, citations=tuple(Citation(label=label, quote="") for label in labels))


async def observed(bench: Workbench, question: Question) -> Record:
    """What all encoders observe of its media."""
    media = [ingest(path, bench.store, limits=bench.settings.limits) for path in question.media]
    found = [o async for encoding in bench.runner.perceive(media) for o in encoding.observations]
    return Record(media, found)


def carrying(record: Record, name: str, words: str) -> str:
    """Label of the line of a medium that has the most of these words; of several the shortest."""
    wanted = content_words(words.replace(",", ", "))
    own = [label for label in record.labels if (m := record.medium_of(record[label])) and m.name == name]
    return max(own, key=lambda label: (len(wanted & content_words(record[label].text)), -len(record[label].text)))


async def cases(bench: Workbench) -> list[Case]:
    """The questions that words of a medium answer."""
    told = {f"{record['id']}-{i}": one for record in records() for i, one in enumerate(record["question"], 1)}
    known: dict[str, Record] = {}
    found = []
    for question in made():
        evidence = told[question.id].get("evidence", {})
        if not question.accepted or not evidence or "seen" in told[question.id]:
            continue
        if question.record not in known:
            known[question.record] = await observed(bench, question)
        record = known[question.record]
        labels = tuple(carrying(record, name, words) for name, words in evidence.items())
        answer = " and ".join(part[0].lstrip("@") for part in question.accepted)
        found.append(Case(question, record, labels, answer))
    return found


async def score(question: str, text: str, lines: Sequence[str], case: Case) -> float:
    """As verification scores it."""
    (support,) = await by_embedder(text_embedder(), question, [case.claim(text, lines)], case.record)
    return support.score


async def scored(found: Sequence[Case], answers: Sequence[Result]) -> dict[str, list[float]]:
    """Scores by kind of claim."""
    drawn = random.Random(0)
    scores: dict[str, list[float]] = {"true": [], "answered": [], "swapped": [], "beside": [], "wrong": []}
    for case in found:
        asked = case.question.text
        scores["true"].append(await score(asked, case.answer, case.labels, case))
        for result in answers:
            if result.question == case.question.id:
                scores["answered"].append(await score(asked, result.answer, case.labels, case))
        others = [other for other in found if other.question.record != case.question.record]
        for other in drawn.sample(others, min(SWAPPED, len(others))):
            # Its lines, under the labels that they have in their own record.
            scores["swapped"].append(await score(asked, case.answer, other.labels, other))
        beside = [label for label in case.record.labels if label not in case.labels]
        for label in drawn.sample(beside, min(BESIDE, len(beside))):
            scores["beside"].append(await score(asked, case.answer, [label], case))
        for wrong in [*(o for o in case.question.options if o != case.answer), *case.question.rejected][:3]:
            scores["wrong"].append(await score(asked, wrong, case.labels, case))
    return scores


def told(scores: dict[str, list[float]]) -> str:
    """A table: by threshold, the shares that would be struck, and what that makes of precision and recall."""
    kinds = [kind for kind in scores if scores[kind]]
    counted = "; ".join(f"{kind} {len(scores[kind])}" for kind in kinds)
    head = f"| least cosine | {' | '.join(f'{kind} struck' for kind in kinds)} | precision | recall |"
    rows = [counted, head, "|---" * (len(kinds) + 3) + "|"]
    for least in THRESHOLDS:
        struck = {kind: sum(value < least for value in scores[kind]) for kind in kinds}
        false = struck["swapped"] + struck["beside"]
        precision = false / (false + struck["true"]) if false + struck["true"] else 1.0
        recall = false / (len(scores["swapped"]) + len(scores["beside"]))
        shares = " | ".join(f"{struck[kind]} ({struck[kind] / len(scores[kind]):.0%})" for kind in kinds)
        rows.append(f"| {least:.2f} | {shares} | {precision:.3f} | {recall:.3f} |")
    return "\n".join(rows)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=Path, nargs="*", default=(), help="results.jsonl of runs of quality.py")
    arguments = parser.parse_args()
    lines = [line for path in arguments.answers for line in path.read_text(encoding="utf-8").splitlines()]
    kept = [Result.model_validate_json(line) for line in lines]
    right = {(r.question, r.answer): r for r in kept if r.right and not r.abstained}
    async with Workbench(settings=Settings()) as bench:
        found = await cases(bench)
    print(f"Machine: {machine.describe()}\n{text_embedder().name}")
    for split in ("dev", "test"):
        part = [case for case in found if case.question.split == split]
        print(f"\n{split}: {len(part)} questions\n{told(await scored(part, list(right.values())))}")


if __name__ == "__main__":
    asyncio.run(main())
