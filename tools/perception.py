"""Reading media with all that fits: they are divided into parts, and the parts are read in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from consilience.tools.audio.stretches import stretches
from consilience.tools.deadline import Deadline
from consilience.tools.encoder import Encoder
from consilience.tools.encoding import Encoding

from consilience.observations import Locator, Media, Modality, Observation, Part, Provenance, Unobserved

__all__ = ["Perception", "Place"]

# A film's frame, a page's figure, a crop of it: plug-ins that divide one another's parts stop here.
_DEEPEST = 4

_CURE = "Give it more seconds, or run `consilience observe` on the medium first: what is encoded is remembered."

# In each place its dividers come first, then what reads it, then the parts that others read.
_DIVIDERS, _READERS, _BESIDE = range(3)


@dataclass(frozen=True)
class Place:
    """A medium, or a part of it, with the modality it is read as."""

    media: Media
    where: Locator
    modality: Modality
    rank: tuple[int, ...]
    depth: int = 0

    @property
    def mime(self) -> str | None:
        """Of the medium; None where it is a part of another modality."""
        return self.media.mime if self.modality == self.media.modality else None

    @property
    def seconds(self) -> float | None:
        """How long it is; None where nobody knows."""
        return self.where.time.seconds if self.where.time else self.media.seconds


class _Runs(Protocol):
    def fitting(self, modality: Modality, mime: str | None) -> list[Encoder]: ...

    async def encode(
        self,
        media: Media,
        encoder: Encoder,
        *,
        parameters: dict[str, Any] | None,
        where: Locator,
        deadline: Deadline | None,
    ) -> Encoding: ...


class Perception:
    """One pass over some media; it hands encodings on as they are finished.

    Args:
        runner: encodes, or knows what was encoded before.
        gate: lets so many encoders work at a time.
        seconds: that it has from now on; None: as long as it takes.
    """

    def __init__(self, runner: _Runs, gate: asyncio.Semaphore, seconds: float | None = None) -> None:
        self._runner = runner
        self._gate = gate
        self._end = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._finished: asyncio.Queue[Encoding | None] = asyncio.Queue()
        self._planned = 0

    async def encodings(self, media: Sequence[Media]) -> AsyncGenerator[Encoding, None]:
        """All encodings. Who stops iterating, and closes this, stops the encoders."""
        places = [Place(medium, Locator(), medium.modality, (i,)) for i, medium in enumerate(media)]
        reading = asyncio.create_task(self._read_all(places))
        reading.add_done_callback(lambda _: self._finished.put_nowait(None))
        done = 0
        try:
            while (encoding := await self._finished.get()) is not None:
                done += 1
                yield replace(encoding, done=done, planned=self._planned)
            await reading
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _read_all(self, places: Sequence[Place]) -> None:
        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(self._read(place))

    async def _read(self, place: Place) -> None:
        """Divides a place, reads it or the parts in its place, and at once what lies beside."""
        fitting = list(enumerate(self._runner.fitting(place.modality, place.mime)))
        dividers = [(n, encoder) for n, encoder in fitting if encoder.divides and place.depth < _DEEPEST]
        if place.depth >= _DEEPEST:
            self._tell_depth(place, [encoder for _, encoder in fitting if encoder.divides])
        async with asyncio.TaskGroup() as group:
            divisions = [group.create_task(self._divide(place, encoder, n, group)) for n, encoder in dividers]
            own = dict.fromkeys([where for division in divisions for where in await division])
            for i, where in enumerate(own or [place.where]):
                part = replace(place, where=where, rank=(*place.rank, _READERS, i))
                for n, encoder in fitting:
                    if not encoder.divides:
                        group.create_task(self._read_with(part, encoder, n))

    def _tell_depth(self, place: Place, dividers: Sequence[Encoder]) -> None:
        """What is not divided any further, as observations: nothing is left out without a word."""
        for number, encoder in enumerate(dividers):
            reason = f"parts of parts are read {_DEEPEST} deep: {encoder.name} did not divide this one"
            value = Unobserved(sought=encoder.kinds, reason=reason, modality=place.modality)
            told = Observation(
                kind="unobserved",
                value=value.model_dump(mode="json"),
                text=reason,
                locator=place.where,
                provenance=Provenance(
                    media=place.media.id, modality=place.modality, tool=encoder.name, version=encoder.version
                ),
            )
            rank = (*place.rank, _DIVIDERS, number)
            self._planned += 1
            self._finished.put_nowait(
                # Nothing was encoded for it.
                Encoding(place.media, encoder.name, (told,), 0.0, cached=True, where=place.where, rank=rank)
            )

    async def _divide(self, place: Place, encoder: Encoder, number: int, group: asyncio.TaskGroup) -> list[Locator]:
        """Starts the reading of the parts that have another modality, and gives the others."""
        division = await self._encode(place, encoder, _DIVIDERS, number)
        parts = dict.fromkeys((o.locator, o.as_(Part).modality) for o in division.observations if o.kind == "part")
        for i, (where, modality) in enumerate(parts):
            if modality != place.modality:
                rank = (*place.rank, _BESIDE, number, i)
                group.create_task(self._read(Place(place.media, where, modality, rank, place.depth + 1)))
        return [where for where, modality in parts if modality == place.modality]

    async def _read_with(self, place: Place, encoder: Encoder, number: int) -> None:
        """Encodes a place, or one after another the stretches that it is too long without."""
        if encoder.stretch is None or place.seconds is None or place.seconds <= encoder.stretch:
            await self._encode(place, encoder, number)
            return
        cut = await self._encode(place, stretches, number, 0, parameters={"longest": encoder.stretch})
        places = [o.locator for o in cut.observations if o.kind == "part"] or [place.where]
        async with asyncio.TaskGroup() as group:
            for i, where in enumerate(places):
                group.create_task(self._encode(replace(place, where=where), encoder, number, 1 + i))

    async def _encode(
        self, place: Place, encoder: Encoder, *rank: int, parameters: dict[str, Any] | None = None
    ) -> Encoding:
        self._planned += 1
        encoding = await self._in_time(place, encoder, parameters)
        encoding = replace(encoding, rank=(*place.rank, *rank))
        self._finished.put_nowait(encoding)
        return encoding

    async def _in_time(self, place: Place, encoder: Encoder, parameters: dict[str, Any] | None) -> Encoding:
        """The encoding, made now or remembered; when the time is up, only if it is remembered."""
        encode = partial(self._runner.encode, place.media, encoder, parameters=parameters, where=place.where)
        clock = asyncio.timeout_at(self._end)
        if self._end is None or asyncio.get_running_loop().time() < self._end:
            try:
                async with clock, self._gate:
                    return await encode(deadline=None)
            except TimeoutError:
                if not clock.expired():
                    raise
        over = Deadline()
        over.cancelled.set()
        encoding = await encode(deadline=over)
        if encoding.failure is None:
            return encoding
        return replace(encoding, failure=f"there was no time left for it. {_CURE}", late=True)
