"""Film for an answer: the cited seconds, small enough to send."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.decoding.frames import frames
from consilience.tools.decoding.sound import waveform

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations import TimeRange

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["cut_film"]

_RATE = 48_000
_BLOCK = 1024
_MILLISECOND = Fraction(1, 1000)
_FASTEST = 1 / 33


def cut_film(path: Path, time: TimeRange, *, longest_side: int = 640) -> bytes:
    """MP4 (H.264, AAC) of these seconds, with their sound where there is some.

    Args:
        path: a video.
        time: which seconds.
        longest_side: pixels.

    Raises:
        Unobservable: there are no pictures in these seconds.
    """
    try:
        import av
    except ImportError as problem:
        raise MissingExtra("av", "video", "Cutting films") from problem
    try:
        samples = waveform(path, _RATE, time=time)
    except Unobservable:
        samples = None
    buffer = io.BytesIO()
    shown = frames(path, time=time, every=_FASTEST, longest_side=longest_side)
    with av.open(buffer, "w", format="mp4") as container:
        at, picture = next(shown)
        pictures = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        pictures.width, pictures.height, pictures.pix_fmt = *_even(picture), "yuv420p"
        pictures.codec_context.time_base = _MILLISECOND
        sound = container.add_stream("aac", rate=_RATE, layout="mono") if samples is not None else None
        _show(container, pictures, at - time.start, picture)
        for at, picture in shown:
            _show(container, pictures, at - time.start, picture)
        container.mux(pictures.encode())
        if sound is not None:
            _play(container, sound, samples)
    return buffer.getvalue()


def _even(picture: Image.Image) -> tuple[int, int]:
    """The encoder takes even sizes only."""
    return max(2, picture.width // 2 * 2), max(2, picture.height // 2 * 2)


def _show(container: Any, stream: Any, at: float, picture: Image.Image) -> None:
    import av
    import numpy as np

    frame = av.VideoFrame.from_ndarray(np.asarray(picture.resize((stream.width, stream.height))), format="rgb24")
    frame.time_base, frame.pts = _MILLISECOND, round(at * 1000)
    container.mux(stream.encode(frame))


def _play(container: Any, stream: Any, samples: Any) -> None:
    import av

    for start in range(0, len(samples), _BLOCK):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + _BLOCK], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = _RATE, Fraction(1, _RATE), start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
