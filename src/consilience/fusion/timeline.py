"""Observations of several media on common clocks, and what was seen while this was said.

Each medium that runs in time has a clock of its own. Media share one where the caller gives their offsets, or where a
file of annotations (subtitles, speaker turns) has the name of the recording that it belongs to.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import PurePath

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.observations import Locator, Media, Observation, TimeRange

__all__ = ["Clock", "Moment", "Span", "Timeline", "check_offsets", "clocks_of"]

SHARED = "shared"
"""Name of the clock of all media whose offsets the caller gives."""

_ANNOTATIONS = frozenset({"text/vtt", "application/x-subrip", "text/x-rttm"})


@dataclass(frozen=True)
class Clock:
    """Which clock a medium runs on, and the second on it at which the medium starts (may be negative)."""

    name: str
    offset: float = 0.0


@dataclass(frozen=True, order=True)
class Span:
    """Seconds on a clock, half-open: `start <= t < end`. One without length is the instant `start`."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Length."""
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Some moment belongs to both."""
        if self.seconds and other.seconds:
            return self.start < other.end and other.start < self.end
        instant, whole = (other, self) if self.seconds else (self, other)
        return whole.start == instant.start or whole.start <= instant.start < whole.end

    def within(self, outer: Span) -> bool:
        """No moment of it lies outside of `outer`."""
        return outer.start <= self.start and self.end <= outer.end

    def common(self, other: Span) -> Span | None:
        """The moments that belong to both; None where there are none."""
        if not self.overlaps(other):
            return None
        return Span(max(self.start, other.start), min(self.end, other.end))


@dataclass(frozen=True)
class Moment:
    """An observation at its place on a clock."""

    span: Span
    observation: Observation


def clocks_of(media: Sequence[Media], offsets: Mapping[str, float] | None = None) -> dict[str, Clock]:
    """The clock of every medium, by id.

    Args:
        media: all of the record.
        offsets: seconds at which media start on one shared clock, by the medium's id or name.
    """
    given = offsets or {}
    clocks: dict[str, Clock] = {}
    for medium in media:
        offset = given.get(medium.id, given.get(medium.name))
        clocks[medium.id] = Clock(medium.id) if offset is None else Clock(SHARED, offset)
    recordings = [medium for medium in media if medium.seconds is not None]
    for medium in media:
        if medium.mime in _ANNOTATIONS and clocks[medium.id].name == medium.id:
            owners = [recording for recording in recordings if _belongs(medium.name, recording.name)]
            if len(owners) == 1:
                clocks[medium.id] = clocks[owners[0].id]
    return clocks


def check_offsets(offsets: Mapping[str, float], media: Sequence[Media]) -> None:
    """Returns where each is a number of seconds of one of the media, named by name or id.

    Raises:
        UnknownName: there is no such medium.
        BadConfiguration: it is no finite number.
    """
    for name, seconds in offsets.items():
        if not any(name in (medium.name, medium.id) for medium in media):
            raise UnknownName("medium", name, [medium.name for medium in media])
        if not math.isfinite(seconds):
            raise BadConfiguration(f"{name} cannot start at second {seconds}.", cure="Give a finite number of seconds.")


def _belongs(annotations: str, recording: str) -> bool:
    """`talk.vtt` and `talk.en.vtt` belong to `talk.mp4`."""
    stem = PurePath(recording).stem.casefold()
    name = PurePath(annotations).stem.casefold()
    return name == stem or PurePath(name).stem == stem


class Timeline:
    """Observations with a time, sorted once; each query takes a binary search and the hits.

    What has no time (a picture, a text) is on no clock and overlaps nothing.
    """

    def __init__(
        self,
        observations: Iterable[Observation],
        media: Sequence[Media] = (),
        offsets: Mapping[str, float] | None = None,
    ) -> None:
        self._clocks = clocks_of(media, offsets)
        placed: dict[str, list[Moment]] = {}
        for observation in observations:
            if (span := self.span(observation)) is not None:
                placed.setdefault(self.clock(observation).name, []).append(Moment(span, observation))
        self._lanes = {name: _Lane(moments) for name, moments in placed.items()}

    def clock(self, observation: Observation) -> Clock:
        """The clock that an observation's medium runs on."""
        media = observation.provenance.media
        return self._clocks.get(media, Clock(media))

    def span(self, observation: Observation) -> Span | None:
        """Where on its clock an observation lies; None where it has no time."""
        time = observation.locator.time
        if time is None:
            return None
        offset = self.clock(observation).offset
        return Span(time.start + offset, time.end + offset)

    @property
    def clocks(self) -> tuple[str, ...]:
        """Names of the clocks that something was observed on."""
        return tuple(self._lanes)

    def moments(self, clock: str) -> tuple[Moment, ...]:
        """Everything on a clock, by start."""
        return tuple(self._lanes[clock].moments) if clock in self._lanes else ()

    def overlapping(self, clock: str, span: Span, kinds: Collection[str] | None = None) -> tuple[Observation, ...]:
        """What shares a moment with `span`, by start; of these kinds, all when None."""
        return _of_kinds(self._lanes[clock].overlapping(span), kinds) if clock in self._lanes else ()

    def within(self, clock: str, span: Span, kinds: Collection[str] | None = None) -> tuple[Observation, ...]:
        """What begins and ends inside `span`, by start; of these kinds, all when None."""
        return _of_kinds(self._lanes[clock].within(span), kinds) if clock in self._lanes else ()

    def during(self, observation: Observation, kinds: Collection[str] | None = None) -> tuple[Observation, ...]:
        """What was observed while this was: for example the faces seen during a sentence. Without itself."""
        span = self.span(observation)
        if span is None:
            return ()
        found = self.overlapping(self.clock(observation).name, span, kinds)
        return tuple(other for other in found if other.id != observation.id)

    def common(self, one: Observation, other: Observation) -> Span | None:
        """The moments that both cover on a clock they share; None where they share none."""
        a, b = self.span(one), self.span(other)
        if a is None or b is None or self.clock(one).name != self.clock(other).name:
            return None
        return a.common(b)

    def place(self, observation: Observation, span: Span) -> Locator:
        """The observation's locator narrowed to `span` of its clock, in the seconds of its own medium."""
        offset = self.clock(observation).offset
        start = max(span.start - offset, 0.0)
        return observation.locator.model_copy(
            update={"time": TimeRange(start=start, end=max(span.end - offset, start))}
        )


class _Lane:
    """Moments of one clock, sorted by start, with the latest end among those up to each."""

    def __init__(self, moments: Iterable[Moment]) -> None:
        self.moments = sorted(moments, key=lambda moment: (moment.span, moment.observation.id))
        self._starts = [moment.span.start for moment in self.moments]
        self._latest = list(accumulate((moment.span.end for moment in self.moments), max))

    def overlapping(self, span: Span) -> list[Moment]:
        # Before the first whose running latest end reaches the span, everything is over.
        first = bisect_left(self._latest, span.start)
        last = bisect_right(self._starts, max(span.end, span.start))
        return [moment for moment in self.moments[first:last] if moment.span.overlaps(span)]

    def within(self, span: Span) -> list[Moment]:
        first, last = bisect_left(self._starts, span.start), bisect_right(self._starts, span.end)
        return [moment for moment in self.moments[first:last] if moment.span.within(span)]


def _of_kinds(moments: Iterable[Moment], kinds: Collection[str] | None) -> tuple[Observation, ...]:
    return tuple(m.observation for m in moments if kinds is None or m.observation.kind in kinds)
