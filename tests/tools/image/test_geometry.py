"""Squares that are cut out and put back, boxes that overlap, places in words: pure functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from consilience.tools.image.boxes import overlaps, suppress
from consilience.tools.image.placement import Frame, place
from consilience.tools.image.roi import Roi, pyramid, whole
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from consilience.observations import Region

sides = st.integers(1, 4000)
rois = st.builds(
    Roi, x=st.floats(-500, 500), y=st.floats(-500, 500), size=st.floats(1, 2000), angle=st.floats(-math.pi, math.pi)
)
boxes = st.tuples(*[st.floats(0, 100)] * 4).map(lambda b: (b[0], b[1], b[0] + b[2] + 0.1, b[1] + b[3] + 0.1))


@pytest.mark.parametrize("angle", [0, 20, -75, 180])
@pytest.mark.parametrize("scale", [0.5, 1, 4.6])
def test_what_is_seen_in_a_square_is_put_back_where_it_is(angle: float, scale: float) -> None:
    picture = Image.new("L", (400, 300))
    ImageDraw.Draw(picture).ellipse((245, 95, 255, 105), fill=255)
    roi = Roi(240, 108, 96 * scale, math.radians(angle))
    seen = roi.pixels(picture, 96)[:, :, 0]
    rows, columns = np.nonzero(seen >= seen.max() * 0.6)
    ((x, y),) = roi.back([((columns.mean() + 0.5) / 96, (rows.mean() + 0.5) / 96)])
    # The dot's centre, in the middle of pixel (250, 100).
    assert (x, y) == pytest.approx((250.5, 100.5), abs=scale)


@given(rois, st.floats(0, 1), st.floats(0, 1))
def test_a_square_is_as_large_as_it_says(roi: Roi, across: float, down: float) -> None:
    corners = roi.back([(0, 0), (1, 0), (1, 1), (across, down), (0.5, 0.5)])
    assert math.dist(corners[0], corners[1]) == pytest.approx(roi.size)
    assert math.dist(corners[1], corners[2]) == pytest.approx(roi.size)
    assert math.dist(corners[3], corners[4]) <= roi.size * math.sqrt(0.5) + 1e-6
    assert tuple(corners[4]) == pytest.approx((roi.x, roi.y))


@given(rois, sides, sides, st.integers(1, 64))
def test_any_square_can_be_looked_at(roi: Roi, width: int, height: int, side: int) -> None:
    pixels = roi.pixels(Image.new("L", (min(width, 300), min(height, 300)), 255), side)
    assert pixels.shape == (side, side, 1)
    assert pixels.dtype == np.float32
    assert 0 <= pixels.min() <= pixels.max() <= 1


@given(sides, sides, st.integers(1, 4))
def test_a_pyramid_covers_the_picture(width: int, height: int, levels: int) -> None:
    picture = Image.new("L", (1, 1)).resize((width, height)) if width * height < 1_000_000 else None
    if picture is None:
        return
    first, *tiles = pyramid(picture, 128, levels)
    assert first == whole(picture)
    for size in {tile.size for tile in tiles}:
        level = [tile for tile in tiles if tile.size == size]
        assert size >= 128
        for x, y in ((0, 0), (width, height), (width, 0), (width / 2, height / 2), (width / 3, height * 0.9)):
            assert any(max(abs(tile.x - x), abs(tile.y - y)) <= size / 2 + 1e-6 for tile in level)


@given(boxes, boxes)
def test_overlap_is_mutual_and_a_share(one: tuple[float, ...], other: tuple[float, ...]) -> None:
    a, b = np.array(one), np.array(other)
    forth, back = overlaps(a, b[None])[0], overlaps(b, a[None])[0]
    assert forth == pytest.approx(back)
    assert 0 <= forth <= 1
    assert overlaps(a, a[None])[0] == pytest.approx(1)


def test_a_box_without_area_overlaps_nothing() -> None:
    flat = np.array([5.0, 5.0, 5.0, 9.0])
    assert overlaps(flat, np.array([flat, [0, 0, 10, 10]])).tolist() == [0, 0]


@given(st.lists(st.tuples(boxes, st.floats(0, 1)), max_size=30), st.floats(0.05, 0.95))
def test_suppression_puts_every_box_into_one_group(scored: list[tuple[tuple[float, ...], float]], most: float) -> None:
    edges = np.array([box for box, _ in scored]).reshape(-1, 4)
    scores = np.array([score for _, score in scored])
    groups = suppress(edges, scores, most)
    assert sorted(int(i) for group in groups for i in group) == list(range(len(scored)))
    best = [scores[group[0]] for group in groups]
    assert best == sorted(best, reverse=True)
    for number, group in enumerate(groups):
        assert all(scores[group[0]] >= scores[i] for i in group)
        later = [g[0] for g in groups[number + 1 :]]
        assert not len(later) or (overlaps(edges[group[0]], edges[later]) <= most).all()


@given(st.floats(0, 1), st.floats(0, 1))
def test_every_place_has_a_name(x: float, y: float) -> None:
    words = place(Region(x=x, y=y, w=0, h=0))
    assert ("left" in words) == (x < 1 / 3) or math.isclose(x, 1 / 3, abs_tol=1e-5)
    assert ("lower" in words) == (y >= 2 / 3) or math.isclose(y, 2 / 3, abs_tol=1e-5)


def test_a_crop_is_placed_in_the_whole_picture() -> None:
    frame = Frame(200, 100, Region(x=0.5, y=0.5, w=0.5, h=0.5))
    assert frame.place((150, 80, 200, 100)) == "lower right"
    assert frame.share((0, 0, 200, 100)) == 0.25
    (point,) = frame.keypoints([("nose", 100, 50, 1.0)])
    assert (point.x, point.y) == (0.75, 0.75)
