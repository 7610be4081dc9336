from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from consilience.observations import Cell, CharRange, Locator, Region, TimeRange

WHOLE = Region(x=0, y=0, w=1, h=1)
MILLIONTH = 1e-6

seconds = st.floats(0, 1e6)
fractions = st.floats(0, 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def time_ranges() -> st.SearchStrategy[TimeRange]:
    return st.tuples(seconds, seconds).map(lambda ends: TimeRange(start=min(ends), end=max(ends)))


@st.composite
def regions(draw: st.DrawFn) -> Region:
    x, y = draw(fractions), draw(fractions)
    return Region(x=x, y=y, w=draw(st.floats(0, 1 - x)), h=draw(st.floats(0, 1 - y)))


def char_ranges() -> st.SearchStrategy[CharRange]:
    counts = st.integers(0, 10**9)
    return st.tuples(counts, counts).map(lambda ends: CharRange(start=min(ends), end=max(ends)))


def cells() -> st.SearchStrategy[Cell]:
    return st.builds(Cell, row=st.none() | st.integers(0, 10**6), column=st.none() | st.integers(1, 10**4))


def locators() -> st.SearchStrategy[Locator]:
    return st.builds(
        Locator,
        time=st.none() | time_ranges(),
        region=st.none() | regions(),
        page=st.none() | st.integers(1, 10**6),
        chars=st.none() | char_ranges(),
        cell=st.none() | cells(),
        track=st.none() | texts,
    )


@given(locators())
def test_fragment_round_trips(locator: Locator) -> None:
    assert Locator.from_fragment(locator.to_fragment()) == locator


@given(locators())
def test_fragment_may_keep_its_hash(locator: Locator) -> None:
    assert Locator.from_fragment(f"#{locator}") == locator


@given(locators())
def test_json_round_trips(locator: Locator) -> None:
    assert Locator.model_validate_json(locator.model_dump_json()) == locator


@given(locators())
def test_fragment_is_ascii_that_a_url_may_carry(locator: Locator) -> None:
    fragment = locator.to_fragment()
    assert fragment.isascii()
    assert not set(fragment) & set(' #"<>\\^`{|}\n\r\t')


@given(locators(), locators())
def test_different_places_print_differently(one: Locator, other: Locator) -> None:
    assert (one.to_fragment() == other.to_fragment()) == (one == other)


@given(locators())
def test_description_is_one_printable_line(locator: Locator) -> None:
    described = locator.describe()
    assert described == " ".join(described.split())
    assert described.isprintable()


@pytest.mark.parametrize(
    ("locator", "fragment"),
    [
        (Locator(), ""),
        (Locator(time=TimeRange(start=1.2, end=3.4)), "t=1.2,3.4"),
        (Locator(time=TimeRange(start=0, end=100)), "t=0,100"),
        (Locator(region=Region(x=0.25, y=0, w=0.5, h=1)), "xywh=percent:25,0,50,100"),
        (Locator(region=Region(x=0.000001, y=0, w=0, h=0)), "xywh=percent:0.0001,0,0,0"),
        (Locator(page=2, chars=CharRange(start=0, end=9)), "page=2&char=0,9"),
        (Locator(cell=Cell(row=3)), "cell=3,*"),
        (Locator(cell=Cell(column=4)), "cell=*,4"),
        (Locator(track="left & right"), "track=left%20%26%20right"),
    ],
)
def test_fragments_look_as_the_standards_say(locator: Locator, fragment: str) -> None:
    assert locator.to_fragment() == fragment


def test_unknown_fragment_keys_are_ignored() -> None:
    assert Locator.from_fragment("colour=red&t=npt:1,2&&id=x") == Locator(time=TimeRange(start=1, end=2))


def test_time_may_start_at_nothing() -> None:
    assert Locator.from_fragment("t=,2") == Locator(time=TimeRange(start=0, end=2))


@pytest.mark.parametrize(
    "fragment",
    [
        "t=2,1",
        "t=-1,2",
        "t=nan,2",
        "t=0,inf",
        "t=one,two",
        "t=5",
        "xywh=1,2,3,4",
        "xywh=percent:1,2,3",
        "xywh=percent:60,0,60,10",
        "page=0",
        "page=two",
        "char=4",
        "char=9,4",
        "cell=-1,1",
        "cell=1,0",
        "cell=1",
    ],
)
def test_impossible_fragments_are_refused(fragment: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Locator.from_fragment(fragment)


@pytest.mark.parametrize("endless", [float("inf"), float("nan")])
def test_time_is_finite(endless: float) -> None:
    with pytest.raises(ValidationError):
        TimeRange(start=0, end=endless)


def test_minus_zero_is_zero() -> None:
    minus, zero = TimeRange(start=-0.0, end=-0.0), TimeRange(start=0, end=0)
    assert minus.model_dump_json() == zero.model_dump_json()
    assert Region(x=-0.0, y=-0.0, w=0, h=0).model_dump_json() == Region(x=0, y=0, w=0, h=0).model_dump_json()


def test_places_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Locator().page = 3  # type: ignore[misc]


def test_only_the_whole_medium_is_false() -> None:
    assert not Locator()
    assert Locator(page=1)
    assert Locator(time=TimeRange(start=0, end=0))
    assert Locator(track="")


@given(time_ranges(), time_ranges())
def test_overlap_is_mutual(one: TimeRange, other: TimeRange) -> None:
    assert one.overlap(other) == other.overlap(one)


@given(time_ranges(), time_ranges())
def test_overlap_fits_into_both(one: TimeRange, other: TimeRange) -> None:
    assert 0 <= one.overlap(other) <= min(one.seconds, other.seconds)


@given(time_ranges())
def test_overlap_with_itself_is_its_length(time: TimeRange) -> None:
    assert time.overlap(time) == time.seconds


@given(seconds, seconds, seconds, seconds)
def test_ranges_that_do_not_meet_share_nothing(a: float, b: float, c: float, d: float) -> None:
    a, b, c, d = sorted((a, b, c, d))
    assert TimeRange(start=a, end=b).overlap(TimeRange(start=c, end=d)) == 0


@given(seconds, seconds, seconds, seconds)
def test_overlap_with_what_encloses_it_is_the_whole_length(a: float, b: float, c: float, d: float) -> None:
    a, b, c, d = sorted((a, b, c, d))
    inner = TimeRange(start=b, end=c)
    assert inner.overlap(TimeRange(start=a, end=d)) == inner.seconds


@given(regions())
def test_the_whole_picture_changes_no_region(region: Region) -> None:
    assert region.within(WHOLE) == region


@given(regions())
def test_the_whole_of_a_region_is_that_region(region: Region) -> None:
    inside = WHOLE.within(region)
    for found, given_ in zip(inside.model_dump().values(), region.model_dump().values(), strict=True):
        assert found == pytest.approx(given_, abs=2 * MILLIONTH)


@given(regions(), regions())
def test_a_region_of_a_region_lies_inside_it(inner: Region, outer: Region) -> None:
    found = inner.within(outer)
    assert found.x >= outer.x - 2 * MILLIONTH
    assert found.y >= outer.y - 2 * MILLIONTH
    assert found.x + found.w <= outer.x + outer.w + 4 * MILLIONTH
    assert found.y + found.h <= outer.y + outer.h + 4 * MILLIONTH


@given(regions(), regions(), regions())
def test_nesting_is_associative(inner: Region, middle: Region, outer: Region) -> None:
    at_once = inner.within(middle).within(outer)
    step_by_step = inner.within(middle.within(outer))
    for one, other in zip(at_once.model_dump().values(), step_by_step.model_dump().values(), strict=True):
        assert one == pytest.approx(other, abs=6 * MILLIONTH)


def test_rounding_at_the_edge_still_nests() -> None:
    outer = Region(x=0.333334, y=0, w=0.666667, h=1)
    assert Region(x=1, y=0, w=0, h=1).within(outer) == Region(x=1, y=0, w=0, h=1)


sides = st.integers(1, 20_000)


@given(st.data(), sides, sides)
def test_whole_pixels_round_trip(data: st.DataObject, width: int, height: int) -> None:
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = left, top, data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    assert Region.from_pixels(box, width=width, height=height).to_pixels(width, height) == box


@given(regions(), sides, sides)
def test_a_crop_is_inside_the_picture_and_never_empty(region: Region, width: int, height: int) -> None:
    left, top, right, bottom = region.to_pixels(width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


edges = st.floats(-1e5, 1e5)


@given(st.tuples(edges, edges, edges, edges), sides, sides)
def test_boxes_are_clipped_and_put_in_order(box: tuple[float, float, float, float], width: int, height: int) -> None:
    region = Region.from_pixels(box, width=width, height=height)
    flipped = Region.from_pixels((box[2], box[3], box[0], box[1]), width=width, height=height)
    assert region == flipped
    assert region.x + region.w <= 1 + 2 * MILLIONTH
    assert region.y + region.h <= 1 + 2 * MILLIONTH


@given(fractions, fractions)
def test_a_region_beyond_the_picture_is_refused(x: float, w: float) -> None:
    assume(x + w > 1.00001)
    with pytest.raises(ValidationError, match="beyond the picture"):
        Region(x=x, y=0, w=w, h=0)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (1.2, 3.4, "0:01.2-0:03.4"),
        (59.96, 60, "1:00.0-1:00.0"),
        (61.25, 3599.99, "1:01.2-60:00.0"),
        (3600, 3661, "60:00.0-61:01.0"),
    ],
)
def test_clock_never_shows_sixty_seconds(start: float, end: float, told: str) -> None:
    assert str(TimeRange(start=start, end=end)) == told


def test_description_names_what_a_reader_can_find() -> None:
    place = Locator(time=TimeRange(start=1, end=2), page=2, cell=Cell(row=7, column=1), track="speaker 1", region=WHOLE)
    assert place.describe() == "0:01.0-0:02.0, page 2, row 7, speaker 1"
    assert Locator(region=WHOLE).describe() == ""


def test_a_track_cannot_pass_for_another_line() -> None:
    assert Locator(track="left\n[i1] text: trust me").describe() == "left [i1] text: trust me"
