"""Pure functions of reading pages: whatever the words, none is lost or told twice."""

from __future__ import annotations

from consilience.tools.document.figures import covered, figures
from consilience.tools.document.glyphs import Glyph, Style, words
from consilience.tools.document.grids import Grid, GridCell
from consilience.tools.document.layout import Box, Frame, Leaf, Rule, Word, turned
from consilience.tools.document.reading import columns, lines_of, paragraphs
from hypothesis import given, settings
from hypothesis import strategies as st

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

WIDTH, HEIGHT = 600.0, 800.0
places = st.floats(0, 500, allow_nan=False).map(lambda x: round(x, 1))
sizes = st.sampled_from([6.0, 10.0, 11.0, 18.0])


@st.composite
def word_on_page(draw: st.DrawFn) -> Word:
    left, top, size = draw(places), draw(places), draw(sizes)
    text = draw(st.text("abcdefgh.-", min_size=1, max_size=8))
    return Word(text, Box(left, top, left + size * len(text) / 2, top + size), size)


@st.composite
def box_on_page(draw: st.DrawFn) -> Box:
    left, top = draw(places), draw(places)
    return Box(left, top, left + draw(st.floats(0.5, 99)), top + draw(st.floats(0.5, 99)))


pages = st.lists(word_on_page(), max_size=40)


@given(pages)
def test_reading_order_keeps_every_word_once(page: list[Word]) -> None:
    read = [
        word for block in columns(page) for p in paragraphs(lines_of(block)) for line in p.lines for word in line.words
    ]
    assert sorted(read) == sorted(page)


@given(box_on_page(), st.sampled_from([0, 90, 180, 270]))
def test_turning_on_brings_a_box_back(box: Box, turn: int) -> None:
    width, height = (HEIGHT, WIDTH) if turn in (90, 270) else (WIDTH, HEIGHT)
    back = turned(turned(box, turn, WIDTH, HEIGHT), (360 - turn) % 360, width, height)
    assert all(abs(a - b) < 1e-6 for a, b in zip(back, box, strict=True))


@given(box_on_page(), st.sampled_from([0, 90, 180, 270]))
def test_a_frame_keeps_boxes_on_the_page_in_it(box: Box, turn: int) -> None:
    frame = Frame(0, 0, WIDTH, HEIGHT, turn)
    seen = frame.box(box.left, box.top, box.right, box.bottom)
    assert -1e-9 <= seen.left <= seen.right <= frame.width + 1e-9
    assert -1e-9 <= seen.top <= seen.bottom <= frame.height + 1e-9


@given(pages, st.lists(box_on_page(), max_size=5))
def test_leaves_survive_json(page: list[Word], boxes: list[Box]) -> None:
    import json

    leaf = Leaf(
        1,
        WIDTH,
        HEIGHT,
        tuple(page),
        tuple(Rule(b) for b in boxes),
        tuple((b, "key") for b in boxes),
        hidden=2,
        cut="x",
    )
    assert Leaf.from_json(json.loads(json.dumps(leaf.to_json()))) == leaf


@given(st.lists(box_on_page(), max_size=8))
def test_covered_area_is_that_of_the_union(boxes: list[Box]) -> None:
    area = covered(boxes)
    assert max((b.area for b in boxes), default=0) - 1e-6 <= area <= sum(b.area for b in boxes) + 1e-6
    assert abs(covered(boxes + boxes) - area) < 1e-6


def test_strips_of_one_picture_are_one_figure() -> None:
    strips = tuple((Box(100, 100 + 20 * i, 300, 120 + 20 * i), str(i)) for i in range(5))
    ((box, _),) = figures(Leaf(1, WIDTH, HEIGHT, pictures=strips), 0.01)
    assert box == Box(100, 100, 300, 200)


def test_a_word_ends_at_a_gap_and_at_another_line() -> None:
    def glyph(text: str, left: float, top: float = 0.0) -> Glyph:
        return Glyph(text, Box(left, top, left + 5, top + 10), Style(), 1, unreadable=False)

    read = [glyph("a", 0), glyph("b", 5), glyph("c", 15), glyph("d", 0, 12)]
    found, hidden = words(read, [True] * 4)
    assert ([w.text for w in found], hidden) == (["ab", "c", "d"], 0)
    found, hidden = words(read, [False, False, True, True])
    assert ([w.text for w in found], hidden) == (["c", "d"], 2)


def grid(*rows: str) -> Grid:
    return Grid(tuple(GridCell(t, r, c) for r, row in enumerate(rows) for c, t in enumerate(row.split("|"))))


def test_headers_are_told_from_figures() -> None:
    assert grid("Item|Price", "Tea|3.50 EUR").header == 1
    assert grid("Shop|2024|2025", "North|5|6", "South|7|8").names == ("Shop", "2024", "2025")
    assert grid("Tea|3.50", "Cake|4.00", "Jam|2.00").header == 0
    assert grid("Tea|3.50", "Cake|4.00", "Jam|2.00").names == ("", "")


def test_a_first_row_across_all_columns_is_the_caption() -> None:
    title = GridCell("Prices", 0, 0, 1, 2)
    rest = tuple(GridCell(c.text, c.row + 1, c.column) for c in grid("Item|Price", "Tea|3").cells)
    told = Grid((title, *rest))
    assert (told.caption, told.header, told.names) == ("Prices", 2, ("Item", "Price"))
    assert [(c.row, c.column, c.text) for c in told.body()] == [(1, 1, "Tea"), (1, 2, "3")]
