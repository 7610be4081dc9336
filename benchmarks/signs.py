"""Character error rate of `image.text` on signs and scans, beside RapidOCR alone in the same run, and what it adds.

The pictures: signs drawn in several typefaces, colours, turns and noise; the signs of the ten scenes and the example;
pages of known text as a poor scanner gives them; and scikit-image's photograph of a printed page.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import jiwer
import machine
import numpy as np
import reportlab
from consilience.tools import Runner
from consilience.tools.image.text import text
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from skimage import data

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest

ROOT = Path(__file__).resolve().parent
FACES = sorted(Path(reportlab.__file__).parent.glob("fonts/Vera*.ttf"))
SCENES = {
    "scenes/01-platform/board.png": "DEPARTURES 10:42 York Platform 4 11:05 Leeds Platform 2",
    "scenes/02-dentist/card.png": "Dr. Miller, dentist Appointment: Tuesday 3 March at 9:30",
    "scenes/03-menu/menu.png": "TODAY Tomato soup 4.50 euro Fish pie 9.80 euro",
    "scenes/05-parcel/label.png": "PARCEL 5518 Pick-up point: Oak Street Bakery",
    "scenes/06-concert/poster.png": "SUMMER CONCERT The River Band Town Park, stage 2",
    "scenes/08-oeffnung/schild.png": "STADTBIBLIOTHEK Mo bis Fr 9 bis 18 Uhr Eingang: Gartenweg 5",
    "scenes/10-lost/notice.png": "LOST CAT Black, white paws Answers to Milo",
    "../examples/media/scene.png": "CAFE AURORA Book club: upper room",
}
SIGNS = (
    ("Harbour Street", "Ferries 08:15 and 17:40", "Pier 9 closed until Monday"),
    ("EMERGENCY EXIT", "Keep clear at all times", "Alarm: dial 112"),
    ("Fresh bread daily", "Rye 4.20  Wheat 3.80", "Open from 6:30"),
    ("Gate B27", "Boarding at 21:05", "Last call for Lisbon"),
)
COLOURS = (("black", "white"), ("white", "#1c4a8a"), ("#ffd23f", "#202020"), ("#8a1c1c", "#f3e9d2"))
TURNS = (0, 7, -15, 90, 180, 270)
LEFT = (
    "The committee met on Tuesday in the town hall.",
    "It was agreed to repair the footbridge before",
    "winter, at a cost of no more than 48,500 euro.",
    "The work begins on 14 September.",
)
RIGHT = (
    "Residents of Mill Lane asked for slower traffic.",
    "A speed limit of 30 km/h will be tried for six",
    "months; the police will count the vehicles.",
    "The next meeting is on 3 November at 19:00.",
)
PRINTED = (
    "Region-based segmentation Let us first determine markers of the coins and the background. These markers are "
    "pixels that we can label unambiguously as either object or background. Here, the markers are found at the two "
    "extreme parts of the histogram of grey values: markers = np.zeros_like(coins)"
)


@dataclass(frozen=True)
class Case:
    """A picture and what is written on it."""

    group: str
    name: str
    picture: Image.Image
    written: str


@dataclass(frozen=True)
class Result:
    """What became of one reading."""

    errors: float
    missed: float
    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.errors:6.3f} {self.missed:6.3f}  {self.wall:5.2f} s"


def cases() -> Iterator[Case]:
    """All pictures, always the same."""
    yield from signs()
    for name, written in SCENES.items():
        yield Case("scenes", name, Image.open(ROOT / name).convert("RGB"), written)
    yield from scans()
    yield Case("photograph", "skimage.data.page", Image.fromarray(data.page()).convert("RGB"), PRINTED)


def signs() -> Iterator[Case]:
    random = np.random.default_rng(0)
    for number, turn in enumerate(TURNS * 2):
        lines = SIGNS[number % len(SIGNS)]
        ink, ground = COLOURS[(number // 2) % len(COLOURS)]
        face = FACES[number % len(FACES)]
        picture = Image.new("RGB", (640, 260), ground)
        pen = ImageDraw.Draw(picture)
        for row, line in enumerate(lines):
            pen.text((40, 30 + 70 * row), line, fill=ink, font=ImageFont.truetype(face, 40 if row == 0 else 30))
        noisy = number >= len(TURNS)
        picture = picture.rotate(turn, expand=True, fillcolor=ground, resample=Image.Resampling.BICUBIC)
        name = f"{face.stem}, {ink} on {ground}, turned {turn}{', noise' if noisy else ''}"
        yield Case("signs", name, grain(picture, 18, random) if noisy else picture, " ".join(lines))


def scans() -> Iterator[Case]:
    random = np.random.default_rng(1)
    for skew, blur, noise in ((0.0, 0.0, 0.0), (1.5, 0.7, 8.0), (-2.5, 0.9, 14.0), (4.0, 1.1, 10.0)):
        for columns in (1, 2):
            picture = page(columns)
            picture = picture.rotate(skew, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
            picture = grain(picture.filter(ImageFilter.GaussianBlur(blur)), noise, random)
            name = f"{columns} column{'s' * (columns > 1)}, skew {skew}, blur {blur}, noise {noise:.0f}"
            yield Case("scans", name, picture, " ".join(("Minutes of the council", *LEFT, *RIGHT)))


def page(columns: int) -> Image.Image:
    """A page as at 100 dots an inch."""
    picture = Image.new("RGB", (1150, 520), "white")
    pen, body = ImageDraw.Draw(picture), ImageFont.truetype(FACES[0], 17)
    pen.text((60, 30), "Minutes of the council", fill="black", font=ImageFont.truetype(FACES[0], 30))
    for number, line in enumerate(LEFT + RIGHT):
        column, row = divmod(number, len(LEFT)) if columns == 2 else (0, number)
        pen.text((60 + column * 560, 110 + row * 40), line, fill="black", font=body)
    return picture


def grain(picture: Image.Image, strength: float, random: np.random.Generator) -> Image.Image:
    noise = random.normal(0, strength, (picture.height, picture.width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def alone(threads: int) -> Callable[[Path], str]:
    """RapidOCR as its users call it."""
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    reader = RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": threads})
    return lambda path: " ".join(reader(str(path)).txts or ())


def ours(runner: Runner) -> Callable[[Path], str]:
    """The encoder through the runner, without the cache."""

    def read(path: Path) -> str:
        encoding = asyncio.run(runner.encode(ingest(path, runner.store), text))
        assert encoding.failure is None, encoding.failure
        return " ".join(o.text for o in encoding.observations if o.kind == "text")

    return read


def error(written: str, read: str) -> float:
    """Character error rate; spaces count, how many of them does not."""
    return float(jiwer.cer(" ".join(written.split()), " ".join(read.split()))) if read.strip() else 1.0


def missed(written: str, read: str) -> float:
    """Share of the words that were not read, in whatever order."""
    words = Counter(written.split())
    return (words - Counter(read.split())).total() / words.total()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", action="store_true", help="one line a picture")
    arguments = parser.parse_args()
    print(f"Machine: {machine.describe()}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(cache_dir=Path(folder))
        runner = Runner(ObservationStore.open(settings), [text], settings=settings, cache=False)
        readers = {"RapidOCR": alone(settings.threads), "image.text": ours(runner)}
        measured: dict[str, dict[str, list[Result]]] = {}
        warm = False
        for number, case in enumerate(cases()):
            path = Path(folder) / f"{number}.png"
            case.picture.save(path)
            for name, read in readers.items():
                if not warm:
                    read(path)
                start, spent = time.perf_counter(), time.process_time()
                found = read(path)
                result = Result(
                    error(case.written, found),
                    missed(case.written, found),
                    time.perf_counter() - start,
                    time.process_time() - spent,
                )
                measured.setdefault(case.group, {}).setdefault(name, []).append(result)
                if arguments.each:
                    print(f"  {case.group:<11}{name:<11}{result}  {case.name}", flush=True)
            warm = True
    report(measured)


def report(measured: dict[str, dict[str, list[Result]]]) -> None:
    names = ("RapidOCR", "image.text")
    print(f"{'':<12}{'':>8}  {'character errors':^22}  {'words missed':^22}  {'times RapidOCR':^16}")
    print(f"{'':<12}{'pictures':>8}" + f"  {names[0]:>10}  {names[1]:>10}" * 2 + f"  {'wall':>7}  {'CPU':>7}")
    both = {name: [result for group in measured.values() for result in group[name]] for name in names}
    for group, by in {**measured, "all": both}.items():
        columns = [list(zip(*(astuple(result) for result in by[name]), strict=True)) for name in names]
        means = [sum(column[i]) / len(column[i]) for i in (0, 1) for column in columns]
        ratios = [sum(columns[1][i]) / sum(columns[0][i]) for i in (2, 3)]
        told = "".join(f"  {mean:>10.4f}" for mean in means) + "".join(f"  {ratio:>6.2f}x" for ratio in ratios)
        print(f"{group:<12}{len(by[names[0]]):>8}{told}")


if __name__ == "__main__":
    main()
