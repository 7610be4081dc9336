"""Objects in pictures: SSD MobileNet v2 (Liu et al. 2016; Sandler et al. 2018), 24 classes of Open Images."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.observations import Confidence, Locator, Observation, Region

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["objects"]

_WEIGHTS = "objects-ssd"
_SIDE = 300
_OVERLAP = 0.5
_one_at_a_time = threading.Lock()


@encoder(modality="image", kinds=("object",), version="1", cost="light", extra="image", weights=(_WEIGHTS,))
def objects(excerpt: Excerpt, *, min_score: float = 0.4, most: int = 20) -> Iterator[Observation]:
    """Finds people, animals, vehicles and household things, each with its box."""
    import numpy as np

    folder = excerpt.weights(_WEIGHTS)
    labels = (folder / "labels.txt").read_text().split("\n")
    pixels = np.asarray(excerpt.image().resize((_SIDE, _SIDE)), np.float32) / 127.5 - 1
    encodings, logits = _run(folder / "model.tflite", pixels, excerpt.settings.threads)
    boxes, scores = _decode(encodings), 1 / (1 + np.exp(-logits))
    # Column 0 is the background.
    found = [
        (float(scores[i, c]), c, boxes[i])
        for c in range(1, scores.shape[1])
        for i in _keep(boxes, scores[:, c], min_score)
    ]
    if not found:
        raise Unobservable("none of the known objects is in the picture")
    for score, c, (top, left, bottom, right) in sorted(found, key=lambda f: -f[0])[:most]:
        label = labels[c].lower()
        region = Region.from_pixels((left, top, right, bottom), width=1, height=1)
        yield excerpt.observe(
            "object",
            {"label": label},
            f"{label}, {_place(region)}",
            locator=Locator(region=region),
            confidence=Confidence(value=score, kind="score"),
        )


def _run(model: Path, pixels: NDArray[np.float32], threads: int) -> tuple[Any, Any]:
    """Box encodings of shape (1917, 4) as y, x, h, w, and class logits of shape (1917, 25)."""
    detector = _detector(str(model), threads)
    with _one_at_a_time:
        detector.set_tensor(detector.get_input_details()[0]["index"], pixels[None])
        detector.invoke()
        outputs = [detector.get_tensor(output["index"])[0] for output in detector.get_output_details()]
    outputs.sort(key=lambda output: int(output.shape[-1]))
    return outputs[0], outputs[1]


@once
def _detector(model: str, threads: int) -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as problem:
        raise MissingExtra("ai_edge_litert", "image", "Finding objects in pictures") from problem
    detector = Interpreter(model_path=model, num_threads=threads)
    detector.allocate_tensors()
    return detector


@once
def _anchors() -> Any:
    """Centres and sizes of the 1917 anchors, shape (1917, 4) as y, x, h, w in 0-1."""
    import numpy as np

    grids, low, high = (19, 10, 5, 3, 2, 1), 0.2, 0.95
    scales = [low + (high - low) * i / (len(grids) - 1) for i in range(len(grids))] + [1.0]
    rows: list[tuple[float, float, float, float]] = []
    for layer, grid in enumerate(grids):
        scale, between = scales[layer], (scales[layer] * scales[layer + 1]) ** 0.5
        shapes = [(scale, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)] + [(between, 1.0)]
        if layer == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        for y in range(grid):
            for x in range(grid):
                rows += [((y + 0.5) / grid, (x + 0.5) / grid, s / r**0.5, s * r**0.5) for s, r in shapes]
    return np.array(rows, np.float32)


def _decode(encodings: Any) -> Any:
    """Boxes of shape (1917, 4) as top, left, bottom, right in 0-1."""
    import numpy as np

    anchors = _anchors()
    centre = encodings[:, :2] / 10 * anchors[:, 2:] + anchors[:, :2]
    half = np.exp(encodings[:, 2:] / 5) * anchors[:, 2:] / 2
    return np.clip(np.concatenate([centre - half, centre + half], axis=1), 0, 1)


def _keep(boxes: Any, scores: Any, min_score: float) -> list[int]:
    """Greedy non-maximum suppression for one class."""
    kept: list[int] = []
    for i in sorted((scores >= min_score).nonzero()[0], key=lambda i: -scores[i]):
        if all(_overlap(boxes[i], boxes[j]) <= _OVERLAP for j in kept):
            kept.append(int(i))
    return kept


def _overlap(one: Any, other: Any) -> float:
    """Intersection over union."""
    height = min(one[2], other[2]) - max(one[0], other[0])
    width = min(one[3], other[3]) - max(one[1], other[1])
    if height <= 0 or width <= 0:
        return 0.0
    shared = height * width
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return float(shared / (areas - shared))


def _place(region: Region) -> str:
    """`upper left`, `centre`, ..."""
    row = ("upper", "", "lower")[min(2, int((region.y + region.h / 2) * 3))]
    column = ("left", "", "right")[min(2, int((region.x + region.w / 2) * 3))]
    return f"{row} {column}".strip() or "centre"
