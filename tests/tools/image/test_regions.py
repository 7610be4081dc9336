"""Image encoders on a crop: what they find there lies where it lies in the whole picture. Hands: see test_hands.py."""

from __future__ import annotations

from typing import Any

import pytest
from consilience.tools import Encoder
from consilience.tools.image.expression import expression
from consilience.tools.image.faces import faces
from consilience.tools.image.objects import objects
from consilience.tools.image.pose import pose
from consilience.tools.image.properties import properties
from consilience.tools.image.text import text
from PIL import Image, ImageDraw, ImageFont

from consilience.observations import Pose, Region


@pytest.mark.parametrize("encoder", [faces, expression, pose, objects], ids=lambda encoder: encoder.name)
async def test_people_and_things(
    encoder: Encoder, seen_in_a_crop: Any, assert_moved: Any, astronaut: Image.Image
) -> None:
    assert_moved(*await seen_in_a_crop(encoder, astronaut))


async def test_text(seen_in_a_crop: Any, assert_moved: Any) -> None:
    sign = Image.new("RGB", (500, 240), "white")
    pen = ImageDraw.Draw(sign)
    pen.text((30, 30), "Pier nine", fill="black", font=ImageFont.load_default(48))
    pen.text((30, 130), "Ferries to the island", fill="black", font=ImageFont.load_default(36))
    alone, cropped = await seen_in_a_crop(text, sign)
    assert_moved(alone, cropped)
    assert [o.text for o in cropped] == [o.text for o in alone] == ["Pier nine", "Ferries to the island"]


async def test_properties_are_those_of_the_crop(seen_in_a_crop: Any) -> None:
    (alone,), (cropped,) = await seen_in_a_crop(properties, Image.new("RGB", (200, 120), "red"))
    assert cropped.value == alone.value
    assert cropped.locator.region == Region(x=0.4, y=0.3, w=0.5, h=0.6)


async def test_a_crop_may_be_larger_than_pillow_likes(
    look: Any, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await look(properties, cat.crop((45, 30, 406, 270)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    (found,) = await look(properties, cat, where="xywh=percent:10,10,80,80")
    assert found.value == expected[0].value


async def test_joints_are_fractions_of_the_whole_picture(seen_in_a_crop: Any, astronaut: Image.Image) -> None:
    (alone,), (cropped,) = await seen_in_a_crop(pose, astronaut)
    for one, other in zip(alone.as_(Pose).keypoints, cropped.as_(Pose).keypoints, strict=True):
        assert (other.x, other.y) == pytest.approx((0.4 + one.x / 2, 0.3 + one.y * 0.6), abs=0.01)


async def test_the_place_in_words_is_of_the_whole_picture(seen_in_a_crop: Any, astronaut: Image.Image) -> None:
    (alone,), (cropped,) = await seen_in_a_crop(faces, astronaut)
    assert "upper middle" in alone.text
    assert "a face at the centre" in cropped.text
    assert cropped.value["share"] == pytest.approx(alone.value["share"] * 0.3, rel=0.02)
