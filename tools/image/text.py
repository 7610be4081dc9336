"""Text in pictures: PP-OCR through RapidOCR, detection, orientation and recognition in one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.observations import Confidence, Locator, Observation, Region

__all__ = ["text"]

_one_at_a_time = threading.Lock()


@encoder(modality="image", kinds=("text",), version="1", cost="medium", extra="image")
def text(excerpt: Excerpt, *, min_score: float = 0.5) -> Iterator[Observation]:
    """Reads the lines of text in a picture, each with its box."""
    import numpy as np

    picture = excerpt.image()
    reader = _reader(excerpt.settings.threads)
    # The reader keeps state between its three stages.
    with _one_at_a_time:
        found = reader(np.asarray(picture)[:, :, ::-1])
    lines = zip(found.boxes, found.txts, found.scores, strict=True) if found.txts else ()
    kept = [(box, line.strip(), float(score)) for box, line, score in lines if score >= min_score and line.strip()]
    if not kept:
        raise Unobservable("no readable text in the picture")
    for box, line, score in sorted(kept, key=_reading_order):
        xs, ys = [float(x) for x, _ in box], [float(y) for _, y in box]
        hull = (min(xs), min(ys), max(xs), max(ys))
        region = Region.from_pixels(hull, width=picture.width, height=picture.height)
        yield excerpt.observe(
            "text",
            {"text": line},
            line,
            locator=Locator(region=region),
            confidence=Confidence(value=min(score, 1.0), kind="score"),
        )


def _reading_order(line: tuple[Any, str, float]) -> tuple[int, float]:
    """Rows top to bottom, each left to right; lines whose tops differ by less than half a line are one row."""
    ys = [float(y) for _, y in line[0]]
    height = max(max(ys) - min(ys), 1.0)
    return round(min(ys) / (height / 2)) if height < 8 else int(min(ys) // 12), min(float(x) for x, _ in line[0])


@once
def _reader(threads: int) -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from rapidocr import RapidOCR
    except ImportError as problem:
        raise MissingExtra("rapidocr", "image", "Reading text in pictures") from problem
    # It logs every start at INFO to standard error.
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )
