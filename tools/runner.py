"""Running encoders over media: concurrently, through the cache, with every failure a value."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from consilience.tools.encoder import Encoder, excerpt_of
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import BadMedia, ConsilienceError, Unobservable
from consilience.core.settings import Settings
from consilience.core.weights import Progress, WeightsStore
from consilience.observations import Locator, Media, Observation, ObservationStore, Unobserved

__all__ = ["Encoding", "Runner"]


@dataclass(frozen=True)
class Encoding:
    """What became of one encoder on one medium."""

    media: Media
    encoder: str
    observations: tuple[Observation, ...]
    seconds: float
    cached: bool
    failure: str | None = None
    """Why there are no observations, with the cure; never cached, so the next run tries again."""


class Runner:
    """Runs encoders over the media of one store.

    At most `jobs` encoders work at a time, each in a thread: they are CPU-bound and release the interpreter lock.
    Encodings are cached by content, place, tool, version, weights and parameters. What the medium itself does not
    allow is an observation of kind `unobserved`, cached like any other.
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
        self._jobs = jobs or self.settings.threads
        self._on_download = on_download
        self._in_work: dict[str, threading.Lock] = {}

    def plan(self, media: Sequence[Media]) -> list[tuple[Media, Encoder]]:
        """Which encoder reads which medium.

        Raises:
            BadMedia: no encoder reads this modality.
        """
        pairs: list[tuple[Media, Encoder]] = []
        for medium in media:
            fitting = [encoder for encoder in self.encoders.values() if encoder.modality == medium.modality]
            if not fitting:
                have = ", ".join(sorted({encoder.modality for encoder in self.encoders.values()}))
                raise BadMedia(
                    medium.name,
                    f"its type is not supported: no encoder reads {medium.modality} ({medium.mime}).",
                    cure=f"There are encoders for: {have}. A plug-in can bring another.",
                )
            pairs += [(medium, encoder) for encoder in fitting]
        return pairs

    async def perceive(self, media: Sequence[Media]) -> AsyncIterator[Encoding]:
        """Encodings of all media by all fitting encoders, each as soon as it is there."""
        gate = asyncio.Semaphore(self._jobs)

        async def encode(medium: Media, encoder: Encoder) -> Encoding:
            async with gate:
                return await self.encode(medium, encoder)

        tasks = [asyncio.create_task(encode(medium, encoder)) for medium, encoder in self.plan(media)]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()

    async def encode(
        self,
        media: Media,
        encoder: Encoder,
        *,
        parameters: dict[str, Any] | None = None,
        where: Locator | None = None,
    ) -> Encoding:
        """One encoding, from the cache or made now."""
        bound = encoder.bind(parameters)
        return await asyncio.to_thread(self._encode, media, encoder, bound, where or Locator())

    def _encode(self, media: Media, encoder: Encoder, parameters: dict[str, Any], where: Locator) -> Encoding:
        start = time.perf_counter()
        key = encoder.cache_key(media, where, parameters, self.settings)
        # Two debates over the same medium at once encode it once: the second waits and finds it cached.
        with self._in_work.setdefault(key, threading.Lock()):
            known = self.store.encoding(key) if self._cache else None
            if known is not None:
                return Encoding(media, encoder.name, known, time.perf_counter() - start, cached=True)
            try:
                observations = self._observe(media, encoder, parameters, where)
            except ConsilienceError as problem:
                return Encoding(media, encoder.name, (), time.perf_counter() - start, False, str(problem))
            # Encoders are foreign code: whatever one raises is its own failure, named, and the others go on.
            except Exception as problem:
                told = f"{type(problem).__name__}: {problem}"
                return Encoding(media, encoder.name, (), time.perf_counter() - start, False, told)
            self.store.put_encoding(key, media, observations)
            return Encoding(media, encoder.name, observations, time.perf_counter() - start, cached=False)

    def _observe(
        self, media: Media, encoder: Encoder, parameters: dict[str, Any], where: Locator
    ) -> tuple[Observation, ...]:
        weights = WeightsStore(self.settings)
        for name in encoder.weights:
            weights.pull(name, self._on_download)
        excerpt = excerpt_of(encoder, media, self.store, where=where, parameters=parameters, settings=self.settings)
        try:
            return tuple(encoder.encode(excerpt, **parameters))
        except Unobservable as reason:
            return (_unobserved(excerpt, encoder, str(reason)),)


def _unobserved(excerpt: Excerpt, encoder: Encoder, reason: str) -> Observation:
    value = Unobserved(sought=encoder.kinds, reason=reason, modality=encoder.modality)
    sought = " or ".join(encoder.kinds)
    return excerpt.observe("unobserved", value.model_dump(mode="json"), f"no {sought} could be observed: {reason}")
