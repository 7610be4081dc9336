"""Faces and their expressions, on photographs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Runner
from consilience.tools.image.expression import expression
from consilience.tools.image.faces import faces
from consilience.tools.image.properties import properties
from PIL import Image, ImageOps
from skimage import data

from consilience.core.settings import Settings
from consilience.observations import Face, ObservationStore, Region, Source, ingest
from consilience.testing import EncoderConformance

FACE = (168 / 512, 62 / 512, 283 / 512, 177 / 512)


class TestFaces(EncoderConformance):
    encoder = faces

    def source(self) -> Source:
        return Image.fromarray(data.astronaut())


class TestExpression(EncoderConformance):
    encoder = expression

    def source(self) -> Source:
        return Image.fromarray(data.astronaut())


def overlap(region: Region | None, edges: tuple[float, float, float, float]) -> float:
    """Intersection over union with (left, top, right, bottom)."""
    assert region is not None
    left, top, right, bottom = edges
    width = min(region.x + region.w, right) - max(region.x, left)
    height = min(region.y + region.h, bottom) - max(region.y, top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (region.w * region.h + (right - left) * (bottom - top) - shared)


async def test_measures_a_face(look: Any, astronaut: Image.Image) -> None:
    (found,) = await look(faces, astronaut)
    assert overlap(found.locator.region, FACE) > 0.8
    face = found.as_(Face)
    assert face.gaze == "ahead"
    assert face.eyes_open == pytest.approx(0.37, abs=0.06)
    assert face.mouth_open == pytest.approx(0.2, abs=0.08)
    assert face.share == pytest.approx(0.05, abs=0.01)
    assert found.text == "a face at the upper middle: eyes open, mouth open, looking at the viewer"


async def test_every_face_of_several_is_found(look: Any, astronaut: Image.Image) -> None:
    pair = Image.new("RGB", (1024, 512))
    pair.paste(astronaut, (0, 0))
    pair.paste(astronaut.resize((256, 256)), (700, 200))
    large, small = await look(faces, pair)
    assert overlap(large.locator.region, (168 / 1024, 62 / 512, 283 / 1024, 177 / 512)) > 0.7
    assert overlap(small.locator.region, (784 / 1024, 231 / 512, 841.5 / 1024, 288.5 / 512)) > 0.7
    happy = await look(expression, pair)
    assert [o.value["label"] for o in happy] == ["happy", "happy"]
    assert [o.locator for o in happy] == [large.locator, small.locator]


@pytest.mark.parametrize("degrees", [20, -20, 45])
async def test_a_tilted_head_is_measured_alike(look: Any, astronaut: Image.Image, degrees: int) -> None:
    (found,) = await look(faces, astronaut.rotate(degrees, expand=True))
    face = found.as_(Face)
    assert face.gaze == "ahead"
    assert face.eyes_open == pytest.approx(0.37, abs=0.08)
    (felt,) = await look(expression, astronaut.rotate(degrees, expand=True))
    assert felt.value["label"] == "happy"


async def test_left_is_left_for_the_viewer(look: Any) -> None:
    # The cameraman looks along his camera, to the right.
    camera = Image.fromarray(data.camera())
    (right,) = await look(faces, camera)
    (left,) = await look(faces, ImageOps.mirror(camera))
    assert (right.value["gaze"], left.value["gaze"]) == ("right", "left")


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "brick", "horse"])
async def test_no_face_where_nobody_is(look: Any, name: str) -> None:
    picture = Image.fromarray(getattr(data, name)())
    for encoder in (faces, expression):
        (found,) = await look(encoder, picture)
        assert found.kind == "unobserved"
        assert "no face is to be seen" in found.text


async def test_tiny_faces_are_found_but_not_measured(look: Any, astronaut: Image.Image) -> None:
    picture = Image.new("RGB", (600, 600), "grey")
    picture.paste(astronaut.resize((100, 100)), (40, 480))
    (found,) = await look(faces, picture)
    assert found.as_(Face).eyes_open is None
    assert found.text == "a face at the lower left: too small to tell more"
    (felt,) = await look(expression, picture)
    assert "too small to read" in felt.text


async def test_an_expression_is_called_weak_evidence(look: Any, astronaut: Image.Image) -> None:
    (found,) = await look(expression, astronaut)
    assert found.text == "a face at the upper middle looks happy (weak evidence of a feeling)"
    assert sum(found.value["scores"].values()) == pytest.approx(1, abs=0.01)
    assert found.confidence.kind == "score"
    (unsure,) = await look(expression, astronaut, min_score=1.0)
    assert unsure.value["label"] == "unclear"


async def test_faces_are_not_sought_unless_allowed(tmp_path: Path, astronaut: Image.Image) -> None:
    settings = Settings(cache_dir=tmp_path, biometrics=False)
    store = ObservationStore.open(settings)
    runner = Runner(store, [faces, expression, properties], settings=settings)
    media = ingest(astronaut, store)
    assert [encoder.name for _, encoder in runner.plan([media])] == ["image.properties"]
    encoding = await runner.encode(media, faces)
    assert "CONSILIENCE_BIOMETRICS" in (encoding.failure or "")


async def test_many_at_once_are_as_one_by_one(runner: Runner, astronaut: Image.Image) -> None:
    media = [ingest(astronaut.rotate(turn), runner.store) for turn in (0, 5, 10, 15)]
    uncached = Runner(runner.store, [faces], settings=runner.settings, cache=False)
    together = await asyncio.gather(*(uncached.encode(medium, faces) for medium in media))
    alone = [await uncached.encode(medium, faces) for medium in media]
    assert [e.observations for e in together] == [e.observations for e in alone]
    assert len({e.observations[0].id for e in together}) == 4
