"""The pictures of videos, decoded by PyAV (FFmpeg) one at a time.

The clock is the medium's: 0 is where its first stream starts, and a picture's time is that at which a player shows it,
to the millisecond, as locators have it. What cannot be decoded in the middle of a film is passed over, as players do.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.decoding.sound import decoded, open_container

from consilience.core.errors import Unobservable
from consilience.observations import TimeRange

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["frame_at", "frames"]

_QUARTER_TURNS = (90, 180, 270)
_MICROSECONDS = 1_000_000
_USUAL_RATE = 25
_HAIR = 5e-4
# A film may change its size half-way; no decoder makes larger pictures than this.
_MOST_PIXELS = 1 << 27

# Every image encoder reads a key frame in turn: the last few stay decoded, unless they are huge.
_KEPT = 3
_LARGEST_KEPT = 8_300_000
_kept: OrderedDict[tuple[Any, ...], Image.Image] = OrderedDict()
_keeping = threading.Lock()


def frame_at(path: Path, seconds: float, *, check: Callable[[], None] = lambda: None) -> Image.Image:
    """The upright RGB picture that is on screen at `seconds` from the start of the medium.

    Before the first picture that is the first, after the end the last.

    Raises:
        Unobservable: it cannot be decoded.
    """
    about = path.stat()
    key = (path, about.st_mtime_ns, about.st_size, round(max(0.0, seconds), 3))
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key].copy()
    picture = _frame_at(path, key[-1], check)
    if picture.width * picture.height <= _LARGEST_KEPT:
        with _keeping:
            _kept[key] = picture.copy()
            while len(_kept) > _KEPT:
                _kept.popitem(last=False)
    return picture


def _frame_at(path: Path, seconds: float, check: Callable[[], None]) -> Image.Image:
    shown: Any = None
    with _decoding(path, seconds, check) as pictures:
        for at, frame in pictures:
            if shown is not None and at > seconds:
                break
            shown = frame
        if shown is None:
            raise Unobservable("no picture can be decoded there")
        return _upright(shown, _scaler())


def frames(
    path: Path,
    *,
    time: TimeRange | None = None,
    every: float = 0.0,
    longest_side: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[tuple[float, Image.Image]]:
    """(seconds from the start, upright RGB picture), in order; only one is in memory at a time.

    Args:
        path: a video.
        time: only these seconds.
        every: about so many seconds between two pictures; 0 gives every picture.
        longest_side: scale down to at most so many pixels a side.
        check: called before each picture; it may raise.

    Raises:
        Unobservable: it cannot be decoded, or there is no picture in this range.
    """
    due = time.start if time else 0.0
    found = False
    with _decoding(path, due, check) as pictures:
        scaler = _scaler()
        for at, frame in pictures:
            if time and at >= time.end:
                break
            # A hair early counts: the clock is in whole milliseconds.
            if at + _HAIR >= due:
                due = max(due + every, at + every / 2) if every else at
                found = True
                yield at, _upright(frame, scaler, longest_side)
    if not found:
        raise Unobservable("no picture can be decoded there")


@contextmanager
def _decoding(path: Path, start: float, check: Callable[[], None]) -> Iterator[Iterator[tuple[float, Any]]]:
    """(seconds, decoded frame) in order, from some picture at or before `start` on."""
    if start > 0:
        with open_container(path, extra="video") as container:
            pictures = _from(container, start, check)
            first = next(pictures, None)
            if first is not None and first[0] <= start:
                yield _chained(first, pictures)
                return
    # Where seeking fails, or lands too late, what comes before is decoded too.
    with open_container(path, extra="video") as container:
        yield _from(container, 0.0, check)


def _chained(first: tuple[float, Any], rest: Iterator[tuple[float, Any]]) -> Iterator[tuple[float, Any]]:
    yield first
    yield from rest


def _from(container: Any, start: float, check: Callable[[], None]) -> Iterator[tuple[float, Any]]:
    import av

    stream = _video_of(container)
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": str(_MOST_PIXELS)}
    zero = (container.start_time or 0) / _MICROSECONDS
    interval = 1 / float(stream.average_rate or _USUAL_RATE)
    if start > 0:
        try:
            container.seek(round((start + zero) * _MICROSECONDS), backward=True, any_frame=False)
        except av.FFmpegError:
            return
    last: float | None = None
    for frame in decoded(container, stream, check):
        if frame.time is None and start > 0 and last is None:
            return  # nobody knows where seeking led to
        told = (last + interval if last is not None else 0.0) if frame.time is None else frame.time - zero
        at = round(max(0.0, told), 3)
        if last is None or at > last:
            last = at
            yield at, frame


def _video_of(container: Any) -> Any:
    """The first stream of moving pictures; a cover only where there is nothing else."""
    from av.stream import Disposition

    # A stream has no codec context where FFmpeg knows no decoder.
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not streams:
        raise Unobservable("there are no pictures in it that can be decoded")
    return next((s for s in streams if not s.disposition & Disposition.attached_pic), streams[0])


def _scaler() -> Any:
    """One for all frames of a film: it is dear to set up."""
    from av.video.reformatter import VideoReformatter

    return VideoReformatter()


def _upright(frame: Any, scaler: Any, longest_side: int | None = None) -> Image.Image:
    width, height = frame.width, frame.height
    if longest_side and max(width, height) > longest_side:
        scale = longest_side / max(width, height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    picture: Image.Image = scaler.reformat(frame, width=width, height=height, format="rgb24").to_image()
    # FFmpeg turns counter-clockwise, as Pillow does.
    turn = round(getattr(frame, "rotation", 0) or 0) % 360
    return picture.rotate(turn, expand=True) if turn in _QUARTER_TURNS else picture
