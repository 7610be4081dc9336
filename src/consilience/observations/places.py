"""Which places a medium has: what is asked for, or told, of any other would stand in a wrong place."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.core.errors import BadMedia
from consilience.observations.locator import Locator
from consilience.observations.media import Media

__all__ = ["check_place", "lacking"]

# Texts that run in time.
_TIMED = frozenset({"text/vtt", "application/x-subrip", "text/x-rttm"})


def check_place(media: Media, where: Locator) -> None:
    """Returns where the medium has such a part.

    Raises:
        BadMedia: it has none.
    """
    if told := lacking(media, where):
        raise BadMedia(media.name, f"has no {told}.", cure="Leave the place empty for all of it.")


def lacking(media: Media, where: Locator) -> str | None:
    """What the place names and the medium does not have, such as `page 3`; None when it has all of it.

    How long a recording really is shows when it is decoded: times are not compared with its length.
    """
    return next(_lacking(media, where), None)


def _lacking(media: Media, where: Locator) -> Iterator[str]:
    if where.time and media.modality not in ("audio", "video") and media.mime not in _TIMED:
        yield "times"
    if where.region and media.modality not in ("image", "video", "document"):
        yield "regions"
    # Who reads old workbooks counts their sheets.
    uncounted = media.modality == "table" and media.pages is None
    if where.page is not None and not uncounted and where.page > (media.pages or 0):
        yield f"page {where.page}"
    # Documents are read as a whole, or by page: the characters that they are told in count what was read.
    counted = 0 if media.modality == "document" else media.characters or 0
    if where.chars and where.chars.start >= counted:
        yield f"character {where.chars.start}"
    if where.cell and media.modality not in ("table", "document"):
        yield "cells"
