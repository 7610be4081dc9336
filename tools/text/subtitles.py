"""Subtitles in WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip: what is said when, and by whom where they tell."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.languages import language_of

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations import Locator, Observation, TimeRange
from consilience.observations.locator import one_line

__all__ = ["subtitles"]

# Times are those of the recording; one of more seconds than a year has is none.
_LONGEST = 366 * 24 * 3600
_LANGUAGE = re.compile(r"^Language:\s*([A-Za-z]{2})\b", re.MULTILINE)
# Tags of WebVTT and SubRip; `a < b` is none.
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>")


@encoder(
    modality="text",
    kinds=("transcript",),
    version="1",
    extra="text",
    packages=("py3langid",),
    mimes=("text/vtt", "application/x-subrip"),
)
def subtitles(excerpt: Excerpt, *, language: str | None = None) -> Iterator[Observation]:
    """Reads subtitles as what is said, on the clock of the recording of the same name.

    Args:
        excerpt: subtitles, or some seconds of them.
        language: ISO 639-1, such as `de`, where it is known; otherwise it is taken from the head of the file, or from
            the words.
    """
    text = excerpt.text()
    cues = [
        cue for cue in _cues(text, excerpt.media.mime) if one_line(cue.text) and _seconds(cue.start_time) < _LONGEST
    ]
    if not cues:
        raise Unobservable("there is no subtitle in it")
    spoken = language or _language(text, cues)
    wanted = excerpt.where.time
    for cue in cues:
        start = _seconds(cue.start_time)
        time = TimeRange(start=start, end=max(start, min(_seconds(cue.end_time), _LONGEST)))
        if wanted and not time.overlap(wanted):
            continue
        for speaker, said in _voices(cue):
            value = {"text": said, "language": spoken, "speaker": speaker}
            told = f"{speaker}: {said}" if speaker else said
            yield excerpt.observe("transcript", value, told, locator=Locator(time=time))


def _cues(text: str, mime: str) -> list[Any]:
    try:
        import webvtt
        from webvtt.errors import MalformedCaptionError, MalformedFileError
    except ImportError as problem:
        raise MissingExtra("webvtt", "text", "Reading subtitles") from problem
    try:
        form = "vtt" if mime == "text/vtt" else "srt"
        captions: list[Any] = webvtt.from_buffer(iter(text.splitlines(keepends=True)), format=form).captions
        return captions
    except (MalformedFileError, MalformedCaptionError, ValueError) as problem:
        raise Unobservable(f"the subtitles cannot be read ({one_line(str(problem))[:200]})") from problem


def _language(text: str, cues: list[Any]) -> str:
    """As the head of the file says, else as the words do; `und` where neither does."""
    if told := _LANGUAGE.search(text.partition("-->")[0]):
        return told[1].lower()
    found = language_of(" ".join(cue.text for cue in cues[:500]))
    return found[0] if found else "und"


def _seconds(timestamp: Any) -> float:
    hours, minutes, seconds, milliseconds = timestamp.to_tuple()
    return float(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


def _voices(cue: Any) -> Iterator[tuple[str | None, str]]:
    """(speaker, words) of a cue, once for each voice in it."""
    before, *pieces = _VOICE.split(cue.raw_text)
    for speaker, words in zip(["", *pieces[::2]], [before, *pieces[1::2]], strict=True):
        if said := one_line(html.unescape(_TAG.sub("", words))):
            yield one_line(html.unescape(speaker)) or None, said
