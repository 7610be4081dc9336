"""Running encoders over media: concurrently, through the cache, with every failure a value."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from consilience.tools.deadline import Deadline
from consilience.tools.encoder import Encoder, excerpt_of
from consilience.tools.encoding import Encoding, cause_of, failed, observed
from consilience.tools.excerpt import Excerpt
from consilience.tools.perception import Perception
from consilience.tools.video.sound import sound

from consilience.core.errors import BadConfiguration, ConsilienceError, Stopped, Unobservable, UnsupportedMedia
from consilience.core.settings import Settings
from consilience.core.tracing import span
from consilience.core.weights import Progress, WeightsStore
from consilience.observations import Locator, Media, Modality, Observation, ObservationStore, Unobserved
from consilience.observations.places import check_place

__all__ = ["Encoding", "Runner", "failed", "observed"]


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
        self._in_work: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._registry = threading.Lock()

    def plan(self, media: Sequence[Media]) -> list[tuple[Media, Encoder]]:
        """Which encoder reads which medium, parts of media aside.

        Raises:
            UnsupportedMedia: no encoder reads this modality.
            BadConfiguration: the only ones that do measure people's bodies, and no setting allows it.
        """
        pairs: list[tuple[Media, Encoder]] = []
        for medium in media:
            fitting = self.fitting(medium.modality, medium.mime)
            if not fitting:
                raise self._unread(medium)
            pairs += [(medium, encoder) for encoder in fitting]
        return pairs

    def _unread(self, medium: Media) -> ConsilienceError:
        """Why no encoder of these reads the medium."""
        encoders = self.encoders.values()
        if withheld := [e.name for e in encoders if e.biometric and e.reads(medium.modality, medium.mime)]:
            return BadConfiguration(
                f"{', '.join(withheld)} measures people's bodies, which is off unless it is allowed.",
                cure="Set CONSILIENCE_BIOMETRICS=true if you may.",
            )
        have = ", ".join(sorted({encoder.modality for encoder in encoders}))
        problem = f"its type is not supported: no encoder reads {medium.modality} ({medium.mime})."
        if len(self.encoders) == 1:
            (one,) = encoders
            problem = f"{one.name} reads {one.modality}, and this is {medium.modality} ({medium.mime})."
        return UnsupportedMedia(
            medium.name, problem, cure=f"There are encoders for: {have}. A plug-in can bring another."
        )

    def fitting(self, modality: Modality, mime: str | None) -> list[Encoder]:
        """The encoders that read media of this modality and type, None for parts of other media, unasked."""
        return [
            encoder
            for encoder in self.encoders.values()
            if encoder.reads(modality, mime)
            and not encoder.on_demand
            and (self.settings.biometrics or not encoder.biometric)
        ]

    async def perceive(
        self, media: Sequence[Media], *, gate: asyncio.Semaphore | None = None, seconds: float | None = None
    ) -> AsyncGenerator[Encoding, None]:
        """Encodings of all media, and of the parts they are divided into, each as soon as it is there.

        What is not encoded when the time is up fails as `late`, unless it is remembered. An encoder that is at work
        then is told to stop, and not waited for; what it has done in spite of that is remembered for the next time.

        Args:
            media: of the runner's store.
            gate: lets so many encoders work at a time, over all perceptions that share it; None: `jobs` in this one.
            seconds: from now on; None: as long as it takes.
        """
        self.plan(media)
        perception = Perception(self, gate or asyncio.Semaphore(self.jobs), seconds)
        async with aclosing(perception.encodings(media)) as encodings:
            async for encoding in encodings:
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
        """One encoding of exactly this part, from the cache or made now; when cancelled, it stops the encoder.

        A part that the medium does not have (a page of a photo, a time in a letter) is a failure.
        """
        bound = encoder.bind(parameters)
        until = deadline or Deadline()
        place = where or Locator()
        try:
            with span(f"execute_tool {encoder.name}", lambda: _traced(media, encoder, place)) as traced:
                encoding = await asyncio.to_thread(self._encode, media, encoder, bound, place, until.cancelled)
                traced.note(
                    {"consilience.cached": encoding.cached, "consilience.observations": len(encoding.observations)}
                )
                if encoding.failure is not None:
                    traced.fail("encoding", encoding.failure if self.settings.trace_content else None)
                return encoding
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
            self._check_allowed(encoder)
            check_place(media, where)
            where = self._heard(media, encoder, where, cancelled)
            known = replace(known, where=where)
            key = encoder.cache_key(media, where, parameters, self.settings)
            # Two debates over the same medium at once encode it once: the second waits and finds it cached.
            with self._alone(key, cancelled):
                found = self.store.encoding(key) if self._cache else None
                if found is not None:
                    return ended(observations=found, cached=True)
                deadline = Deadline(self.settings.limits.encoding_seconds, cancelled)
                observations = self._observe(media, encoder, parameters, where, deadline)
                self.store.put_encoding(key, media, observations)
                return ended(observations=observations)
        except ConsilienceError as problem:
            return ended(failure=str(problem), cause=cause_of(problem))
        # Encoders are foreign code: whatever one raises is its own failure, named, and the others go on. One that
        # leaves the process (`sys.exit`) would end the event loop.
        except (Exception, SystemExit) as problem:
            return ended(failure=f"{type(problem).__name__}: {problem}", cause=cause_of(problem))

    def _check_allowed(self, encoder: Encoder) -> None:
        if encoder.biometric and not self.settings.biometrics:
            raise BadConfiguration(
                f"{encoder.name} measures people's bodies, which nobody has allowed.",
                cure="Set CONSILIENCE_BIOMETRICS=true if you may.",
            )

    def _heard(self, media: Media, encoder: Encoder, where: Locator, cancelled: threading.Event) -> Locator:
        """Where an encoder of sound reads a whole film: what `video.sound` hands on.

        A few samples more at the end are enough for other words, so both ways to a film's sound take the same ones.
        """
        if (media.modality, encoder.modality) != ("video", "audio") or where.time:
            return where
        found = self._encode(media, sound, sound.bind(), Locator(), cancelled).observations
        times = [observation.locator.time for observation in found if observation.kind == "part"]
        return where.model_copy(update={"time": times[0]}) if times else where

    @contextmanager
    def _alone(self, key: str, cancelled: threading.Event) -> Iterator[None]:
        """One at a time makes this encoding. Who has no time does not wait for the other."""
        with self._registry:
            lock = self._in_work.setdefault(key, threading.Lock())
        if not lock.acquire(blocking=not cancelled.is_set()):
            raise Stopped("The encoding was cancelled.")
        try:
            yield
        finally:
            lock.release()

    def _observe(
        self, media: Media, encoder: Encoder, parameters: dict[str, Any], where: Locator, deadline: Deadline
    ) -> tuple[Observation, ...]:
        deadline.check()
        weights = WeightsStore(self.settings)
        for name in encoder.weights:
            weights.pull(name, self._on_download)
        with self.store.holding(media) as path:
            excerpt = excerpt_of(
                encoder, media, path, where=where, parameters=parameters, settings=self.settings, deadline=deadline
            )
            try:
                return tuple(encoder.encode(excerpt, **parameters))
            except Unobservable as reason:
                return (_unobserved(excerpt, encoder, str(reason)),)


def _traced(media: Media, encoder: Encoder, where: Locator) -> dict[str, Any]:
    """What a span tells of an encoding: the medium by its hash, for its name is content."""
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": encoder.name,
        "gen_ai.tool.type": "function",
        "consilience.encoder.version": encoder.version,
        "consilience.media.id": media.id,
        "consilience.media.modality": media.modality,
        "consilience.media.size": media.size,
        "consilience.where": where.describe() or None,
    }


def _unobserved(excerpt: Excerpt, encoder: Encoder, reason: str) -> Observation:
    value = Unobserved(sought=encoder.kinds, reason=reason, modality=encoder.modality)
    kinds = [kind for kind in encoder.kinds if kind != "part"]
    told = f"no {' or '.join(kinds)} could be observed: {reason}" if kinds else reason
    return excerpt.observe("unobserved", value.model_dump(mode="json"), told)
