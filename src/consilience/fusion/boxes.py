"""Boxes of two tools around the same thing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from consilience.core.words import folded
from consilience.fusion.terms import stem
from consilience.fusion.timeline import Timeline
from consilience.observations import Detection, Media, Observation, Region

__all__ = ["SameBox", "intersection_over_union", "same_boxes"]

_SAME = 0.5
"""Intersection over union from which on boxes of one label are of one thing (Everingham et al. 2010, PASCAL VOC)."""


@dataclass(frozen=True)
class SameBox:
    """A thing with the boxes that tools drew around it."""

    label: str
    members: tuple[Observation, ...]
    score: float


def intersection_over_union(one: Region, other: Region) -> float:
    """Share of the area of both that is common to both, 0 to 1 (Jaccard index); 0 where neither has an area."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    common = max(width, 0.0) * max(height, 0.0)
    union = one.w * one.h + other.w * other.h - common
    return min(common / union, 1.0) if union > 0 else 0.0


def same_boxes(
    observations: Iterable[Observation], timeline: Timeline, media: Sequence[Media] = ()
) -> Iterator[SameBox]:
    """Objects of one sort that two tools saw in the same place of the same picture, each once.

    A file of annotations names the picture that its boxes lie in; of labels, the last word counts: "coffee cup" is a
    "cup". The score is the boxes' intersection over union; of a film, the boxes must share a moment.

    Args:
        observations: of the record.
        timeline: of them.
        media: of the record, whose names annotations may name.
    """
    pictures = _pictures(media)
    groups: dict[tuple[str, int | None, str], list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.kind == "object" and observation.locator.region:
            label = folded(observation.as_(Detection).label).split()
            if label:
                picture = pictures.get(observation.locator.track or "", observation.provenance.media)
                groups[picture, observation.locator.page, stem(label[-1])].append(observation)
    for members in groups.values():
        yield from _pairs(members, timeline)


def _pictures(media: Sequence[Media]) -> dict[str, str]:
    """Ids of media by their names, of those names that only one has."""
    named = Counter(medium.name for medium in media)
    return {medium.name: medium.id for medium in media if named[medium.name] == 1}


def _pairs(members: Sequence[Observation], timeline: Timeline) -> Iterator[SameBox]:
    """The boxes that overlap enough, those that overlap most joined first."""
    pairs = [
        (overlap, i, j)
        for (i, one), (j, other) in combinations(enumerate(members), 2)
        if (overlap := _overlap(one, other, timeline)) >= _SAME
    ]
    joined: set[int] = set()
    for overlap, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        if not joined & {i, j}:
            joined |= {i, j}
            label = str(members[i].value["label"])
            yield SameBox(label, (members[i], members[j]), round(overlap, 4))


def _overlap(one: Observation, other: Observation, timeline: Timeline) -> float:
    a, b = one.locator, other.locator
    if one.provenance.tool == other.provenance.tool or a.region is None or b.region is None:
        return 0.0
    if (a.time or b.time) and timeline.common(one, other) is None:
        return 0.0
    return intersection_over_union(a.region, b.region)
