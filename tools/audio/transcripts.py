"""What every speech-to-text backend reports: sentences with words, the language, and what is not to be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase

from consilience.tools.excerpt import Excerpt
from consilience.tools.text.languages import language_name

from consilience.core.errors import Unobservable
from consilience.core.once import once
from consilience.observations import Confidence, Locator, Observation, TimeRange

__all__ = ["UNKNOWN", "Heard", "Spoken", "doubt", "language_code", "transcribed"]

UNKNOWN = "und"

# As OpenAI's own decoder has them (Radford et al. 2022, section 4.5).
_REPETITIVE = 2.4
_NO_SPEECH, _UNLIKELY = 0.6, -1.0
# Nobody speaks faster; made-up text is often crammed into a moment.
_WORDS_A_SECOND = 12
_MANY_WORDS = 4

Word = dict[str, str | float]


@dataclass(frozen=True)
class Heard:
    """A sentence as a backend gives it; seconds from the start of the excerpt."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    log_probability: float | None = None
    """Mean over its tokens."""
    no_speech: float | None = None
    """Probability that nobody speaks."""
    compression: float | None = None
    """How many times smaller its text gets by compression."""


@dataclass(frozen=True)
class Spoken:
    """All that a backend heard."""

    sentences: Sequence[Heard]
    language: str
    """ISO 639-1, or `und`."""
    probability: float | None = None
    """Of the language, where the backend found it out; None where it was told, or does not say."""
    detected: bool = True
    """The backend found the language out."""


def transcribed(excerpt: Excerpt, spoken: Spoken, seconds: float) -> Iterator[Observation]:
    """The sentences and the language as observations; what is not to be trusted as `unobserved`, with the reason.

    Raises:
        Unobservable: there is not one sentence to be trusted.
    """
    sentences = [heard for heard in spoken.sentences if heard.text.strip()]
    doubts = [doubt(heard) for heard in sentences]
    if not sentences:
        raise Unobservable("nobody speaks in it")
    if all(doubts):
        raise Unobservable(f"nothing that was heard can be trusted ({doubts[0]})")
    for heard, reason in zip(sentences, doubts, strict=True):
        yield _doubted(excerpt, heard, reason, seconds) if reason else _sentence(excerpt, heard, spoken, seconds)
    if spoken.detected and spoken.language != UNKNOWN:
        yield _language(excerpt, spoken)


def doubt(heard: Heard) -> str | None:
    """Why a sentence is more likely made up than heard; None when nothing speaks against it."""
    if heard.compression is not None and heard.compression > _REPETITIVE:
        return f"the model repeats itself, compression {heard.compression:.1f}"
    if (heard.no_speech or 0.0) > _NO_SPEECH and (heard.log_probability or 0.0) < _UNLIKELY:
        return f"probably nobody speaks, {heard.no_speech:.0%}"
    count, length = len(heard.text.split()), heard.end - heard.start
    if count >= _MANY_WORDS and count > _WORDS_A_SECOND * length:
        return f"{count} words in {length:.1f} s"
    return None


def _language(excerpt: Excerpt, spoken: Spoken) -> Observation:
    name = language_name(spoken.language)
    sure = None if spoken.probability is None else Confidence(value=min(1.0, spoken.probability), kind="probability")
    value = {"language": spoken.language, "name": name}
    return excerpt.observe("language", value, f"{name} is spoken", confidence=sure)


def _sentence(excerpt: Excerpt, heard: Heard, spoken: Spoken, seconds: float) -> Observation:
    said = heard.text.strip()
    sure = None
    if heard.log_probability is not None:
        sure = Confidence(value=math.exp(min(0.0, heard.log_probability)), kind="probability")
    words = [
        {**word, "start": _within(word["start"], seconds), "end": _within(word["end"], seconds)} for word in heard.words
    ]
    value = {"text": said, "language": spoken.language, "words": words}
    return excerpt.observe("transcript", value, said, locator=_place(heard, seconds), confidence=sure)


def _doubted(excerpt: Excerpt, heard: Heard, reason: str, seconds: float) -> Observation:
    value = {"sought": ["transcript"], "reason": reason, "modality": "audio"}
    told = f"no transcript could be observed: {reason}"
    return excerpt.observe("unobserved", value, told, locator=_place(heard, seconds))


def _place(heard: Heard, seconds: float) -> Locator:
    start = _within(heard.start, seconds)
    return Locator(time=TimeRange(start=start, end=max(start, _within(heard.end, seconds))))


def _within(time: str | float, seconds: float) -> float:
    return round(min(max(0.0, float(time)), seconds), 3)


def language_code(told: str | None) -> str:
    """ISO 639-1 of a code, or of an English name as some APIs give it; `und` where there is none."""
    known = (told or "").strip().lower()
    # Whisper's own code for Javanese is an old one.
    return {"jw": "jv"}.get(known) or _codes().get(known, known if 2 <= len(known) <= 3 else UNKNOWN)


@once
def _codes() -> dict[str, str]:
    pairs = ("".join(letters) for letters in product(ascii_lowercase, repeat=2))
    return {language_name(code).lower(): code for code in pairs if language_name(code) != code}
