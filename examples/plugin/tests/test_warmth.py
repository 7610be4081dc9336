"""The encoder passes the conformance suite, and tells warm from cool."""

from consilience.tools import Runner
from consilience_warmth import warmth
from PIL import Image

from consilience import Media
from consilience.observations import Source, ingest
from consilience.testing import EncoderConformance


class TestWarmth(EncoderConformance):
    encoder = warmth

    def source(self) -> Source:
        return Image.new("RGB", (64, 48), "orange")

    async def test_tells_warm_from_cool(self, bench: tuple[Runner, Media]) -> None:
        runner, media = bench
        cool = ingest(Image.new("RGB", (64, 48), "navy"), runner.store)
        for medium, word in ((media, "warm"), (cool, "cool")):
            (found,) = (await runner.encode(medium, warmth)).observations
            assert found.text == f"the colours are {word}"
