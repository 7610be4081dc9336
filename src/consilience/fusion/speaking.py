"""Which face speaks: the one that is alone in view while a voice is heard, its mouth moving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consilience.fusion.timeline import Span, Timeline
from consilience.observations import Face, Observation, Speaker, Track

__all__ = ["Speaking", "alone", "speaking"]

_ALONE = 0.6
"""Share of a turn during which the face must be the only one in view."""
_RIVAL = 0.5
"""Of the first voice's time with a face, what a second voice may have before the face is nobody's."""
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
    """For every tracked face the voice that is heard while it is alone in view, if that is one voice.

    The score is the share of the voice's turns during which it is alone, times 0.8 where no mouth was measured and 0.5
    where it stayed closed. A voice over pictures of somebody who listens is taken for theirs: overlap cannot tell.
    """
    turns: dict[str, list[Observation]] = defaultdict(list)
    tracks: dict[str, list[Observation]] = defaultdict(list)
    for observation in observations:
        if timeline.span(observation) is None:
            continue
        if observation.kind == "speaker":
            turns[timeline.clock(observation).name].append(observation)
        elif observation.kind == "track" and observation.as_(Track).label == "face":
            tracks[timeline.clock(observation).name].append(observation)
    for clock, faces in tracks.items():
        heard = _heard(turns[clock], faces, timeline)
        for track in faces:
            if joined := _joined(track, heard.get(track.id, {}), timeline):
                yield joined


Heard = dict[str, list[tuple[Observation, float]]]
"""By voice, its turns with the seconds for which the face is alone in view."""


def _heard(turns: Sequence[Observation], tracks: Sequence[Observation], timeline: Timeline) -> dict[str, Heard]:
    """For each track, by id, the turns during most of which it is the only face."""
    visible = [span for track in tracks if (span := timeline.span(track))]
    found: dict[str, Heard] = defaultdict(lambda: defaultdict(list))
    for turn in turns:
        span = timeline.span(turn)
        if span is None or not span.seconds:
            continue
        seconds, track = max(zip(alone(span, visible), tracks, strict=True), key=lambda pair: pair[0])
        if seconds / span.seconds >= _ALONE:
            found[track.id][turn.as_(Speaker).speaker].append((turn, seconds))
    return found


def _joined(
    track: Observation, heard: Mapping[str, list[tuple[Observation, float]]], timeline: Timeline
) -> Speaking | None:
    times = sorted(((sum(s for _, s in found), speaker) for speaker, found in heard.items()), reverse=True)
    if not times or (len(times) > 1 and times[1][0] > _RIVAL * times[0][0]):
        return None
    seconds, speaker = times[0]
    turns = [turn for turn, _ in heard[speaker]]
    share = min(seconds / sum(span.seconds for turn in turns if (span := timeline.span(turn))), 1.0)
    moving = _mouth_moves(turns, timeline)
    score = share * (_UNKNOWN if moving is None else 1.0 if moving else _SILENT)
    mouth = {None: "", True: ", its mouth open at times", False: ", its mouth closed"}[moving]
    place = track.locator.describe()
    told = f"{speaker} is likely the face in view {place}: alone for {share:.0%} of what {speaker} says then{mouth}"
    return Speaking(speaker, (track, *turns), told, round(score, 4))


def alone(said: Span, visible: Sequence[Span]) -> list[float]:
    """Seconds of `said` during which each of `visible` is the only one."""
    seconds = [0.0] * len(visible)
    edges = {said.start, said.end}
    for seen in visible:
        edges |= {min(max(edge, said.start), said.end) for edge in (seen.start, seen.end)}
    for start, end in pairwise(sorted(edges)):
        there = [i for i, seen in enumerate(visible) if seen.start <= start and end <= seen.end]
        if len(there) == 1:
            seconds[there[0]] += end - start
    return seconds


def _mouth_moves(turns: Sequence[Observation], timeline: Timeline) -> bool | None:
    """A face seen during the turns has its mouth open in some picture; None where no mouth was measured."""
    seen = {face.id: face for turn in turns for face in timeline.during(turn, ("face",))}
    measured = [opening for face in seen.values() if (opening := face.as_(Face).mouth_open) is not None]
    return any(opening >= _OPEN for opening in measured) if measured else None
