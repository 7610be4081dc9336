"""The extent of recordings."""

from __future__ import annotations

import importlib.util
import wave
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_sound"]

# Headers round, and count what a codec puts before and after the sound.
_LEEWAY = 0.5
_AT_ONCE = 1 << 16


def measure_sound(path: Path, name: str, mime: str, limits: Limits) -> dict[str, Any]:
    """Seconds and channels of a recording; None where only a decoder can tell and none is installed.

    Raises:
        BadMedia: too long, unreadable, cut off, or without sound.
    """
    seconds, channels = (_wav_extent if "wav" in mime else _container_extent)(path, name, limits)
    if seconds is not None and seconds > limits.audio_seconds:
        raise BadMedia(
            name,
            f"is too long ({seconds:,.0f} s; the limit is {limits.audio_seconds:,.0f} s).",
            cure="Raise CONSILIENCE_LIMIT_AUDIO_SECONDS, or cut it.",
        )
    return {"seconds": seconds, "channels": channels}


def _wav_extent(path: Path, name: str, limits: Limits) -> tuple[float | None, int | None]:
    """Seconds of sound, and channels; None where only a decoder can tell (a compressed or extensible WAV)."""
    try:
        with wave.open(str(path), "rb") as file:
            frames, channels = file.getnframes(), file.getnchannels()
            width = file.getsampwidth() * channels
            promised, rate = frames * width, file.getframerate()
            # In pieces: it is as large as media may be.
            there = sum(map(len, iter(lambda: file.readframes(_AT_ONCE), b"")))
    except EOFError as problem:
        raise BadMedia(name, "is cut off inside its header.", cure="Copy or record it again.") from problem
    except (wave.Error, RuntimeError) as problem:
        if "unknown format" in str(problem):
            return _container_extent(path, name, limits)
        told = str(problem) or "its parts are longer than the whole"
        raise BadMedia(name, f"is no readable WAV ({told}).", cure="Export it again.") from problem
    if there < promised:
        raise BadMedia(
            name,
            f"is cut off: {promised:,} bytes of sound promised, {there:,} there.",
            cure="Copy or record it again.",
        )
    if not frames or not rate:
        raise BadMedia(name, "holds no sound.", cure="Record it again.")
    return round(frames / rate, 3), channels


def _container_extent(path: Path, name: str, limits: Limits) -> tuple[float | None, int | None]:
    if importlib.util.find_spec("av") is None:
        return None, None
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise BadMedia(name, "holds no sound.", cure="Record it again.")
            # PyAV's streams have no channels where FFmpeg knows no decoder.
            if container.streams.audio[0].codec_context is None:
                raise BadMedia(name, "holds sound of an unknown kind.", cure="Export it as FLAC or AAC.")
            told = (container.duration or 0) / 1_000_000
            channels = container.streams.audio[0].channels or None
            held = _held(container, limits.audio_seconds)
    except av.FFmpegError as problem:
        raise BadMedia(name, f"is no readable recording ({problem.strerror}).", cure="Export it again.") from problem
    seconds = held if held and abs(held - told) > _LEEWAY else told
    return round(seconds, 3) or None, channels


def _held(container: Any, most: float) -> float:
    """Seconds of sound in the packets, counted until they are more than `most`: a header may lie, or tell nothing."""
    import av

    stream = container.streams.audio[0]
    base, held = float(stream.time_base or 0), 0.0
    try:
        for packet in container.demux(stream):
            held += (packet.duration or 0) * base
            if held > most + 1:
                break
    except av.FFmpegError:
        pass  # what comes before can be heard
    return held
