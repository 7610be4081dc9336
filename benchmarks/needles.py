"""Whether the decisive observation is in the record that a prompt shows: needles in an hour of speech and 100 pages.

A grid of medium x position x kind of distractor, for each fact of `needles.toml`. The record's own order is compared
with lines as they come, with random lines, and with each half of the relevance alone, on the same records. A needle
counts as kept when the text shows its line. The settings were chosen on the facts of --split dev; the figures are of
test.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import machine
from consilience.graphs.relevance import QuestionRelevance
from haystack import DISTRACTORS, FORMS, POSITIONS, Fact, Haystack

from consilience.core.settings import Settings
from consilience.models.embedder import TextEmbedder, text_embedder
from consilience.observations import ObservationStore, Record
from consilience.observations.relevance import bm25, fused
from consilience.observations.rendering import count_tokens, line_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FACTS = Path(__file__).resolve().parent / "needles.toml"
BUDGETS = (1000, 2000, 4000)
ASKED = {
    "paraphrased": "question",
    "in the fact's words": "plain_question",
    "in another language": "foreign_question",
}


class Remembering:
    """The packaged embedder; a text that a former record of the grid had is not embedded again."""

    def __init__(self, embedder: TextEmbedder) -> None:
        self.name, self._embedder = embedder.name, embedder
        self._known: dict[str, NDArray[np.float32]] = {}

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n, 384)."""
        return self._embedder.questions(texts)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n, 384)."""
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= dict(zip(new, self._embedder.passages(new), strict=True))
        return np.stack([self._known[text] for text in texts])


@dataclass(frozen=True)
class Cell:
    """One needle in one record."""

    form: str
    position: str
    distractor: str
    asked: str
    fact: Fact
    seed: int


Kept = dict[tuple[str, int], float]
"""By way of choosing and tokens: 1 for a needle kept, 0 for one lost, between them for an average over draws."""


def cells(facts: Sequence[Fact], each: int) -> Iterator[Cell]:
    """The whole grid asked in other words; its middle asked in the fact's own words, and in another language.

    Every cell has `each` of the facts, and every fact comes about as often.
    """
    turn = 0
    for asked in ASKED:
        positions = POSITIONS if asked == "paraphrased" else ["middle"]
        for position, form, distractor in product(positions, FORMS, DISTRACTORS):
            for _ in range(each):
                yield Cell(form, position, distractor, asked, facts[turn % len(facts)], turn)
                turn += 1


def measured(cell: Cell, hay: Haystack, embedder: Remembering, most: int) -> tuple[Kept, list[float]]:
    """What each way keeps, and the seconds that our own took to order and lay out, a budget each."""
    record, needle = hay.record(cell.form, cell.position, cell.fact, cell.distractor, cell.seed)
    question = getattr(cell.fact, ASKED[cell.asked])
    texts = [observation.text for _, observation in record]
    words = bm25(question, texts)
    meaning = (embedder.passages(texts) @ embedder.questions([question])[0]).tolist()
    with tempfile.TemporaryDirectory() as folder:
        whole = QuestionRelevance(question, ObservationStore(Path(folder)), lambda: embedder, most)  # type: ignore[arg-type,return-value]
        scores = whole([observation for _, observation in record])
    relevances = {"ours": scores, "words alone": words, "meaning alone": fused([0.0] * len(words), meaning)}
    kept: Kept = {}
    seconds = []
    for tokens in BUDGETS:
        for way, relevance in relevances.items():
            began = time.perf_counter()
            shown = record.render(tokens=tokens, relevance=lambda _, given=relevance: given)  # type: ignore[misc]
            if way == "ours":
                seconds.append(time.perf_counter() - began)
            over = count_tokens(shown.text) > tokens
            kept[way, tokens] = float(needle in shown.labels and not over)
        kept["as they come", tokens] = float(needle in fitting(record, record.labels, tokens))
        kept["random", tokens] = share_of_draws(record, needle, tokens, cell.seed)
    return kept, seconds


def fitting(record: Record, labels: Iterable[str], tokens: int) -> set[str]:
    """The first of these lines that there is room for; headings cost nothing here, which flatters the baselines."""
    found = set()
    for label in labels:
        tokens -= count_tokens(line_of(label, record[label]) + "\n")
        if tokens < 0:
            break
        found.add(label)
    return found


def share_of_draws(record: Record, needle: str, tokens: int, seed: int, draws: int = 20) -> float:
    """How often random lines hold the needle."""
    chance = random.Random(seed)
    # No more lines fit than tokens: a sample is as good as a shuffle, and quicker.
    most = min(len(record), tokens)
    drawn = (fitting(record, chance.sample(record.labels, most), tokens) for _ in range(draws))
    return sum(needle in found for found in drawn) / draws


def table(title: str, group: Callable[[Cell], str], results: Sequence[tuple[Cell, Kept]]) -> None:
    """Shares kept, in percent, a line for each group."""
    ways = list(dict.fromkeys(way for way, _ in results[0][1]))
    print(f"\n{title:<22}{'n':>5}  " + "  ".join(f"{way:^17}" for way in ways))
    print(f"{'':<29}" + "  ".join(f"{'1k':>5}{'2k':>6}{'4k':>6}" for _ in ways))
    for name in dict.fromkeys(group(cell) for cell, _ in results):
        of_it = [kept for cell, kept in results if group(cell) == name]
        total = sum((Counter(kept) for kept in of_it), Counter[Any]())
        shares = [[f"{100 * total[way, tokens] / len(of_it):.1f}" for tokens in BUDGETS] for way in ways]
        print(f"{name:<22}{len(of_it):>5}  " + "  ".join(f"{a:>5}{b:>6}{c:>6}" for a, b, c in shares))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=["test", "dev"], default="test")
    parser.add_argument("--each", type=int, default=5, help="facts a cell")
    parser.add_argument("--lost", action="store_true", help="name the needles that are lost at 1,000 tokens")
    arguments = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    facts = [Fact(**entry) for entry in tomllib.loads(FACTS.read_text())[arguments.split]]
    hay, embedder, most = Haystack(), Remembering(text_embedder()), Settings().embedded_lines
    grid = list(cells(facts, arguments.each))
    lines = sum(len(of_form) for of_form in hay.lines.values())
    began = time.perf_counter()
    embedder.passages([text for of_form in hay.lines.values() for text in of_form])
    print(f"{lines} lines and a needle each; {time.perf_counter() - began:.0f} s to embed them once")
    results: list[tuple[Cell, Kept]] = []
    seconds: list[float] = []
    for number, cell in enumerate(grid, 1):
        kept, took = measured(cell, hay, embedder, most)
        results.append((cell, kept))
        seconds += took
        if arguments.lost and not kept["ours", BUDGETS[0]]:
            print(f"lost: {cell.asked}, {cell.form}, {cell.position}, {cell.distractor}: {cell.fact.said}")
        if number % 100 == 0:
            print(f"{number} of {len(grid)}", flush=True)
    paraphrased = [(cell, kept) for cell, kept in results if cell.asked == "paraphrased"]
    table("asked", lambda cell: cell.asked, results)
    table("paraphrased, medium", lambda cell: cell.form, paraphrased)
    table("paraphrased, position", lambda cell: cell.position, paraphrased)
    table("paraphrased, among", lambda cell: cell.distractor, paraphrased)
    print(f"\nOrdering and laying out once relevance is known: {sorted(seconds)[len(seconds) // 2]:.2f} s (median)")


if __name__ == "__main__":
    main()
