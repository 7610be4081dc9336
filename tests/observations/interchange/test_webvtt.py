"""WebVTT, read back by a parser of its own, with hostile words in it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import Locator, Media, Observation, Provenance, Record, TimeRange
from consilience.observations.interchange import spoken_media, to_webvtt

Make = Callable[..., Observation]
Recorded = Callable[..., Record]

CALL = "sha256:" + "b" * 64


def said(text: str, start: float, end: float, speaker: str | None = None) -> Observation:
    return Observation(
        kind="transcript",
        value={"text": text, "language": "en", "speaker": speaker},
        text=text,
        locator=Locator(time=TimeRange(start=start, end=end)),
        provenance=Provenance(media=CALL, modality="audio", tool="t", version="1"),
    )


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: any(c.isprintable() and not c.isspace() for c in text)
)
hostile = words | st.sampled_from(["a --> b", "</v><b>bold</b>", "&amp; &lt;", "NOTE x", "WEBVTT", "<00:00:01.000>"])
cues = st.tuples(hostile, st.integers(0, 4_000_000), st.integers(0, 5000), st.none() | hostile)


@given(st.lists(cues, min_size=1, max_size=4, unique_by=lambda cue: cue[1]))
def test_a_parser_reads_what_was_said_and_when(given_: list[tuple[str, int, int, str | None]]) -> None:
    spoken = [said(text, at / 1000, (at + length) / 1000, who) for text, at, length, who in given_]
    text = to_webvtt(Record((), spoken))
    assert re.fullmatch(r"WEBVTT\n(?:\n[^\n]+\n[^\n]+ --> [^\n]+\n[^\n]+\n)+", text), "a cue is four lines"
    parsed = webvtt.from_buffer(io.StringIO(text))
    ordered = sorted(spoken, key=lambda o: o.locator.time.start if o.locator.time else 0)
    assert len(parsed.captions) == len(ordered)
    for caption, observation in zip(parsed.captions, ordered, strict=True):
        time = observation.locator.time
        assert time is not None
        assert caption.start_in_seconds == int(time.start)
        assert caption.start < caption.end
        payload = caption.raw_text
        bare = re.sub(r"^<v [^>]*>(.*)</v>$", r"\1", payload)
        assert not re.search(r"[<>]", bare), "no markup comes out of words"
        assert unescape(bare) == unescape(unescape(bare)) or "&" in observation.text
        assert bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == observation.text


def test_voices_come_from_the_source_or_from_the_turns(recorded: Recorded, make: Make, call: Media) -> None:
    def spoken(text: str, at: tuple[float, float], speaker: str | None = None) -> Observation:
        return make(call, "transcript", text, {"text": text, "language": "en", "speaker": speaker}, at=at)

    record = recorded(
        spoken("Third", (9, 10)),
        spoken("First", (0, 4)),
        spoken("Second", (4, 8), "Ann > Bob"),
        make(call, "speaker", "S1 talks", {"speaker": "S1"}, at=(0, 1)),
        make(call, "speaker", "S2 talks", {"speaker": "S2"}, at=(1, 8)),
    )
    assert to_webvtt(record) == (
        "WEBVTT\n\n"
        "a2\n00:00:00.000 --> 00:00:04.000\n<v S2>First</v>\n\n"
        "a3\n00:00:04.000 --> 00:00:08.000\n<v Ann &gt; Bob>Second</v>\n\n"
        "a1\n00:00:09.000 --> 00:00:10.000\nThird\n"
    )


def test_hours_and_moments(recorded: Recorded) -> None:
    text = to_webvtt(recorded(said("late", 3 * 3600 + 62.0015, 3 * 3600 + 62.0015)))
    assert "03:01:02.002 --> 03:01:02.003" in text or "03:01:02.001 --> 03:01:02.002" in text


def test_one_medium_at_a_time(recorded: Recorded, make: Make, call: Media, film: Media) -> None:
    record = recorded(
        make(film, "transcript", "in the film", {"text": "in the film", "language": "en"}, at=(0, 1)),
        make(call, "transcript", "in the call", {"text": "in the call", "language": "en"}, at=(0, 1)),
    )
    assert spoken_media(record) == (film.id, call.id)
    assert "in the call" not in to_webvtt(record)
    assert "in the call" in to_webvtt(record, call.id)


def test_nothing_said_is_an_error(recorded: Recorded, make: Make, photo: Media) -> None:
    with pytest.raises(ValueError, match="nothing is said"):
        to_webvtt(recorded(make(photo, "text", "EXIT")))
