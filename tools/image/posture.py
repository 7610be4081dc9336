"""What the joints of a person say in words: pure rules over BlazePose's 33 keypoints, in the picture's plane."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["JOINTS", "VISIBLE", "posture"]

JOINTS = (
    "nose",
    "left eye inner",
    "left eye",
    "left eye outer",
    "right eye inner",
    "right eye",
    "right eye outer",
    "left ear",
    "right ear",
    "mouth left",
    "mouth right",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left pinky",
    "right pinky",
    "left index",
    "right index",
    "left thumb",
    "right thumb",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
    "left heel",
    "right heel",
    "left foot index",
    "right foot index",
)
"""BlazePose's keypoints in its order; left and right are the person's own."""

VISIBLE = 0.5
"""From which visibility on a joint counts as seen."""

_SIDES = ("left", "right")
Point = tuple[float, float]


@dataclass(frozen=True)
class _Body:
    """Where the visible joints are, in pixels, y downwards."""

    joints: Mapping[str, Point]

    def has(self, *names: str) -> bool:
        return all(name in self.joints for name in names)

    def middle(self, part: str) -> Point | None:
        """Between the left and the right joint, or the one that is visible."""
        seen = [self.joints[f"{side} {part}"] for side in _SIDES if f"{side} {part}" in self.joints]
        return (sum(x for x, _ in seen) / len(seen), sum(y for _, y in seen) / len(seen)) if seen else None


def posture(joints: Mapping[str, tuple[float, float, float]]) -> tuple[str, ...]:
    """`standing`, `right hand raised`, ... for joints as name -> (x, y, visibility), x and y in pixels.

    Joints less visible than 0.5 say nothing; where too few are visible, the result is empty.
    """
    body = _Body({name: (x, y) for name, (x, y, visibility) in joints.items() if visibility >= VISIBLE})
    return (*_stance(body), *_arms(body))


def _stance(body: _Body) -> Iterator[str]:
    shoulders, hips = body.middle("shoulder"), body.middle("hip")
    if shoulders is None or hips is None:
        if shoulders is not None:
            yield "only head and shoulders visible"
        return
    torso = math.dist(shoulders, hips)
    if torso == 0:
        return
    lean = _from_vertical(shoulders, hips)
    if lean > 60:
        yield "lying or bent far over"
        return
    legs = [leg for side in _SIDES if (leg := _leg(body, side, torso))]
    if "bent" in legs:
        yield "sitting or crouching"
    elif "straight" in legs:
        yield "standing"
    elif not legs:
        yield "only the upper body visible"
    if lean > 25:
        yield "leaning to the left of the picture" if shoulders[0] < hips[0] else "leaning to the right of the picture"


def _leg(body: _Body, side: str, torso: float) -> str | None:
    """`straight`, `bent`, or `unsure` where the shin is hidden; None where the knee is."""
    hip, knee, ankle = (f"{side} {joint}" for joint in ("hip", "knee", "ankle"))
    if not body.has(hip, knee):
        return None
    thigh = (body.joints[knee][1] - body.joints[hip][1]) / torso
    # Seen from the front, a sitting person's thigh is foreshortened; from the side, it is level.
    if thigh < 0.45:
        return "bent"
    if not body.has(ankle):
        return "unsure"
    return "straight" if _angle(body.joints[hip], body.joints[knee], body.joints[ankle]) > 140 else "bent"


def _arms(body: _Body) -> Iterator[str]:
    raised = [side for side in _SIDES if _raised(body, side)]
    if len(raised) == 2:
        yield "both hands raised"
    elif raised:
        yield f"{raised[0]} hand raised"
    elif _crossed(body):
        yield "arms crossed"
    else:
        stretched = [side for side in _SIDES if _stretched(body, side)]
        if stretched:
            yield "both arms stretched out" if len(stretched) == 2 else f"{stretched[0]} arm stretched out"


def _raised(body: _Body, side: str) -> bool:
    """The wrist is above the shoulder."""
    wrist, shoulder = f"{side} wrist", f"{side} shoulder"
    return body.has(wrist, shoulder) and body.joints[wrist][1] < body.joints[shoulder][1]


def _crossed(body: _Body) -> bool:
    """Each wrist lies nearer to the other arm's elbow than to its own, and both between shoulders and hips."""
    if not body.has(*(f"{side} {joint}" for side in _SIDES for joint in ("wrist", "elbow", "shoulder"))):
        return False
    at = body.joints
    hips = body.middle("hip")
    lowest = hips[1] if hips else math.inf
    return all(
        math.dist(at[f"{side} wrist"], at[f"{other} elbow"]) < math.dist(at[f"{side} wrist"], at[f"{side} elbow"])
        and at[f"{side} wrist"][1] < lowest
        for side, other in (_SIDES, _SIDES[::-1])
    )


def _stretched(body: _Body, side: str) -> bool:
    """The arm is straight, and nearer to level than to hanging."""
    names = [f"{side} {joint}" for joint in ("shoulder", "elbow", "wrist")]
    if not body.has(*names):
        return False
    shoulder, elbow, wrist = (body.joints[name] for name in names)
    return _angle(shoulder, elbow, wrist) > 150 and _from_vertical(shoulder, wrist) > 60


def _angle(one: Point, corner: Point, other: Point) -> float:
    """At `corner`, 0 to 180 degrees; 180 where two of the points are the same."""
    ax, ay, bx, by = one[0] - corner[0], one[1] - corner[1], other[0] - corner[0], other[1] - corner[1]
    length = math.hypot(ax, ay) * math.hypot(bx, by)
    return math.degrees(math.acos(max(-1.0, min(1.0, (ax * bx + ay * by) / length)))) if length else 180.0


def _from_vertical(upper: Point, lower: Point) -> float:
    """Angle between straight down and the way from `upper` to `lower`, 0 to 180 degrees."""
    return math.degrees(math.atan2(abs(lower[0] - upper[0]), lower[1] - upper[1]))
