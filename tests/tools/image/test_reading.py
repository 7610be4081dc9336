"""Text in pictures: turned pages, columns, pictures too small or too narrow; and the order of reading by itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
from consilience.tools.image.reading_order import Line, reading_order
from consilience.tools.image.text import text
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from skimage import data

LEFT = ("First column line one", "continues on line two", "and ends on line three.")
RIGHT = ("Second column starts", "goes on here and", "stops right there.")
PAGE = ["A headline across both", *LEFT, *RIGHT]


@pytest.fixture(scope="module")
def page() -> Image.Image:
    """A headline over two columns."""
    picture = Image.new("RGB", (900, 300), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(26)
    pen.text((200, 20), PAGE[0], fill="black", font=ImageFont.load_default(38))
    for column, x in ((LEFT, 30), (RIGHT, 480)):
        for row, line in enumerate(column):
            pen.text((x, 120 + row * 44), line, fill="black", font=font)
    return picture


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 12])
async def test_a_page_is_read_in_order_however_it_lies(look: Any, page: Image.Image, degrees: int) -> None:
    found = await look(text, page.rotate(degrees, expand=True, fillcolor="white"))
    assert [o.text for o in found] == PAGE


async def test_a_scan_is_read_whole(look: Any) -> None:
    # One of its lines is taken for upside down at first.
    found = " ".join(o.text for o in await look(text, Image.fromarray(data.page())))
    assert "the markers are found at the two extreme parts of the histogram of grey values:" in found


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2), (5, 5)])
async def test_a_few_pixels_hold_no_text(look: Any, size: tuple[int, int]) -> None:
    (found,) = await look(text, Image.new("RGB", size, "red"))
    assert found.kind == "unobserved"
    assert "too small to hold text" in found.text


@pytest.mark.parametrize("size", [(8, 1200), (3000, 10), (30, 30)])
async def test_narrow_pictures_are_looked_at(look: Any, size: tuple[int, int]) -> None:
    (found,) = await look(text, Image.new("RGB", size, "red"))
    assert "no readable text" in found.text


async def test_a_line_in_a_narrow_strip_is_read_where_it_is(look: Any) -> None:
    strip = Image.new("RGB", (1600, 24), "white")
    ImageDraw.Draw(strip).text((1300, 1), "exit only on the left", fill="black", font=ImageFont.load_default(18))
    (found,) = await look(text, strip)
    assert found.text == "exit only on the left"
    assert found.locator.region.x == pytest.approx(1300 / 1600, abs=0.01)


async def test_small_print_in_a_large_picture_is_read_on_demand(look: Any) -> None:
    poster = Image.new("L", (6000, 5000), 255)
    ImageDraw.Draw(poster).text((4300, 4100), "Doors open at 18:45", fill=0, font=ImageFont.load_default(40))
    (whole,) = await look(text, poster)
    assert whole.kind == "unobserved"
    (found,) = await look(text, poster, where="xywh=percent:65,75,30,20")
    assert found.text == "Doors open at 18:45"
    assert found.locator.region.x == pytest.approx(4300 / 6000, abs=0.005)
    assert found.locator.region.y == pytest.approx(4100 / 5000, abs=0.01)


async def test_doubtful_lines_are_left_out(look: Any, page: Image.Image) -> None:
    (nothing,) = await look(text, page, min_score=1.0)
    assert nothing.kind == "unobserved"


def line(left: float, top: float, words: str, *, height: float = 20, turn: float = 0) -> Line:
    """A line of print that begins at (left, top), on a page that is then turned clockwise by `turn` radians."""
    right, bottom = left + len(words) * height / 2, top + height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    cos, sin = math.cos(turn), math.sin(turn)
    one, two, three, four = ((x * cos - y * sin, x * sin + y * cos) for x, y in corners)
    return Line((one, two, three, four), len(words))


def laid_out(turn: float = 0) -> list[Line]:
    columns = [line(x, 100 + 30 * row, "so much prose is here", turn=turn) for x in (0, 260, 520) for row in range(4)]
    return [line(0, 40, "one headline over all of the three columns here", turn=turn), *columns]


@given(st.permutations(range(13)), st.floats(-math.pi, math.pi))
def test_columns_are_read_one_after_the_other_from_any_side(order: list[int], turn: float) -> None:
    lines = laid_out(turn)
    found = reading_order([lines[i] for i in order])
    assert [order[i] for i in found] == list(range(13))


def test_columns_end_where_a_line_crosses_them() -> None:
    top = [line(x, 30 * row, "some prose in columns") for x in (0, 300) for row in range(2)]
    crossing = line(0, 70, "a line that runs across all of the columns there are")
    below = [line(x, 110 + 30 * row, "and more prose beneath") for x in (0, 300) for row in range(2)]
    assert reading_order([*below, crossing, *top]) == [5, 6, 7, 8, 4, 0, 1, 2, 3]


def test_tables_are_read_row_by_row() -> None:
    cells = [line(x, 30 * row, words) for row in range(4) for x, words in ((0, "10:15"), (200, "Paris"), (400, "4"))]
    assert reading_order(cells[::-1]) == list(range(12))[::-1]


def test_one_row_stands_together_though_its_letters_differ_in_height() -> None:
    row = [line(0, 0, "Total", height=30), line(200, 6, "12.50", height=18), line(300, -4, "EUR", height=34)]
    assert reading_order(row) == [0, 1, 2]


boxes = st.builds(
    line, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.text(max_size=40), turn=st.floats(-math.pi, math.pi)
)


@given(st.lists(boxes, max_size=40))
def test_every_line_is_read_once(lines: list[Line]) -> None:
    assert sorted(reading_order(lines)) == list(range(len(lines)))
