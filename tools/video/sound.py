"""The sound of a film as a part of its own, which audio encoders read."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.decoding.sound import open_container
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import BadMedia, Unobservable
from consilience.observations import Locator, Observation, TimeRange

__all__ = ["sound"]

_MICROSECONDS = 1_000_000
# Sound may end a little after the pictures.
_LEEWAY = 1.0


@encoder(modality="video", kinds=("part",), version="1", extra="video")
def sound(excerpt: Excerpt) -> Iterator[Observation]:
    """Hands the sound of a film on to be heard, from where it sets in to where it ends."""
    first, last = _extent(excerpt)
    outer = excerpt.where.time
    start, end = (max(first, outer.start), min(last, outer.end)) if outer else (first, last)
    if start >= end:
        raise Unobservable("there is no sound in it")
    begin = outer.start if outer else 0.0
    told, place = f"sound of {end - start:.1f} s", Locator(time=TimeRange(start=start - begin, end=end - begin))
    yield excerpt.observe("part", {"modality": "audio", "role": "sound"}, told, locator=place)


def _extent(excerpt: Excerpt) -> tuple[float, float]:
    """Seconds from the start of the medium at which its first sound starts and the last ends; nothing is decoded.

    The packets tell, for headers know only how long they were meant to be.

    Raises:
        BadMedia: it goes on for longer than the limit allows.
        Unobservable: there is none.
    """
    with open_container(excerpt.path, extra="video") as container:
        if not container.streams.audio:
            raise Unobservable("there is no sound in it")
        zero = (container.start_time or 0) / _MICROSECONDS
        most = excerpt.settings.limits.video_seconds
        first, last = most, 0.0
        for packet in container.demux(container.streams.audio[0]):
            excerpt.check()
            if packet.pts is None or packet.size == 0:
                continue
            start = float(packet.pts * packet.time_base) - zero
            first = min(first, max(0.0, start))
            last = max(last, start + float((packet.duration or 0) * packet.time_base))
            if last > most + _LEEWAY:
                raise BadMedia(
                    excerpt.media.name,
                    f"goes on for more than {most:,.0f} s.",
                    cure="Raise CONSILIENCE_LIMIT_VIDEO_SECONDS, or cut it.",
                )
    return first, last
