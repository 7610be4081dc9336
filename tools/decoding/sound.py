"""The sound of recordings and videos, decoded by PyAV (FFmpeg) as far as it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations import TimeRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["channel_of", "decoded", "open_container", "sound_blocks", "sound_within", "waveform"]

# Seeking is exact enough only where a container has an index; near the start, decoding is as fast.
_WORTH_SEEKING = 30.0
_MARGIN = 2.0
_PIECE = 1 << 16


@contextmanager
def open_container(path: Path, *, extra: Literal["audio", "video"] = "audio") -> Iterator[Any]:
    """The medium opened by PyAV; whatever FFmpeg stumbles over inside the block is `Unobservable`.

    Args:
        path: a recording or a film.
        extra: the one to be named where PyAV is not installed.
    """
    try:
        import av
    except ImportError as problem:
        raise MissingExtra("av", extra, "Decoding sound and video") from problem
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, IndexError, MemoryError, ValueError) as problem:
        told = getattr(problem, "strerror", None) or problem
        raise Unobservable(f"it cannot be decoded ({told})") from problem


def decoded(container: Any, stream: Any, check: Callable[[], None]) -> Iterator[Any]:
    """Frames of all packets that can be decoded, up to where the file breaks off, as players do it.

    Raises:
        av.FFmpegError: none can.
    """
    import av

    broken: Exception | None = None
    found = False
    packets = container.demux(stream)
    while True:
        check()
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet is not None else []
        except av.error.EOFError:
            break
        except av.InvalidDataError as problem:
            broken = problem
            continue
        except av.FFmpegError as problem:
            broken = problem
            break
        if packet is None:
            break
        for frame in frames:
            found = True
            yield frame
    if broken and not found:
        raise broken


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
        if stream.codec_context is None:
            raise Unobservable("its sound is of an unknown kind")
        if channel is not None and channel > (stream.channels or 1):
            raise Unobservable(f"it has no channel {channel}")
        zero = (container.start_time or 0) / 1_000_000
        if time and time.start > _WORTH_SEEKING:
            container.seek(round((time.start - _MARGIN + zero) * 1_000_000), backward=True, any_frame=False)
        yield from _resampled(decoded(container, stream, check), rate, channel, zero, time.end if time else None)


def _resampled(
    frames: Any, rate: int, channel: int | None, zero: float, end: float | None
) -> Iterator[tuple[float, Any]]:
    at, last = 0.0, None
    pieces = _Pieces(rate, channel)
    for frame in chain(frames, [None]):
        if frame is not None and last is None:
            at = max(0.0, (frame.time or 0.0) - zero)
        if end is not None and at >= end:
            return
        last = frame
        for block in pieces.of(frame):
            yield at, block
            at += len(block) / rate


class _Pieces:
    """Resamples frames; sound may change its kind half-way, and what is broken may seem to."""

    def __init__(self, rate: int, channel: int | None) -> None:
        self._rate = rate
        self._channel = channel
        self._kind: tuple[str, str, int] | None = None
        self._resampler: Any = None

    def of(self, frame: Any) -> Iterator[Any]:
        """Blocks of shape (frames,) that are complete with this frame; None is the end of all."""
        kind = frame and (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind and self._resampler is not None:
            yield from self._drawn(None)
            self._resampler = None
        if frame is None:
            return
        if self._resampler is None:
            self._kind, self._resampler = kind, self._made()
        yield from self._drawn(frame)

    def _made(self) -> Any:
        import av

        if self._channel is None:
            return av.AudioResampler(format="flt", layout="mono", rate=self._rate)
        return av.AudioResampler(format="fltp", layout=None, rate=self._rate)

    def _drawn(self, frame: Any) -> Iterator[Any]:
        for piece in self._resampler.resample(frame):
            block = piece.to_ndarray()
            yield block.reshape(-1) if self._channel is None else block[self._channel - 1]


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
