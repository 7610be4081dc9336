"""Speech to text: Whisper (Radford et al. 2022) through faster-whisper, behind Silero voice activity detection."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from consilience.tools.audio.transcripts import Heard, Spoken, language_code, transcribed
from consilience.tools.audio.voice_activity import DETECTOR
from consilience.tools.bounds import Beam
from consilience.tools.encoder import Encoder, encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.core.settings import Settings
from consilience.core.telemetry import report_nothing
from consilience.core.weights_pins import pinned_name
from consilience.observations import Observation

__all__ = ["speech", "speech_encoder"]

_PACKAGED = "whisper-base"
_PUBLISHER = "Systran/faster-whisper-"
_RATE = 16_000
# Ten of Whisper's windows: the last one, which is padded, is then a small part of the work.
_STRETCH = 300.0
_one_at_a_time = threading.Lock()


def speech_encoder(settings: Settings) -> Encoder:
    """`audio.speech` with the model that `settings.speech_model` names: a size, or a repository of the hub."""
    model = settings.speech_model
    if model == "base":
        return speech
    repository = model if "/" in model else f"{_PUBLISHER}{model}"
    name = pinned_name(repository)
    return replace(speech, weights=(name,), encode=partial(_transcribe, name))


@encoder(
    modality="audio",
    kinds=("transcript", "language"),
    version="2",
    cost="heavy",
    extra="audio",
    weights=(_PACKAGED,),
    packages=(DETECTOR,),
    stretch=_STRETCH,
)
def speech(excerpt: Excerpt, *, language: str | None = None, beam_size: Beam = 5) -> Iterator[Observation]:
    """Writes down what is said, sentence by sentence, with the time of every word, and tells the language.

    Args:
        excerpt: a recording, or some seconds of it.
        language: ISO 639-1, such as `de`, where it is known; otherwise it is detected, and observed too.
        beam_size: readings that are followed side by side; fewer are faster and less exact.
    """
    yield from _transcribe(_PACKAGED, excerpt, language=language, beam_size=beam_size)


def _transcribe(weights: str, excerpt: Excerpt, *, language: str | None, beam_size: int) -> Iterator[Observation]:
    samples = excerpt.waveform(_RATE)
    model = _model(str(excerpt.weights(weights)), excerpt.settings.threads)
    # Segments come lazily: the work is done inside the loop.
    with _one_at_a_time:
        try:
            found, about = model.transcribe(
                samples,
                language=language,
                beam_size=beam_size,
                # Higher temperatures draw by chance: the same sound would not give the same words.
                temperature=0.0,
                vad_filter=True,
                word_timestamps=True,
                condition_on_previous_text=False,
            )
        except ValueError as problem:
            # What is left after the detector is nothing, and nothing has no language.
            if "empty" not in str(problem):
                raise
            raise Unobservable("nobody speaks in it") from problem
        sentences = []
        for segment in found:
            excerpt.check()
            sentences.append(_heard(segment))
    spoken = Spoken(
        sentences,
        language_code(about.language),
        probability=about.language_probability,
        detected=language is None,
    )
    yield from transcribed(excerpt, spoken, len(samples) / _RATE)


def _heard(segment: Any) -> Heard:
    return Heard(
        text=segment.text,
        start=segment.start,
        end=segment.end,
        words=tuple(
            {
                "text": word.word.strip(),
                "start": word.start,
                "end": word.end,
                "probability": round(min(1.0, word.probability), 4),
            }
            for word in segment.words or []
        ),
        log_probability=segment.avg_logprob,
        no_speech=segment.no_speech_prob,
        compression=segment.compression_ratio,
    )


@once
def _model(folder: str, threads: int) -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    report_nothing()
    try:
        from faster_whisper import WhisperModel
    except ImportError as problem:
        raise MissingExtra("faster_whisper", "audio", "Transcribing speech") from problem
    return WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
