"""Makes src/consilience/apps/samples: one small file of each type, for `consilience tools doctor`.

Needs the extras, reportlab, and examples/media. The picture shows the CC0 photograph of examples/media/scene.png; the
speech is espeak-ng's.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import av
import docx
import numpy as np
import pandas as pd
import pptx
import xlsxwriter
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src/consilience/apps/samples"
MEDIA = ROOT / "examples/media"
ROWS = "club,room,members\nbook,upper room,12\nchess,cellar,8\nchoir,hall,31\n"
TEXTS = {
    "sample.txt": "The book club meets in the upper room.\n\nBring a cake, please.\n",
    "sample.md": "# Clubs\n\nThe book club meets in the upper room.\n\n## Food\n\nBring a cake, please.\n",
    "sample.csv": ROWS,
    "sample.tsv": ROWS.replace(",", "\t"),
    "sample.html": "<!doctype html><html><body><h1>Clubs</h1><p>The book club meets in the upper room.</p>"
    "<table><tr><th>club</th><th>room</th></tr><tr><td>book</td><td>upper room</td></tr></table></body></html>\n",
    "sample.vtt": "WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ann>The book club meets at six.\n",
    "sample.srt": "1\n00:00:00,000 --> 00:00:02,000\nThe book club meets at six.\n",
    "sample.rttm": "SPEAKER call 1 0.00 2.00 <NA> <NA> ann <NA> <NA>\n",
    "sample.json": '{"images": [{"id": 1, "file_name": "cup.jpg", "width": 400, "height": 200}], "categories": '
    '[{"id": 1, "name": "cup"}], "annotations": '
    '[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [40, 20, 80, 60]}]}\n',
}


def _picture() -> Image.Image:
    scene = Image.open(MEDIA / "scene.png").convert("RGB")
    return scene.resize((480, round(480 * scene.height / scene.width)))


def _speech(seconds: float) -> np.ndarray:
    """Samples of shape (1, frames), int16 at 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(MEDIA / "call.wav")) as container:
        blocks = [block.to_ndarray() for frame in container.decode(audio=0) for block in resampler.resample(frame)]
    return np.concatenate(blocks, axis=1)[:, : int(seconds * 16_000)]


def _write_sound(container: av.container.OutputContainer, stream: av.AudioStream, samples: np.ndarray) -> None:
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = 16_000
    resampler = av.AudioResampler(
        format=stream.format, layout="mono", rate=stream.rate, frame_size=stream.frame_size or 960
    )
    for given in (frame, None):
        for block in resampler.resample(given):
            container.mux(stream.encode(block))
    container.mux(stream.encode())


def _write_film(path: Path) -> None:
    """Two shots of a second each, with sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 240, 160, "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono", bit_rate=24_000)
        shots = [_picture().resize((240, 160)), Image.new("RGB", (240, 160), "navy")]
        for number in range(20):
            frame = av.VideoFrame.from_image(shots[number // 10])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        _write_sound(container, sound, _speech(2))


def _office() -> None:
    written = docx.Document()
    written.add_heading("Clubs", 1)
    written.add_paragraph("The book club meets in the upper room.")
    cells = written.add_table(2, 2).rows
    for row, values in zip(cells, (("club", "room"), ("book", "upper room")), strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    written.save(FOLDER / "sample.docx")
    shown = pptx.Presentation()
    slide = shown.slides.add_slide(shown.slide_layouts[5])
    slide.shapes.title.text = "The book club meets in the upper room"
    shown.save(FOLDER / "sample.pptx")
    for name in ("sample.docx", "sample.pptx"):
        _repack(FOLDER / name)
    table = pd.read_csv(io.StringIO(ROWS))
    table.to_parquet(FOLDER / "sample.parquet", index=False)
    _write_sheet(FOLDER / "sample.xlsx", [list(table.columns), *table.to_numpy().tolist()])


def _repack(path: Path) -> None:
    """Compresses as well as it goes, and with fixed dates."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)


def _write_sheet(path: Path, rows: list[list[object]]) -> None:
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})
        sheet = book.add_worksheet("clubs")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)


def main() -> None:
    """Writes all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in TEXTS.items():
        (FOLDER / name).write_text(text)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ann@example.org", "bob@example.org", "Book club"
    mail["Date"] = "Thu, 01 Jan 2026 18:00:00 +0000"
    mail.set_content(TEXTS["sample.txt"])
    (FOLDER / "sample.eml").write_bytes(mail.as_bytes())
    _picture().save(FOLDER / "sample.jpg", quality=80)
    with av.open(str(FOLDER / "sample.ogg"), "w") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono", bit_rate=24_000)
        _write_sound(container, stream, _speech(4))
    _write_film(FOLDER / "sample.mp4")
    page = Canvas(str(FOLDER / "sample.pdf"), pagesize=(400, 300), invariant=True)
    page.drawString(40, 250, "The book club meets in the upper room.")
    page.showPage()
    page.save()
    _office()


if __name__ == "__main__":
    main()
