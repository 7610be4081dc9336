"""What a seat is shown beside the record: pictures and recordings themselves, for models that take them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from functools import partial

from consilience.agents import Exhibit, Seat
from consilience.graphs.journal import page_of_run
from consilience.graphs.workbench import Workbench
from consilience.tools.render import LONGEST_SOUND, jpeg_of, wav_of
from pydantic import BaseModel

from consilience.core.errors import BadConfiguration, BadMedia, ConsilienceError, Unobservable
from consilience.models import noted
from consilience.observations import Media, Record

__all__ = ["exhibits_for"]

_MOST_BYTES = 3_000_000
"""Of all that one seat is shown."""


class _Taken(BaseModel):
    """The model was reached, and takes what it is to be shown. Journals hold it: a replay reaches no model."""


async def exhibits_for(bench: Workbench, seat: Seat, record: Record) -> tuple[Exhibit, ...]:
    """The media of the seat's view that it is shown, small enough for a prompt; none where its expert asks for none.

    They go into the prompt and nowhere else: neither into the state nor into checkpoints, events or spans.

    Raises:
        BadConfiguration: its model, or one that stands in for it, does not take such media by its profile.
    """
    wanted = seat.expert.shown
    if not wanted:
        return ()
    try:
        await noted(page_of_run("shown", seat.letter), "taken", _Taken, partial(_taken, seat))
    except BadConfiguration:
        raise
    except ConsilienceError:
        # That it cannot be reached is this seat's loss, which its opening tells.
        return ()
    view = seat.expert.sees.modalities or wanted
    media = [medium for medium in record.media if medium.modality in wanted and medium.modality in view]
    return await asyncio.to_thread(_shown, bench, media) if media else ()


async def _taken(seat: Seat) -> _Taken:
    for modality in seat.expert.shown:
        if not await seat.endpoint.takes(modality):
            raise BadConfiguration(
                f"{seat.expert.name} is to be shown {modality}; {seat.endpoint.name} does not say that it takes that.",
                cure=f"Give it a model whose LangChain profile has {modality}_inputs (and such fallbacks), or take "
                f"{modality!r} out of its `shown`.",
            )
    return _Taken()


def _shown(bench: Workbench, media: Sequence[Media]) -> tuple[Exhibit, ...]:
    """Blocks."""
    made: list[Exhibit] = []
    left = _MOST_BYTES
    for medium in media:
        try:
            exhibit = _exhibit(bench, medium)
        except (Unobservable, BadMedia) as problem:
            exhibit = Exhibit(medium.name, note=f"cannot be shown: {problem}")
        if len(exhibit.content) > left:
            exhibit = Exhibit(medium.name, note="is not shown, for want of room")
        left -= len(exhibit.content)
        made.append(exhibit)
    return tuple(made)


def _exhibit(bench: Workbench, medium: Media) -> Exhibit:
    with bench.store.holding(medium) as path:
        if medium.modality == "image":
            content, kind, mime = jpeg_of(medium, path, bench.settings), "image", "image/jpeg"
        else:
            content, kind, mime = wav_of(medium, path), "audio", "audio/wav"
    cut = kind == "audio" and (medium.seconds is None or medium.seconds > LONGEST_SOUND)
    note = f"its first {LONGEST_SOUND:g} seconds" if cut else ""
    return Exhibit(medium.name, kind=kind, mime=mime, content=base64.b64encode(content).decode(), note=note)
