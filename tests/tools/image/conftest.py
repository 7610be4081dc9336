"""A desk with pictures: a runner over a store of its own, which may observe people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from consilience.tools import Encoder, Runner
from PIL import Image
from skimage import data

from consilience.core.settings import Settings
from consilience.observations import Locator, Observation, ObservationStore, Region, Source, ingest

Look = Callable[..., Sequence[Observation]]


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    place = tmp_path_factory.mktemp("pictures")
    (place / "weights").symlink_to(Settings().weights_dir)
    settings = Settings(cache_dir=place, biometrics=True)
    return Runner(ObservationStore.open(settings), [], settings=settings)


@pytest.fixture
async def look(runner: Runner) -> Any:
    """`await look(encoder, picture)`: what the encoder observes, which must not fail; cached like any encoding."""

    async def look(encoder: Encoder, source: Source, where: str = "", **parameters: Any) -> Sequence[Observation]:
        place = Locator.from_fragment(where)
        media = ingest(source, runner.store)
        encoding = await runner.encode(media, encoder, where=place, parameters=parameters)
        assert encoding.failure is None, encoding.failure
        return encoding.observations

    return look


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    """A smiling woman who looks into the camera; 512 x 512, her face at (168, 62) to (283, 177)."""
    return Image.fromarray(data.astronaut())


@pytest.fixture(scope="session")
def coffee() -> Image.Image:
    """A cup on a table; nobody."""
    return Image.fromarray(data.coffee())


@pytest.fixture(scope="session")
def cat() -> Image.Image:
    """A cat's face."""
    return Image.fromarray(data.chelsea())


CROP = "xywh=percent:40,30,50,60"
"""Where `seen_in_a_crop` puts the picture."""


@pytest.fixture
async def seen_in_a_crop(look: Any) -> Any:
    """The picture's observations alone, and those of a larger picture of which it is a part, looked at through it."""

    async def seen(encoder: Encoder, picture: Image.Image) -> tuple[Sequence[Observation], Sequence[Observation]]:
        width, height = picture.width * 2, round(picture.height / 0.6)
        larger = Image.new("RGB", (width, height), "navy")
        larger.paste(picture, (round(0.4 * width), round(0.3 * height)))
        return await look(encoder, picture), await look(encoder, larger, where=CROP)

    return seen


def moved(region: Region | None) -> Region:
    """A region of a picture in the larger one that `seen_in_a_crop` makes."""
    assert region is not None
    return region.within(Region(x=0.4, y=0.3, w=0.5, h=0.6))


@pytest.fixture(scope="session")
def assert_moved() -> Callable[[Sequence[Observation], Sequence[Observation]], None]:
    """The second observations say what the first say, at the right place of the larger picture."""

    def check(alone: Sequence[Observation], cropped: Sequence[Observation]) -> None:
        assert [o.kind for o in alone] == [o.kind for o in cropped]
        assert "unobserved" not in {o.kind for o in alone}
        for one, other in zip(alone, cropped, strict=True):
            assert other.locator.region is not None
            expected, found = moved(one.locator.region), other.locator.region
            for edge in ("x", "y", "w", "h"):
                assert getattr(found, edge) == pytest.approx(getattr(expected, edge), abs=0.01)

    return check
