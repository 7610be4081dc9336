"""Every ready encoder: the conformance suite, LangChain's own suite for tools, and what it says of real media."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Encoder, Runner, default_encoders
from consilience.tools.audio.activity import activity
from consilience.tools.audio.speech import speech
from consilience.tools.audio.stretches import stretches
from consilience.tools.audio.transcription import transcription
from consilience.tools.audio.whisper import whisper_encoder
from consilience.tools.image.describe import describe
from consilience.tools.image.objects import objects
from consilience.tools.image.properties import properties
from consilience.tools.image.text import text
from consilience.tools.table.rows import rows
from consilience.tools.text.passages import passages
from consilience.tools.video.shots import shots
from consilience.tools.video.tracks import tracks
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests
from PIL import Image

from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import (
    Locator,
    Media,
    ObservationStore,
    Properties,
    Source,
    TableRow,
    ingest,
)
from consilience.testing import EncoderConformance, ModelServer
from consilience.testing.numbers import numeric

ROOT = Path(__file__).resolve().parents[2]
SCENE, CALL = ROOT / "examples/media/scene.png", ROOT / "examples/media/call.wav"
SCENES = ROOT / "benchmarks/scenes"

Bench = tuple[Runner, Media]


CASES = (
    (text, SCENE),
    (objects, SCENE),
    (properties, SCENE),
    (speech, CALL),
    (activity, CALL),
    (passages, SCENES / "07-recipe/recipe.md"),
    (rows, SCENES / "09-sales/sales.csv"),
)


class OverMedia:
    """LangChain's suites, once for each local encoder and a medium that it reads."""

    @pytest.fixture(autouse=True, params=CASES, ids=lambda case: case[0].name)
    def _case(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        encoder, path = request.param
        settings = EncoderConformance().settings(tmp_path)
        store = ObservationStore.open(settings)
        self._tool = encoder.tool(store, settings)
        self._media = ingest(path, store)

    @property
    def tool_constructor(self) -> Any:
        return self._tool

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"media": self._media.id}


class TestToolUnits(OverMedia, ToolsUnitTests):
    pass


class TestToolIntegration(OverMedia, ToolsIntegrationTests):
    pass


def _every_encoder() -> tuple[Encoder, ...]:
    """Those that some settings bring with them, too."""
    asked = Settings(whisper_checkpoint=Path(__file__))
    return (*default_encoders(Settings()), transcription, whisper_encoder(asked))


@pytest.mark.parametrize("encoder", _every_encoder(), ids=lambda encoder: encoder.name)
def test_every_parameter_is_described(encoder: Encoder) -> None:
    untold = [name for name, field in encoder.parameters.model_fields.items() if not field.description]
    assert untold == []


@pytest.mark.parametrize("encoder", [*_every_encoder(), stretches], ids=lambda encoder: encoder.name)
def test_every_number_has_bounds(encoder: Encoder) -> None:
    schema = encoder.parameters.model_json_schema().get("properties", {})
    for name in numeric(encoder.parameters):
        assert {"minimum", "maximum"} <= schema[name].keys(), name
        for wrong in (-1, 10**9, math.nan, math.inf):
            with pytest.raises(BadConfiguration, match=rf"parameter '{name}'.* at least .*, at most "):
                encoder.bind({name: wrong})


@pytest.mark.parametrize(
    ("encoder", "name", "number"),
    [
        (shots, "longest", 1e-9),
        (shots, "longest", 1e-7),
        (shots, "longest", 0),
        (tracks, "rate", 0),
        (text, "longest_side", 0),
        (stretches, "longest", 0.0),
        (passages, "longest", 1),
    ],
    ids=str,
)
def test_numbers_that_never_end_are_refused(encoder: Encoder, name: str, number: float) -> None:
    with pytest.raises(BadConfiguration, match=name):
        encoder.bind({name: number})


def test_stretches_have_bounds_too() -> None:
    with pytest.raises(BadConfiguration, match="stretch"):
        replace(speech, stretch=1e-9)


class TestText(EncoderConformance):
    encoder = text

    def source(self) -> Source:
        return SCENE

    async def test_reads_the_sign(self, bench: Bench) -> None:
        lines = {o.text: o for o in (await self.observe(bench)).observations}
        assert set(lines) == {"CAFE AURORA", "Book club: upper room"}
        region = lines["Book club: upper room"].locator.region
        assert region is not None
        assert region.y + region.h < 0.33
        assert region.w > 0.5

    async def test_region_is_carried_back(self, bench: Bench) -> None:
        whole = {o.text: o.locator.region for o in (await self.observe(bench)).observations}
        part = Locator.from_fragment("xywh=percent:0,0,100,34")
        found = (await self.observe(bench, where=part)).observations
        assert {o.text for o in found} == set(whole)
        one, other = found[-1].locator.region, whole["Book club: upper room"]
        assert one is not None
        assert other is not None
        assert abs(one.y - other.y) < 0.02

    async def test_a_picture_without_text_is_unobserved(self, bench: Bench) -> None:
        runner, _ = bench
        blank = ingest(Image.new("RGB", (64, 64), "navy"), runner.store)
        encoding = await runner.encode(blank, text)
        assert [o.kind for o in encoding.observations] == ["unobserved"]


class TestObjects(EncoderConformance):
    encoder = objects

    def source(self) -> Source:
        return SCENE

    async def test_finds_the_cup(self, bench: Bench) -> None:
        found = (await self.observe(bench)).observations
        assert [o.value["label"] for o in found] == ["coffee cup"]
        region = found[0].locator.region
        assert region is not None
        # The photograph begins below the sign.
        assert region.y > 0.3


class TestProperties(EncoderConformance):
    encoder = properties

    def source(self) -> Source:
        return Image.new("RGB", (120, 80), (200, 30, 30))

    async def test_measures(self, bench: Bench) -> None:
        (found,) = (await self.observe(bench)).observations
        facts = found.as_(Properties)
        assert (facts.width, facts.height) == (120, 80)
        assert facts.colours[0] == "#c81e1e"
        assert facts.sharpness == 0
        assert "red" in found.text

    async def test_keeps_the_place_to_itself_unless_asked(self, bench: Bench, tmp_path: Path) -> None:
        picture = Image.new("RGB", (40, 40), "white")
        exif = Image.Exif()
        exif[0x010F] = "Maker"
        exif.get_ifd(0x8825)[29] = "2026:01:02"
        path = tmp_path / "photo.jpg"
        picture.save(path, exif=exif)
        runner, _ = bench
        media = ingest(path, runner.store)
        without = (await runner.encode(media, properties)).observations[0]
        with_place = (await runner.encode(media, properties, parameters={"gps": True})).observations[0]
        assert without.value["exif"] == {"Make": "Maker"}
        assert "2026:01:02" in json.dumps(with_place.value)


class TestPassages(EncoderConformance):
    encoder = passages

    def source(self) -> Source:
        return SCENES / "07-recipe/recipe.md"

    async def test_characters_are_exact(self, bench: Bench) -> None:
        whole = (SCENES / "07-recipe/recipe.md").read_text()
        for o in (await self.observe(bench)).observations:
            assert o.locator.chars is not None
            assert whole[o.locator.chars.start : o.locator.chars.end] == o.value["text"]
            assert o.value["headings"] == ["Apple cake"]

    async def test_cuts_long_paragraphs_and_loses_nothing(self, bench: Bench) -> None:
        runner, _ = bench
        long = " ".join(f"Sentence number {i} is here." for i in range(60)) + "\n\n" + "x" * 1000
        media = ingest(long.encode(), runner.store)
        found = (await runner.encode(media, passages)).observations
        assert all(len(str(o.value["text"])) <= 400 for o in found)
        assert "".join("".join(str(o.value["text"]) for o in found).split()) == "".join(long.split())


class TestRows(EncoderConformance):
    encoder = rows

    def source(self) -> Source:
        return SCENES / "09-sales/sales.csv"

    async def test_reads_cells(self, bench: Bench) -> None:
        table, *body = (await self.observe(bench)).observations
        assert table.value == {"columns": ["month", "shop", "sales"], "rows": 4}
        last = body[-1]
        assert last.as_(TableRow).cells == {"month": "February", "shop": "South", "sales": "140"}
        assert last.locator.to_fragment() == "cell=4,*"

    async def test_says_what_it_leaves_out(self, bench: Bench) -> None:
        table, *body = (await self.observe(bench, parameters={"most": 2})).observations
        assert [str(o.locator) for o in body] == [f"cell={row},*" for row in (1, 2, 3, 4)]
        assert "(least sales)" in body[2].text
        assert "(greatest sales)" in body[3].text
        assert "only the first 2 rows" in table.text


async def test_a_vision_model_describes(tmp_path: Path) -> None:
    def reply(request: dict[str, Any]) -> str:
        parts = request["messages"][-1]["content"]
        assert parts[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")
        return "A red cup on a table."

    with ModelServer(reply, api_key="secret") as server:
        settings = Settings(cache_dir=tmp_path, vision_model="seer", base_url=server.base_url, api_key="secret")
        store = ObservationStore.open(settings)
        encoding = await Runner(store, [describe], settings=settings).encode(ingest(SCENE, store), describe)
    assert [o.text for o in encoding.observations] == ["A red cup on a table."]
    assert encoding.observations[0].provenance.model == f"seer at {server.base_url}"


async def test_a_remote_encoder_that_is_down_is_a_failure_with_a_cure(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, vision_model="seer", base_url="http://127.0.0.1:9/v1", api_key="k")
    store = ObservationStore.open(settings)
    runner, media = Runner(store, [describe], settings=settings), ingest(SCENE, store)
    encoding = await runner.encode(media, describe)
    assert "seer" in (encoding.failure or "")
    assert "Check" in (encoding.failure or "")
    assert not (await runner.encode(media, describe)).cached


async def test_the_same_bytes_under_another_name_are_read_as_what_they_are(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    store = ObservationStore.open(settings)
    runner = Runner(store, [passages], settings=settings)
    told = {}
    for name in ("notes.txt", "notes.md"):
        (tmp_path / name).write_text("# Trip\n\nWe leave at six.\n")
        encoding = await runner.encode(ingest(tmp_path / name, store), passages)
        told[name] = [observation.text for observation in encoding.observations]
    assert told == {"notes.txt": ["# Trip", "We leave at six."], "notes.md": ["Trip: We leave at six."]}


async def test_a_paragraph_of_invisible_characters_is_no_passage(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    store = ObservationStore.open(settings)
    encoding = await Runner(store, [passages], settings=settings).encode(
        ingest("One.\n\n\u200b\u200b\n\nTwo.", store), passages
    )
    assert [observation.text for observation in encoding.observations] == ["One.", "Two."]
