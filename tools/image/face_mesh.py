"""Faces and their landmarks by MediaPipe: BlazeFace, mesh (Kartynnik et al. 2019), iris (Ablavatski et al. 2020).

The mesh looks twice, the second time through a square around the landmarks of the first, as it does on video.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilience.tools.excerpt import Excerpt
from consilience.tools.image.blaze import Detector, Found
from consilience.tools.image.litert import network
from consilience.tools.image.roi import Roi, pyramid

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["DETECTION", "IRIS", "MESH", "Eye", "Face", "Mesh", "detected_faces", "face_roi", "faces_in", "mesh_of"]

DETECTION, MESH, IRIS = "face-detection", "face-mesh", "iris"
"""Names in the weights manifest."""

_DETECTOR = Detector(strides=(4,), anchors_per_layer=1, keypoints=6, signed=True)
_LEVELS = 3
_DETECTED, _PRESENT = 0.5, 0.5
_FACE_MARGIN, _EYE_MARGIN = 1.5, 2.3
_EYE_CORNERS = ((33, 133), (362, 263))
"""Corners, from left to right, of the eye on the picture's left and of the other."""
_CONTOUR = 16
"""Points of a lid contour: 9 of the lower lid from corner to corner, then 7 of the upper one."""


@dataclass(frozen=True)
class Face:
    """A face that both the detector and the mesh have seen."""

    found: Found
    points: Any
    """Shape (468, 3), pixels of the picture; depth in pixels too, smaller is nearer."""


@dataclass(frozen=True)
class Eye:
    """One eye, in pixels of the picture."""

    lids: Any
    """Shape (16, 2): the lower lid from corner to corner, 9 points; the upper one between them, 7."""
    iris: Any
    """Shape (2,): its centre."""


@dataclass(frozen=True)
class Mesh:
    """A face's landmarks, in pixels of the picture."""

    points: Any
    """As those of `Face`."""
    eyes: tuple[Eye, Eye]
    """Left and right as the viewer sees them on an upright face."""


def detected_faces(excerpt: Excerpt, picture: Image.Image) -> list[Found]:
    """What looks like a face, the surest first. The first two keypoints are the eyes, from left to right."""
    model = excerpt.weights(DETECTION) / "face_detection_full_range_sparse.tflite"
    detector = network(model, excerpt.settings.threads, extra="social")
    return _DETECTOR.find(detector, picture, pyramid(picture, detector.side, _LEVELS), _DETECTED)


def faces_in(excerpt: Excerpt, picture: Image.Image, most: int) -> list[Face]:
    """The faces in the excerpt's picture, the largest first, at most `most`.

    What the detector takes for a face and the mesh does not is none: that is how patterns are told from faces.
    """
    faces: list[Face] = []
    for found in sorted(detected_faces(excerpt, picture), key=lambda face: face.box[0] - face.box[2]):
        if len(faces) == most:
            break
        excerpt.check()
        first, presence = _landmarks(excerpt, picture, face_roi(found))
        if presence >= _PRESENT:
            faces.append(Face(found, _landmarks(excerpt, picture, _mesh_roi(first))[0]))
    return faces


def face_roi(face: Found, margin: float = _FACE_MARGIN) -> Roi:
    """The square around a detected face, turned so that its eyes are level."""
    (left_x, left_y), (right_x, right_y) = face.keypoints[:2]
    left, top, right, bottom = face.box
    angle = math.atan2(right_y - left_y, right_x - left_x)
    return Roi((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) * margin, angle)


def _mesh_roi(points: Any) -> Roi:
    """The square around landmarks, turned so that the outer corners of the eyes are level."""
    import numpy as np

    across = points[_EYE_CORNERS[1][1], :2] - points[_EYE_CORNERS[0][0], :2]
    angle = math.atan2(across[1], across[0])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    upright = points[:, :2] @ turn
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = turn @ ((low + high) / 2)
    return Roi(float(x), float(y), float(max(high - low)) * _FACE_MARGIN, angle)


def _landmarks(excerpt: Excerpt, picture: Image.Image, roi: Roi) -> tuple[Any, float]:
    """The points as in `Face`, and how sure the mesh is that there is a face, 0 to 1."""
    import numpy as np

    mesh = network(excerpt.weights(MESH) / "face_landmark.tflite", excerpt.settings.threads, extra="social")
    raw, flag = sorted(mesh(roi.pixels(picture, mesh.side)), key=lambda output: -output.size)
    points = raw.reshape(-1, 3).astype(np.float64) / mesh.side
    placed = np.column_stack([roi.back(points[:, :2]), points[:, 2] * roi.size])
    return placed, float(1 / (1 + np.exp(-np.clip(flag.item(), -50, 50))))


def mesh_of(excerpt: Excerpt, picture: Image.Image, face: Face) -> Mesh:
    """The face's landmarks, with those of its eyes."""
    left, right = (
        _eye(excerpt, picture, face.points[list(corners), :2], mirrored=mirrored)
        for corners, mirrored in zip(_EYE_CORNERS, (False, True), strict=True)
    )
    return Mesh(face.points, (left, right))


def _eye(excerpt: Excerpt, picture: Image.Image, corners: Any, *, mirrored: bool) -> Eye:
    """The network knows the eye on the picture's left; it is shown the other one mirrored."""
    import numpy as np

    iris = network(excerpt.weights(IRIS) / "iris_landmark.tflite", excerpt.settings.threads, extra="social")
    (x, y), (across, down) = corners.mean(axis=0), corners[1] - corners[0]
    roi = Roi(float(x), float(y), max(math.hypot(across, down), 1.0) * _EYE_MARGIN, math.atan2(down, across))
    pixels = roi.pixels(picture, iris.side)
    if mirrored:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    contours, centre = sorted(iris(pixels), key=lambda output: -output.size)
    points = np.concatenate([contours.reshape(-1, 3)[:_CONTOUR, :2], centre.reshape(-1, 3)[:1, :2]]) / iris.side
    if mirrored:
        points[:, 0] = 1 - points[:, 0]
    placed = roi.back(points)
    return Eye(placed[:_CONTOUR], placed[_CONTOUR])
