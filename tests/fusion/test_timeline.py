"""The timeline against looking at everything, and which media share a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion import Span, Timeline, clocks_of
from consilience.observations import Locator, Media, Observation, Provenance, TimeRange

ObservationOf = Callable[..., Observation]
MediaOf = Callable[..., Media]

FILM, SOUND = "sha256:" + "f" * 64, "sha256:" + "5" * 64
KINDS = ("x_face", "x_words", "x_sound")

# Few different seconds, so that ends meet often.
seconds = st.integers(0, 12).map(lambda quarter: quarter / 4)
spans = st.tuples(seconds, seconds).map(lambda pair: Span(min(pair), max(pair)))


@st.composite
def timed(draw: st.DrawFn) -> Observation:
    span = draw(spans)
    return Observation(
        kind=draw(st.sampled_from(KINDS)),
        value=draw(st.sampled_from([0, 1, 2]).map(lambda n: {"n": n})),
        text="seen",
        locator=Locator(time=draw(st.sampled_from([TimeRange(start=span.start, end=span.end), None]))),
        provenance=Provenance(
            media=draw(st.sampled_from([FILM, SOUND])), modality="video", tool="made up", version="1"
        ),
    )


observations = st.lists(timed(), max_size=12)
media = [
    Media(id=FILM, mime="video/mp4", modality="video", name="film.mp4", size=1, seconds=3),
    Media(id=SOUND, mime="audio/wave", modality="audio", name="sound.wav", size=1, seconds=3),
]
offsets = st.sampled_from([{}, {"film.mp4": 0.0, "sound.wav": 0.75}, {FILM: -1.0, SOUND: 1.0}, {"film.mp4": 2.0}])


def moments_of(span: Span) -> set[float]:
    """Which of the eighths of a second belong to it: quarters are the ends, those between stand for what is inside."""
    if span.start == span.end:
        return {span.start}
    return {n / 8 for n in range(-40, 80) if span.start <= n / 8 < span.end}


@given(spans, spans)
def test_spans_overlap_where_they_share_a_moment(one: Span, other: Span) -> None:
    shared = moments_of(one) & moments_of(other)
    assert one.overlaps(other) == other.overlaps(one) == bool(shared)
    common = one.common(other)
    assert (common is not None) == bool(shared)
    if common is not None:
        assert moments_of(common) == shared


@given(observations, spans, offsets, st.sampled_from([None, {"x_face"}, {"x_face", "x_sound"}, set()]))
def test_overlapping_finds_what_looking_at_everything_finds(
    given_: list[Observation], span: Span, given_offsets: dict[str, float], kinds: set[str] | None
) -> None:
    timeline = Timeline(given_, media, given_offsets)
    for clock in {timeline.clock(o).name for o in given_}:
        expected = [
            o
            for o in given_
            if timeline.clock(o).name == clock
            and (own := timeline.span(o)) is not None
            and moments_of(own) & moments_of(span)
            and (kinds is None or o.kind in kinds)
        ]
        found = timeline.overlapping(clock, span, kinds)
        assert sorted(o.id for o in found) == sorted(o.id for o in expected)
        starts = [own.start for o in found if (own := timeline.span(o))]
        assert starts == sorted(starts)


@given(observations, spans, offsets)
def test_within_finds_what_looking_at_everything_finds(
    given_: list[Observation], span: Span, given_offsets: dict[str, float]
) -> None:
    timeline = Timeline(given_, media, given_offsets)
    for clock in timeline.clocks:
        expected = [
            o.id
            for o in given_
            if timeline.clock(o).name == clock
            and (own := timeline.span(o)) is not None
            and span.start <= own.start
            and own.end <= span.end
        ]
        assert sorted(o.id for o in timeline.within(clock, span)) == sorted(expected)


@given(observations, offsets)
def test_during_is_mutual_and_never_itself(given_: list[Observation], given_offsets: dict[str, float]) -> None:
    timeline = Timeline(given_, media, given_offsets)
    for one in given_:
        during = timeline.during(one)
        assert one not in during
        for other in during:
            assert one in timeline.during(other)
            assert timeline.common(one, other) is not None


@given(observations)
def test_nothing_is_lost_and_what_has_no_time_is_on_no_clock(given_: list[Observation]) -> None:
    timeline = Timeline(given_, media)
    placed = [m.observation.id for clock in timeline.clocks for m in timeline.moments(clock)]
    assert sorted(placed) == sorted(o.id for o in given_ if o.locator.time)


@given(observations, offsets)
def test_without_a_common_clock_nothing_overlaps(given_: list[Observation], given_offsets: dict[str, float]) -> None:
    timeline = Timeline(given_, media, given_offsets)
    together = len(given_offsets) == 2
    for one in given_:
        for other in timeline.during(one):
            assert together or one.provenance.media == other.provenance.media


@given(timed(), spans, offsets)
def test_a_place_on_the_clock_is_told_in_the_mediums_own_seconds(
    observation: Observation, span: Span, given_offsets: dict[str, float]
) -> None:
    timeline = Timeline([observation], media, given_offsets)
    own = timeline.span(observation)
    common = own.common(span) if own else None
    if own and common:
        time = timeline.place(observation, common).time
        assert time is not None
        offset = timeline.clock(observation).offset
        assert (time.start + offset, time.end + offset) == (common.start, common.end)


@pytest.mark.parametrize(
    ("names", "given_offsets", "together"),
    [
        (("talk.mp4", "talk.vtt"), {}, True),
        (("talk.mp4", "talk.en.vtt"), {}, True),
        (("talk.mp4", "TALK.VTT"), {}, True),
        (("talk.mp4", "other.vtt"), {}, False),
        (("talk.mp4", "talk.wav"), {}, False),
        (("talk.mp4", "talk.wav"), {"talk.mp4": 0.0, "talk.wav": 3.5}, True),
        (("talk.mp4", "talk.wav"), {"talk.wav": 3.5}, False),
        (("talk.mp4", "talk.png"), {}, False),
    ],
)
def test_who_shares_a_clock(
    medium: MediaOf, names: tuple[str, str], given_offsets: dict[str, float], together: bool
) -> None:
    facts: dict[str, dict[str, Any]] = {
        ".mp4": {"mime": "video/mp4", "modality": "video", "seconds": 9.0},
        ".wav": {"mime": "audio/wave", "modality": "audio", "seconds": 9.0},
        ".vtt": {"mime": "text/vtt", "modality": "text"},
        ".png": {"mime": "image/png", "modality": "image"},
    }
    one, other = (medium(name, **facts[name[-4:].lower()]) for name in names)
    clocks = clocks_of([one, other], given_offsets)
    assert (clocks[one.id].name == clocks[other.id].name) == together


def test_annotations_run_with_their_recordings_offset(medium: MediaOf) -> None:
    film = medium("talk.mp4", mime="video/mp4", modality="video", seconds=9.0)
    subtitles = medium("talk.vtt", mime="text/vtt", modality="text")
    clocks = clocks_of([film, subtitles], {"talk.mp4": 4.0})
    assert clocks[subtitles.id] == clocks[film.id]
    assert clocks[film.id].offset == 4.0


def test_annotations_of_two_recordings_of_a_name_belong_to_neither(medium: MediaOf) -> None:
    film = medium("talk.mp4", mime="video/mp4", modality="video", seconds=9.0)
    sound = medium("talk.wav", seconds=9.0)
    subtitles = medium("talk.vtt", mime="text/vtt", modality="text")
    clocks = clocks_of([film, sound, subtitles])
    assert len({clock.name for clock in clocks.values()}) == 3


def test_what_was_seen_while_this_was_said(observed: ObservationOf) -> None:
    said = observed("transcript", "look at this", medium="film", at=(2.0, 4.0))
    seen = observed("text", "EXIT", medium="film", at=(3.5, 3.5))
    later = observed("text", "END", medium="film", at=(4.0, 4.0))
    elsewhere = observed("text", "MENU", medium="picture")
    timeline = Timeline([said, seen, later, elsewhere])
    assert timeline.during(said, {"text"}) == (seen,)
