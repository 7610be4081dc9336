"""Hands and their gestures. No packaged photograph shows a hand, so these are drawn."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from consilience.tools.image.gesture import POINTS, gesture
from consilience.tools.image.hands import hands
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from consilience.observations import Hand, Source
from consilience.testing import EncoderConformance

Point = tuple[float, float]

SKIN, CREASE, WALL = (224, 172, 140), (190, 130, 100), (70, 90, 110)
FINGERS = (((205, 275), (188, 140)), ((240, 265), (235, 110)), ((278, 268), (285, 122)), ((312, 285), (335, 170)))
"""Knuckle and tip of index to little finger, on a palm of 512 x 512 pixels."""


def drawn(straight: tuple[int, int, int, int], *, thumb_out: bool, side: int = 700) -> Image.Image:
    """A person's left hand, palm towards the viewer, with these fingers straight and the others bent."""
    large = Image.new("RGB", (1024, 1024), WALL)
    pen = ImageDraw.Draw(large)

    def limb(start: Point, end: Point, width: int, colour: tuple[int, int, int]) -> None:
        ends = [(2 * x, 2 * y) for x, y in (start, end)]
        pen.line(ends, fill=colour, width=2 * width)
        for x, y in ends:
            pen.ellipse((x - width, y - width, x + width, y + width), fill=colour)

    limb((256, 520), (256, 400), 95, SKIN)
    pen.rounded_rectangle((370, 510, 660, 840), radius=90, fill=SKIN)
    for on, (knuckle, tip) in zip(straight, FINGERS, strict=True):
        reach = 1 if on else 0.18
        end = tuple(a + (b - a) * reach for a, b in zip(knuckle, tip, strict=True))
        limb(knuckle, (end[0], end[1]), 37, CREASE)
        limb(knuckle, (end[0], end[1]), 33, SKIN)
        marks = [(a, b, 12) for t in (0.35, 0.68) for a, b in [_between(knuckle, tip, t)]] if on else []
        for x, y, half in marks or [(end[0], end[1] + 22, 14)]:
            pen.line([(2 * (x - half), 2 * y), (2 * (x + half), 2 * y)], fill=CREASE, width=5)
    thumb = ((205, 385), (120, 300)) if thumb_out else ((205, 370), (260, 330))
    limb(*thumb, 42, CREASE)
    limb(*thumb, 38, SKIN)
    pen.arc((380, 600, 660, 920), 200, 300, fill=CREASE, width=6)
    pen.line([(430, 600), (620, 620)], fill=CREASE, width=6)
    hand = large.filter(ImageFilter.GaussianBlur(3)).resize((512, 512))
    picture = Image.new("RGB", (side, side), WALL)
    picture.paste(hand, ((side - 512) // 2, side - 512))
    light = np.linspace(0.75, 1.1, side)[None, :, None]
    noise = np.random.default_rng(0).normal(0, 6, (side, side, 3))
    return Image.fromarray(np.clip(np.asarray(picture) * light + noise, 0, 255).astype(np.uint8))


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


class TestHands(EncoderConformance):
    encoder = hands

    def source(self) -> Source:
        return drawn((1, 1, 1, 1), thumb_out=True)


@pytest.mark.parametrize(
    ("straight", "thumb_out", "shape"),
    [
        ((1, 1, 1, 1), True, "open hand"),
        ((1, 1, 0, 0), False, "victory"),
        ((1, 0, 0, 0), False, "pointing"),
        ((0, 0, 0, 0), False, "fist"),
    ],
)
async def test_sees_a_drawn_hand(look: Any, straight: Any, thumb_out: bool, shape: str) -> None:
    (found,) = await look(hands, drawn(straight, thumb_out=thumb_out))
    hand = found.as_(Hand)
    assert (hand.side, hand.gesture) == ("left", shape)
    assert [point.name for point in hand.keypoints] == list(POINTS)
    wrist, index_tip = hand.keypoints[0], hand.keypoints[8]
    # The knuckle at (205, 275) on a hand that lies at (94, 188).
    knuckle = hand.keypoints[5]
    assert (knuckle.x, knuckle.y) == pytest.approx(((94 + 205) / 700, (188 + 275) / 700), abs=0.05)
    assert wrist.y > knuckle.y
    assert (index_tip.y < knuckle.y - 0.1) == bool(straight[0])
    assert re.fullmatch(f"a left hand at the (centre|lower middle): {shape}", found.text)


async def test_the_mirror_image_is_the_other_hand(look: Any) -> None:
    (found,) = await look(hands, ImageOps.mirror(drawn((1, 1, 1, 1), thumb_out=True)))
    assert found.value["side"] == "right"


async def test_two_hands(look: Any) -> None:
    one = drawn((1, 1, 1, 1), thumb_out=True)
    both = Image.new("RGB", (1400, 700))
    both.paste(one, (0, 0))
    both.paste(ImageOps.mirror(one), (700, 0))
    found = await look(hands, both)
    assert sorted((round(o.locator.region.x), o.value["side"]) for o in found) == [(0, "left"), (1, "right")]


async def test_no_hand(look: Any, coffee: Image.Image, cat: Image.Image) -> None:
    for picture in (coffee, cat):
        (found,) = await look(hands, picture)
        assert found.kind == "unobserved"


def skeleton(*, straight: tuple[bool, bool, bool, bool], thumb: Point | None) -> list[Point]:
    """21 points of an upright hand: fingers straight up or folded back; the thumb's tip, or folded in."""
    points: list[Point] = [(0, 0)]
    tip = thumb or (-5, -60)
    points += [(-20 + (tip[0] + 20) * t, -20 + (tip[1] + 20) * t) for t in (0, 1 / 3, 2 / 3, 1)]
    for x, on in zip((-25, -8, 9, 25), straight, strict=True):
        points += [(x, y) for y in ((-90, -130, -155, -175) if on else (-90, -115, -95, -80))]
    return points


SHAPES = {
    "open hand": skeleton(straight=(True, True, True, True), thumb=(-90, -80)),
    "fist": skeleton(straight=(False, False, False, False), thumb=None),
    "thumb up": skeleton(straight=(False, False, False, False), thumb=(-60, -150)),
    "pointing": skeleton(straight=(True, False, False, False), thumb=None),
    "victory": skeleton(straight=(True, True, False, False), thumb=None),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: str) -> None:
    assert gesture(SHAPES[shape]) == shape


def test_a_thumb_up_turned_over_is_a_thumb_down() -> None:
    assert gesture([(-x, -y) for x, y in SHAPES["thumb up"]]) == "thumb down"


def test_ok_is_a_ring_of_thumb_and_index() -> None:
    ring = skeleton(straight=(False, True, True, True), thumb=(-27, -82))
    assert gesture(ring) == "ok"


@given(turn=st.floats(-math.pi, math.pi), scale=st.floats(0.05, 20), x=st.floats(-999, 999), y=st.floats(-999, 999))
def test_shapes_other_than_thumbs_are_seen_from_any_side(turn: float, scale: float, x: float, y: float) -> None:
    cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
    for shape in ("open hand", "fist", "pointing", "victory"):
        moved = [(a * cos - b * sin + x, a * sin + b * cos + y) for a, b in SHAPES[shape]]
        assert gesture(moved) == shape


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=21, max_size=21))
def test_any_points_are_some_shape_or_none(points: list[Point]) -> None:
    assert gesture(points) in {None, *SHAPES, "thumb down", "ok"}


async def test_a_hand_in_a_crop_lies_where_it_lies_in_the_whole(seen_in_a_crop: Any, assert_moved: Any) -> None:
    (alone,), (cropped,) = await seen_in_a_crop(hands, drawn((1, 1, 1, 1), thumb_out=True))
    assert_moved([alone], [cropped])
    for one, other in zip(alone.as_(Hand).keypoints, cropped.as_(Hand).keypoints, strict=True):
        assert (other.x, other.y) == pytest.approx((0.4 + one.x / 2, 0.3 + one.y * 0.6), abs=0.01)
