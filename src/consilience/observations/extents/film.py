"""The extent of videos."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_film"]


def measure_film(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    """Width and height of the upright pictures, seconds, channels of the sound; empty without a decoder.

    Raises:
        BadMedia: too long, too large, unreadable, or without a single picture.
    """
    if importlib.util.find_spec("av") is None:
        return {}
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise BadMedia(name, "holds no pictures.", cure="Name it as a recording, or export it again.")
            stream = container.streams.video[0]
            # PyAV's streams have neither size nor channels where FFmpeg knows no decoder.
            if stream.codec_context is None:
                raise BadMedia(name, "holds pictures of an unknown kind.", cure="Export it as H.264 or VP9.")
            _check_pixels(name, stream.width, stream.height, limits)
            frame = next(container.decode(stream), None)
            if frame is None:
                raise BadMedia(name, "holds no pictures.", cure="Export it again.")
            # Headers lie: a duration, or a number of channels, may be missing, nothing, or below it.
            duration = container.duration or 0
            sound = container.streams.audio
            channels = getattr(sound[0], "channels", None) if sound else None
            sideways = round(frame.rotation or 0) % 180 == 90
            width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
    except av.FFmpegError as problem:
        raise BadMedia(name, f"is no readable video ({problem.strerror}).", cure="Export it again.") from problem
    _check_pixels(name, width, height, limits)
    seconds = duration / 1_000_000 if duration > 0 else None
    if seconds is not None and seconds > limits.video_seconds:
        raise BadMedia(
            name,
            f"is too long ({seconds:,.0f} s; the limit is {limits.video_seconds:,.0f} s).",
            cure="Raise CONSILIENCE_LIMIT_VIDEO_SECONDS, or cut it.",
        )
    rounded = None if seconds is None else round(seconds, 3)
    return {"width": width, "height": height, "seconds": rounded, "channels": channels or None}


def _check_pixels(name: str, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise BadMedia(
            name,
            f"has pictures of {width} x {height} pixels; the limit is {limits.pixels:,} in all.",
            cure="Raise CONSILIENCE_LIMIT_PIXELS if you trust it.",
        )
