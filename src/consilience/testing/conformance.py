"""What every encoder must do, as a test class to subclass: ours pass it, and plug-ins should.

class TestWarmth(EncoderConformance):
encoder = warmth

def source(self) -> Path:
return Path("scene.png")
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Observation, ObservationStore, Source, ingest
from consilience.tools import Encoder, Encoding, Runner

__all__ = ["EncoderConformance"]


class EncoderConformance:
    """Subclass it, set `encoder`, and give a medium that it observes something in."""

    encoder: ClassVar[Encoder]
    deterministic: ClassVar[bool] = True
    """False for encoders that may answer differently each time, such as remote models."""

    def source(self) -> Source:
        """Anything that `ingest` takes."""
        raise NotImplementedError

    def settings(self, folder: Path) -> Settings:
        """A store of its own, beside the machine's weights."""
        place = folder / "cache"
        place.mkdir(exist_ok=True)
        if not (place / "weights").exists():
            (place / "weights").symlink_to(Settings().weights_dir)
        return Settings(cache_dir=place)

    @pytest.fixture
    def bench(self, tmp_path: Path) -> tuple[Runner, Media]:
        """A runner with the encoder, and the medium."""
        settings = self.settings(tmp_path)
        store = ObservationStore.open(settings)
        return Runner(store, [self.encoder], settings=settings), ingest(self.source(), store)

    async def observe(self, bench: tuple[Runner, Media], **options: Any) -> Encoding:
        """One encoding that must succeed."""
        runner, media = bench
        encoding = await runner.encode(media, self.encoder, **options)
        assert encoding.failure is None, encoding.failure
        return encoding

    async def test_observes_something_of_its_kinds(self, bench: tuple[Runner, Media]) -> None:
        """It observes, and only what it declares."""
        encoding = await self.observe(bench)
        assert encoding.observations
        assert {observation.kind for observation in encoding.observations} <= set(self.encoder.kinds)

    async def test_locators_lie_in_the_medium(self, bench: tuple[Runner, Media]) -> None:
        """Times end before the recording does, characters before the text does; regions are checked by their type."""
        media = bench[1]
        for observation in (await self.observe(bench)).observations:
            where = observation.locator
            assert where.time is None or media.seconds is None or where.time.end <= media.seconds + 0.05
            assert where.chars is None or media.characters is None or where.chars.end <= media.characters
            assert Locator.from_fragment(where.to_fragment()) == where

    async def test_provenance_names_it(self, bench: tuple[Runner, Media]) -> None:
        """Who, in which version, on which medium."""
        for observation in (await self.observe(bench)).observations:
            made = observation.provenance
            assert (made.tool, made.version) == (self.encoder.name, self.encoder.version)
            assert (made.media, made.modality) == (bench[1].id, self.encoder.modality)

    async def test_observations_survive_json(self, bench: tuple[Runner, Media]) -> None:
        """Lossless both ways, and free of bytes by that."""
        for observation in (await self.observe(bench)).observations:
            assert Observation.model_validate_json(observation.model_dump_json()) == observation

    async def test_second_run_comes_from_the_cache(self, bench: tuple[Runner, Media]) -> None:
        """The same observations, without the work."""
        first, second = await self.observe(bench), await self.observe(bench)
        assert (first.cached, second.cached) == (False, True)
        assert second.observations == first.observations

    async def test_is_deterministic_or_says_so(self, bench: tuple[Runner, Media]) -> None:
        """Encoding anew gives the same observations."""
        runner, media = bench
        anew = Runner(runner.store, [self.encoder], settings=runner.settings, cache=False)
        one = await self.observe((anew, media))
        other = await self.observe((anew, media))
        assert not one.cached
        assert not other.cached
        assert not self.deterministic or one.observations == other.observations

    async def test_cache_key_follows_version_and_place(self, bench: tuple[Runner, Media]) -> None:
        """Another version, or another part of the medium, is another key."""
        runner, media = bench
        parameters = self.encoder.bind()
        key = self.encoder.cache_key(media, Locator(), parameters, runner.settings)
        newer = replace(self.encoder, version=f"{self.encoder.version}+1")
        assert newer.cache_key(media, Locator(), parameters, runner.settings) != key
        elsewhere = Locator.from_fragment("t=0,1")
        assert self.encoder.cache_key(media, elsewhere, parameters, runner.settings) != key

    async def test_corrupt_bytes_are_a_failure_or_unobserved(self, bench: tuple[Runner, Media]) -> None:
        """Bytes that are not what they were taken for end in a value, never in an exception or an empty string."""
        runner, media = bench
        broken = media.model_copy(update={"id": f"sha256:{runner.store.put_bytes(b'no such medium' * 40)}"})
        encoding = await runner.encode(broken, self.encoder)
        assert encoding.failure or all(observation.text for observation in encoding.observations)

    async def test_is_a_langchain_tool(self, bench: tuple[Runner, Media]) -> None:
        """Content for the model, observations as the artifact."""
        runner, media = bench
        tool = self.encoder.tool(runner.store, runner.settings)
        call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"media": media.id}}
        message = await tool.ainvoke(call)
        assert message.content
        assert all(isinstance(item, Observation) for item in message.artifact)
