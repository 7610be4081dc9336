"""Running encoders over media: concurrently, through the cache, with every failure a value."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consilience.tools.audio.stretches import stretches
from consilience.tools.deadline import Deadline
from consilience.tools.encoder import Encoder, excerpt_of
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import BadConfiguration, ConsilienceError, Unobservable, UnsupportedMedia
from consilience.core.settings import Settings
from consilience.core.weights import Progress, WeightsStore
from consilience.observations import Locator, Media, Modality, Observation, ObservationStore, Part, Unobserved

__all__ = ["Encoding", "Runner", "observed"]


@dataclass(frozen=True)
class Encoding:
    """What became of one encoder on one medium, or on a part of it."""

    media: Media
    encoder: str
    observations: tuple[Observation, ...]
    seconds: float
    cached: bool
    failure: str | None = None
    """Why there are no observations, with the cure; never cached, so the next run tries again."""
    where: Locator = Locator()
    rank: tuple[int, ...] = ()
    """Sorts encodings by media, parts and encoders, in whatever order they were finished."""
    done: int = 1
    """Encodings finished so far, this one included."""
    planned: int = 1
    """Encodings known so far to be needed; it grows while media are divided into parts."""


def observed(encodings: Iterable[Encoding]) -> tuple[Observation, ...]:
    """All observations for a record: in the order of media, parts and encoders, without the parts themselves."""
    ranked = sorted(encodings, key=lambda encoding: encoding.rank)
    return tuple(o for encoding in ranked for o in encoding.observations if o.kind != "part")


@dataclass(frozen=True)
class _Place:
    """A medium, or a part of it, with the modality it is read as."""

    media: Media
    where: Locator
    modality: Modality
    rank: tuple[int, ...]

    @property
    def mime(self) -> str | None:
        return self.media.mime if self.modality == self.media.modality else None

    def at(self, where: Locator, modality: Modality, *rank: int) -> _Place:
        return _Place(self.media, where, modality, (*self.rank, *rank))


class Runner:
    """Runs encoders over the media of one store.

    At most `jobs` encoders work at a time, each in a thread: they are CPU-bound and release the interpreter lock.
    Encodings are cached by content, place, tool, version, weights and parameters. What the medium itself does not
    allow is an observation of kind `unobserved`, cached like any other.

    Encoders of kind `part` divide a medium, and the parts are read in turn: those of the medium's own modality in its
    place (channels of a recording), those of another beside it (a film's key frames, a document's figures).
    """

    def __init__(
        self,
        store: ObservationStore,
        encoders: Iterable[Encoder],
        *,
        settings: Settings | None = None,
        cache: bool = True,
        jobs: int | None = None,
        on_download: Callable[[Progress], None] | None = None,
    ) -> None:
        self.store = store
        self.settings = settings or Settings()
        self.encoders = {encoder.name: encoder for encoder in encoders}
        self._cache = cache
        self.jobs = jobs or self.settings.threads
        self._on_download = on_download
        self._in_work: dict[str, threading.Lock] = {}

    def plan(self, media: Sequence[Media]) -> list[tuple[Media, Encoder]]:
        """Which encoder reads which medium, parts of media aside.

        Raises:
            UnsupportedMedia: no encoder reads this modality.
        """
        pairs: list[tuple[Media, Encoder]] = []
        for medium in media:
            fitting = self._fitting(medium.modality, medium.mime)
            if not fitting:
                have = ", ".join(sorted({encoder.modality for encoder in self.encoders.values()}))
                raise UnsupportedMedia(
                    medium.name,
                    f"its type is not supported: no encoder reads {medium.modality} ({medium.mime}).",
                    cure=f"There are encoders for: {have}. A plug-in can bring another.",
                )
            pairs += [(medium, encoder) for encoder in fitting]
        return pairs

    def _fitting(self, modality: Modality, mime: str | None) -> list[Encoder]:
        return [
            encoder
            for encoder in self.encoders.values()
            if encoder.reads(modality, mime)
            and not encoder.on_demand
            and (self.settings.biometrics or not encoder.biometric)
        ]

    async def perceive(
        self, media: Sequence[Media], *, gate: asyncio.Semaphore | None = None
    ) -> AsyncIterator[Encoding]:
        """Encodings of all media, and of the parts they are divided into, each as soon as it is there.

        Args:
            media: of the runner's store.
            gate: lets so many encoders work at a time, over all perceptions that share it; None: `jobs` in this one.
        """
        self.plan(media)
        run = _Run(self, gate or asyncio.Semaphore(self.jobs))
        work = [run.read(_Place(m, Locator(), m.modality, (i,))) for i, m in enumerate(media)]
        async for encoding in run.encodings(work):
            yield encoding

    async def encode(
        self,
        media: Media,
        encoder: Encoder,
        *,
        parameters: dict[str, Any] | None = None,
        where: Locator | None = None,
        deadline: Deadline | None = None,
    ) -> Encoding:
        """One encoding of exactly this part, from the cache or made now; when cancelled, it stops the encoder."""
        bound = encoder.bind(parameters)
        until = deadline or Deadline()
        try:
            return await asyncio.to_thread(self._encode, media, encoder, bound, where or Locator(), until.cancelled)
        except asyncio.CancelledError:
            until.cancelled.set()
            raise

    def _encode(
        self, media: Media, encoder: Encoder, parameters: dict[str, Any], where: Locator, cancelled: threading.Event
    ) -> Encoding:
        start = time.perf_counter()
        known = Encoding(media, encoder.name, (), 0.0, cached=False, where=where)

        def ended(**changes: Any) -> Encoding:
            return replace(known, seconds=time.perf_counter() - start, **changes)

        try:
            key = encoder.cache_key(media, where, parameters, self.settings)
            # Two debates over the same medium at once encode it once: the second waits and finds it cached.
            with self._in_work.setdefault(key, threading.Lock()):
                found = self.store.encoding(key) if self._cache else None
                if found is not None:
                    return ended(observations=found, cached=True)
                deadline = Deadline(self.settings.limits.encoding_seconds, cancelled)
                observations = self._observe(media, encoder, parameters, where, deadline)
                self.store.put_encoding(key, media, observations)
                return ended(observations=observations)
        except ConsilienceError as problem:
            return ended(failure=str(problem))
        # Encoders are foreign code: whatever one raises is its own failure, named, and the others go on. One that
        # leaves the process (`sys.exit`) would end the event loop.
        except (Exception, SystemExit) as problem:
            return ended(failure=f"{type(problem).__name__}: {problem}")

    def _observe(
        self, media: Media, encoder: Encoder, parameters: dict[str, Any], where: Locator, deadline: Deadline
    ) -> tuple[Observation, ...]:
        deadline.check()
        if encoder.biometric and not self.settings.biometrics:
            raise BadConfiguration(
                f"{encoder.name} measures people's bodies, which nobody has allowed.",
                cure="Set CONSILIENCE_BIOMETRICS=true if you may.",
            )
        weights = WeightsStore(self.settings)
        for name in encoder.weights:
            weights.pull(name, self._on_download)
        path = self.store.path(media)
        excerpt = excerpt_of(
            encoder, media, path, where=where, parameters=parameters, settings=self.settings, deadline=deadline
        )
        try:
            return tuple(encoder.encode(excerpt, **parameters))
        except Unobservable as reason:
            return (_unobserved(excerpt, encoder, str(reason)),)


class _Run:
    """One perception: it divides media, has their parts encoded, and hands encodings on as they are finished."""

    def __init__(self, runner: Runner, gate: asyncio.Semaphore) -> None:
        self._runner = runner
        self._gate = gate
        self._finished: asyncio.Queue[Encoding | None] = asyncio.Queue()
        self._planned = 0

    async def encodings(self, work: Sequence[Any]) -> AsyncIterator[Encoding]:
        tasks = asyncio.gather(*work)
        tasks.add_done_callback(lambda _: self._finished.put_nowait(None))
        done = 0
        try:
            while (encoding := await self._finished.get()) is not None:
                done += 1
                yield replace(encoding, done=done, planned=self._planned)
            await tasks
        finally:
            tasks.cancel()

    async def read(self, place: _Place) -> None:
        """Divides a place, has its own modality read, and reads the parts of other modalities."""
        fitting = self._runner._fitting(place.modality, place.mime)
        ranked = list(enumerate(fitting))
        divisions = await asyncio.gather(*(self._encode(place, e, n) for n, e in ranked if e.divides))
        parts = [
            (part, o.as_(Part))
            for division in divisions
            for o in division.observations
            if o.kind == "part" and (part := o.locator) != place.where
        ]
        own = [where for where, part in parts if part.modality == place.modality]
        readers = [(n, e) for n, e in ranked if not e.divides]
        work = [
            self._read_with(place.at(where, place.modality), encoder, n)
            for where in own or [place.where]
            for n, encoder in readers
        ]
        beside = [(where, part) for where, part in parts if part.modality != place.modality]
        first = len(fitting)
        work += [self.read(place.at(w, part.modality, first + i)) for i, (w, part) in enumerate(beside)]
        await asyncio.gather(*work)

    async def _read_with(self, place: _Place, encoder: Encoder, number: int) -> None:
        time_ = place.where.time
        seconds = time_.seconds if time_ else place.media.seconds
        if encoder.stretch is None or seconds is None or seconds <= encoder.stretch:
            await self._encode(place, encoder, number)
            return
        cut = await self._encode(place, stretches, number, parameters={"longest": encoder.stretch})
        places = [o.locator for o in cut.observations if o.kind == "part"] or [place.where]
        await asyncio.gather(
            *(self._encode(place.at(where, place.modality), encoder, number, i) for i, where in enumerate(places))
        )

    async def _encode(
        self, place: _Place, encoder: Encoder, *rank: int, parameters: dict[str, Any] | None = None
    ) -> Encoding:
        self._planned += 1
        async with self._gate:
            encoding = await self._runner.encode(place.media, encoder, where=place.where, parameters=parameters)
        encoding = replace(encoding, rank=(*place.rank, *rank))
        self._finished.put_nowait(encoding)
        return encoding


def _unobserved(excerpt: Excerpt, encoder: Encoder, reason: str) -> Observation:
    value = Unobserved(sought=encoder.kinds, reason=reason, modality=encoder.modality)
    sought = " or ".join(encoder.kinds)
    return excerpt.observe("unobserved", value.model_dump(mode="json"), f"no {sought} could be observed: {reason}")
