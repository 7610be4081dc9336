"""Boxes of two tools around the same thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from consilience.core.words import folded
from consilience.fusion.timeline import Timeline
from consilience.observations import Detection, Observation, Region

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


def same_boxes(observations: Iterable[Observation], timeline: Timeline) -> Iterator[SameBox]:
    """Objects of one label that two tools saw in the same place of the same picture, each once.

    The score is the boxes' intersection over union; of a film, the boxes must share a moment.
    """
    groups: dict[tuple[str, int | None, str], list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.kind == "object" and observation.locator.region:
            label = folded(observation.as_(Detection).label)
            groups[observation.provenance.media, observation.locator.page, label].append(observation)
    for (_, _, label), members in groups.items():
        pairs = [
            (overlap, i, j)
            for i, one in enumerate(members)
            for j, other in enumerate(members[i + 1 :], i + 1)
            if (overlap := _overlap(one, other, timeline)) >= _SAME
        ]
        joined: set[int] = set()
        for overlap, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
            if not joined & {i, j}:
                joined |= {i, j}
                yield SameBox(label, (members[i], members[j]), round(overlap, 4))


def _overlap(one: Observation, other: Observation, timeline: Timeline) -> float:
    a, b = one.locator, other.locator
    if one.provenance.tool == other.provenance.tool or a.region is None or b.region is None:
        return 0.0
    if (a.time or b.time) and timeline.common(one, other) is None:
        return 0.0
    return intersection_over_union(a.region, b.region)
