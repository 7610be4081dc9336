"""Documents as programs write them, and a bench to encode them on."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Encoder, Runner
from consilience.tools.document.pdf import pdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen import canvas

from consilience.core.settings import Settings
from consilience.observations import Observation, ObservationStore, ingest

Read = Callable[..., Awaitable[tuple[Observation, ...]]]
DrawnPdf = Callable[[Callable[[Any], None]], bytes]


@pytest.fixture(scope="session")
def sign() -> bytes:
    """PNG of a sign that says PLATFORM SEVEN."""
    picture = Image.new("RGB", (500, 200), "white")
    font = ImageFont.load_default(48)
    ImageDraw.Draw(picture).text((30, 60), "PLATFORM SEVEN", fill="black", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def drawn_pdf() -> DrawnPdf:
    """Bytes of a PDF on which the given function drew with a reportlab canvas, A4 unless it says otherwise."""

    def make(draw: Callable[[Any], None]) -> bytes:
        buffer = io.BytesIO()
        paper = canvas.Canvas(buffer, invariant=1)
        draw(paper)
        paper.save()
        return buffer.getvalue()

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def read(store: ObservationStore, tmp_path: Path) -> Read:
    """Observations of one encoder (of PDFs unless another is named) on a document; a failure fails the test."""

    async def observe(
        content: bytes | Path, encoder: Encoder = pdf, *, name: str | None = None, **options: Any
    ) -> tuple[Observation, ...]:
        runner = Runner(store, [encoder], settings=Settings(cache_dir=tmp_path))
        encoding = await runner.encode(ingest(content, store, name=name), encoder, **options)
        assert encoding.failure is None, encoding.failure
        return encoding.observations

    return observe
