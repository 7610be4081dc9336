"""Which face speaks: the one that is alone in view while a voice is heard, its mouth moving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consilience.fusion.timeline import Span, Timeline
from consilience.observations import Face, Observation, Speaker, Track

__all__ = ["Speaking", "alone", "speaking"]

_ALONE = 0.6
"""Share of a voice's time during which the face must be the only one in view."""
_RIVAL = 0.25
"""Share from which on another face, alone in view, makes it doubtful whose voice it is."""
_OPEN = 0.1
"""Lip opening over mouth width from which on a mouth is open."""
_SILENT, _UNKNOWN = 0.5, 0.8
"""What is left of the score when the mouth is seen to stay closed, and when it is not seen."""


@dataclass(frozen=True)
class Speaking:
    """A voice and a face that belong together, as far as overlap tells."""

    speaker: str
    members: tuple[Observation, ...]
    """The track of the face, then the turns of the voice."""
    told: str
    score: float


def speaking(observations: Iterable[Observation], timeline: Timeline) -> Iterator[Speaking]:
    """For every voice of every clock the face that is alone in view for most of its time, if there is one.

    The score is that share, times 0.8 where no mouth was measured and 0.5 where it stayed closed. A voice over
    pictures of somebody who listens is taken for theirs: overlap cannot tell.
    """
    given = list(observations)
    voices: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    faces: dict[str, list[Observation]] = defaultdict(list)
    for observation in given:
        if timeline.span(observation) is None:
            continue
        clock = timeline.clock(observation).name
        if observation.kind == "speaker":
            voices[clock, observation.as_(Speaker).speaker].append(observation)
        elif observation.kind == "track" and observation.as_(Track).label == "face":
            faces[clock].append(observation)
    for (clock, speaker), turns in voices.items():
        if joined := _join(speaker, turns, faces[clock], timeline):
            yield joined


def _join(
    speaker: str, turns: Sequence[Observation], tracks: Sequence[Observation], timeline: Timeline
) -> Speaking | None:
    spoken = [span for turn in turns if (span := timeline.span(turn))]
    visible = [(track, span) for track in tracks if (span := timeline.span(track))]
    seconds = sum(span.seconds for span in spoken)
    if not seconds or not visible:
        return None
    times = alone(spoken, [span for _, span in visible])
    ranked = sorted(zip(times, (track for track, _ in visible), strict=True), key=lambda pair: -pair[0])
    share, track = ranked[0][0] / seconds, ranked[0][1]
    if share < _ALONE or (len(ranked) > 1 and ranked[1][0] / seconds >= _RIVAL):
        return None
    moving = _mouth_moves(turns, timeline)
    score = min(share, 1.0) * (_UNKNOWN if moving is None else 1.0 if moving else _SILENT)
    mouth = {None: "", True: ", its mouth moving", False: ", its mouth closed"}[moving]
    number = track.as_(Track).number
    told = f"{speaker} is likely face {number}: alone in view for {share:.0%} of what {speaker} says{mouth}"
    return Speaking(speaker, (track, *turns), told, score)


def alone(spoken: Sequence[Span], visible: Sequence[Span]) -> list[float]:
    """Seconds of `spoken` during which each of `visible` is the only one."""
    seconds = [0.0] * len(visible)
    for said in spoken:
        edges = {said.start, said.end}
        for seen in visible:
            edges |= {min(max(edge, said.start), said.end) for edge in (seen.start, seen.end)}
        ordered = sorted(edges)
        for start, end in pairwise(ordered):
            there = [i for i, seen in enumerate(visible) if seen.start <= start and end <= seen.end]
            if len(there) == 1:
                seconds[there[0]] += end - start
    return seconds


def _mouth_moves(turns: Sequence[Observation], timeline: Timeline) -> bool | None:
    """A face seen during the turns has its mouth open in some picture; None where no mouth was measured."""
    seen = {face.id: face for turn in turns for face in timeline.during(turn, ("face",))}
    measured = [opening for face in seen.values() if (opening := face.as_(Face).mouth_open) is not None]
    return any(opening >= _OPEN for opening in measured) if measured else None
