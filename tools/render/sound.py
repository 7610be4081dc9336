"""Sound for an answer: the cited seconds of a recording."""

from __future__ import annotations

import io
import wave
from pathlib import Path

from consilience.tools.excerpt import Excerpt

from consilience.observations import Locator, Media, TimeRange

__all__ = ["cut_clip"]

_RATE = 16_000


def cut_clip(media: Media, path: Path, time: TimeRange | None, *, margin: float = 0.25) -> bytes:
    """16-bit mono WAV of these seconds of a recording, with `margin` seconds around them; None means all of it.

    Raises:
        Unobservable: there is no sound to cut.
    """
    where = Locator(time=TimeRange(start=max(0.0, time.start - margin), end=time.end + margin)) if time else Locator()
    samples = Excerpt(media, path, where).waveform(_RATE)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
