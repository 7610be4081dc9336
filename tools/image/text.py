"""Text in pictures: PP-OCR through RapidOCR, detection, orientation and recognition in one."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from consilience.tools.bounds import Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.placement import Frame
from consilience.tools.image.reading_order import Line, reading_order
from pydantic import Field

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.core.telemetry import report_nothing
from consilience.observations import Confidence, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["text"]

_SMALLEST = 6
"""Pixels: lower than this no letter can be told."""
_LONGEST_SHAPE = 8
"""Longer side over shorter; narrower pictures are widened by their edges, or the reader would blow them up."""
_TURNED = 0.9
"""The reader's own threshold for turning a line by 180 degrees."""
_SURE = 0.9
"""Score below which a line is read the other way round as well."""
_TALL = 1.5
"""Height over width from which on the reader takes a line to be on its side."""
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _Read:
    text: str
    score: float
    line: Line

    @property
    def box(self) -> tuple[float, float, float, float]:
        xs, ys = zip(*self.line.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


_Side: TypeAlias = Annotated[int, Field(ge=32, le=8_000)]


@encoder(modality="image", kinds=("text",), version="2", cost="medium", extra="image", packages=("rapidocr",))
def text(excerpt: Excerpt, *, min_score: Share = 0.5, longest_side: _Side = 2000) -> Iterator[Observation]:
    """Reads the lines of text in a picture, each with its box, in the order of reading.

    Args:
        excerpt: a picture, or a region of one.
        min_score: 0 to 1; lines that are read less surely are left out.
        longest_side: pixels; larger pictures are scaled down to it. Raise it, or ask for a region, where print is
            small.
    """
    picture = excerpt.image()
    if min(picture.size) < _SMALLEST:
        raise Unobservable(f"a picture of {picture.width} x {picture.height} pixels is too small to hold text")
    found = [read for read in _read(picture, longest_side, excerpt.settings.threads) if read.score >= min_score]
    if not found:
        raise Unobservable("no readable text in the picture")
    frame = Frame.of(excerpt, picture)
    for number in reading_order([read.line for read in found]):
        read = found[number]
        yield excerpt.observe(
            "text",
            {"text": read.text},
            read.text,
            locator=frame.locator(read.box),
            confidence=Confidence(value=min(read.score, 1.0), kind="score"),
        )


def _read(picture: Image.Image, longest_side: int, threads: int) -> list[_Read]:
    pixels, scale, offset = _canvas(picture, longest_side)
    reader = _reader(threads)
    # The reader keeps state between its three stages.
    with _one_at_a_time:
        found, turned, read, crops = reader.run_ocr_steps(pixels, {})
        if found.boxes is None or read.txts is None:
            return []
        lines = list(zip(read.txts, read.scores, (_is_turned(turn) for turn in turned.cls_res), strict=True))
        unsure = [i for i, (_, score, _) in enumerate(lines) if score < _SURE]
        if unsure:
            # Now and then an upright line is taken for one that is upside down, and read as gibberish.
            flipped = [crops[i] if lines[i][2] else crops[i][::-1, ::-1] for i in unsure]
            again = reader.recognize_txt(flipped)
            for i, words, score in zip(unsure, again.txts, again.scores, strict=True):
                if score > lines[i][1]:
                    lines[i] = (words, score, not lines[i][2])
    boxes = (found.boxes - offset) / scale
    return [
        _Read(" ".join(words.split()), float(score), Line(_corners(box, upside_down=turn), len(words)))
        for box, (words, score, turn) in zip(boxes, lines, strict=True)
        if words.strip()
    ]


def _canvas(picture: Image.Image, longest_side: int) -> tuple[NDArray[np.uint8], float, Any]:
    """Blue-green-red pixels for the reader, their scale, and where the picture's corner lies on them as (x, y)."""
    import numpy as np
    from PIL import Image

    scale = min(1.0, longest_side / max(picture.size))
    width, height = (max(_SMALLEST, round(side * scale)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0) if scale < 1 else picture
    pixels = np.asarray(small)[:, :, ::-1]
    least = max(32, math.ceil(max(width, height) / _LONGEST_SHAPE))
    across, down = (max(0, math.ceil((least - side) / 2)) for side in (width, height))
    if across or down:
        pixels = np.pad(pixels, ((down, down), (across, across), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels), scale, np.array([across, down])


def _is_turned(turn: tuple[str, float]) -> bool:
    label, score = turn
    return "180" in label and score > _TURNED


def _corners(box: Any, *, upside_down: bool) -> tuple[Any, Any, Any, Any]:
    """The corners of a line in the order of reading it, for a box that begins at the corner nearest the upper left.

    The reader turns lines that are higher than wide counter-clockwise, then those that it finds upside down.
    """
    corners = [(float(x), float(y)) for x, y in box]
    width = max(math.dist(corners[0], corners[1]), math.dist(corners[2], corners[3]))
    height = max(math.dist(corners[0], corners[3]), math.dist(corners[1], corners[2]))
    first = (1 if height >= _TALL * width else 0) + (2 if upside_down else 0)
    one, two, three, four = corners[first:] + corners[:first]
    return one, two, three, four


@once
def _reader(threads: int) -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    report_nothing()
    try:
        from rapidocr import RapidOCR
    except ImportError as problem:
        raise MissingExtra("rapidocr", "image", "Reading text in pictures") from problem
    # It logs every start at INFO to standard error.
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_vertical_padding": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )
