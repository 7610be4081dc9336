"""Objects in pictures: SSD MobileNet v2 (Liu et al. 2016; Sandler et al. 2018), 24 classes of Open Images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consilience.tools.bounds import Few, Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.boxes import suppress
from consilience.tools.image.litert import network
from consilience.tools.image.placement import Frame

from consilience.core.errors import Unobservable
from consilience.core.once import once
from consilience.observations import Confidence, Observation

__all__ = ["objects"]

_WEIGHTS = "objects-ssd"
_OVERLAP = 0.5


@encoder(modality="image", kinds=("object",), version="2", cost="light", extra="image", weights=(_WEIGHTS,))
def objects(excerpt: Excerpt, *, min_score: Share = 0.4, most: Few = 20) -> Iterator[Observation]:
    """Finds people, animals, vehicles and household things, each with its box.

    Args:
        excerpt: a picture, or a region of one.
        min_score: 0 to 1; what is detected less surely is left out.
        most: objects, the surest first.
    """
    import numpy as np

    folder = excerpt.weights(_WEIGHTS)
    labels = (folder / "labels.txt").read_text().split("\n")
    picture = excerpt.image()
    model = network(folder / "model.tflite", excerpt.settings.threads, extra="image")
    pixels = np.asarray(picture.resize((model.side, model.side)), np.float32) / 127.5 - 1
    encodings, logits = sorted(model(pixels), key=lambda output: output.shape[-1])
    boxes, scores = _decode(encodings) * (*picture.size, *picture.size), 1 / (1 + np.exp(-logits))
    # Column 0 is the background.
    found = [
        (float(scores[i, c]), c, boxes[i])
        for c in range(1, scores.shape[1])
        for i in _best(boxes, scores[:, c], min_score)
    ]
    if not found:
        raise Unobservable("none of the known objects is in the picture")
    frame = Frame.of(excerpt, picture)
    for score, c, box in sorted(found, key=lambda f: -f[0])[:most]:
        label = labels[c].lower()
        yield excerpt.observe(
            "object",
            {"label": label},
            f"{label} at the {frame.place(box)}",
            locator=frame.locator(box),
            confidence=Confidence(value=score, kind="score"),
        )


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
    """Boxes of shape (1917, 4) as left, top, right, bottom in 0-1."""
    import numpy as np

    anchors = _anchors()
    centre = encodings[:, :2] / 10 * anchors[:, 2:] + anchors[:, :2]
    half = np.exp(encodings[:, 2:] / 5) * anchors[:, 2:] / 2
    return np.clip(np.concatenate([centre - half, centre + half], axis=1), 0, 1)[:, (1, 0, 3, 2)]


def _best(boxes: Any, scores: Any, min_score: float) -> list[int]:
    """The boxes of one class that are left when those that cover the same thing are one, the surest first."""
    sure = (scores >= min_score).nonzero()[0]
    return [int(sure[group[0]]) for group in suppress(boxes[sure], scores[sure], _OVERLAP)]
