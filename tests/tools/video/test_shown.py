"""What an answer shows of films and documents: marked key frames and pages, clips of sound and film."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from consilience.tools import Excerpt
from consilience.tools.decoding.frames import frame_at, frames
from consilience.tools.render import cut_film, show
from PIL import Image

from consilience.core.errors import Unobservable
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Modality, Observation, ObservationStore, TimeRange, ingest

FRAME = np.array((0xD6, 0x00, 0x6C))


def observation(media: Media, modality: Modality, where: str, kind: str = "seen", **value: Any) -> Observation:
    excerpt = Excerpt(media, Path("unread"), Locator.from_fragment(where), modality=modality)
    return excerpt.observe(kind, value, "something")


def shown(store: ObservationStore, media: Media, told: Observation) -> Any:
    return show(told, media, store.path(media), Settings(cache_dir=store.root.parent))


def picture_of(part: Any) -> np.ndarray:
    assert (part.kind, part.mime) == ("crop", "image/png")
    return np.asarray(Image.open(io.BytesIO(part.content)).convert("RGB"), np.int16)


def frame_of(pixels: np.ndarray) -> tuple[float, float, float, float]:
    """Edges of the frame drawn around a region: left, top, right, bottom as fractions."""
    rows, columns = np.nonzero((np.abs(pixels - FRAME) < 3).all(axis=2))
    height, width = pixels.shape[:2]
    return columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height


@pytest.fixture
def film(three_shots: Path, store: ObservationStore) -> Media:
    return ingest(three_shots, store)


def test_a_thing_in_a_key_frame_is_marked_on_it(film: Media, store: ObservationStore) -> None:
    told = observation(film, "image", "t=2.4,2.44&xywh=percent:25,25,50,50")
    pixels = picture_of(shown(store, film, told))
    assert frame_of(pixels) == pytest.approx((0.25, 0.25, 0.75, 0.75), abs=0.06)
    there = np.asarray(frame_at(store.path(film), 2.4), np.int16)
    assert np.abs(pixels[:20] - there[:20]).mean() < 1


def test_what_is_said_in_a_film_is_played(film: Media, store: ObservationStore) -> None:
    part = shown(store, film, observation(film, "audio", "t=1,1.5", kind="seen"))
    assert (part.kind, part.mime) == ("clip", "audio/wav")
    with wave.open(io.BytesIO(part.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(1.0, abs=0.01)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert np.abs(samples).max() > 5000


def test_a_shot_is_shown_by_its_key_frame(film: Media, store: ObservationStore) -> None:
    told = observation(film, "video", "t=2,3", kind="shot", number=2, key_frame=2.48)
    there = np.asarray(frame_at(store.path(film), 2.48), np.int16)
    assert np.abs(picture_of(shown(store, film, told)) - there).mean() < 1


def test_a_track_is_shown_half_way_with_its_place_then(film: Media, store: ObservationStore) -> None:
    points = [{"t": 0.0, "x": 0.1, "y": 0.2, "w": 0.2, "h": 0.4}, {"t": 2.0, "x": 0.5, "y": 0.2, "w": 0.2, "h": 0.4}]
    told = observation(film, "video", "t=0,2", kind="track", label="cat", number=1, points=points)
    assert frame_of(picture_of(shown(store, film, told))) == pytest.approx((0.3, 0.2, 0.5, 0.6), abs=0.06)


def test_a_line_of_a_pdf_is_marked_on_its_page(tmp_path: Path, store: ObservationStore) -> None:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "two.pdf"), pagesize=(400, 200))
    canvas.drawString(20, 20, "one")
    canvas.showPage()
    canvas.setFillColorRGB(0, 0.5, 0)
    canvas.rect(200, 100, 100, 50, fill=1, stroke=0)
    canvas.save()
    media = ingest(tmp_path / "two.pdf", store)
    told = observation(media, "document", "page=2&xywh=percent:50,25,25,25")
    pixels = picture_of(shown(store, media, told))
    assert frame_of(pixels) == pytest.approx((0.5, 0.25, 0.75, 0.5), abs=0.03)
    height, width = pixels.shape[:2]
    assert pixels[int(0.375 * height), int(0.625 * width)] == pytest.approx((0, 128, 0), abs=3)


def test_a_picture_inside_a_document_is_shown(tmp_path: Path, store: ObservationStore) -> None:
    from docx import Document

    Image.new("RGB", (60, 40), "navy").save(tmp_path / "inside.png")
    document = Document()
    document.add_paragraph("A line.")
    document.add_picture(str(tmp_path / "inside.png"))
    document.save(str(tmp_path / "letter.docx"))
    media = ingest(tmp_path / "letter.docx", store)
    where = Locator(track="word/media/image1.png").to_fragment()
    pixels = picture_of(shown(store, media, observation(media, "image", where)))
    assert (pixels == (0, 0, 128)).all()
    assert shown(store, media, observation(media, "document", "char=0,7")) is None


def test_words_have_nothing_to_show(store: ObservationStore) -> None:
    media = ingest("Only words.", store)
    assert shown(store, media, observation(media, "text", "char=0,4")) is None


def test_a_film_is_cut_with_its_sound(three_shots: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(cut_film(three_shots, TimeRange(start=1.5, end=3.5), longest_side=160))
    seen = list(frames(tmp_path / "cut.mp4"))
    assert len(seen) == 50
    assert seen[0][1].size == (160, 90)
    whole = frame_at(three_shots, 2.5).resize((160, 90))
    assert np.abs(np.asarray(seen[25][1], np.int16) - np.asarray(whole, np.int16)).mean() < 12
    with av.open(str(tmp_path / "cut.mp4")) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(2.0, abs=0.1)
        assert len(container.streams.audio) == 1


def test_a_silent_film_is_cut_and_an_empty_range_is_not(tmp_path: Path, cinema: Any) -> None:
    path = cinema.Film(cinema.still("coffee", 10)).write(tmp_path / "silent.mp4")
    (tmp_path / "cut.mp4").write_bytes(cut_film(path, TimeRange(start=0.1, end=0.3)))
    with av.open(str(tmp_path / "cut.mp4")) as container:
        assert not container.streams.audio
    with pytest.raises(Unobservable):
        cut_film(path, TimeRange(start=5, end=6))
