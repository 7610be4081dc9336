"""Speech to text: Whisper (Radford et al. 2022) through faster-whisper, behind Silero voice activity detection."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from typing import Any

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.observations import Confidence, Locator, Observation, TimeRange

__all__ = ["speech"]

_WEIGHTS = "whisper-base"
_RATE = 16_000
_one_at_a_time = threading.Lock()


@encoder(modality="audio", kinds=("transcript",), version="1", cost="heavy", extra="audio", weights=(_WEIGHTS,))
def speech(excerpt: Excerpt, *, language: str | None = None, beam_size: int = 5) -> Iterator[Observation]:
    """Writes down what is said, sentence by sentence, with the time of every word."""
    samples = excerpt.waveform(_RATE)
    seconds = len(samples) / _RATE
    model = _model(str(excerpt.weights(_WEIGHTS)), excerpt.settings.threads)
    # Segments come lazily: the work is done inside the loop.
    with _one_at_a_time:
        found, about = model.transcribe(
            samples,
            language=language,
            beam_size=beam_size,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        segments = [segment for segment in found if segment.text.strip()]
    if not segments:
        raise Unobservable("nobody speaks in it")
    for segment in segments:
        yield _observe(excerpt, segment, about.language, seconds)


def _observe(excerpt: Excerpt, segment: Any, language: str, seconds: float) -> Observation:
    said = segment.text.strip()
    words = [
        {
            "text": word.word.strip(),
            "start": round(min(word.start, seconds), 3),
            "end": round(min(word.end, seconds), 3),
            "probability": round(word.probability, 4),
        }
        for word in segment.words or []
    ]
    start = min(segment.start, seconds)
    return excerpt.observe(
        "transcript",
        {"text": said, "language": language, "words": words},
        said,
        locator=Locator(time=TimeRange(start=start, end=max(start, min(segment.end, seconds)))),
        confidence=Confidence(value=min(1.0, math.exp(segment.avg_logprob)), kind="probability"),
    )


@once
def _model(folder: str, threads: int) -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from faster_whisper import WhisperModel
    except ImportError as problem:
        raise MissingExtra("faster_whisper", "audio", "Transcribing speech") from problem
    return WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
