"""One debate of three experts and one exchange over the example media, on the embedded model: where the time goes.

Prints calls, tokens, the share of prompt tokens that the prefix cache served, wall time by stage, memory, and the time
that the same perception takes from the cache.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import machine
from consilience.graphs import Event, Finished, PhaseStarted, Recorded, Started

from consilience import Expert, Settings, Verdict, astream
from consilience.models import resolve
from consilience.models.embedded import attach

MEDIA = Path(__file__).resolve().parent.parent / "examples" / "media"
QUESTION = "Where and when does the book club meet?"
EXPERTS = (
    Expert.for_modality("image"),
    Expert.for_modality("audio"),
    Expert("generalist", "a generalist who weighs all kinds of evidence together"),
)


async def debate(settings: Settings, model: str) -> tuple[dict[str, float], Verdict]:
    """Seconds by stage, and the verdict."""
    start = time.perf_counter()
    marks: list[tuple[str, float]] = []
    verdict = None
    media = [MEDIA / "scene.png", MEDIA / "call.wav"]
    async for event in astream(QUESTION, media, settings=settings, model=model, experts=EXPERTS):
        stage = _stage(event)
        if stage:
            marks.append((stage, time.perf_counter() - start))
        if isinstance(event, Finished):
            verdict = event.verdict
    assert verdict is not None
    starts = [0.0, *(mark for _, mark in marks)]
    return {stage: mark - before for (stage, mark), before in zip(marks, starts, strict=False)}, verdict


def _stage(event: Event) -> str | None:
    """The stage that ends with this event."""
    match event:
        case Started():
            return "ingest"
        case Recorded():
            return "perceive"
        case PhaseStarted(phase="exchange"):
            return "openings"
        case PhaseStarted(phase="judgement"):
            return "exchange"
        case Finished():
            return "judge, verify, compose"
    return None


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded", help="as for `consilience ask`")
    arguments = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    weights = Settings().cache_dir
    with tempfile.TemporaryDirectory() as folder:
        # An empty store, the machine's weights: encoding is measured, downloading is not.
        place = Path(folder)
        (place / "weights").symlink_to(weights / "weights")
        settings = Settings(cache_dir=place)
        begin = time.perf_counter()
        if arguments.model == "embedded":
            server = attach("qwen2.5-coder-1.5b", settings)
            print(f"Model:   {arguments.model}, loaded in {time.perf_counter() - begin:.1f} s")
        resolve(arguments.model, settings)
        stages, verdict = asyncio.run(debate(settings, arguments.model))
        again, _ = asyncio.run(debate(settings, arguments.model))
        usage = verdict.usage
        print(f"Answer:  {verdict.answer} ({verdict.status})")
        print(f"Calls:   {usage.calls}")
        print(f"Tokens:  {usage.prompt_tokens} prompt, {usage.completion_tokens} generated")
        print(f"Cached:  {usage.cached_tokens} of the prompt tokens ({usage.cached_tokens / usage.prompt_tokens:.0%})")
        print(f"Wall:    {sum(stages.values()):.1f} s")
        for stage, seconds in stages.items():
            print(f"  {stage:<24}{seconds:6.1f} s")
        print(f"Asked again: perception takes {again['perceive'] * 1000:.0f} ms")
        print(f"Memory:  {machine.peak_memory():.0f} MiB here", end="")
        print(f", {machine.peak_memory(server.pid):.0f} MiB model server" if arguments.model == "embedded" else "")


if __name__ == "__main__":
    main()
