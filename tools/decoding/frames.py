"""The pictures of videos, decoded by PyAV (FFmpeg) one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.decoding.sound import open_container

from consilience.core.errors import Unobservable
from consilience.observations import TimeRange

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["frame_at", "frames"]

_QUARTER_TURNS = (90, 180, 270)


def frame_at(path: Path, seconds: float) -> Image.Image:
    """The upright RGB picture that is on screen at `seconds` from the start of the medium; the last one after the end.

    Raises:
        Unobservable: it cannot be decoded.
    """
    shown: Any = None
    with open_container(path) as container:
        stream, zero = _video_of(container)
        container.seek(round((max(0.0, seconds) + zero) * 1_000_000), backward=True, any_frame=False)
        for frame in container.decode(stream):
            if shown is not None and _clock(frame, zero) > seconds + 1e-4:
                break
            shown = frame
        if shown is None:
            raise Unobservable("no picture can be decoded there")
        return _upright(shown)


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
        every: at least so many seconds between two pictures; 0 gives every picture.
        longest_side: scale down to at most so many pixels a side.
        check: called before each picture; it may raise.

    Raises:
        Unobservable: it cannot be decoded.
    """
    with open_container(path) as container:
        stream, zero = _video_of(container)
        stream.thread_type = "AUTO"
        if time and time.start > 0:
            container.seek(round((time.start + zero) * 1_000_000), backward=True, any_frame=False)
        due = time.start if time else 0.0
        for frame in container.decode(stream):
            check()
            at = _clock(frame, zero)
            if time and at >= time.end:
                return
            if at + 1e-4 >= due:
                due += every * (1 + (at - due) // every) if every else 0.0
                yield at, _upright(frame, longest_side)


def _video_of(container: Any) -> tuple[Any, float]:
    """The first video stream, and what its clock shows at the start of the medium, in seconds."""
    if not container.streams.video:
        raise Unobservable("there are no pictures in it")
    return container.streams.video[0], (container.start_time or 0) / 1_000_000


def _clock(frame: Any, zero: float) -> float:
    return max(0.0, (frame.time or 0.0) - zero)


def _upright(frame: Any, longest_side: int | None = None) -> Image.Image:
    width, height = frame.width, frame.height
    if longest_side and max(width, height) > longest_side:
        scale = longest_side / max(width, height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    picture: Image.Image = frame.reformat(width=width, height=height, format="rgb24").to_image()
    # FFmpeg turns counter-clockwise, as Pillow does.
    turn = round(getattr(frame, "rotation", 0) or 0) % 360
    return picture.rotate(turn, expand=True) if turn in _QUARTER_TURNS else picture
