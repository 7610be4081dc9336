"""JSON lines: nothing is lost on the way out and back, and what is not ours is refused with its line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import BadMedia
from consilience.observations import (
    MODALITIES,
    Cell,
    CharRange,
    Confidence,
    Failure,
    Locator,
    Media,
    Observation,
    Provenance,
    Record,
    Region,
    TimeRange,
)
from consilience.observations.interchange import from_jsonl, to_jsonl

# Whatever JSON can hold, line ends of all sorts among it.
characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u2028\u2029\u0085\x0b\r\n\x00\U0001f600")
texts = st.text(characters, max_size=8)
words = texts.filter(lambda text: any(c.isprintable() and not c.isspace() for c in text))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=6,
)
ids = st.sampled_from(["sha256:" + digit * 64 for digit in "0af"])
fractions = st.floats(0, 0.5)
optional_numbers = st.none() | st.integers(1, 10**6)
ranges = st.tuples(st.floats(0, 10**5), st.floats(0, 10**3)).map(lambda t: TimeRange(start=t[0], end=t[0] + t[1]))
places = st.builds(
    Locator,
    time=st.none() | ranges,
    region=st.none() | st.builds(Region, x=fractions, y=fractions, w=fractions, h=fractions),
    page=optional_numbers,
    chars=st.none() | st.integers(0, 99).map(lambda n: CharRange(start=n, end=n + 1)),
    cell=st.none() | st.builds(Cell, row=st.none() | st.integers(0, 9), column=st.none() | st.integers(1, 9)),
    track=st.none() | texts,
)
all_media = st.builds(
    Media,
    id=ids,
    mime=texts,
    modality=st.sampled_from(MODALITIES),
    name=texts,
    size=st.integers(1, 2**60),
    width=optional_numbers,
    seconds=st.none() | st.floats(0, 10**6),
    pages=optional_numbers,
)
observations = st.builds(
    Observation,
    kind=st.from_regex(r"\Ax[a-z0-9_]{0,9}\Z"),
    value=st.dictionaries(texts, values, max_size=3),
    text=words,
    locator=places,
    confidence=st.none()
    | st.builds(Confidence, value=st.floats(0, 1), kind=st.sampled_from(["probability", "score", "calibrated"])),
    provenance=st.builds(
        Provenance,
        media=ids,
        modality=st.sampled_from(MODALITIES),
        tool=texts,
        version=texts,
        model=st.none() | texts,
        parameters=st.dictionaries(texts, values, max_size=2),
    ),
)
causes = st.sampled_from(["missing", "unreadable", "model", "configuration", "other"])
failures = st.builds(Failure, encoder=texts, media=ids, where=places, reason=texts, cause=causes)
records = st.builds(
    Record, st.lists(all_media, max_size=3), st.lists(observations, max_size=4), st.lists(failures, max_size=2)
)


def same(one: Record, other: Record) -> bool:
    return (list(one), one.media, one.failures) == (list(other), other.media, other.failures)


@given(records)
def test_nothing_is_lost(record: Record) -> None:
    assert same(from_jsonl(to_jsonl(record)), record)


@given(records)
def test_nothing_is_lost_in_a_file(record: Record) -> None:
    content = "".join(f"{line}\n" for line in to_jsonl(record))
    assert same(from_jsonl(content.encode().decode().splitlines()), record)
    assert list(to_jsonl(from_jsonl(content.splitlines(keepends=True)))) == list(to_jsonl(record))


@given(records)
def test_what_observe_prints_is_read_too(record: Record) -> None:
    printed = {
        "schema_version": 2,
        "media": [media.model_dump(mode="json", exclude_none=True) for media in record.media],
        "observations": {label: observation.model_dump(mode="json") for label, observation in record},
        "failures": [failure.model_dump(mode="json") for failure in record.failures],
    }
    assert same(from_jsonl([json.dumps(printed)]), record)


def test_records_of_the_first_version_are_read() -> None:
    header = '{"type":"header","format":"consilience-record","version":1}'
    assert same(from_jsonl([header]), Record())
    printed = {"schema_version": 1, "media": [], "observations": {}, "failures": ["image.text on a.png: no", "no"]}
    told = from_jsonl([json.dumps(printed)]).failures
    assert [failure.describe() for failure in told] == ["image.text: a.png: no", "no: no"]


def test_the_first_line_says_what_it_is() -> None:
    assert json.loads(next(to_jsonl(Record()))) == {"type": "header", "format": "consilience-record", "version": 2}


def test_labels_are_there_for_readers(
    recorded: Callable[..., Record], make: Callable[..., Observation], photo: Media
) -> None:
    record = recorded(make(photo, "text", "EXIT"))
    assert json.loads(list(to_jsonl(record))[-1])["label"] == "i1"


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "line 1 is no JSON"),
        (["hello"], "line 1 is no JSON"),
        (["[1]"], "line 1 is no JSON object"),
        (["{}"], "announces None version None"),
        (['{"type":"header","format":"consilience-record","version":3}'], "version 3"),
        (['{"format":"consilience-record","version":1}', "", "{"], "line 3 is not what it should be: Invalid JSON"),
        (['{"format":"consilience-record","version":1}', '{"type":"opinion"}'], "line 2 is not what it should be"),
        (['{"format":"consilience-record","version":1}', '{"type":"media","media":{"id":"x"}}'], "line 2"),
        (['{"format":"consilience-record","version":1}', '{"type":"media","media":NaN}'], "line 2"),
        (["[" * 100_000], "line 1 is no JSON"),
        (['{"format":"consilience-record","version":2}', '{"type":"failure","failure":{"encoder":"x"}}'], "line 2"),
        (['{"schema_version":2,"media":[],"observations":{},"failures":3}'], "line 1 is not what it should be"),
        (['{"schema_version":1,"media":[],"observations":{"i1":{}}}'], "line 1 is not what it should be"),
    ],
)
def test_what_is_not_ours_is_refused_with_its_line(lines: list[str], problem: str) -> None:
    with pytest.raises(BadMedia, match=problem) as refused:
        from_jsonl(lines, "notes.jsonl")
    assert refused.value.name == "notes.jsonl"
    assert refused.value.cure


def test_content_that_does_not_bear_its_id_is_refused(
    recorded: Callable[..., Record], make: Callable[..., Observation], photo: Media
) -> None:
    lines = list(to_jsonl(recorded(make(photo, "text", "Platform 4"))))
    with pytest.raises(BadMedia, match="does not belong to this content"):
        from_jsonl([*lines[:-1], lines[-1].replace("Platform 4", "Platform 6")])
