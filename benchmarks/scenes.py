"""Right answers out of ten small scenes over several seeds, conflicts apart, beside the vote before the debate."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import machine
from consilience.agents import default_experts

from consilience import Expert, Verdict, ask
from consilience.evaluation import Scene, load_scenes
from consilience.models import Sampling
from consilience.observations import MODALITIES, Modality

MANIFEST = Path(__file__).resolve().parent / "scenes" / "scenes.json"
_MODALITY: dict[str, Modality] = {".png": "image", ".wav": "audio", ".csv": "table"}


def experts(scene: Scene, temperature: float) -> tuple[Expert, ...]:
    """The default panel of this scene, drawing at `temperature`."""
    found = {_MODALITY.get(path.suffix, "text") for path in scene.media}
    panel = default_experts([modality for modality in MODALITIES if modality in found])
    return tuple(replace(expert, sampling=Sampling(temperature=temperature)) for expert in panel)


def row(scene: Scene, verdict: Verdict, seconds: float) -> str:
    """One scene's line."""
    mark = "right" if scene.is_right(verdict.answer) else "WRONG"
    kind = "conflict" if scene.conflict else ""
    return f"  {scene.id:<14}{kind:<10}{mark}  {seconds:5.1f} s  {verdict.status:<10} {verdict.answer}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=0.4, help="of the seats; the judge takes the likeliest")
    parser.add_argument("--model", default="embedded")
    arguments = parser.parse_args()
    scenes = load_scenes(MANIFEST)
    print(f"Machine: {machine.describe()}\nModel:   {arguments.model}, temperature {arguments.temperature}")
    totals: list[tuple[int, int, int, int]] = []
    for seed in range(arguments.seeds):
        print(f"Seed {seed}", flush=True)
        right: list[Scene] = []
        voted = single = 0
        for scene in scenes:
            start = time.perf_counter()
            panel = experts(scene, arguments.temperature)
            verdict = ask(scene.question, scene.media, model=arguments.model, seed=seed, experts=panel)
            print(row(scene, verdict, time.perf_counter() - start), flush=True)
            if scene.is_right(verdict.answer):
                right.append(scene)
            if verdict.payoff:
                voted += scene.is_right(verdict.payoff.vote.answer or "")
                single += scene.is_right(verdict.payoff.best_single.answer or "")
        totals.append((len(right), sum(scene.conflict for scene in right), voted, single))
        conflicts = sum(scene.conflict for scene in scenes)
        print(f"  right: {len(right)} of {len(scenes)}; of the {conflicts} conflicts {totals[-1][1]}")
        print(f"  the vote before the debate: {voted}; the best single opening: {single}", flush=True)
    means = [sum(total[i] for total in totals) / len(totals) for i in range(4)]
    print(
        f"Mean over {len(totals)} seeds: {means[0]:.1f} of {len(scenes)} right, {means[1]:.1f} of the conflicts;",
        end=" ",
    )
    print(f"vote {means[2]:.1f}, best single {means[3]:.1f}")


if __name__ == "__main__":
    main()
