"""Speech to text by OpenAI's own Whisper package, from a checkpoint on disk; observes what `audio.speech` does."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.audio.transcripts import Heard, Spoken, language_code, transcribed
from consilience.tools.audio.voice_activity import DETECTOR, RATE, speech_in
from consilience.tools.bounds import Beam
from consilience.tools.encoder import Encoder, encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import BadConfiguration, MissingExtra, Unobservable
from consilience.core.once import once
from consilience.core.settings import Settings
from consilience.observations import Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["clips_of", "declared", "whisper_encoder"]

_STRETCH = 300.0
# Each clip is decoded by itself, in windows of thirty seconds: shorter pauses are not worth a window.
_PAUSE = 2.0
_MARGIN = 0.4
_one_at_a_time = threading.Lock()


def whisper_encoder(settings: Settings) -> Encoder:
    """`audio.whisper` with the checkpoint `settings.whisper_checkpoint`, whose hash is part of the cache key.

    Raises:
        BadConfiguration: there is no such file.
    """
    checkpoint = settings.whisper_checkpoint
    if checkpoint is None or not checkpoint.is_file():
        raise BadConfiguration(
            f"There is no Whisper checkpoint {checkpoint}.",
            cure="Set CONSILIENCE_WHISPER_CHECKPOINT to a .pt file of openai-whisper, or unset it.",
        )
    known = checkpoint.stat()
    digest = _digest(checkpoint, known.st_size, known.st_mtime_ns)
    return replace(
        declared,
        model_name=lambda _: f"{checkpoint.name}@{digest[:12]}",
        encode=partial(_transcribe, checkpoint, digest),
    )


@encoder(
    modality="audio",
    kinds=("transcript", "language"),
    version="1",
    cost="heavy",
    extra="whisper",
    packages=(DETECTOR,),
    stretch=_STRETCH,
    name="audio.whisper",
)
def declared(excerpt: Excerpt, *, language: str | None = None, beam_size: Beam = 5) -> Iterator[Observation]:
    """Writes down what is said, and tells the language, by OpenAI's own Whisper.

    Args:
        excerpt: a recording, or some seconds of it.
        language: ISO 639-1, such as `de`, where it is known; otherwise it is detected, and observed too.
        beam_size: readings that are followed side by side; fewer are faster and less exact.
    """
    raise BadConfiguration("No checkpoint is named.", cure="Set CONSILIENCE_WHISPER_CHECKPOINT.")


def _transcribe(
    checkpoint: Path, digest: str, excerpt: Excerpt, *, language: str | None, beam_size: int
) -> Iterator[Observation]:
    samples = excerpt.waveform(RATE)
    seconds = len(samples) / RATE
    # The package decodes for ever where a clip ends beyond its last whole frame of 10 ms.
    last = len(samples) * 100 // RATE / 100
    clips = clips_of([(speech.start, speech.end) for speech in speech_in([samples])], last)
    if not clips:
        raise Unobservable("nobody speaks in it")
    with _one_at_a_time:
        model = _model(checkpoint, digest, excerpt.settings.threads)
        found, probability = (language, None) if language else _language(model, samples, clips[0])
        excerpt.check()
        told = model.transcribe(
            samples,
            language=found,
            beam_size=beam_size,
            # Higher temperatures draw by chance: the same sound would not give the same words.
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            clip_timestamps=[edge for clip in clips for edge in clip],
            fp16=False,
        )
    sentences = [_heard(segment) for segment in told["segments"]]
    spoken = Spoken(sentences, language_code(found), probability=probability, detected=language is None)
    yield from transcribed(excerpt, spoken, seconds)


def clips_of(speech: Sequence[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
    """Stretches of speech, in order, with a margin, those close to each other as one; within 0 to `seconds`."""
    clips: list[tuple[float, float]] = []
    for start, end in speech:
        if clips and start - clips[-1][1] < _PAUSE:
            clips[-1] = (clips[-1][0], min(end + _MARGIN, seconds))
        else:
            clips.append((max(0.0, start - _MARGIN), min(end + _MARGIN, seconds)))
    return clips


def _language(model: Any, samples: NDArray[np.float32], clip: tuple[float, float]) -> tuple[str, float | None]:
    import whisper

    start = samples[round(clip[0] * RATE) :]
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(start), n_mels=model.dims.n_mels)
    if not model.is_multilingual:
        return "en", None
    _, probabilities = model.detect_language(mel)
    best = max(probabilities, key=probabilities.__getitem__)
    return best, float(probabilities[best])


def _heard(segment: dict[str, Any]) -> Heard:
    return Heard(
        text=segment["text"],
        start=segment["start"],
        end=segment["end"],
        words=tuple(
            {
                "text": word["word"].strip(),
                "start": float(word["start"]),
                "end": float(word["end"]),
                "probability": round(min(1.0, float(word["probability"])), 4),
            }
            for word in segment.get("words", ())
        ),
        log_probability=segment["avg_logprob"],
        no_speech=segment["no_speech_prob"],
        compression=segment["compression_ratio"],
    )


@once
def _digest(checkpoint: Path, size: int, modified: int) -> str:
    """SHA-256 of the file, which is read anew when its size or time is another."""
    with checkpoint.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@once
def _model(checkpoint: Path, digest: str, threads: int) -> Any:
    try:
        import torch
        import whisper
    except ImportError as problem:
        raise MissingExtra("whisper", "whisper", "Transcribing speech with OpenAI's own package") from problem
    torch.set_num_threads(threads)
    # The package reads checkpoints as weights only, so that nothing in one is executed.
    return whisper.load_model(str(checkpoint), device="cpu")
