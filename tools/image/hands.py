"""Hands: MediaPipe's palm detector and hand landmarks (Zhang et al. 2020), and gestures by rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilience.tools.bounds import Few, Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.blaze import Detector, Found
from consilience.tools.image.gesture import POINTS, gesture
from consilience.tools.image.litert import network
from consilience.tools.image.placement import Frame
from consilience.tools.image.roi import Roi, pyramid

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Observation

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["hands"]

_WEIGHTS = "hands"
_DETECTOR = Detector(strides=(8, 16, 16, 16), anchors_per_layer=2, keypoints=7, signed=False)
_LEVELS = 3
_DETECTED = 0.3
_PALM_MARGIN, _PALM_SHIFT = 2.6, 0.5
_HAND_MARGIN, _HAND_SHIFT = 2.0, 0.1
"""From a palm, or from the knuckles and wrist, to the square around the whole hand: how much larger, and by how much
of its side further along the fingers."""
_STEADY = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks of the palm and the lower fingers, which move little when fingers bend."""
_ONE_HAND = 0.3


@dataclass(frozen=True)
class _Hand:
    points: Any
    """Shape (21, 2), pixels of the picture."""
    right: float
    """The network's score that it is the person's right hand, 0 to 1."""
    presence: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        (left, top), (right, bottom) = self.points.min(axis=0), self.points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def side(self) -> str:
        return "right" if self.right >= 0.5 else "left"


@encoder(
    modality="image",
    kinds=("hand",),
    version="1",
    cost="light",
    extra="social",
    weights=(_WEIGHTS,),
    biometric=True,
)
def hands(excerpt: Excerpt, *, min_score: Share = 0.5, most: Few = 20) -> Iterator[Observation]:
    """Finds hands, each with 21 points, whether it is a left or a right one, and its gesture if it is a common one.

    Args:
        excerpt: a picture, or a region of one.
        min_score: 0 to 1; hands whose presence scores less are left out.
        most: hands, the surest first.
    """
    picture = excerpt.image()
    found = _hands_in(excerpt, picture, min_score)
    if not found:
        raise Unobservable("no hand is to be seen in the picture")
    frame = Frame.of(excerpt, picture)
    for hand in found[:most]:
        points = [(float(x), float(y)) for x, y in hand.points]
        shape = gesture(points)
        keypoints = frame.keypoints((name, x, y, None) for name, (x, y) in zip(POINTS, points, strict=True))
        yield excerpt.observe(
            "hand",
            {
                "keypoints": [point.model_dump(mode="json") for point in keypoints],
                "side": hand.side,
                "gesture": shape,
            },
            f"a {hand.side} hand at the {frame.place(hand.box)}{f': {shape}' if shape else ''}",
            locator=frame.locator(hand.box),
            confidence=Confidence(value=hand.presence, kind="score"),
        )


def _hands_in(excerpt: Excerpt, picture: Image.Image, min_score: float) -> list[_Hand]:
    """Each hand once, the surest first."""
    folder, threads = excerpt.weights(_WEIGHTS), excerpt.settings.threads
    detector = network(folder / "palm_detection_full.tflite", threads, extra="social")
    hands: list[_Hand] = []
    for palm in _DETECTOR.find(detector, picture, pyramid(picture, detector.side, _LEVELS), _DETECTED):
        excerpt.check()
        hand = _look(excerpt, picture, _palm_roi(palm))
        if hand.presence < min_score:
            continue
        hand = _look(excerpt, picture, _hand_roi(hand.points))
        if hand.presence >= min_score:
            hands.append(hand)
    hands.sort(key=lambda hand: -hand.presence)
    return _each_once(hands)


def _each_once(hands: list[_Hand]) -> list[_Hand]:
    """Without those whose points lie on those of a surer one."""
    import numpy as np

    kept: list[_Hand] = []
    for hand in hands:
        size = float(np.ptp(hand.points, axis=0).max())
        apart = [np.linalg.norm(hand.points - other.points, axis=1).mean() for other in kept]
        if all(distance > _ONE_HAND * size for distance in apart):
            kept.append(hand)
    return kept


def _palm_roi(palm: Found) -> Roi:
    """From a detected palm: the first keypoint is the wrist, the third the middle finger's knuckle."""
    (wrist_x, wrist_y), _, (knuckle_x, knuckle_y) = palm.keypoints[:3]
    angle = math.atan2(knuckle_x - wrist_x, wrist_y - knuckle_y)
    left, top, right, bottom = palm.box
    side = max(right - left, bottom - top)
    shift = _PALM_SHIFT * (bottom - top)
    x, y = (left + right) / 2 + shift * math.sin(angle), (top + bottom) / 2 - shift * math.cos(angle)
    return Roi(x, y, side * _PALM_MARGIN, angle)


def _hand_roi(points: Any) -> Roi:
    """From landmarks: upright where the wrist is below the knuckles."""
    import numpy as np

    knuckles = (points[5] + points[13]) / 4 + points[9] / 2
    angle = math.atan2(knuckles[0] - points[0, 0], points[0, 1] - knuckles[1])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    upright = points[list(_STEADY)] @ turn
    low, high = upright.min(axis=0), upright.max(axis=0)
    middle = (low + high) / 2 - (0, _HAND_SHIFT * (high[1] - low[1]))
    x, y = turn @ middle
    return Roi(float(x), float(y), max(float((high - low).max()), 1.0) * _HAND_MARGIN, angle)


def _look(excerpt: Excerpt, picture: Image.Image, roi: Roi) -> _Hand:
    import numpy as np

    model = network(excerpt.weights(_WEIGHTS) / "hand_landmark_full.tflite", excerpt.settings.threads, extra="social")
    points, presence, right, _ = model(roi.pixels(picture, model.side))
    placed = roi.back(points.reshape(-1, 3)[:, :2].astype(np.float64) / model.side)
    return _Hand(placed, float(right.item()), float(presence.item()))
