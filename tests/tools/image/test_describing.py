"""Descriptions by a vision chat model, over HTTP, with whatever can go wrong on the way."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Encoder, Encoding, Runner
from consilience.tools.image.describe import describe
from PIL import Image

from consilience.core.settings import Settings
from consilience.observations import Description, Locator, ObservationStore, Region, Source, ingest
from consilience.testing import EncoderConformance, Fault, ModelServer


class TestDescribe(EncoderConformance):
    encoder = describe

    @pytest.fixture(autouse=True)
    def _model(self) -> Iterator[None]:
        with ModelServer(lambda request: "A red cup on a table.") as self._server:
            yield

    def settings(self, folder: Path) -> Settings:
        place = super().settings(folder).cache_dir
        return Settings(cache_dir=place, vision_model="seer", base_url=self._server.base_url, api_key="k")

    def source(self) -> Source:
        return Image.new("RGB", (64, 48), "red")


async def described(
    server: ModelServer, folder: Path, picture: Image.Image, where: str = "", **changes: Any
) -> tuple[Encoding, Encoder, Runner]:
    settings = Settings(cache_dir=folder, vision_model="seer", base_url=server.base_url, api_key="k", **changes)
    store = ObservationStore.open(settings)
    encoder = describe
    runner = Runner(store, [encoder], settings=settings)
    encoding = await runner.encode(ingest(picture, store), encoder, where=Locator.from_fragment(where))
    return encoding, encoder, runner


def seen_by(server: ModelServer) -> list[Image.Image]:
    """The pictures that the model was shown."""
    urls = [call.body["messages"][-1]["content"][1]["image_url"]["url"] for call in server.calls]
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


async def test_says_what_the_model_says(tmp_path: Path, astronaut: Image.Image) -> None:
    with ModelServer(["A woman in a\nspace suit."]) as server:
        encoding, encoder, _ = await described(server, tmp_path, astronaut)
    (found,) = encoding.observations
    assert found.as_(Description).text == found.text == "A woman in a space suit."
    assert found.confidence is None
    assert not encoder.deterministic


async def test_only_the_region_is_shown_and_told(tmp_path: Path) -> None:
    picture = Image.new("RGB", (400, 200), "red")
    picture.paste("blue", (200, 0, 400, 200))
    with ModelServer(["Blue."]) as server:
        encoding, _, _ = await described(server, tmp_path, picture, "xywh=percent:50,0,50,100")
        (shown,) = seen_by(server)
    assert shown.size == (200, 200)
    assert shown.convert("RGB").getpixel((5, 5))[2] > 200
    assert encoding.observations[0].locator.region == Region(x=0.5, y=0, w=0.5, h=1)


@pytest.mark.parametrize(("size", "shown"), [((4000, 1000), (1024, 256)), ((1, 1), (32, 32)), ((900, 2), (900, 32))])
async def test_pictures_are_scaled_to_what_models_take(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    with ModelServer(["Nothing much."]) as server:
        await described(server, tmp_path, Image.new("RGB", size, "red"))
        assert [picture.size for picture in seen_by(server)] == [shown]


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([Fault("empty")], "it described nothing"),
        ([Fault("server_error")] * 3, "InternalServerError"),
        ([Fault("reset")] * 3, "APIConnectionError"),
        ([Fault("rate_limit")] * 3, "RateLimitError"),
        ([Fault("truncated_json")], "its answer is no JSON"),
    ],
    ids=lambda case: case[0].kind if isinstance(case, list) else "",
)
async def test_failures_are_told_and_not_remembered(tmp_path: Path, faults: Sequence[Fault], told: str) -> None:
    picture = Image.new("RGB", (60, 60), "red")
    with ModelServer(lambda _: "A red square.", faults=faults) as server:
        encoding, encoder, runner = await described(server, tmp_path, picture)
        assert told in (encoding.failure or "")
        assert (encoding.failure or "").startswith("seer: ")
        assert not encoding.observations
        again = await runner.encode(encoding.media, encoder)
    assert [o.text for o in again.observations] == ["A red square."]
    assert not again.cached


async def test_a_passing_fault_is_outlived(tmp_path: Path) -> None:
    with ModelServer(["A red square."], faults=[Fault("server_error"), None]) as server:
        encoding, _, _ = await described(server, tmp_path, Image.new("RGB", (60, 60), "red"))
        assert len(server.calls) == 2
    assert [o.text for o in encoding.observations] == ["A red square."]


async def test_a_model_that_hangs_is_given_up(tmp_path: Path) -> None:
    with ModelServer(faults=lambda number, request: Fault("hang")) as server:
        picture = Image.new("RGB", (60, 60), "red")
        encoding, _, _ = await described(server, tmp_path, picture, request_seconds=0.2)
    assert "APITimeoutError" in (encoding.failure or "")
    assert "Check base URL" in (encoding.failure or "")


async def test_a_picture_that_cannot_be_decoded_is_not_sent(tmp_path: Path) -> None:
    with ModelServer(["never"]) as server:
        encoding, encoder, runner = await described(server, tmp_path, Image.new("RGB", (9, 9)))
        broken = encoding.media.model_copy(update={"id": f"sha256:{runner.store.put_bytes(b'no picture' * 9)}"})
        (found,) = (await runner.encode(broken, encoder)).observations
        assert len(server.calls) == 1
    assert found.kind == "unobserved"
