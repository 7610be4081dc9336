"""Speaker turns in RTTM, the format of NIST's Rich Transcription evaluations (2009, appendix A)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Locator, Observation, TimeRange, Unobserved
from consilience.observations.locator import one_line

__all__ = ["turns"]


@dataclass(frozen=True)
class _Turn:
    recording: str
    speaker: str
    start: float
    seconds: float
    confidence: float | None


@encoder(modality="text", kinds=("speaker",), version="2", mimes=("text/x-rttm",))
def turns(excerpt: Excerpt) -> Iterator[Observation]:
    """Reads who spoke when, on the clock of the recording of the same name."""
    found: list[_Turn] = []
    broken: list[int] = []
    for number, line in enumerate(excerpt.text().splitlines(), 1):
        if line.startswith("SPEAKER"):
            turn = _turn(line)
            broken += [] if turn else [number]
            found += [turn] if turn else []
    if not found:
        raise Unobservable("there is no line in it that tells who speaks")
    several = len({turn.recording for turn in found}) > 1
    wanted = excerpt.where.time
    for turn in found:
        time = TimeRange(start=turn.start, end=turn.start + turn.seconds)
        if wanted and not time.overlap(wanted):
            continue
        told = f"{turn.speaker} speaks" + (f" in {turn.recording!r}" if several else "")
        locator = Locator(time=time, track=turn.recording if several else None)
        confidence = None if turn.confidence is None else Confidence(value=turn.confidence, kind="score")
        yield excerpt.observe("speaker", {"speaker": turn.speaker}, told, locator=locator, confidence=confidence)
    if broken:
        reason = f"{len(broken)} lines are broken, the first is line {broken[0]}"
        value = Unobserved(sought=("speaker",), reason=reason, modality="text").model_dump(mode="json")
        yield excerpt.observe("unobserved", value, f"some speakers could not be observed: {reason}")


def _turn(line: str) -> _Turn | None:
    fields = line.split()
    if len(fields) < 8:
        return None
    try:
        start, seconds = float(fields[3]), float(fields[4])
        confidence = float(fields[8]) if len(fields) > 8 and fields[8] != "<NA>" else None
    except ValueError:
        return None
    if not (math.isfinite(start) and math.isfinite(seconds) and start >= 0 and 0 <= seconds < 1e8 and start < 1e8):
        return None
    sound = confidence is not None and 0 <= confidence <= 1
    speaker, recording = one_line(fields[7]), one_line(fields[1])
    return _Turn(recording, speaker, start, seconds, confidence if sound else None) if speaker else None
