"""People's joints on photographs, and what they say in words."""

from __future__ import annotations

from typing import Any

import pytest
from consilience.tools.image.pose import pose
from consilience.tools.image.posture import JOINTS, posture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from skimage import data

from consilience.observations import Pose, Source
from consilience.testing import EncoderConformance

Point = tuple[float, float]

STANDING: dict[str, Point] = {
    "nose": (0, -170),
    "left shoulder": (20, -140),
    "right shoulder": (-20, -140),
    "left elbow": (28, -110),
    "right elbow": (-28, -110),
    "left wrist": (30, -80),
    "right wrist": (-30, -80),
    "left hip": (12, -85),
    "right hip": (-12, -85),
    "left knee": (12, -45),
    "right knee": (-12, -45),
    "left ankle": (12, -5),
    "right ankle": (-12, -5),
}


class TestPose(EncoderConformance):
    encoder = pose

    def source(self) -> Source:
        return Image.fromarray(data.astronaut())


def said(changes: dict[str, Point] | None = None, *, hidden: tuple[str, ...] = ()) -> tuple[str, ...]:
    joints = STANDING | (changes or {})
    return posture({name: (x, y, 0.1 if name in hidden else 0.9) for name, (x, y) in joints.items()})


async def test_finds_the_joints_of_a_person(look: Any, astronaut: Image.Image) -> None:
    (found,) = await look(pose, astronaut)
    person = found.as_(Pose)
    assert [point.name for point in person.keypoints] == list(JOINTS)
    at = {point.name: point for point in person.keypoints}
    # Seen from the front, her left side is on the right of the picture.
    assert at["left shoulder"].x > at["right shoulder"].x
    assert at["nose"].x == pytest.approx(0.44, abs=0.03)
    assert at["nose"].y == pytest.approx(0.25, abs=0.04)
    assert at["nose"].visibility == pytest.approx(1, abs=0.05)
    assert at["left ankle"].visibility == pytest.approx(0, abs=0.05)
    assert "head and shoulders" in found.text


async def test_everybody_of_several_is_found(look: Any, astronaut: Image.Image) -> None:
    row = Image.new("RGB", (1024, 512))
    row.paste(astronaut, (0, 0))
    row.paste(ImageOps.mirror(astronaut), (512, 0))
    found = await look(pose, row)
    noses = sorted(o.as_(Pose).keypoints[0].x for o in found)
    assert noses == pytest.approx([0.22, 0.78], abs=0.03)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
async def test_nobody_where_nobody_is(look: Any, name: str) -> None:
    (found,) = await look(pose, Image.fromarray(getattr(data, name)()))
    assert found.kind == "unobserved"


def test_standing() -> None:
    assert said() == ("standing",)


def test_sitting_from_the_front_and_from_the_side() -> None:
    front = {"left knee": (16, -75), "right knee": (-16, -75), "left ankle": (16, -35), "right ankle": (-16, -35)}
    side = {"left knee": (55, -85), "right knee": (50, -84), "left ankle": (55, -40), "right ankle": (50, -40)}
    assert said(front) == said(side) == ("sitting or crouching",)


def test_lying() -> None:
    lying = {name: (y, x) for name, (x, y) in STANDING.items()}
    assert said(lying)[0] == "lying or bent far over"


def test_arms() -> None:
    up_left, up_right = {"left wrist": (30.0, -190.0)}, {"right wrist": (-30.0, -190.0)}
    assert said(up_left) == ("standing", "left hand raised")
    assert said(up_left | up_right) == ("standing", "both hands raised")
    wide = {"left elbow": (60.0, -138.0), "left wrist": (100.0, -136.0)}
    assert said(wide) == ("standing", "left arm stretched out")
    crossed = {"left wrist": (-22.0, -112.0), "right wrist": (22.0, -112.0)}
    assert said(crossed) == ("standing", "arms crossed")


def test_leaning() -> None:
    leaning = {name: (x + 60, y + 12) for name, (x, y) in STANDING.items() if "shoulder" in name}
    assert "leaning to the right of the picture" in said(leaning)


def test_what_is_hidden_says_nothing() -> None:
    legs = tuple(name for name in STANDING if name.split()[-1] in ("knee", "ankle"))
    hips = ("left hip", "right hip")
    assert said(hidden=legs) == ("only the upper body visible",)
    assert said(hidden=legs + hips) == ("only head and shoulders visible",)
    assert said(hidden=tuple(STANDING)) == ()


@given(scale=st.floats(0.1, 50), dx=st.floats(-5000, 5000), dy=st.floats(-5000, 5000))
def test_size_and_place_do_not_matter(scale: float, dx: float, dy: float) -> None:
    moved = {name: (x * scale + dx, y * scale + dy) for name, (x, y) in STANDING.items()}
    assert said(moved) == ("standing",)


@given(st.dictionaries(st.sampled_from(JOINTS), st.tuples(*[st.floats(-1e6, 1e6)] * 2, st.floats(0, 1))))
def test_any_joints_give_some_words(joints: dict[str, tuple[float, float, float]]) -> None:
    words = posture(joints)
    assert len(words) == len(set(words))
    assert all(words)
