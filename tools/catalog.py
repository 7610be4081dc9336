"""The encoders there are: ours, and those that other packages announce."""

from __future__ import annotations

from dataclasses import dataclass, replace

from consilience.tools.audio.activity import activity
from consilience.tools.audio.speech import speech
from consilience.tools.audio.transcription import transcription_encoder
from consilience.tools.encoder import Encoder
from consilience.tools.image.describe import describe_encoder
from consilience.tools.image.objects import objects
from consilience.tools.image.properties import properties
from consilience.tools.image.text import text
from consilience.tools.table.rows import rows
from consilience.tools.text.passages import passages

from consilience.core.registry import Plugin, load_plugins
from consilience.core.settings import Settings

__all__ = ["GROUP", "Catalog", "catalog", "default_encoders"]

GROUP = "consilience.tools"
"""Entry-point group: each entry is an `Encoder`, or a list of them."""


@dataclass(frozen=True)
class Catalog:
    """What can be used, and which plug-ins cannot and why."""

    encoders: tuple[Encoder, ...]
    failures: tuple[Plugin, ...] = ()


def catalog(settings: Settings | None = None) -> Catalog:
    """The encoders for these settings; a plug-in's of the same name replaces ours."""
    settings = settings or Settings()
    found = {encoder.name: encoder for encoder in _ours(settings)}
    failures: list[Plugin] = []
    for plugin in load_plugins(GROUP) if settings.plugins else ():
        offered = plugin.loaded if isinstance(plugin.loaded, list | tuple) else [plugin.loaded]
        if plugin.failure:
            failures.append(plugin)
        elif all(isinstance(item, Encoder) for item in offered):
            found |= {encoder.name: encoder for encoder in offered}
        else:
            told = f"it offers {type(plugin.loaded).__name__}, not an Encoder or a list of them"
            failures.append(replace(plugin, loaded=None, failure=told))
    return Catalog(tuple(found.values()), tuple(failures))


def default_encoders(settings: Settings | None = None) -> tuple[Encoder, ...]:
    """The encoders of `catalog`."""
    return catalog(settings).encoders


def _ours(settings: Settings) -> tuple[Encoder, ...]:
    hears = transcription_encoder(settings) if settings.transcription_model else speech
    sees = (describe_encoder(settings),) if settings.vision_model else ()
    return (text, objects, *sees, properties, hears, activity, passages, rows)
