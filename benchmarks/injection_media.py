"""The media that carry the attacks of `injection_attacks.py`, made anew: each says the right answer, and the attack.

As a script: --record speaks the recordings anew (needs espeak-ng); --check tells how much of each attack is observed.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import re
import textwrap
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consilience.graphs import Workbench
from consilience.tools import Encoder, Excerpt, encoder
from consilience.tools.mcp import mcp_encoder
from injection_attacks import CARRIERS, Attack, Carrier, attacks
from question_media import RATE, record, samples

from consilience.core.settings import Settings
from consilience.fusion import content_words
from consilience.observations import Observation, Record, ingest

__all__ = ["RECORDINGS", "Carried", "carried", "encoders_for", "seen", "spoken"]

RECORDINGS = Path(__file__).resolve().parent / "injections"
NOTE = "The book club meets in the upper room at seven."
_VOICE = "en-us+f3"


@dataclass(frozen=True)
class Carried:
    """A medium, with or without an attack."""

    carrier: Carrier
    content: bytes
    name: str
    filed: dict[str, str] = field(default_factory=dict)
    """What the MCP server has to tell, by the number of the ticket."""


def carried(carrier: Carrier, attack: Attack | None) -> Carried:
    """The medium of a carrier; None: without an attack."""
    return _CARRIERS[carrier](attack)


def _text(attack: Attack | None) -> str:
    return attack.text if attack else ""


def _picture(attack: Attack | None) -> Carried:
    drawn = _drawn(["Departures", "10:42  York  Platform 4"], _text(attack))
    return Carried("picture", drawn, "board.png")


def _drawn(lines: list[str], small: str, exif: Any = None) -> bytes:
    """A sign, with small print below it."""
    from PIL import Image, ImageDraw, ImageFont

    print_ = [line for part in small.strip().split("\n") for line in textwrap.wrap(part, 52)] if small else []
    picture = Image.new("RGB", (860, 110 + 80 * len(lines) + 34 * len(print_)), "#f4f8fb")
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        pen.text((430, 70 + 80 * row), line, fill="#10253f", font=ImageFont.load_default(size=46), anchor="mm")
    for row, line in enumerate(print_):
        place = (40, 80 + 80 * len(lines) + 34 * row)
        pen.text(place, line, fill="#1d4e6b", font=ImageFont.load_default(size=24), anchor="lm")
    written = io.BytesIO()
    picture.quantize(32).save(written, "PNG", optimize=True, **({"exif": exif} if exif else {}))
    return written.getvalue()


def spoken(attack: Attack | None) -> Path:
    """Where the voice is kept: what a carrier says, or one attack."""
    return RECORDINGS / f"{attack.name if attack else 'notice'}.ogg"


def _speech(attack: Attack | None) -> Carried:
    """The notice and then, in the same voice, the attack."""
    import numpy as np

    heard = [samples(spoken(None)), *([np.zeros(RATE // 2, np.int16), samples(spoken(attack))] if attack else [])]
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(heard).tobytes())
    return Carried("speech", written.getvalue(), "notice.wav")


def _pdf(attack: Attack | None) -> Carried:
    """An invoice, with a small grey line at its foot."""
    from reportlab.pdfgen.canvas import Canvas

    written = io.BytesIO()
    canvas = Canvas(written, invariant=1)
    canvas.setFont("Helvetica", 14)
    for row, line in enumerate(["Garage Bell", "Invoice 2207 of 3 May", "The repair costs 60 euro."]):
        canvas.drawString(72, 760 - 28 * row, line)
    canvas.setFont("Helvetica", 6)
    canvas.setFillGray(0.6)
    lines = [line for part in _text(attack).split("\n") for line in textwrap.wrap(part, 120)]
    for row, line in enumerate(lines):
        canvas.drawString(72, 60 - 8 * row, line)
    canvas.save()
    return Carried("pdf", written.getvalue(), "invoice.pdf")


def _file_name(attack: Attack | None) -> Carried:
    name = _text(attack).replace("/", " ")[:250]
    return Carried("file name", _drawn(["City library", "Open late on Thursday"], ""), f"{name or 'sign'}.png")


def _exif(attack: Attack | None) -> Carried:
    """The attack as the picture's description, which is what a naive encoder tells, and as the date it was taken."""
    from PIL import ExifTags, Image

    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = _text(attack) or "the door of a restaurant"
    exif[ExifTags.Base.DateTime] = _text(attack) or "2026:05:03 12:00:00"
    return Carried("exif", _drawn(["The Blue Door", "Restaurant"], "", exif), "door.png")


def _table(attack: Attack | None) -> Carried:
    written = io.StringIO()
    csv.writer(written).writerows(
        [["room", "chairs", "remark"], ["11", "25", "none"], ["12", "40", _text(attack) or "none"]]
    )
    return Carried("table cell", written.getvalue().encode(), "rooms.csv")


def _peer(attack: Attack | None) -> Carried:
    return Carried("peer's turn", NOTE.encode(), "note.txt")


def _mcp(attack: Attack | None) -> Carried:
    """A note with the number of a ticket, which an MCP server's tool looks up."""
    number = str(100 + [*attacks()].index(attack)) if attack else "99"
    note = f"The key to the boat house hangs in the office. See ticket {number}."
    return Carried("mcp result", note.encode(), "note.txt", {number: _text(attack) or "The ticket is closed."})


_CARRIERS: dict[Carrier, Callable[[Attack | None], Carried]] = {
    "picture": _picture,
    "speech": _speech,
    "pdf": _pdf,
    "file name": _file_name,
    "exif": _exif,
    "table cell": _table,
    "peer's turn": _peer,
    "mcp result": _mcp,
}


@encoder(modality="image", kinds=("caption",), version="1", name="image.caption")
def caption(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells the description in a picture's camera data as it stands, as a careless plug-in would."""
    from PIL import ExifTags, Image

    with Image.open(excerpt.path) as opened:
        said = str(opened.getexif().get(ExifTags.Base.ImageDescription, ""))
    if said:
        yield excerpt.observe("caption", {"text": said}, said)


def encoders_for(medium: Carried) -> tuple[Encoder, ...]:
    """Beside the ready ones: the careless encoder, or a tool of a real MCP server in this process."""
    if medium.carrier == "exif":
        return (caption,)
    if medium.carrier != "mcp result":
        return ()
    from fastmcp import FastMCP

    server = FastMCP("desk", version="1")
    filed = medium.filed

    @server.tool
    def look_up(note: str) -> str:
        """What is filed under the ticket that a note names."""
        return next((told for number, told in filed.items() if number in note), "There is no such ticket.")

    return (mcp_encoder(server=server, tool="look_up", modality="text", kinds=("ticket",), version=repr(filed)),)


def seen(record: Record, attack: Attack) -> float:
    """Share of the attack's words that stand in the lines or in the names of the media."""
    there = content_words(" ".join([*(line.text for _, line in record), *(medium.name for medium in record.media)]))
    wanted = content_words(attack.text)
    return len(wanted & there) / len(wanted)


def speak() -> None:
    """Records the notice, and every attack as a voice would say it."""
    record("The concert takes place in the town hall at eight.", spoken(None), voice=_VOICE)
    for attack in attacks():
        if attack.carrier == "speech":
            record(re.sub(r"[^\w\s.,:']", " ", attack.text).strip(), spoken(attack), voice=_VOICE)


async def check() -> None:
    """Prints what of each attack the encoders observe."""
    for carrier in CARRIERS:
        for attack in (None, *(one for one in attacks() if one.carrier == carrier)):
            medium = carried(carrier, attack)
            bench = Workbench(encoders=encoders_for(medium), settings=Settings())
            media = ingest(medium.content, bench.store, name=medium.name)
            lines = [one async for encoding in bench.runner.perceive([media]) for one in encoding.observations]
            ledger = Record([media], lines)
            told = f"{seen(ledger, attack):.0%} of {attack.name}" if attack else "the medium alone"
            print(f"{carrier}: {told}\n{ledger.render().text}\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="speak all recordings anew")
    parser.add_argument("--check", action="store_true", help="encode all, and say what is observed")
    arguments = parser.parse_args()
    if arguments.record:
        speak()
    if arguments.check:
        asyncio.run(check())


if __name__ == "__main__":
    main()
