"""What every encoder must do, as a test class to subclass: ours pass it, and plug-ins should.

    class TestWarmth(EncoderConformance):
        encoder = warmth

        def source(self) -> Source:
            return Path("scene.png")

The tests are asynchronous: they need pytest-asyncio in its `auto` mode (`asyncio_mode = "auto"` under
`[tool.pytest.ini_options]`), and fail at once where nothing would await them.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from consilience.core.errors import BadConfiguration, Stopped
from consilience.core.settings import Settings
from consilience.observations import (
    CharRange,
    Locator,
    Media,
    Observation,
    ObservationStore,
    Region,
    Source,
    TimeRange,
    ingest,
)
from consilience.observations.locator import one_line
from consilience.testing.contents import bytes_in
from consilience.testing.hostile import HUGE_TYPES, broken, huge
from consilience.testing.interruption import Interruption
from consilience.testing.numbers import ODD, numeric
from consilience.testing.places import FOREIGN, misplaced, outside
from consilience.tools import Encoder, Encoding, Runner
from consilience.tools.deadline import Deadline
from consilience.tools.encoder import excerpt_of

__all__ = ["EncoderConformance"]

_LONGEST_TEXT = 4000
_RESERVED = {"media", "where", "base64", "file_name"}
# The runner names the class of whatever is no error of ours.
_RAW = re.compile(r"\w*(Error|Exception|Exit|Interrupt|Iteration|Warning)\b: ")

_made: dict[tuple[type, str], Encoding] = {}


class EncoderConformance:
    """Subclass it, set `encoder`, and give a medium that it observes something in."""

    encoder: ClassVar[Encoder]

    def source(self) -> Source:
        """Anything that `ingest` takes."""
        raise NotImplementedError

    def part(self, media: Media) -> Locator | None:
        """A part of the medium that the encoder can be handed alone; None where it reads media as a whole."""
        if media.modality != self.encoder.modality:
            return None
        if media.modality == "image":
            return Locator(region=Region(x=0.25, y=0.25, w=0.5, h=0.5))
        if media.seconds:
            return Locator(time=TimeRange(start=media.seconds / 4, end=media.seconds * 3 / 4))
        if media.pages and media.modality == "document":
            return Locator(page=media.pages)
        if media.characters and media.mime in ("text/plain", "text/markdown"):
            return Locator(chars=CharRange(start=media.characters // 3, end=media.characters))
        return None

    def huge(self) -> Source | None:
        """A medium larger than most, with little in it; None where there is none that the encoder reads."""
        modality = self.encoder.modality
        return huge(modality) if self.encoder.reads(modality, HUGE_TYPES[modality]) else None

    def settings(self, folder: Path) -> Settings:
        """A store of its own, beside the machine's weights."""
        place = folder / "cache"
        place.mkdir(exist_ok=True)
        if not (place / "weights").exists():
            (place / "weights").symlink_to(Settings().weights_dir)
        return Settings(cache_dir=place)

    @pytest.fixture(autouse=True)
    def _awaited(self, request: pytest.FixtureRequest) -> None:
        """Fails where pytest would collect coroutines that nobody awaits, and names the cure."""
        plugin = request.config.pluginmanager.hasplugin("asyncio")
        mode = plugin and (request.config.getoption("asyncio_mode", None) or request.config.getini("asyncio_mode"))
        if mode != "auto" and not any(map(request.node.get_closest_marker, ("asyncio", "anyio"))):
            pytest.fail(
                "EncoderConformance's tests are asynchronous, and nothing awaits them here: install pytest-asyncio "
                '(consilience[testing]) and set asyncio_mode = "auto" under [tool.pytest.ini_options].',
                pytrace=False,
            )

    @pytest.fixture
    def bench(self, tmp_path: Path) -> tuple[Runner, Media]:
        """A runner with the encoder, which is allowed to be biometric, and the medium."""
        settings = self.settings(tmp_path)
        if self.encoder.biometric:
            settings = settings.model_copy(update={"biometrics": True})
        store = ObservationStore.open(settings)
        return Runner(store, [self.encoder], settings=settings), ingest(self.source(), store)

    async def observe(self, bench: tuple[Runner, Media], **options: Any) -> Encoding:
        """One encoding that must succeed."""
        runner, media = bench
        encoding = await runner.encode(media, self.encoder, **options)
        assert encoding.failure is None, encoding.failure
        return encoding

    async def observed(self, bench: tuple[Runner, Media]) -> tuple[Observation, ...]:
        """What the encoder observes in the medium: made once for all tests that only look at it."""
        key = type(self), bench[1].id
        if key not in _made:
            _made[key] = await self.observe(bench)
        return _made[key].observations

    async def test_observes_something_of_its_kinds(self, bench: tuple[Runner, Media]) -> None:
        """It observes, and only what it declares; what it could not observe, it may say beside it."""
        found = {observation.kind for observation in await self.observed(bench)} - {"unobserved"}
        assert found
        assert found <= set(self.encoder.kinds)

    async def test_is_well_declared(self) -> None:
        """A name of the form `modality.what`, a version, a kind, and a line that says what it observes."""
        assert re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", self.encoder.name), self.encoder.name
        assert self.encoder.version
        assert self.encoder.kinds
        assert self.encoder.summary == one_line(self.encoder.summary) != ""

    async def test_locators_lie_in_the_medium(self, bench: tuple[Runner, Media]) -> None:
        """Times end before the recording does, pages and characters before the document, cells before the table."""
        runner, media = bench
        path = runner.store.path(media)
        assert not list(filter(None, (misplaced(o, media, path) for o in await self.observed(bench))))

    async def test_locators_stay_in_the_part_that_was_looked_at(self, bench: tuple[Runner, Media]) -> None:
        """A crop, a stretch, a page: what is observed in a part lies in that part of the medium."""
        part = self.part(bench[1])
        if part is None:
            pytest.skip("it reads media as a whole")
        found = (await self.observe(bench, where=part)).observations
        assert found
        assert not list(filter(None, (outside(o.locator, part) for o in found)))
        if part.page is not None or part.chars is not None:
            assert len([o for o in found if o.kind != "unobserved"]) <= len(await self.observed(bench))

    async def test_provenance_names_it(self, bench: tuple[Runner, Media]) -> None:
        """Who, in which version, on which medium."""
        for observation in await self.observed(bench):
            made = observation.provenance
            assert (made.tool, made.version) == (self.encoder.name, self.encoder.version)
            assert (made.media, made.modality) == (bench[1].id, self.encoder.modality)

    async def test_observations_survive_json(self, bench: tuple[Runner, Media]) -> None:
        """Lossless both ways."""
        for observation in await self.observed(bench):
            assert Observation.model_validate_json(observation.model_dump_json()) == observation

    async def test_text_is_one_line(self, bench: tuple[Runner, Media]) -> None:
        """A line that a language model reads and quotes, and that cannot pass for another line of the prompt."""
        for observation in await self.observed(bench):
            assert observation.text == one_line(observation.text) != ""
            assert len(observation.text) <= _LONGEST_TEXT

    async def test_no_bytes_in_state(self, bench: tuple[Runner, Media]) -> None:
        """Pictures and sound stay in the store; observations travel through state, checkpoints and logs."""
        for observation in await self.observed(bench):
            assert not bytes_in([observation.text, observation.value]), observation.kind

    async def test_second_run_comes_from_the_cache(self, bench: tuple[Runner, Media]) -> None:
        """The same observations, without the work."""
        first, second = await self.observe(bench), await self.observe(bench)
        assert (first.cached, second.cached) == (False, True)
        assert second.observations == first.observations

    async def test_is_deterministic_or_says_so(self, bench: tuple[Runner, Media]) -> None:
        """Encoding anew gives the same observations, at the same time too; `deterministic=False` says otherwise."""
        runner, media = bench
        anew = Runner(runner.store, [self.encoder], settings=runner.settings, cache=False)
        one, other = await asyncio.gather(self.observe((anew, media)), self.observe((anew, media)))
        assert not one.cached
        assert not other.cached
        if self.encoder.deterministic:
            assert one.observations == other.observations == await self.observed(bench)

    async def test_cache_key_follows_version_place_and_parameters(self, bench: tuple[Runner, Media]) -> None:
        """Another version, another medium, another part of it, other parameters: another key."""
        runner, media = bench
        parameters = self.encoder.bind()
        newer = replace(self.encoder, version=f"{self.encoder.version}+1")
        other = media.model_copy(update={"id": f"sha256:{'0' * 64}"})
        keys = [
            self.encoder.cache_key(media, Locator(), parameters, runner.settings),
            newer.cache_key(media, Locator(), parameters, runner.settings),
            self.encoder.cache_key(other, Locator(), parameters, runner.settings),
            self.encoder.cache_key(media, Locator.from_fragment("t=0,1"), parameters, runner.settings),
            self.encoder.cache_key(media, Locator(), {**parameters, "another": 1}, runner.settings),
        ]
        assert len(set(keys)) == len(keys)
        assert self.encoder.cache_key(media, Locator(), self.encoder.bind(), runner.settings) == keys[0]

    async def test_parameters_are_validated(self) -> None:
        """Wrong names and wrong types are refused; the defaults are right themselves."""
        fields = self.encoder.parameters.model_fields
        defaults = self.encoder.bind({name: field.get_default() for name, field in fields.items()})
        assert self.encoder.bind(defaults) == defaults == self.encoder.bind()
        assert not _RESERVED & defaults.keys()
        self.encoder.parameters.model_json_schema()
        wrongs: list[dict[str, Any]] = [{name: {"no": ["such", "type"]}} for name in defaults]
        for wrong in ({"no_such_parameter": 1}, *wrongs):
            with pytest.raises(BadConfiguration):
                self.encoder.bind(wrong)

    @pytest.mark.parametrize("number", ODD)
    async def test_odd_numbers_are_refused_or_end_in_a_value(self, bench: tuple[Runner, Media], number: float) -> None:
        """None, too few, too many, no number: a parameter's bounds say so, or it is observed all the same."""
        runner, media = bench
        names = numeric(self.encoder.parameters)
        if not names:
            pytest.skip("it has no numeric parameters")
        for name in names:
            if (refusal := self._refusal({name: number})) is not None:
                assert name in refusal
                continue
            encoding = await self._patient(runner).encode(media, self.encoder, parameters={name: number})
            self._assert_clean(encoding)

    async def test_stops_when_it_is_cancelled(self, bench: tuple[Runner, Media]) -> None:
        """It asks whether to go on, lets `Stopped` through, and nothing is remembered of what was not finished."""
        runner, media = bench
        deadline = Deadline()
        deadline.cancelled.set()
        parameters = self.encoder.bind()
        excerpt = excerpt_of(
            self.encoder,
            media,
            runner.store.path(media),
            where=Locator(),
            parameters=parameters,
            settings=runner.settings,
            deadline=deadline,
        )
        with pytest.raises(Stopped):
            list(self.encoder.encode(excerpt, **parameters))
        encoding = await runner.encode(media, self.encoder, deadline=deadline)
        assert "cancelled" in (encoding.failure or "")
        assert not (await self.observe(bench)).cached

    async def test_stops_in_the_middle(self, bench: tuple[Runner, Media]) -> None:
        """Let go of when it has begun, it ends at its next check, and nothing is remembered of what was not finished.

        An encoder that asks once and is then done may finish.
        """
        runner, media = bench
        # The first check is the runner's own, before it begins.
        interruption = Interruption(after=2)
        encoding = await runner.encode(media, self.encoder, deadline=Deadline(cancelled=interruption))
        interruption.end()
        if not interruption.late:
            self._assert_clean(encoding)
            return
        assert "cancelled" in (encoding.failure or ""), "it was asked to stop, and went on"
        key = self.encoder.cache_key(media, Locator(), self.encoder.bind(), runner.settings)
        assert runner.store.encoding(key) is None

    async def test_foreign_places_are_refused(self, bench: tuple[Runner, Media]) -> None:
        """A region of a recording, a page of a picture, a second of a table: told as a failure, and never observed."""
        runner, media = bench
        for fragment in FOREIGN[media.modality]:
            encoding = await runner.encode(media, self.encoder, where=Locator.from_fragment(fragment))
            assert encoding.failure, fragment
            self._assert_clean(encoding)

    @pytest.mark.parametrize("fault", list(broken(b"")))
    async def test_broken_media_are_unobserved_or_a_clear_failure(
        self, bench: tuple[Runner, Media], fault: str
    ) -> None:
        """Bytes that are not what they were taken for end in a value that says so, not in some library's error."""
        runner, media = bench
        content = broken(runner.store.path(media).read_bytes())[fault]
        bad = media.model_copy(update={"id": f"sha256:{runner.store.put_bytes(content)}"})
        encoding = await runner.encode(bad, self.encoder)
        self._assert_clean(encoding)
        told = "".join([encoding.failure or "", *(observation.text for observation in encoding.observations)])
        assert str(runner.store.root) not in told, "it tells a path of this machine"

    async def test_a_huge_medium_ends_in_a_value(self, bench: tuple[Runner, Media]) -> None:
        """Much to read and nothing in it: observations within the medium, or a failure that is clear."""
        runner, _ = bench
        source = await asyncio.to_thread(self.huge)
        if source is None:
            pytest.skip("no huge medium of a type that it reads")
        # Only a name tells a table from other text.
        name = "huge.csv" if isinstance(source, bytes) and self.encoder.modality == "table" else None
        media = ingest(source, runner.store, name=name)
        encoding = await self._patient(runner).encode(media, self.encoder)
        self._assert_clean(encoding)
        path = runner.store.path(media)
        assert not list(filter(None, (misplaced(o, media, path) for o in encoding.observations)))
        assert all(len(o.text) <= _LONGEST_TEXT for o in encoding.observations)

    def _refusal(self, parameters: dict[str, Any]) -> str | None:
        try:
            self.encoder.bind(parameters)
        except BadConfiguration as problem:
            return str(problem)
        return None

    def _patient(self, runner: Runner) -> Runner:
        """One that waits for a minute, and no longer."""
        limits = runner.settings.limits.model_copy(update={"encoding_seconds": 60.0})
        return Runner(runner.store, [self.encoder], settings=runner.settings.model_copy(update={"limits": limits}))

    def _assert_clean(self, encoding: Encoding) -> None:
        assert not _RAW.match(encoding.failure or ""), encoding.failure
        # A medium that need not be divided has no parts, and that is no failure.
        empty = self.encoder.divides and not encoding.failure and not encoding.observations
        assert empty or bool(encoding.failure) != bool(encoding.observations)
        assert {o.kind for o in encoding.observations} <= {*self.encoder.kinds, "unobserved"}

    async def test_biometrics_need_leave(self, bench: tuple[Runner, Media]) -> None:
        """What measures people's bodies does not run where nobody allowed it."""
        runner, media = bench
        if not self.encoder.biometric:
            pytest.skip("it measures nobody's body")
        forbidding = runner.settings.model_copy(update={"biometrics": False})
        strict = Runner(runner.store, [self.encoder], settings=forbidding, cache=False)
        encoding = await strict.encode(media, self.encoder)
        assert "CONSILIENCE_BIOMETRICS" in (encoding.failure or "")

    async def test_is_a_langchain_tool(self, bench: tuple[Runner, Media]) -> None:
        """Content for the model, observations as the artifact; async, and blocking inside a running event loop."""
        runner, media = bench
        tool = self.encoder.tool(runner.store, runner.settings)
        call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"media": media.id}}
        for message in (await tool.ainvoke(call), tool.invoke(call)):
            assert message.content
            assert message.artifact
            assert all(isinstance(item, Observation) for item in message.artifact)
