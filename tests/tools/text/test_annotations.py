"""Subtitles, speaker turns and boxes that others made, as observations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from consilience.tools import Runner
from consilience.tools.encoder import Encoder
from consilience.tools.text.boxes import boxes
from consilience.tools.text.subtitles import subtitles
from consilience.tools.text.turns import turns

from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Observation, ObservationStore, Source, Transcript, ingest
from consilience.testing import EncoderConformance

Bench = tuple[Runner, Media]

VTT = b"""WEBVTT

NOTE made by hand

1
00:01.000 --> 00:02.500 align:start
<v Ann Lee>Meet at six &amp; bring cake.

00:03.000 --> 00:04.000
<v Ann Lee>Yes.</v>
<v.loud Bob>No <i>way</i>.</v>

01:00:05.250 --> 01:00:06.000
Two dogs < three cats
"""
SRT = """1
00:00:01,000 --> 00:00:02,500
Où est la gare, s'il vous plaît ?

2
00:00:03,000 --> 00:00:04,000
<i>Là-bas</i>
à gauche.
""".replace("\n", "\r\n")
RTTM = b"""SPKR-INFO talk 1 <NA> <NA> <NA> unknown anna <NA> <NA>
SPEAKER talk 1 0.50 2.25 <NA> <NA> anna <NA> <NA>
SPEAKER talk 1 2.75 1.00 <NA> <NA> bob 0.8 <NA>
SPEAKER talk 1 nonsense
"""
COCO = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 100, "height": 50},
        {"id": "two", "file_name": "b.jpg", "width": 10, "height": 10},
        {"id": 3, "file_name": "c.jpg"},
    ],
    "categories": [{"id": 7, "name": "dog"}],
    "annotations": [
        {"image_id": 1, "category_id": 7, "bbox": [10, 5, 50, 25]},
        {"image_id": "two", "category_id": 7, "bbox": [-2, 0, 6, 20], "score": 0.75},
        {"image_id": 3, "category_id": 7, "bbox": [0, 0, 1, 1]},
        {"image_id": 1, "category_id": 8, "bbox": [0, 0, 1, 1]},
        {"image_id": 1, "category_id": 7, "bbox": [200, 0, 1, 1]},
        {"image_id": 1, "category_id": 7, "bbox": ["x", 0, 1, 1]},
        {"image_id": [1], "category_id": 7},
        "nonsense",
    ],
}


class TestSubtitles(EncoderConformance):
    encoder = subtitles

    def source(self) -> Source:
        return VTT

    async def test_reads_words_voices_and_times(self, bench: Bench) -> None:
        found = (await self.observe(bench)).observations
        assert [(o.as_(Transcript).speaker, o.as_(Transcript).text) for o in found] == [
            ("Ann Lee", "Meet at six & bring cake."),
            ("Ann Lee", "Yes."),
            ("Bob", "No way."),
            (None, "Two dogs < three cats"),
        ]
        assert [o.locator.to_fragment() for o in found] == ["t=1,2.5", "t=3,4", "t=3,4", "t=3605.25,3606"]
        assert found[0].text == "Ann Lee: Meet at six & bring cake."
        assert {o.as_(Transcript).language for o in found} == {"en"}

    async def test_a_stretch_of_time_may_be_asked_for(self, bench: Bench) -> None:
        found = (await self.observe(bench, where=Locator.from_fragment("t=3,10"))).observations
        assert [o.as_(Transcript).text for o in found] == ["Yes.", "No way."]


class TestTurns(EncoderConformance):
    encoder = turns

    def source(self) -> Source:
        return RTTM

    async def test_reads_who_spoke_when(self, bench: Bench) -> None:
        *spoken, rest = (await self.observe(bench)).observations
        assert [(o.value["speaker"], o.locator.to_fragment()) for o in spoken] == [
            ("anna", "t=0.5,2.75"),
            ("bob", "t=2.75,3.75"),
        ]
        assert spoken[1].confidence is not None
        assert (spoken[1].confidence.value, spoken[1].confidence.kind) == (0.8, "score")
        assert (rest.kind, "1 lines are broken" in rest.text) == ("unobserved", True)


class TestBoxes(EncoderConformance):
    encoder = boxes

    def source(self) -> Source:
        return {"type": "text", "text": json.dumps(COCO)}

    @pytest.fixture
    def bench(self, tmp_path: Any) -> Bench:
        settings = self.settings(tmp_path)
        store = ObservationStore.open(settings)
        return Runner(store, [boxes], settings=settings), ingest(self.source(), store, name="marks.json")

    async def test_reads_what_is_marked_where_in_which_picture(self, bench: Bench) -> None:
        first, second, rest = (await self.observe(bench)).observations
        assert (first.value, first.locator.track) == ({"label": "dog"}, "a.jpg")
        assert first.locator.region is not None
        assert first.locator.region.model_dump() == {"x": 0.1, "y": 0.1, "w": 0.5, "h": 0.5}
        # What reaches beyond the picture is cut.
        assert second.locator.to_fragment() == "xywh=percent:0,0,40,100&track=b.jpg"
        assert second.confidence is not None
        assert second.confidence.value == 0.75
        assert "5 marks have no box" in rest.text

    async def test_says_what_it_leaves_out(self, bench: Bench) -> None:
        found = (await self.observe(bench, parameters={"most": 1})).observations
        assert [o.kind for o in found] == ["object", "unobserved"]
        assert "1 boxes beyond the first 1 are not listed" in found[1].text

    async def test_one_picture_may_be_asked_for(self, bench: Bench) -> None:
        found = (await self.observe(bench, where=Locator(track="b.jpg"))).observations
        assert [o.locator.track for o in found if o.kind == "object"] == ["b.jpg"]


@pytest.fixture
def runner(tmp_path: Any) -> Runner:
    settings = Settings(cache_dir=tmp_path)
    return Runner(ObservationStore.open(settings), [subtitles, turns, boxes], settings=settings)


async def look(runner: Runner, encoder: Encoder, content: bytes, name: str) -> tuple[Observation, ...]:
    encoding = await runner.encode(ingest(content, runner.store, name=name), encoder)
    assert encoding.failure is None, encoding.failure
    return encoding.observations


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_subrip_in_any_characters(runner: Runner, codec: str) -> None:
    found = await look(runner, subtitles, SRT.encode(codec), "film.srt")
    assert [o.text for o in found] == ["Où est la gare, s'il vous plaît ?", "Là-bas à gauche."]
    assert found[0].as_(Transcript).language == "fr"


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (VTT, "text/vtt"),
        (SRT.encode(), "application/x-subrip"),
        (RTTM.split(b"\n", 1)[1], "text/x-rttm"),
        (b"WEBVTTX is a word", "text/plain"),
    ],
)
def test_annotations_are_known_without_a_name(runner: Runner, content: bytes, mime: str) -> None:
    assert ingest(content, runner.store).mime == mime


async def test_several_recordings_are_kept_apart(runner: Runner) -> None:
    content = b"SPEAKER one 1 0 1 <NA> <NA> a <NA> <NA>\nSPEAKER two 1 0 1 <NA> <NA> a <NA> <NA>\n"
    found = await look(runner, turns, content, "all.rttm")
    assert [o.locator.track for o in found] == ["one", "two"]
    assert [o.text for o in found] == ["a speaks in 'one'", "a speaks in 'two'"]


@pytest.mark.parametrize(
    ("encoder", "content", "name"),
    [
        (subtitles, b"no subtitles here", "a.vtt"),
        (subtitles, b"WEBVTT\n\n", "a.vtt"),
        (subtitles, b"WEBVTT\n\n99:99:99.999 --> 1\nx\n", "a.vtt"),
        (subtitles, b"WEBVTT\n\n9999999999:00:00.000 --> 9999999999:00:01.000\nnever\n", "a.vtt"),
        (subtitles, b"1\n00:00:01,000 --> oops\nx\n", "a.srt"),
        (turns, b"SPEAKER a 1 nan inf <NA> <NA> b <NA> <NA>\n", "a.rttm"),
        (turns, b"SPEAKER a 1 -1 1 <NA> <NA> b <NA> <NA>\n", "a.rttm"),
        (turns, b"just words", "a.rttm"),
        (boxes, b'{"images": [], "annotations": []}', "a.json"),
        (boxes, b'{"images": {"id": 1}, "annotations": 7}', "a.json"),
        (boxes, b'{"images": [], "annotations": [{"bbox": [1e999, 0, 1, 1]}]}', "a.json"),
    ],
)
async def test_broken_annotations_are_unobserved(runner: Runner, encoder: Encoder, content: bytes, name: str) -> None:
    (found,) = await look(runner, encoder, content, name)
    assert found.kind == "unobserved"


async def test_nesting_beyond_all_sense_is_unobserved(runner: Runner) -> None:
    content = b'{"images": [], "annotations": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    (found,) = await look(runner, boxes, content, "deep.json")
    assert found.kind == "unobserved"
