"""Precision and recall of conflicts: on pairs of lines in four languages, on words against tone, on the ten scenes.

The wordings of the held-out half share no sentence with those that the rules were tuned on, and no failure of it is
printed without --failures.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections.abc import Callable, Iterable
from itertools import permutations
from pathlib import Path

import machine
from conflict_pairs import Pair, Split, pairs
from consilience.graphs import Workbench
from consilience.tools import observed

from consilience.evaluation import load_scenes
from consilience.fusion import conflicts
from consilience.observations import Modality, Observation, Provenance, ingest

MANIFEST = Path(__file__).resolve().parent / "scenes" / "scenes.json"


def line(text: str, kind: str, modality: Modality, language: str) -> Observation:
    """A line as a perfect encoder would observe it."""
    media = "sha256:" + hashlib.sha256(f"{modality} {text}".encode()).hexdigest()
    value = {"text": text, "language": language} if kind == "transcript" else {"text": text}
    made = Provenance(media=media, modality=modality, tool="benchmark", version="1")
    return Observation(kind=kind, value=value, text=text, provenance=made)


def found(pair: Pair) -> list[Observation]:
    """Conflicts between the two lines of a pair."""
    said = line(pair.said, "transcript", "audio", pair.language)
    return conflicts([said, line(pair.shown, "text", "image", pair.shown_language)])


def rates(outcomes: Iterable[tuple[bool, bool]]) -> str:
    """Precision and recall of (is a conflict, was found to be one)."""
    known = list(outcomes)
    hits = sum(is_one and told for is_one, told in known)
    told, there = sum(told for _, told in known), sum(is_one for is_one, _ in known)
    return (
        f"precision {hits / told if told else 1:.3f} ({hits} of {told} told), "
        f"recall {hits / there if there else 1:.3f} ({hits} of {there} there)"
    )


def grid(split: Split, each: int, show: bool) -> None:
    """One half of the pairs."""
    tried = [(pair, found(pair)) for pair in pairs(split, each)]
    print(f"Pairs, {split}: {len(tried)}; {rates((p.relation == 'conflict', bool(c)) for p, c in tried)}")
    for language in ("en", "de", "fr", "es"):
        of_it = [(p, c) for p, c in tried if p.language == language]
        print(f"  {language}: {len(of_it):3}  {rates((p.relation == 'conflict', bool(c)) for p, c in of_it)}")
    for pair, told in tried:
        if show and (pair.relation == "conflict") != bool(told):
            print(f"  {pair.relation:<10}{pair.topic}: {pair.said} | {pair.shown} -> {[c.text for c in told]}")


async def scenes() -> None:
    """The ten scenes, through the real encoders; and their media crossed, where nothing can be in conflict."""
    bench = Workbench()
    outcomes: list[tuple[bool, bool]] = []
    media_of: dict[str, list[list[Observation]]] = {}
    print("Scenes:")
    for scene in load_scenes(MANIFEST):
        media = [ingest(path, bench.store) for path in scene.media]
        encodings = [encoding async for encoding in bench.runner.perceive(media)]
        media_of[scene.id] = [[o for o in observed(encodings) if o.provenance.media == m.id] for m in media]
        told = conflicts(observed(encodings))
        outcomes.append((scene.conflict, bool(told)))
        print(f"  {scene.id:<14}{'conflict' if scene.conflict else '':<10}{len(told)} told")
        for conflict in told:
            print(f"    {conflict.confidence}: {conflict.text}")
    print(f"  {rates(outcomes)}")
    crossed = [
        conflicts([*one, *other]) for a, b in permutations(media_of, 2) for one in media_of[a] for other in media_of[b]
    ]
    print(f"Media of different scenes: {len(crossed)} pairs, conflicts told in {sum(map(bool, crossed))}")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=3, help="pairs a topic and relation")
    parser.add_argument("--failures", choices=["tuning", "held_out"], help="print what goes wrong in this half")
    parser.add_argument("--only", choices=["tuning", "held_out", "scenes"], help="measure this part alone")
    arguments = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    parts: dict[str, Callable[[], None]] = {
        "tuning": lambda: grid("tuning", arguments.each, arguments.failures == "tuning"),
        "held_out": lambda: grid("held_out", arguments.each, arguments.failures == "held_out"),
        "scenes": lambda: asyncio.run(scenes()),
    }
    for name, measure in parts.items():
        if arguments.only in (None, name):
            measure()


if __name__ == "__main__":
    main()
