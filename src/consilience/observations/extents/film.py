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
            _check_pixels(name, stream.width, stream.height, limits)
            frame = next(container.decode(stream), None)
            if frame is None:
                raise BadMedia(name, "holds no pictures.", cure="Export it again.")
            # Headers lie: a duration may be missing, or below nothing.
            seconds = container.duration / 1_000_000 if (container.duration or 0) > 0 else None
            sound = container.streams.audio
            sideways = round(frame.rotation or 0) % 180 == 90
            width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
            facts = {"width": width, "height": height, "channels": sound[0].channels if sound else None}
    except av.FFmpegError as problem:
        raise BadMedia(name, f"is no readable video ({problem.strerror}).", cure="Export it again.") from problem
    _check_pixels(name, facts["width"] or 0, facts["height"] or 0, limits)
    if seconds is not None and seconds > limits.video_seconds:
        raise BadMedia(
            name,
            f"is too long ({seconds:,.0f} s; the limit is {limits.video_seconds:,.0f} s).",
            cure="Raise CONSILIENCE_LIMIT_VIDEO_SECONDS, or cut it.",
        )
    return {**facts, "seconds": None if seconds is None else round(seconds, 3)}


def _check_pixels(name: str, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise BadMedia(
            name,
            f"has pictures of {width} x {height} pixels; the limit is {limits.pixels:,} in all.",
            cure="Raise CONSILIENCE_LIMIT_PIXELS if you trust it.",
        )
