"""Speech to text by an OpenAI-compatible API, when the user has configured one; observes what `audio.speech` does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from consilience.tools.encoder import Encoder, encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, ModelUnavailable, Unobservable
from consilience.core.settings import Settings
from consilience.observations import Confidence, Locator, Observation, TimeRange

__all__ = ["transcription_encoder"]


def transcription_encoder(settings: Settings) -> Encoder:
    """The encoder that asks `settings.transcription_model`; the model's name is part of its cache key."""
    return replace(_transcription, version=f"1+{settings.transcription_model}")


@encoder(
    modality="audio", kinds=("transcript",), version="1", cost="remote", extra="openai", name="audio.transcription"
)
def _transcription(excerpt: Excerpt, *, language: str | None = None) -> Iterator[Observation]:
    """Writes down what is said, by a transcription API."""
    reply = _ask(excerpt, language)
    segments = [segment for segment in reply.segments or [] if segment.text.strip()]
    if not segments:
        raise Unobservable("nobody speaks in it")
    words = reply.words or []
    for segment in segments:
        said = segment.text.strip()
        inside = [
            {"text": word.word, "start": round(word.start, 3), "end": round(word.end, 3)}
            for word in words
            if segment.start <= (word.start + word.end) / 2 < segment.end
        ]
        yield excerpt.observe(
            "transcript",
            {"text": said, "language": reply.language or language or "und", "words": inside},
            said,
            locator=Locator(time=TimeRange(start=segment.start, end=max(segment.start, segment.end))),
            confidence=Confidence(value=min(1.0, math.exp(min(0.0, segment.avg_logprob))), kind="probability"),
        )


def _ask(excerpt: Excerpt, language: str | None) -> Any:
    try:
        import openai
    except ImportError as problem:
        raise MissingExtra("openai", "openai", "Asking a transcription API") from problem
    from consilience.tools.render.sound import cut_clip

    settings = excerpt.settings
    key = settings.api_key.get_secret_value() if settings.api_key else None
    model = settings.transcription_model or ""
    sound = cut_clip(excerpt.media, excerpt.path, excerpt.where.time, margin=0)
    try:
        with openai.OpenAI(base_url=settings.base_url, api_key=key, timeout=settings.request_seconds) as client:
            return client.audio.transcriptions.create(
                model=model,
                file=("sound.wav", sound, "audio/wav"),
                response_format="verbose_json",
                timestamp_granularities=["segment", "word"],
                language=language or openai.omit,
            )
    except openai.OpenAIError as problem:
        raise ModelUnavailable(model, f"{type(problem).__name__}.", cure="Check base URL, key and model.") from problem
