"""What was said as WebVTT (https://www.w3.org/TR/webvtt1/), with voices where speakers are known."""

from __future__ import annotations

from collections.abc import Sequence

from consilience.observations.kinds import Speaker, Transcript
from consilience.observations.locator import TimeRange, one_line
from consilience.observations.observation import Observation
from consilience.observations.record import Record

__all__ = ["spoken_media", "to_webvtt"]

_SHORTEST = 0.001


def spoken_media(record: Record) -> tuple[str, ...]:
    """Ids of the media in which something is said at a known time, in order."""
    return tuple(dict.fromkeys(o.provenance.media for _, o in record if o.kind == "transcript" and o.locator.time))


def to_webvtt(record: Record, media_id: str | None = None) -> str:
    """The cues of one medium, by time; each has the label of its observation.

    The voice is the one that a transcript names, or else the speaker whose turn covers most of it.

    Args:
        record: with transcripts.
        media_id: whose transcripts; None: the first medium in which something is said.

    Raises:
        ValueError: nothing is said in it at a known time.
    """
    wanted = media_id or next(iter(spoken_media(record)), None)
    said: list[tuple[TimeRange, str, Observation]] = [
        (o.locator.time, label, o)
        for label, o in record
        if o.kind == "transcript" and o.locator.time and o.provenance.media == wanted
    ]
    if not said:
        raise ValueError("nothing is said at a known time")
    turns = [(o.locator.time, o.as_(Speaker).speaker) for _, o in record if _is_turn(o, wanted) and o.locator.time]
    cues = [
        f"{label}\n{_clock(time.start)} --> {_clock(max(time.end, time.start + _SHORTEST))}\n{_payload(o, time, turns)}"
        for time, label, o in sorted(said, key=lambda cue: (cue[0].start, cue[0].end))
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _is_turn(observation: Observation, media_id: str | None) -> bool:
    return observation.kind == "speaker" and observation.provenance.media == media_id


def _payload(observation: Observation, time: TimeRange, turns: Sequence[tuple[TimeRange, str]]) -> str:
    said = observation.as_(Transcript)
    text = _escaped(one_line(said.text))
    voice = said.speaker or _voice(time, turns)
    return f"<v {_escaped(one_line(voice))}>{text}</v>" if voice and one_line(voice) else text


def _voice(time: TimeRange, turns: Sequence[tuple[TimeRange, str]]) -> str | None:
    shares = [(time.overlap(turn), speaker) for turn, speaker in turns]
    most = max(shares, key=lambda share: share[0], default=(0.0, ""))
    return most[1] if most[0] > 0 else None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
