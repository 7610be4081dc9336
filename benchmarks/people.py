"""Faces, expressions, poses and hands: what is found in pictures whose people are counted, and what the runner adds.

The pictures: scikit-image's astronaut alone, in composites (side by side, small, turned), and its pictures of nobody.
With `--groups`, six photographs of three to five people as well, out of the npm package @vladmandic/face-api 1.7.15
(MIT), which the npm client downloads into a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
from consilience.tools import Encoder, Runner
from consilience.tools.deadline import Deadline
from consilience.tools.encoder import excerpt_of
from consilience.tools.image.expression import expression
from consilience.tools.image.faces import faces
from consilience.tools.image.hands import hands
from consilience.tools.image.pose import pose
from PIL import Image
from skimage import data

from consilience.core.errors import Unobservable
from consilience.core.settings import Settings
from consilience.core.weights_packages import npm_archive, tarball_member
from consilience.observations import Locator, Media, ObservationStore, ingest

ENCODERS = (faces, expression, pose, hands)
NOBODY = ("coffee", "chelsea", "rocket", "horse", "brick", "grass", "gravel", "page", "moon", "hubble_deep_field")
GROUPS = {"sample1": 3, "sample2": 3, "sample3": 3, "sample4": 4, "sample5": 5, "sample6": 4}


@dataclass(frozen=True)
class Case:
    """A picture and how many people are on it."""

    name: str
    picture: Image.Image
    people: int


def astronauts() -> Iterator[Case]:
    one = Image.fromarray(data.astronaut())
    yield Case("astronaut", one, 1)
    for degrees in (20, -20, 45, 90):
        yield Case(f"astronaut turned by {degrees} degrees", one.rotate(degrees, expand=True), 1)
    for side in (256, 128, 96):
        small = Image.new("RGB", (512, 512), "grey")
        small.paste(one.resize((side, side)), (64, 512 - side))
        yield Case(f"astronaut at {side} pixels, face of {round(side * 0.224)}", small, 1)
    for across in (2, 3, 4):
        grid = Image.new("RGB", (1024, 1024))
        side = 1024 // across
        for number in range(across * across):
            grid.paste(one.resize((side, side)), (number % across * side, number // across * side))
        yield Case(f"{across} x {across} astronauts", grid, across * across)
    pair = Image.new("RGB", (1024, 512))
    pair.paste(one, (0, 0))
    pair.paste(one, (512, 0))
    yield Case("two side by side", pair, 2)
    noise = np.random.default_rng(0).normal(0, 25, (512, 512, 3))
    yield Case("astronaut in noise", Image.fromarray(np.clip(np.asarray(one) + noise, 0, 255).astype(np.uint8)), 1)


def nobody() -> Iterator[Case]:
    for name in NOBODY:
        yield Case(name, Image.fromarray(getattr(data, name)()), 0)


def groups(folder: Path) -> Iterator[Case]:
    archive = npm_archive("@vladmandic/face-api", "1.7.15", folder)
    for name, people in GROUPS.items():
        with tarball_member(archive, f"package/demo/{name}.jpg") as file:
            yield Case(name, Image.open(file).convert("RGB"), people)


async def counted(runner: Runner, media: Media, encoder: Encoder) -> tuple[int, list[str]]:
    """How many observations, and their texts."""
    encoding = await runner.encode(media, encoder)
    assert encoding.failure is None, encoding.failure
    found = [o.text for o in encoding.observations if o.kind != "unobserved"]
    return len(found), found


def timed(runner: Runner, media: Media, encoder: Encoder, rounds: int) -> tuple[float, float]:
    """Milliseconds of the encoder's function alone, decoding included, and through the runner; medians."""
    parameters = encoder.bind()
    alone, framed = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        excerpt = excerpt_of(
            encoder,
            media,
            runner.store.path(media),
            where=Locator(),
            parameters=parameters,
            settings=runner.settings,
            deadline=Deadline(),
        )
        with suppress(Unobservable):
            list(encoder.encode(excerpt, **parameters))
        alone.append(time.perf_counter() - start)
        start = time.perf_counter()
        asyncio.run(runner.encode(media, encoder))
        framed.append(time.perf_counter() - start)
    return float(np.median(alone)) * 1000, float(np.median(framed)) * 1000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", action="store_true", help="photographs of groups too; needs npm and the network")
    parser.add_argument("--each", action="store_true", help="one line a picture")
    arguments = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "weights").symlink_to(Settings().weights_dir)
        settings = Settings(cache_dir=place, biometrics=True)
        runner = Runner(ObservationStore.open(settings), ENCODERS, settings=settings, cache=False)
        sets = {"astronaut": list(astronauts()), "nobody": list(nobody())}
        if arguments.groups:
            sets["groups"] = list(groups(place))
        for name, pictures in sets.items():
            count(runner, name, pictures, each=arguments.each)
        one = ingest(sets["astronaut"][0].picture, runner.store)
        for encoder in ENCODERS:
            alone, framed = timed(runner, one, encoder, 15)
            print(f"{encoder.name:<18}{alone:6.1f} ms alone, {framed:6.1f} ms through the runner, astronaut 512 x 512")


def count(runner: Runner, name: str, pictures: list[Case], *, each: bool) -> None:
    people = sum(case.people for case in pictures)
    print(f"{name}: {len(pictures)} pictures, {people} people")
    for encoder in ENCODERS:
        numbers, happy = [], 0
        for case in pictures:
            number, texts = asyncio.run(counted(runner, ingest(case.picture, runner.store), encoder))
            numbers.append(number)
            happy += sum("happy" in text for text in texts)
            if each:
                print(f"    {encoder.name:<18}{number:3d}, {case.people} people, {case.name}", flush=True)
        if encoder is hands:
            print(f"  {encoder.name:<18}{sum(numbers)} hands found; nobody has counted how many there are", flush=True)
            continue
        found = sum(min(number, case.people) for number, case in zip(numbers, pictures, strict=True))
        told = f", {happy} called happy" if encoder is expression else ""
        print(f"  {encoder.name:<18}{found} of {people} found, {sum(numbers) - found} too many{told}", flush=True)


if __name__ == "__main__":
    main()
