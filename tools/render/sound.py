"""Sound for an answer: the cited seconds of a recording or a film."""

from __future__ import annotations

import io
import wave
from pathlib import Path

from consilience.tools.excerpt import Excerpt

from consilience.observations import Locator, Media, TimeRange

__all__ = ["cut_clip"]

_RATE = 16_000


def cut_clip(
    media: Media, path: Path, time: TimeRange | None, *, margin: float = 0.25, track: str | None = None
) -> bytes:
    """16-bit mono WAV of these seconds of a recording, with `margin` seconds around them; None means all of it.

    Args:
        media: a recording, or a film with sound.
        path: its bytes.
        time: which seconds.
        margin: seconds.
        track: `channel 2` to hear only that.

    Raises:
        Unobservable: there is no sound to cut.
    """
    around = TimeRange(start=max(0.0, time.start - margin), end=time.end + margin) if time else None
    samples = Excerpt(media, path, Locator(time=around, track=track)).waveform(_RATE)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
