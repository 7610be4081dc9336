"""The sound of recordings and videos, decoded by PyAV (FFmpeg) as far as it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations import TimeRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["channel_of", "open_container", "sound_blocks", "sound_within", "waveform"]

# Seeking is exact enough only where a container has an index; near the start, decoding is as fast.
_WORTH_SEEKING = 30.0
_MARGIN = 2.0
_PIECE = 1 << 16


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """The medium opened by PyAV; whatever FFmpeg stumbles over inside the block is `Unobservable`."""
    try:
        import av
    except ImportError as problem:
        raise MissingExtra("av", "audio", "Decoding sound and video") from problem
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, IndexError, MemoryError, ValueError) as problem:
        told = getattr(problem, "strerror", None) or problem
        raise Unobservable(f"it cannot be decoded ({told})") from problem


def sound_blocks(
    path: Path,
    rate: int,
    *,
    time: TimeRange | None = None,
    channel: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Blocks of sound as (seconds from the start of the medium, samples of shape (frames,) in -1 to 1 at `rate`).

    Only one block is in memory at a time. Blocks may begin before and reach beyond `time`; `waveform` cuts them.

    Args:
        path: recording or video.
        rate: hertz to resample to.
        time: decode no more than this needs.
        channel: counted from 1; None mixes all to mono.
        check: called between blocks; it may raise.

    Raises:
        Unobservable: it cannot be decoded, has no sound, or not that many channels.
    """
    with open_container(path) as container:
        if not container.streams.audio:
            raise Unobservable("there is no sound in it")
        stream = container.streams.audio[0]
        if channel is not None and channel > (stream.channels or 1):
            raise Unobservable(f"it has no channel {channel}")
        zero = (container.start_time or 0) / 1_000_000
        if time and time.start > _WORTH_SEEKING:
            container.seek(round((time.start - _MARGIN + zero) * 1_000_000), backward=True, any_frame=False)
        yield from _resampled(container.decode(stream), rate, channel, zero, time.end if time else None, check)


def _resampled(
    frames: Any, rate: int, channel: int | None, zero: float, end: float | None, check: Callable[[], None]
) -> Iterator[tuple[float, Any]]:
    import av

    mono = channel is None
    resampler = av.AudioResampler(format="flt" if mono else "fltp", layout="mono" if mono else None, rate=rate)
    at: float | None = None

    def pieces(frame: Any) -> Iterator[Any]:
        for piece in resampler.resample(frame):
            block = piece.to_ndarray()
            yield block.reshape(-1) if channel is None else block[channel - 1]

    for frame in frames:
        check()
        if at is None:
            at = max(0.0, (frame.time or 0.0) - zero)
        if end is not None and at >= end:
            return
        for block in pieces(frame):
            yield at, block
            at += len(block) / rate
    for block in pieces(None):
        yield at or 0.0, block
        at = (at or 0.0) + len(block) / rate


def sound_within(
    path: Path,
    rate: int = 16_000,
    *,
    time: TimeRange | None = None,
    channel: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[NDArray[np.float32]]:
    """The sound from `time.start` (or 0) to `time.end`, block by block; blocks and arguments as `sound_blocks`.

    Sound that sets in after the start of a film has silence before it, so that all is on the film's clock. What is
    no number counts as silence, and what is beyond full scale is clipped to it.

    Raises:
        Unobservable: as `sound_blocks`, or there is no sound in this range.
    """
    import numpy as np

    first = round(time.start * rate) if time else 0
    last = round(time.end * rate) if time else None
    reached, begun = first, False
    for at, block in sound_blocks(path, rate, time=time, channel=channel, check=check):
        start = round(at * rate)
        if not begun:
            for length in _pieces(min(start, start if last is None else last) - reached):
                yield np.zeros(length, np.float32)
            reached = max(reached, start)
        cut = block[max(0, reached - start) : None if last is None else max(0, last - start)]
        if cut.size:
            begun = True
            reached = max(reached, start) + len(cut)
            yield np.clip(np.nan_to_num(cut.astype(np.float32), posinf=1, neginf=-1), -1, 1)
    if not begun:
        raise Unobservable("there is no sound in it")


def _pieces(length: int) -> Iterator[int]:
    """Lengths of at most a second or so that add up to `length`."""
    for first in range(0, length, _PIECE):
        yield min(_PIECE, length - first)


def waveform(
    path: Path,
    rate: int = 16_000,
    *,
    time: TimeRange | None = None,
    channel: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> NDArray[np.float32]:
    """Samples of shape (frames,) in -1 to 1 at `rate` hertz: what `sound_within` gives, as one."""
    import numpy as np

    return np.concatenate(list(sound_within(path, rate, time=time, channel=channel, check=check)))


def channel_of(track: str | None) -> int | None:
    """2 for the track `channel 2`; None for every other."""
    word, _, number = (track or "").partition(" ")
    return int(number) if word == "channel" and number.isdigit() and int(number) > 0 else None
