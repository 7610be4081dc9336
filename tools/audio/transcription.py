"""Speech to text by an OpenAI-compatible API, when the user has configured one; observes what `audio.speech` does."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from consilience.tools.audio.transcripts import Heard, Spoken, language_code, transcribed
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.remote import asking, remote_name

from consilience.core.settings import Settings
from consilience.observations import Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["transcription"]

_RATE = 16_000
# APIs take 25 MB at once; so much sound is 19.
_STRETCH = 600.0


@encoder(
    modality="audio",
    kinds=("transcript", "language"),
    version="2",
    cost="remote",
    extra="openai",
    model_name=lambda settings: remote_name(settings.transcription_model, settings),
    stretch=_STRETCH,
    deterministic=False,
)
def transcription(excerpt: Excerpt, *, language: str | None = None) -> Iterator[Observation]:
    """Writes down what is said, and tells the language, by a transcription API.

    Args:
        excerpt: a recording, or some seconds of it.
        language: ISO 639-1, such as `de`, where it is known; otherwise it is detected, and observed too.
    """
    samples = excerpt.waveform(_RATE)
    seconds = len(samples) / _RATE
    reply = _ask(excerpt.settings, _wav(samples), language)
    words = reply.words or []
    sentences = [_heard(segment, words) for segment in reply.segments or []]
    if not sentences and (reply.text or "").strip():
        # Some servers say what, but not when.
        sentences = [Heard(reply.text, 0.0, seconds)]
    told = language or getattr(reply, "language", None)
    yield from transcribed(excerpt, Spoken(sentences, language_code(told), detected=language is None), seconds)


def _heard(segment: Any, words: list[Any]) -> Heard:
    return Heard(
        text=segment.text,
        start=segment.start,
        end=segment.end,
        words=tuple(
            {"text": word.word.strip(), "start": word.start, "end": word.end}
            for word in words
            if segment.start <= (word.start + word.end) / 2 < segment.end
        ),
        log_probability=getattr(segment, "avg_logprob", None),
        no_speech=getattr(segment, "no_speech_prob", None),
        compression=getattr(segment, "compression_ratio", None),
    )


def _wav(samples: NDArray[np.float32]) -> bytes:
    """The sound as a WAV file of 16 bits."""
    import numpy as np

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _ask(settings: Settings, sound: bytes, language: str | None) -> Any:
    model = settings.transcription_model or ""
    with asking(model, settings, "Asking a transcription API") as client:
        from openai import omit

        return client.audio.transcriptions.create(
            model=model,
            file=("sound.wav", sound, "audio/wav"),
            response_format="verbose_json",
            timestamp_granularities=["segment", "word"],
            language=language or omit,
        )
