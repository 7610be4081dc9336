"""Single-shot detectors of the BlazeFace family (Bazarevsky et al. 2019): faces, palms, people, each with keypoints.

Anchors, decoding and blending are those of MediaPipe's graphs (SsdAnchorsCalculator, TensorsToDetectionsCalculator,
NonMaxSuppressionCalculator with weighted suppression).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from consilience.tools.image.boxes import suppress
from consilience.tools.image.litert import Network
from consilience.tools.image.roi import Roi

from consilience.core.once import once

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Detector", "Found", "merge"]

_ONE_THING = 0.3
_CLIP = 100.0


@dataclass(frozen=True)
class Found:
    """Something found in a picture; all coordinates in its pixels."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    keypoints: tuple[tuple[float, float], ...]
    score: float


@dataclass(frozen=True)
class Detector:
    """How one of the networks is read."""

    strides: tuple[int, ...]
    """Pixels of the input between two anchors, layer by layer."""
    anchors_per_layer: int
    keypoints: int
    signed: bool
    """Whether the input is -1 to 1; otherwise 0 to 1."""

    def find(self, network: Network, picture: Image.Image, rois: Iterable[Roi], min_score: float) -> list[Found]:
        """Everything found through any of the regions, the surest first."""
        found = [item for roi in rois for item in self._look(network, picture, roi, min_score)]
        return merge(found)

    def _look(self, network: Network, picture: Image.Image, roi: Roi, min_score: float) -> list[Found]:
        import numpy as np

        side = network.side
        pixels = roi.pixels(picture, side)
        raw, logits = network(pixels * 2 - 1 if self.signed else pixels)
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -_CLIP, _CLIP)))
        sure = scores >= min_score
        anchors = _anchors(side, self.strides, self.anchors_per_layer)[sure]
        raw, scores = raw[sure].astype(np.float64) / side, scores[sure]
        centre, half = raw[:, :2] + anchors, raw[:, 2:4] / 2
        corners = np.stack([centre - half, centre + half], axis=1)
        points = raw[:, 4 : 4 + 2 * self.keypoints].reshape(-1, self.keypoints, 2) + anchors[:, None]
        return [
            Found(_hull(roi.back(box)), tuple((float(x), float(y)) for x, y in roi.back(marks)), float(score))
            for box, marks, score in zip(corners, points, scores, strict=True)
        ]


@once
def _anchors(side: int, strides: tuple[int, ...], per_layer: int) -> Any:
    """Centres in fractions of the input, shape (n, 2) as x, y: layers of one stride share their cells."""
    import numpy as np

    centres = []
    for stride, layers in groupby(strides):
        cells = side // stride
        steps = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, per_layer * len(list(layers)), axis=0))
    return np.concatenate(centres)


def _hull(corners: Any) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def merge(found: list[Found]) -> list[Found]:
    """One for each thing: those that cover the same place are blended by their scores; the surest first."""
    import numpy as np

    if not found:
        return []
    boxes, scores = np.array([item.box for item in found]), np.array([item.score for item in found])
    points = np.array([item.keypoints for item in found])
    merged = []
    for group in suppress(boxes, scores, _ONE_THING):
        weights = scores[group] / scores[group].sum()
        left, top, right, bottom = (float(edge) for edge in weights @ boxes[group])
        marks = np.tensordot(weights, points[group], axes=1)
        keypoints = tuple((float(x), float(y)) for x, y in marks)
        merged.append(Found((left, top, right, bottom), keypoints, float(scores[group[0]])))
    return merged
