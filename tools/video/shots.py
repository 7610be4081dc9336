"""The shots of a film, and the key frames that image encoders read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from consilience.tools.bounds import Pause, Share, Window
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.video.cuts import HEIGHT, WIDTH, Boundary, CutDetector
from consilience.tools.video.stills import pictures

from consilience.observations import Locator, Observation, TimeRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Look", "key_frames", "shots"]

# Faster films are looked at half as often, or less: 30 pictures a second are enough to place a cut.
_EVERY = 1 / 33
_LOOKS_EVERY = 0.24
# A key frame lasts this long; what is on screen at its beginning counts.
_MOMENT = 0.04
# Pictures in the first and last tenth of a shot may still be mixed with the next.
_EDGE = 0.1
_BRIEFEST_VIEW = 1.0


@dataclass(frozen=True)
class Look:
    """What is kept of a moment of a film to choose key frames by."""

    at: float
    picture: NDArray[np.uint8]
    """Shape (9, 16, 3)."""
    step: float
    """Difference from the picture before, 0 to 1."""


@encoder(modality="video", kinds=("shot", "part"), version="1", cost="medium", extra="video")
def shots(
    excerpt: Excerpt, *, min_seconds: Pause = 0.4, every: Window = 20.0, change: Share = 0.12, longest: Window = 120.0
) -> Iterator[Observation]:
    """Finds the shots of a film and their key frames, which are read as pictures.

    Shots are parts that other encoders of videos read one by one.

    Args:
        excerpt: a film, or some seconds of it.
        min_seconds: shortest shot; cuts that follow each other faster count as one.
        every: seconds; a longer view of the same has a further key frame each time so many have passed.
        change: 0 to 1; what differs by more from the view before, on average over the picture, has its own key frame.
        longest: seconds; longer shots are handed to other encoders of films in pieces of at most so many.
    """
    boundaries, looks, end = _watch(excerpt, min_seconds)
    edges = [looks[0].at, *(b.at for b in boundaries if looks[0].at < b.at < end), end]
    begin = excerpt.where.time.start if excerpt.where.time else 0.0
    gradual = {b.at for b in boundaries if b.gradual}
    for number, (start, stop) in enumerate(pairwise(edges), 1):
        moments = key_frames([look for look in looks if start <= look.at < stop], start, stop, every, change)
        place = Locator(time=TimeRange(start=start, end=stop))
        enters = ", after a dissolve or fade" if start in gradual else ""
        yield excerpt.observe(
            "shot",
            {"number": number, "key_frame": round(begin + moments[0], 3)},
            f"shot {number}, {stop - start:.1f} s long{enters}",
            locator=place,
        )
        for piece in _pieces(start, stop, longest):
            told = f"pictures of shot {number}"
            yield excerpt.observe("part", {"modality": "video", "role": "shot"}, told, locator=Locator(time=piece))
        for moment in moments:
            span = TimeRange(start=moment, end=min(moment + _MOMENT, stop))
            told = f"key frame of shot {number}"
            yield excerpt.observe("part", {"modality": "image", "role": "frame"}, told, locator=Locator(time=span))


def _watch(excerpt: Excerpt, min_seconds: float) -> tuple[list[Boundary], list[Look], float]:
    """Boundaries, looks at about four moments a second, and the end of the last picture; all in seconds."""
    import numpy as np

    detector = CutDetector(min_seconds)
    looks: list[Look] = []
    last, interval = 0.0, _MOMENT
    for at, picture in pictures(excerpt, _EVERY, WIDTH):
        small = picture if picture.size == (WIDTH, HEIGHT) else picture.resize((WIDTH, HEIGHT))
        step = detector.push(at, np.asarray(small, np.float32) / np.float32(255))
        if not looks or at - looks[-1].at >= _LOOKS_EVERY:
            looks.append(Look(at, np.asarray(small.resize((16, 9))), step))
        last, interval = at, at - last or interval
    end = last + interval
    known = excerpt.seconds
    return detector.finish(), looks, known if known is not None and last < known < end else end


def key_frames(looks: Sequence[Look], start: float, stop: float, every: float, change: float) -> list[float]:
    """Moments of a shot, in order, each the steadiest of the view that it stands for; `start` where there was no look.

    Args:
        looks: all within the shot, in order.
        start: seconds.
        stop: seconds.
        every: longest view, seconds.
        change: mean difference of a new view from the first look at the one before, 0 to 1.
    """
    edge = _EDGE * (stop - start)
    inside = [look for look in looks if start + edge <= look.at <= stop - edge] or list(looks)
    views: list[list[Look]] = []
    for look in inside:
        first = views[-1][0] if views else None
        if first is None or look.at - first.at >= every or _differ(first, look) > change:
            views.append([])
        views[-1].append(look)
    lasting = [view for view in views if view[-1].at - view[0].at >= _BRIEFEST_VIEW]
    return [_steadiest(view) for view in lasting or views[:1]] or [start]


def _differ(one: Look, other: Look) -> float:
    import numpy as np

    return float(np.abs(one.picture.astype(np.int16) - other.picture).mean() / 255)


def _steadiest(view: Sequence[Look]) -> float:
    middle = (view[0].at + view[-1].at) / 2
    return min(view, key=lambda look: (round(look.step, 2), abs(look.at - middle))).at


def _pieces(start: float, stop: float, longest: float) -> Iterator[TimeRange]:
    count = max(1, -int(-(stop - start) // longest))
    edges = [start + (stop - start) * i / count for i in range(count)] + [stop]
    for one, other in pairwise(edges):
        yield TimeRange(start=one, end=other)
