"""Pictures of every mode and of odd sizes: they are seen as a viewer shows them, and none takes an encoder down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consilience.tools import Encoder, Runner
from consilience.tools.decoding.pictures import as_shown
from consilience.tools.image.expression import expression
from consilience.tools.image.faces import faces
from consilience.tools.image.hands import hands
from consilience.tools.image.objects import objects
from consilience.tools.image.pose import pose
from consilience.tools.image.properties import properties
from consilience.tools.image.text import text
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, ImageFont

from consilience.core.settings import Limits
from consilience.observations import Locator, ingest

ENCODERS = (text, objects, properties, faces, expression, pose, hands)
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16")

_ALIKE = {"1": 0.2, "P": 0.9, "PA": 0.9}
"""Least correlation with the original, where a mode has few colours."""


def of_mode(picture: Image.Image, mode: str) -> Image.Image:
    """`picture` in a mode, with its whole range of values."""
    grey = np.asarray(picture.convert("L"))
    deep = {"I;16": (np.uint16, 257), "I": (np.int32, 257), "F": (np.float32, 1 / 255)}
    if mode in deep:
        kind, scale = deep[mode]
        return Image.fromarray((grey * np.float64(scale)).astype(kind))
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.applyTransform(picture, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
        assert converted is not None
        return converted
    return picture.convert("P").convert("PA") if mode == "PA" else picture.convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_shown_as_it_looks(cat: Image.Image, mode: str) -> None:
    odd = of_mode(cat, mode)
    assert odd.mode == mode
    shown = as_shown(odd)
    assert (shown.mode, shown.size) == ("RGB", cat.size)
    expected = np.asarray(cat.convert("L"), np.float64)
    found = np.asarray(shown.convert("L"), np.float64)
    assert found.mean() == pytest.approx(expected.mean(), abs=6)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > _ALIKE.get(mode, 0.98)


@pytest.mark.parametrize(("mode", "name"), [("1", "x.png"), ("L", "x.webp"), ("P", "x.gif"), ("LA", "x.png")])
@pytest.mark.parametrize("encoder", [objects, properties], ids=lambda encoder: encoder.name)
async def test_files_of_few_colours(
    look: Any, cat: Image.Image, tmp_path: Path, encoder: Encoder, mode: str, name: str
) -> None:
    of_mode(cat, mode).save(tmp_path / name)
    (found,) = await look(encoder, tmp_path / name)
    assert found.value["label"] == "cat" if encoder is objects else "451 x 300 pixels" in found.text


@pytest.mark.parametrize(("mode", "name"), [("CMYK", "x.jpg"), ("CMYK", "x.tiff"), ("I;16", "x.png"), ("F", "x.tiff")])
async def test_a_cat_is_seen_in_files_of_many_colours(
    look: Any, cat: Image.Image, tmp_path: Path, mode: str, name: str
) -> None:
    of_mode(cat, mode).save(tmp_path / name)
    (found,) = await look(objects, tmp_path / name)
    assert found.value["label"] == "cat"
    assert found.confidence.value > 0.6


@pytest.mark.parametrize("ink", ["black", "white"])
async def test_writing_on_nothing_is_read(look: Any, ink: str) -> None:
    clear = Image.new("RGBA", (400, 90), (0, 0, 0, 0) if ink == "black" else (255, 255, 255, 0))
    ImageDraw.Draw(clear).text((20, 20), "Harbour Street", fill=ink, font=ImageFont.load_default(40))
    assert " ".join(o.text for o in await look(text, clear)) == "Harbour Street"


async def test_a_picture_on_its_side_is_turned(look: Any, astronaut: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    astronaut.rotate(90).save(tmp_path / "photo.jpg", exif=exif)
    (found,) = await look(faces, tmp_path / "photo.jpg")
    assert found.text.startswith("a face at the upper middle")


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: encoder.name)
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (2, 2), (900, 3)])
async def test_a_pixel_or_a_line_of_pixels(look: Any, encoder: Encoder, size: tuple[int, int]) -> None:
    (found,) = await look(encoder, Image.new("RGB", size, "white"))
    assert found.kind == ("properties" if encoder is properties else "unobserved")


@pytest.mark.parametrize("encoder", [text, objects, properties, faces], ids=lambda encoder: encoder.name)
async def test_a_hundred_megapixels(runner: Runner, huge_cat: Path, encoder: Encoder) -> None:
    limits = Limits(pixels=100_000_000)
    media = ingest(huge_cat, runner.store, limits=limits)
    settings = runner.settings.model_copy(update={"limits": limits})
    encoding = await Runner(runner.store, [encoder], settings=settings).encode(media, encoder)
    assert encoding.failure is None
    (found,) = encoding.observations
    assert found.kind == ({properties: "properties", objects: "object"}.get(encoder, "unobserved"))


@pytest.fixture(scope="module")
def huge_cat(cat: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("huge") / "cat.jpg"
    cat.resize((10_000, 10_000)).save(path, quality=50)
    return path


async def test_properties_of_a_film_frame_have_no_camera(look: Any, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "red.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            film.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48), (200, 30, 30)))))
        film.mux(stream.encode())
    (found,) = await look(properties, tmp_path / "red.mp4", where="t=0.2,0.3")
    assert "64 x 48 pixels, mostly red" in found.text
    assert found.value["exif"] == {}
    assert found.locator == Locator.from_fragment("t=0.2,0.3")


@given(st.sampled_from(MODES), st.integers(1, 20), st.integers(1, 20), st.data())
def test_any_pixels_can_be_shown(mode: str, width: int, height: int, data: st.DataObject) -> None:
    blank = Image.new(mode, (width, height))
    size = len(blank.tobytes())
    shown = as_shown(Image.frombytes(mode, (width, height), data.draw(st.binary(min_size=size, max_size=size))))
    assert (shown.mode, shown.size) == ("RGB", (width, height))
