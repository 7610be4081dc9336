"""The records of `questions/questions.toml` as real media: signs, speech, films, tables, documents, texts.

As a script: makes them in a folder, with --record speaks the recordings anew first (needs espeak-ng), with --check
encodes all of them, and says which evidence the encoders do not find.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import io
import random
import subprocess
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from consilience.graphs import Workbench

from consilience.evaluation import Question, says
from consilience.fusion import content_words
from consilience.observations import ingest

HERE = Path(__file__).resolve().parent / "questions"
MANIFEST = HERE / "questions.toml"
RECORDINGS = HERE / "recordings"
MADE = HERE.parent.parent / ".cache" / "questions"

_VOICES = ("en-us", "en-us+f3", "en-us+f4")
_COLOURS = (("#10253f", "#ffd54a"), ("#f4f8fb", "#1d4e6b"), ("#fbf3e4", "#4a2b12"), ("#ffffff", "#111111"))
_SLIDE_SECONDS, _FRAMES = 3.0, 10
_SIDE = (640, 360)
RATE = 48_000
_ENOUGH = 0.75
"""Share of the evidence's content words that has to be observed: a transcript may have a word wrong."""
_EPOCH = (2026, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Medium:
    """One medium of a record, and what it is to say."""

    record: str
    name: str
    content: str

    @property
    def drawn(self) -> random.Random:
        """What its looks and its voice are drawn with; the same on every machine."""
        return random.Random(f"{self.record}/{self.name}")

    @property
    def slides(self) -> list[str]:
        """Of a film: what is shown, one after the other."""
        return self.content.split("\n---\n")[:-1]

    @property
    def speech(self) -> str:
        """Of a recording or a film: what is said."""
        return self.content.split("\n---\n")[-1]

    @property
    def recording(self) -> Path:
        """Where its voice is kept."""
        return (RECORDINGS / f"{self.record}-{self.name}").with_suffix(".ogg")


def records() -> list[dict[str, Any]]:
    """The manifest as it stands."""
    found: list[dict[str, Any]] = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["record"]
    return found


def media() -> Iterator[Medium]:
    """Every medium of the manifest."""
    for record in records():
        yield from (Medium(record["id"], name, content) for name, content in record["media"].items())


def made() -> tuple[Question, ...]:
    """The questions, their media in a folder that is of this manifest, this module and these recordings alone."""
    sources = [MANIFEST, Path(__file__), *sorted(RECORDINGS.iterdir())]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return questions(MADE / digest)


def questions(folder: Path) -> tuple[Question, ...]:
    """The questions, their media made in `folder` where they are not there yet."""
    for medium in media():
        make(medium, folder / medium.record / medium.name)
    return tuple(
        Question.model_validate(
            {
                **{key: value for key, value in told.items() if key in Question.model_fields},
                "id": f"{record['id']}-{number}",
                "record": record["id"],
                "split": record["split"],
                "media": tuple(folder / record["id"] / name for name in record["media"]),
            }
        )
        for record in records()
        for number, told in enumerate(record["question"], 1)
    )


def make(medium: Medium, path: Path) -> None:
    """Makes a medium; one that is there stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _MAKERS[path.suffix](medium) if path.suffix in _MAKERS else medium.content.encode()
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def _picture(medium: Medium) -> bytes:
    from PIL import Image

    if medium.content.startswith("photograph: "):
        return _photograph(medium.content.partition(": ")[2])
    drawn = io.BytesIO()
    picture: Image.Image = _sign(medium.content.split("\n"), medium.drawn.choice(_COLOURS))
    picture.quantize(32).save(drawn, "PNG", optimize=True)
    return drawn.getvalue()


def _photograph(name: str) -> bytes:
    import skimage

    return (Path(skimage.__file__).parent / "data" / name).read_bytes()


def _sign(lines: Sequence[str], colours: tuple[str, str], size: tuple[int, int] | None = None) -> Any:
    """Centred lines, the first one larger."""
    from PIL import Image, ImageDraw, ImageFont

    ground, ink = colours
    width, height = size or (860, 110 + 80 * len(lines))
    picture = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((10, 10, width - 11, height - 11), outline=ink, width=4)
    top = (height - 80 * (len(lines) - 1)) / 2
    for row, line in enumerate(lines):
        # Pillow's own face: nothing has to be installed.
        font = ImageFont.load_default(size=46 if row == 0 else 40)
        pen.text((width / 2, top + 80 * row), line, fill=ink, font=font, anchor="mm")
    return picture


def _film(medium: Medium) -> bytes:
    """Slides for three seconds each at least, the last one as long as the voice goes on."""
    import av
    import numpy as np

    voice = samples(medium.recording)
    seconds = max(_SLIDE_SECONDS * len(medium.slides), len(voice) / RATE)
    written = io.BytesIO()
    with av.open(written, "w", format="mp4", options={"fflags": "+bitexact"}) as film:
        shown = film.add_stream("libx264", rate=_FRAMES, options={"crf": "28", "threads": "1"})
        shown.width, shown.height, shown.pix_fmt = *_SIDE, "yuv420p"
        heard = film.add_stream("aac", rate=RATE, layout="mono", options={"flags": "+bitexact"})
        # In turn dark and light, so that a slide is a shot.
        signs = [_sign(slide.split("\n"), _COLOURS[i % 2], _SIDE) for i, slide in enumerate(medium.slides)]
        pictures = [np.asarray(sign) for sign in signs]
        for number in range(round(seconds * _FRAMES)):
            at = min(len(pictures) - 1, int(number / _FRAMES / _SLIDE_SECONDS))
            film.mux(shown.encode(av.VideoFrame.from_ndarray(pictures[at], format="rgb24")))
        film.mux(shown.encode(None))
        for start in range(0, len(voice), 1024):
            frame = av.AudioFrame.from_ndarray(voice[None, start : start + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            film.mux(heard.encode(frame))
        film.mux(heard.encode(None))
    return written.getvalue()


def samples(recording: Path) -> Any:
    """16-bit mono samples at `RATE`, shape (n,)."""
    import av
    import numpy as np

    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(recording)) as container:
        frames = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    frames += [piece.to_ndarray() for piece in resampler.resample(None)]
    return np.concatenate(frames, axis=1)[0]


def _pdf(medium: Medium) -> bytes:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    written, styles = io.BytesIO(), getSampleStyleSheet()
    heading, *paragraphs = medium.content.split("\n\n")
    story: list[Any] = [Paragraph(heading, styles["Title"])]
    for paragraph in paragraphs:
        story += [Paragraph(paragraph, styles["BodyText"]), Spacer(1, 12)]
    SimpleDocTemplate(written, invariant=1).build(story)
    return written.getvalue()


def _word(medium: Medium) -> bytes:
    from docx import Document

    written, document = io.BytesIO(), Document()
    heading, *paragraphs = medium.content.split("\n\n")
    document.add_heading(heading, level=1)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.save(written)
    return _undated(written.getvalue())


def _sheet(medium: Medium) -> bytes:
    import datetime

    import xlsxwriter

    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True})
    book.set_properties({"created": datetime.datetime(*_EPOCH, tzinfo=datetime.UTC)})
    sheet = book.add_worksheet()
    for row, cells in enumerate(csv.reader(io.StringIO(medium.content))):
        for column, cell in enumerate(cells):
            sheet.write(row, column, int(cell) if cell.isdigit() else cell)
    book.close()
    return _undated(written.getvalue())


def _undated(archive: bytes) -> bytes:
    """The same files, without the time at which they were packed: the same medium has the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as given, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in given.namelist():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), given.read(name), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _recording(medium: Medium) -> bytes:
    return medium.recording.read_bytes()


_MAKERS = {".png": _picture, ".mp4": _film, ".pdf": _pdf, ".docx": _word, ".xlsx": _sheet, ".ogg": _recording}


def speak(medium: Medium) -> None:
    """Records the medium's words."""
    record(medium.speech, medium.recording, voice=medium.drawn.choice(_VOICES))


def record(words: str, path: Path, *, voice: str) -> None:
    """Records words in one of espeak-ng's voices: Opus at 16 kbit/s, about 2 kB a second."""
    import av

    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        loud = Path(folder) / "voice.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", "140", "-w", str(loud), words], check=True)
        voice_samples = samples(loud)
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono", bit_rate=16_000)
        frame = av.AudioFrame.from_ndarray(voice_samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def unseen(told: dict[str, Any], lines: Mapping[str, Sequence[str]]) -> list[str]:
    """What a question of the manifest rests on and what the encoders did not observe.

    Args:
        told: the question as the manifest has it.
        lines: what was observed, by the name of the medium.
    """
    if "seen" in told and not any(says(line, told["seen"]) for observed in lines.values() for line in observed):
        return [told["seen"]]
    missing = []
    for name, quoted in told.get("evidence", {}).items():
        # A comma between two cells is no decimal sign.
        wanted, there = content_words(quoted.replace(",", ", ")), content_words(" ".join(lines[name]))
        if "seen" not in told and len(wanted & there) < _ENOUGH * len(wanted):
            missing.append(f"{name}: {quoted}")
    for part in wordings(told) if "seen" not in told else ():
        if not any(says(" ".join(lines[name]), wording) for name in told["evidence"] for wording in part):
            missing.append(f"none of {part}")
    return missing


def wordings(told: dict[str, Any]) -> list[list[str]]:
    """The parts of the right answer as the evidence words them."""
    accepted: list[list[str]] = [[told["wording"]]] if "wording" in told else told.get("accepted", [])
    return accepted


async def observed(bench: Workbench, question: Question) -> dict[str, list[str]]:
    """What all encoders observe, by the name of the medium."""
    media = [ingest(path, bench.store, limits=bench.settings.limits) for path in question.media]
    lines: dict[str, list[str]] = {medium.name: [] for medium in media}
    async for encoding in bench.runner.perceive(media):
        lines[encoding.media.name] += [observation.text for observation in encoding.observations]
    return lines


async def check(everything: Sequence[Question]) -> int:
    """Encodes every record, prints what is missing, and gives how many questions miss something."""
    manifest = {f"{record['id']}-{i}": told for record in records() for i, told in enumerate(record["question"], 1)}
    wanting = 0
    lines: dict[str, dict[str, list[str]]] = {}
    async with Workbench() as bench:
        for question in everything:
            if question.record not in lines:
                lines[question.record] = await observed(bench, question)
            missing = unseen(manifest[question.id], lines[question.record])
            wanting += bool(missing)
            for what in missing:
                print(f"{question.id}: {what}", flush=True)
    return wanting


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where to make the media")
    parser.add_argument("--record", action="store_true", help="speak all recordings anew first")
    parser.add_argument("--check", action="store_true", help="encode all, and say what of the evidence is not observed")
    arguments = parser.parse_args()
    if arguments.record:
        for medium in media():
            if Path(medium.name).suffix in (".ogg", ".mp4"):
                speak(medium)
    everything = questions(arguments.folder) if arguments.folder else made()
    print(f"{len(everything)} questions, the first one's media in {everything[0].media[0].parent}")
    if arguments.check:
        print(f"{asyncio.run(check(everything))} of {len(everything)} questions miss evidence")


if __name__ == "__main__":
    main()
