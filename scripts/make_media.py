"""Makes the example media and the ten scenes of the benchmark again: drawn pictures, spoken recordings, texts.

Needs espeak-ng (Debian: apt-get install espeak-ng), the DejaVu fonts, and for the example picture the CC0 photograph
`coffee.png` that scikit-image ships (pip download scikit-image, then unzip skimage/data/coffee.png).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
FONTS = Path("/usr/share/fonts/truetype/dejavu")

# id: (what, ...): pictures are (background, ink, lines), recordings (voice, words), texts and tables their content.
MEDIA: dict[str, tuple[str, ...]] = {
    "01-platform/board.png": (
        "picture",
        "#10253f",
        "#ffd54a",
        "DEPARTURES|10:42  York  Platform 4|11:05  Leeds  Platform 2",
    ),
    "01-platform/announcement.wav": (
        "speech",
        "en-gb",
        "Attention please. The ten forty two train to York will now leave from platform six. Platform six.",
    ),
    "02-dentist/card.png": (
        "picture",
        "#f4f8fb",
        "#1d4e6b",
        "Dr. Miller, dentist|Appointment: Tuesday 3 March|at 9:30",
    ),
    "02-dentist/call.wav": (
        "speech",
        "en-us+f3",
        "Hello, this is the dentist. We have to move your appointment on Tuesday. "
        "Please come at eleven o'clock instead.",
    ),
    "03-menu/menu.png": ("picture", "#fbf3e4", "#4a2b12", "TODAY|Tomato soup  4.50 euro|Fish pie  9.80 euro"),
    "03-menu/note.md": (
        "text",
        "# Note to the waiters\n\nThe board was written last week. Since Monday the tomato soup costs 5.20 euro. "
        "The fish pie stays as it is.\n",
    ),
    "04-exam/list.txt": (
        "text",
        "Exam plan, posted on 2 May.\n\nBiology: Monday, room 12.\n\nHistory: Tuesday, room 3.\n",
    ),
    "04-exam/recording.wav": (
        "speech",
        "en-gb",
        "A change to the exam plan. The biology exam on Monday will be in room seven, "
        "because room twelve is being painted.",
    ),
    "05-parcel/label.png": ("picture", "#ffffff", "#111111", "PARCEL 5518|Pick-up point:|Oak Street Bakery"),
    "05-parcel/message.wav": (
        "speech",
        "en-us",
        "Hi, your parcel has arrived. You can collect it until Friday at eight in the evening.",
    ),
    "06-concert/poster.png": ("picture", "#2b1240", "#ffffff", "SUMMER CONCERT|The River Band|Town Park, stage 2"),
    "06-concert/mail.txt": (
        "text",
        "Hello Ben,\n\nthe concert in the park starts at 7 pm on Saturday. I will bring a blanket.\n\nBest, Lisa\n",
    ),
    "07-recipe/recipe.md": (
        "text",
        "# Apple cake\n\nMix 200 grams of flour, three eggs and four apples.\n\nBake it until it is golden brown.\n",
    ),
    "07-recipe/voice.wav": (
        "speech",
        "en-us+f3",
        "About the apple cake. Set the oven to one hundred and eighty degrees, and leave it in for forty minutes.",
    ),
    "08-oeffnung/schild.png": (
        "picture",
        "#e8f1e4",
        "#173d1c",
        "STADTBIBLIOTHEK|Mo bis Fr 9 bis 18 Uhr|Eingang: Gartenweg 5",
    ),
    "08-oeffnung/hinweis.txt": (
        "text",
        "Liebe Leserinnen und Leser,\n\ndie neue Leiterin der Stadtbibliothek heißt Frau Sommer.\n\n"
        "Bücher können vier Wochen lang ausgeliehen werden.\n",
    ),
    "09-sales/sales.csv": (
        "text",
        "month,shop,sales\nJanuary,North,120\nJanuary,South,95\nFebruary,North,80\nFebruary,South,140\n",
    ),
    "09-sales/memo.wav": (
        "speech",
        "en-gb",
        "Good morning. The manager of the north shop is Mister Brown. The south shop is run by Missis Green.",
    ),
    "10-lost/notice.png": ("picture", "#fff8d6", "#333333", "LOST CAT|Black, white paws|Answers to Milo"),
    "10-lost/answer.wav": (
        "speech",
        "en-us",
        "Good evening. I think I saw your cat this morning. It was sitting behind the school, next to the red bicycle.",
    ),
}

SCENES: list[dict[str, object]] = [
    {
        "id": "01-platform",
        "question": "From which platform does the 10:42 train to York leave?",
        "conflict": True,
        "right": r"\b(6|six)\b",
        "wrong": r"\b(4|four)\b",
        "why": "The announcement was made after the board was set.",
    },
    {
        "id": "02-dentist",
        "question": "At what time is the dentist appointment on Tuesday?",
        "conflict": True,
        "right": r"\b(11|eleven)\b",
        "wrong": r"9[:.]30|half past nine",
        "why": "The call moves the appointment that the card states.",
    },
    {
        "id": "03-menu",
        "question": "How much does the tomato soup cost now?",
        "conflict": True,
        "right": r"5[.,]20",
        "wrong": r"4[.,]50",
        "why": "The note says that the board is older.",
    },
    {
        "id": "04-exam",
        "question": "In which room is the biology exam?",
        "conflict": True,
        "right": r"\b(7|seven)\b",
        "wrong": r"\b(12|twelve)\b",
        "why": "The recording announces a change to the plan.",
    },
    {
        "id": "05-parcel",
        "question": "Where can the parcel be collected, and until when?",
        "conflict": False,
        "right": r"(?=.*oak street)(?=.*friday)",
        "why": "The label names the place, the message the time.",
    },
    {
        "id": "06-concert",
        "question": "Who plays at the concert, and when does it start?",
        "conflict": False,
        "right": r"(?=.*river band)(?=.*\b(7|seven|19)\b)",
        "why": "The poster names the band, the mail the time.",
    },
    {
        "id": "07-recipe",
        "question": "How long does the apple cake stay in the oven, and how many eggs are in it?",
        "conflict": False,
        "right": r"(?=.*\b(40|forty)\b)(?=.*\b(3|three)\b)",
        "why": "The voice says how long, the recipe how many.",
    },
    {
        "id": "08-oeffnung",
        "question": "Wo ist der Eingang der Stadtbibliothek?",
        "conflict": False,
        "right": r"gartenweg 5",
        "why": "Only the sign says it; the text is about other things.",
    },
    {
        "id": "09-sales",
        "question": "Who is the manager of the shop that sold most in February?",
        "conflict": False,
        "right": r"green",
        "why": "The table says South, the memo who runs it.",
    },
    {
        "id": "10-lost",
        "question": "What is the name of the lost cat, and where was it seen?",
        "conflict": False,
        "right": r"(?=.*milo)(?=.*school)",
        "why": "The notice has the name, the answer the place.",
    },
]


def draw(path: Path, background: str, ink: str, lines: list[str], width: int = 760) -> None:
    """A sign: centred lines, the first in bold."""
    height = 90 + 84 * len(lines)
    picture = Image.new("RGB", (width, height), background)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((12, 12, width - 13, height - 13), outline=ink, width=4)
    for row, line in enumerate(lines):
        font = ImageFont.truetype(FONTS / ("DejaVuSans-Bold.ttf" if row == 0 else "DejaVuSans.ttf"), 40)
        pen.text((width / 2, 88 + 84 * row), line, fill=ink, font=font, anchor="mm")
    picture.quantize(32).save(path, optimize=True)


def speak(path: Path, voice: str, words: str) -> None:
    """A recording of 16 kHz mono 16-bit."""
    loud = path.with_suffix(".raw.wav")
    subprocess.run(["espeak-ng", "-v", voice, "-s", "145", "-w", str(loud), words], check=True)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(loud)) as container:
        frames = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    frames += [piece.to_ndarray() for piece in resampler.resample(None)]
    loud.unlink()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.concatenate(frames, axis=1).astype("<i2").tobytes())


def make_scenes(folder: Path) -> None:
    """The ten scenes and their manifest."""
    for name, (kind, *content) in MEDIA.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "picture":
            draw(path, content[0], content[1], content[2].split("|"))
        elif kind == "speech":
            speak(path, content[0], content[1])
        else:
            path.write_text(content[0], encoding="utf-8")
    manifest = [{**scene, "media": [name for name in MEDIA if name.startswith(f"{scene['id']}/")]} for scene in SCENES]
    (folder / "scenes.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def make_example(folder: Path, photograph: Path) -> None:
    """A photograph with a sign that says where, and a message that says when."""
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(photograph) as opened:
        picture = Image.new("RGB", (opened.width, opened.height + 190), "#f7efe2")
        picture.paste(opened.convert("RGB"), (0, 190))
    pen = ImageDraw.Draw(picture)
    centre = picture.width / 2
    bold, plain = FONTS / "DejaVuSerif-Bold.ttf", FONTS / "DejaVuSans.ttf"
    pen.rectangle((10, 10, picture.width - 11, 180), outline="#5b3216", width=4)
    pen.text((centre, 60), "CAFE AURORA", fill="#5b3216", font=ImageFont.truetype(bold, 46), anchor="mm")
    pen.text((centre, 130), "Book club: upper room", fill="#222", font=ImageFont.truetype(plain, 40), anchor="mm")
    picture.quantize(128).save(folder / "scene.png", optimize=True)
    words = "Hi Sam, this is Anna. The book club meets on Thursday, at half past six. Please bring a cake."
    speak(folder / "call.wav", "en-us+f3", words)


def main() -> None:
    """Makes what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photograph", type=Path, help="coffee.png; without it the example media stay as they are")
    arguments = parser.parse_args()
    make_scenes(ROOT / "benchmarks" / "scenes")
    if arguments.photograph:
        make_example(ROOT / "examples" / "media", arguments.photograph)


if __name__ == "__main__":
    main()
