"""Things and faces followed through a film: what is seen when, and how it moves in the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, TypeAlias

from consilience.tools.bounds import Pause, Share
from consilience.tools.encoder import Encoder, encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.faces import faces
from consilience.tools.image.objects import objects
from consilience.tools.image.placement import place
from consilience.tools.video.association import Associator, Detected, Path, simplified
from consilience.tools.video.stills import look
from pydantic import Field

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Locator, Observation, Region, TimeRange, Track, TrackPoint

__all__ = ["face_tracks", "tracks"]

_SIDE = 640
_GAP = 1.0
_TOLERANCE = 0.01
_MOVED = 0.12
_GROWN = 1.5

_Rate: TypeAlias = Annotated[float, Field(ge=0.1, le=60)]


@encoder(
    modality="video",
    kinds=("track",),
    version=f"1+{objects.version}",
    cost="heavy",
    extra="video",
    weights=objects.weights,
    packages=objects.packages,
)
def tracks(
    excerpt: Excerpt, *, rate: _Rate = 5.0, min_score: Share = 0.4, weak_score: Share = 0.25, min_seconds: Pause = 0.4
) -> Iterator[Observation]:
    """Follows people, animals, vehicles and household things, each with its path in the picture.

    Args:
        excerpt: a shot.
        rate: pictures a second that are looked at.
        min_score: 0 to 1; what is detected less surely begins no track.
        weak_score: 0 to 1; what is detected less surely does not go on with one either.
        min_seconds: shortest track; what is in view for less is left out.
    """
    found = _follow(excerpt, objects, rate, min_score, min_score=weak_score)
    yield from _observed(excerpt, found, min_seconds, "none of the known objects is in view for long enough")


@encoder(
    modality="video",
    kinds=("track",),
    version=f"1+{faces.version}",
    cost="heavy",
    extra="video",
    weights=faces.weights,
    packages=faces.packages,
    biometric=True,
    name="video.faces",
)
def face_tracks(excerpt: Excerpt, *, rate: _Rate = 5.0, min_seconds: Pause = 0.4) -> Iterator[Observation]:
    """Follows faces, each with its path in the picture; never who they are.

    Args:
        excerpt: a shot.
        rate: pictures a second that are looked at.
        min_seconds: shortest track; a face that is in view for less is left out.
    """
    found = _follow(excerpt, faces, rate, 0.0)
    yield from _observed(excerpt, found, min_seconds, "no face is in view for long enough")


def _follow(excerpt: Excerpt, detector: Encoder, rate: float, strong: float, **parameters: float) -> list[Path]:
    paths = Associator(strong=strong, gap=_GAP)
    for at, seen in look(excerpt, detector, 1 / rate, _SIDE, **parameters):
        paths.push(
            at,
            [
                Detected(str(o.value.get("label", o.kind)), o.locator.region, o.confidence.value)
                for o in seen
                if o.locator.region and o.confidence
            ],
        )
    return paths.finish()


def _observed(excerpt: Excerpt, paths: Sequence[Path], min_seconds: float, otherwise: str) -> Iterator[Observation]:
    begin = excerpt.where.time.start if excerpt.where.time else 0.0
    numbers: Counter[str] = Counter()
    for path in paths:
        start, end = path.points[0].t, path.points[-1].t
        if end - start < min_seconds:
            continue
        numbers[path.label] += 1
        points = simplified(path.points, _TOLERANCE)
        when = TimeRange(start=begin + start, end=begin + end)
        shown = [point.model_copy(update={"t": round(begin + point.t, 3)}) for point in points]
        value = Track(label=path.label, number=numbers[path.label], points=tuple(shown))
        yield excerpt.observe(
            "track",
            value.model_dump(mode="json"),
            f"{path.label} {value.number} from {_clock(when.start)} to {_clock(when.end)}, {motion(points)}",
            locator=Locator(time=TimeRange(start=start, end=end)),
            confidence=Confidence(value=path.score, kind="score"),
        )
    if not numbers:
        raise Unobservable(otherwise)


def motion(points: Sequence[TrackPoint]) -> str:
    """How a thing moves in the picture from its first point to its last, in words."""
    first, last = points[0], points[-1]
    across = (last.x + last.w / 2) - (first.x + first.w / 2)
    down = (last.y + last.h / 2) - (first.y + first.h / 2)
    told = []
    if abs(across) >= _MOVED:
        told.append("moves from left to right" if across > 0 else "moves from right to left")
    if abs(down) >= _MOVED:
        told.append("moves down" if down > 0 else "moves up")
    areas = first.w * first.h, last.w * last.h
    if areas[1] > areas[0] * _GROWN:
        told.append("becomes larger")
    elif areas[0] > areas[1] * _GROWN:
        told.append("becomes smaller")
    if told:
        return " and ".join(told)
    there = place(Region(x=last.x, y=last.y, w=min(last.w, 1 - last.x), h=min(last.h, 1 - last.y)))
    ranges = [max(getattr(p, name) for p in points) - min(getattr(p, name) for p in points) for name in "xy"]
    return f"moves about at the {there}" if max(ranges) >= _MOVED else f"stays at the {there}"


def _clock(seconds: float) -> str:
    return str(TimeRange(start=0, end=seconds)).partition("-")[2]
