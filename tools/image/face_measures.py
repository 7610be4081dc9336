"""What the landmarks of a face measure: how far eyes and mouth are open, and where it looks."""

from __future__ import annotations

import math
from typing import Any

from consilience.tools.image.face_mesh import Eye, Mesh

__all__ = ["eyes_open", "gaze", "mouth_open"]

_UPPER_LIP, _LOWER_LIP, _MOUTH_CORNERS = 13, 14, (78, 308)
_CHEEKS, _FOREHEAD, _CHIN = (234, 454), 10, 152
_EYE_TURN = 2.3
"""Lid-to-lid width over the eyeball's radius, about 28 mm over 12 mm: turns the iris' offset into a sine."""
_SIDEWAYS, _VERTICAL = 0.33, 0.4
"""Sines from which on a look counts as aside: about 20 degrees sideways, 24 up or down, where lids blur it more."""
_SHUT = 0.12


def eyes_open(mesh: Mesh) -> float:
    """Lid opening over eye width, mean of both eyes; about 0.35 for open eyes."""
    return round(sum(_opening(eye) for eye in mesh.eyes) / 2, 3)


def _opening(eye: Eye) -> float:
    """The mean of the three widest gaps between the lids, over the distance of the eye's corners."""
    import numpy as np

    gaps = np.linalg.norm(eye.lids[1:8] - eye.lids[9:16], axis=1)
    return float(np.sort(gaps)[-3:].mean() / max(_width(eye), 1e-9))


def _width(eye: Eye) -> float:
    return math.dist(eye.lids[0], eye.lids[8])


def mouth_open(mesh: Mesh) -> float:
    """Gap between the lips over the mouth's width, at the inner edge of the lips."""
    points = mesh.points[:, :2]
    width = math.dist(points[_MOUTH_CORNERS[0]], points[_MOUTH_CORNERS[1]])
    return round(math.dist(points[_UPPER_LIP], points[_LOWER_LIP]) / max(width, 1e-9), 3)


def gaze(mesh: Mesh) -> str | None:
    """`left`, `right`, `up`, `down` or `ahead`, as the viewer sees it; None where the eyes are shut.

    The direction of the head, from the depth of the mesh, and that of the eyes in it, from the irises, add up.
    """
    if eyes_open(mesh) < _SHUT:
        return None
    x, y = _facing(mesh.points) + _EYE_TURN * sum(_iris_offset(eye) for eye in mesh.eyes) / 2
    if max(abs(x) / _SIDEWAYS, abs(y) / _VERTICAL) <= 1:
        return "ahead"
    if abs(y) > abs(x):
        return "down" if y > 0 else "up"
    return "right" if x > 0 else "left"


def _facing(points: Any) -> Any:
    """Where the face points, shape (2,): x to the viewer's right, y down; zero for one that faces the viewer."""
    import numpy as np

    across, down = points[_CHEEKS[1]] - points[_CHEEKS[0]], points[_CHIN] - points[_FOREHEAD]
    normal = -np.cross(across, down)
    return normal[:2] / max(float(np.linalg.norm(normal)), 1e-9)


def _iris_offset(eye: Eye) -> Any:
    """From the middle between the eye's corners to the iris, over the eye's width, shape (2,)."""
    return (eye.iris - (eye.lids[0] + eye.lids[8]) / 2) / max(_width(eye), 1e-9)
