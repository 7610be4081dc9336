"""People and their joints: BlazePose (Bazarevsky et al. 2020), started from bodies and from faces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilience.tools.excerpt import Excerpt
from consilience.tools.image.blaze import Detector, Found
from consilience.tools.image.face_mesh import detected_faces, face_roi
from consilience.tools.image.litert import network
from consilience.tools.image.posture import JOINTS, VISIBLE
from consilience.tools.image.roi import Roi, pyramid

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["POSE", "Person", "people_in"]

POSE = "pose"
"""Name in the weights manifest."""

_DETECTOR = Detector(strides=(8, 16, 32, 32, 32), anchors_per_layer=2, keypoints=4, signed=True)
_LEVELS = 2
_DETECTED, _PLAUSIBLE = 0.5, 0.3
_MARGIN = 1.25
_CENTRE, _RIM = 33, 34
"""Auxiliary landmarks: the middle of the hips, and a point on the circle around the whole body."""
_FACES_DOWN, _FACES_WIDE = 2.6, 8.5
"""From a face's centre to the middle of its body, and the square around that body, in widths of the face."""
_SHOULDERS = (11, 12)
_ONE_BODY = 0.15
"""Mean distance of the joints, over the size of the body, below which two are one."""


@dataclass(frozen=True)
class Person:
    """One person, in pixels of the picture."""

    joints: Any
    """Shape (33, 3): x, y and visibility, which is 0 for joints outside the picture."""
    presence: float
    """The network's own score that somebody is there, 0 to 1."""

    @property
    def visible(self) -> Any:
        """Which joints are to be seen, shape (33,)."""
        return self.joints[:, 2] >= VISIBLE

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the visible joints."""
        points = self.joints[self.visible, :2]
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def is_(self, other: Person) -> bool:
        """Whether both are the same person, seen twice."""
        import numpy as np

        apart = np.linalg.norm(self.joints[:, :2] - other.joints[:, :2], axis=1).mean()
        return bool(apart < _ONE_BODY * np.ptp(self.joints[:, :2], axis=0).max())


def people_in(excerpt: Excerpt, picture: Image.Image, min_score: float) -> list[Person]:
    """The people of whom at least a shoulder is visible, each once.

    The detector of bodies misses people in groups; where a face is seen that belongs to nobody yet, a body is looked
    for below it.
    """
    people: list[Person] = []
    for roi in _starts(excerpt, picture, people):
        excerpt.check()
        person = _look_twice(excerpt, picture, roi, min_score)
        if person and person.visible[list(_SHOULDERS)].any() and not any(person.is_(known) for known in people):
            people.append(person)
    return people


def _starts(excerpt: Excerpt, picture: Image.Image, people: list[Person]) -> Iterator[Roi]:
    """Squares around bodies; those from faces only if nobody in `people`, which grows meanwhile, has the face."""
    model = network(excerpt.weights(POSE) / "pose_detection.tflite", excerpt.settings.threads, extra="social")
    for body in _DETECTOR.find(model, picture, pyramid(picture, model.side, _LEVELS), _DETECTED):
        yield _around(*body.keypoints[:2])
    for face in detected_faces(excerpt, picture):
        if not any(_has(person, face) for person in people):
            yield _below(face)


def _has(person: Person, face: Found) -> bool:
    x, y, _ = person.joints[0]
    left, top, right, bottom = face.box
    return bool(left <= x <= right and top <= y <= bottom)


def _below(face: Found) -> Roi:
    head = face_roi(face, margin=1.0)
    down = head.size * _FACES_DOWN
    x, y = head.x - down * math.sin(head.angle), head.y + down * math.cos(head.angle)
    return Roi(x, y, head.size * _FACES_WIDE, head.angle)


def _around(centre: Any, rim: Any) -> Roi:
    """The square around a body whose middle is `centre`, and which stands on the line from there to `rim`."""
    across, down = float(rim[0] - centre[0]), float(rim[1] - centre[1])
    size = max(2 * math.hypot(across, down) * _MARGIN, 1.0)
    return Roi(float(centre[0]), float(centre[1]), size, math.atan2(across, -down))


def _look_twice(excerpt: Excerpt, picture: Image.Image, roi: Roi, min_score: float) -> Person | None:
    """The second look is through the square that the first one has found, as on video."""
    landmarks, presence = _look(excerpt, picture, roi)
    if presence < _PLAUSIBLE:
        return None
    landmarks, presence = _look(excerpt, picture, _around(landmarks[_CENTRE], landmarks[_RIM]))
    return Person(landmarks[: len(JOINTS)], presence) if presence >= min_score else None


def _look(excerpt: Excerpt, picture: Image.Image, roi: Roi) -> tuple[Any, float]:
    """Landmarks of shape (39, 3) as x, y, visibility, and how sure the network is that somebody is there."""
    import numpy as np

    model = network(excerpt.weights(POSE) / "pose_landmark_full.tflite", excerpt.settings.threads, extra="social")
    outputs = model(roi.pixels(picture, model.side))
    raw = outputs[0].reshape(-1, 5).astype(np.float64)
    points = roi.back(raw[:, :2] / model.side)
    # The network's visibility says whether something hides a joint, its presence whether the joint is in the square.
    seen = (1 / (1 + np.exp(-np.clip(raw[:, 3:5], -50, 50)))).min(axis=1)
    inside = ((points >= 0) & (points < picture.size)).all(axis=1)
    return np.column_stack([points, seen * inside]), float(outputs[1].item())
