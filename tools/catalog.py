"""The encoders there are: ours, and those that other packages announce."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from consilience.tools.audio.activity import activity
from consilience.tools.audio.channels import channels
from consilience.tools.audio.prosody import prosody
from consilience.tools.audio.sounds import sounds
from consilience.tools.audio.speakers import speakers
from consilience.tools.audio.speech import speech_encoder
from consilience.tools.audio.transcription import transcription
from consilience.tools.audio.voice import voice
from consilience.tools.audio.whisper import whisper_encoder
from consilience.tools.document.html import html
from consilience.tools.document.mail import mail
from consilience.tools.document.pdf import pdf
from consilience.tools.document.slides import slides
from consilience.tools.document.word import word
from consilience.tools.encoder import Encoder
from consilience.tools.image.describe import describe
from consilience.tools.image.expression import expression
from consilience.tools.image.faces import faces
from consilience.tools.image.hands import hands
from consilience.tools.image.objects import objects
from consilience.tools.image.pose import pose
from consilience.tools.image.properties import properties
from consilience.tools.image.text import text
from consilience.tools.table.cells import cells
from consilience.tools.table.columns import columns
from consilience.tools.table.rows import rows
from consilience.tools.table.series import series
from consilience.tools.text.boxes import boxes
from consilience.tools.text.embedding import embedding
from consilience.tools.text.language import language
from consilience.tools.text.passages import passages
from consilience.tools.text.sentiment import sentiment
from consilience.tools.text.subtitles import subtitles
from consilience.tools.text.turns import turns
from consilience.tools.video.shots import shots
from consilience.tools.video.sound import sound
from consilience.tools.video.tracks import face_tracks, tracks

from consilience.core.errors import UnknownName
from consilience.core.registry import Plugin, load_plugins
from consilience.core.settings import Settings

__all__ = ["GROUP", "Catalog", "catalog", "default_encoders"]

_HEARD = (activity, channels, speakers, prosody, sounds, voice)
_DOCUMENTS = (pdf, word, slides, html, mail)

GROUP = "consilience.tools"
"""Entry-point group: each entry is an `Encoder`, or a list of them."""


@dataclass(frozen=True)
class Catalog:
    """What can be used, and which plug-ins cannot and why."""

    encoders: tuple[Encoder, ...]
    plugins: tuple[Plugin, ...] = ()
    """Every plug-in that is installed."""

    @property
    def failures(self) -> tuple[Plugin, ...]:
        """Plug-ins that may be loaded and could not be."""
        return tuple(plugin for plugin in self.plugins if plugin.failure)

    @property
    def waiting(self) -> tuple[Plugin, ...]:
        """Plug-ins that are installed and not allowed; nothing of theirs was imported."""
        return tuple(plugin for plugin in self.plugins if not plugin.allowed)

    def source(self, name: str) -> str:
        """The package that an encoder comes from."""
        for plugin in self.plugins:
            if any(encoder.name == name for encoder in plugin.loaded or ()):
                return f"{plugin.package} {plugin.version}".strip()
        return "consilience"

    def encoder(self, name: str) -> Encoder:
        """The encoder `name`.

        Raises:
            UnknownName: there is none.
        """
        for encoder in self.encoders:
            if encoder.name == name:
                return encoder
        raise UnknownName("encoder", name, [encoder.name for encoder in self.encoders])


def catalog(settings: Settings | None = None) -> Catalog:
    """The encoders for these settings. A plug-in whose encoder has the name of another's is refused."""
    settings = settings or Settings()
    found = {encoder.name: encoder for encoder in _ours(settings)}
    plugins: list[Plugin] = []
    for plugin in load_plugins(GROUP, settings.plugins):
        plugin = plugin if plugin.failure or not plugin.allowed else _accepted(plugin, found)
        plugins.append(plugin)
        found |= {encoder.name: encoder for encoder in plugin.loaded or ()}
    return Catalog(tuple(found.values()), tuple(plugins))


def default_encoders(settings: Settings | None = None) -> tuple[Encoder, ...]:
    """The encoders of `catalog`."""
    return catalog(settings).encoders


def _accepted(plugin: Plugin, taken: Collection[str]) -> Plugin:
    """The plug-in with a tuple of its encoders, or with the reason why they cannot be used."""
    # By `type`: what `isinstance` asks is foreign code.
    several = issubclass(type(plugin.loaded), list | tuple)
    offered = tuple(plugin.loaded) if several else (plugin.loaded,)
    wrong = [type(item).__name__ for item in offered if not issubclass(type(item), Encoder)]
    if wrong:
        return replace(plugin, loaded=None, failure=f"it offers {wrong[0]}, not an Encoder or a list of them")
    names = [encoder.name for encoder in offered]
    twice = [name for name in names if name in taken or names.count(name) > 1]
    if twice:
        return replace(plugin, loaded=None, failure=f"there is another encoder of the name {twice[0]}")
    return replace(plugin, loaded=offered)


def _ours(settings: Settings) -> tuple[Encoder, ...]:
    hears = _hears(settings)
    sees = (describe,) if settings.vision_model else ()
    return (
        text,
        objects,
        *sees,
        faces,
        expression,
        pose,
        hands,
        properties,
        hears,
        *_HEARD,
        shots,
        sound,
        tracks,
        face_tracks,
        *_DOCUMENTS,
        passages,
        language,
        sentiment,
        embedding,
        subtitles,
        turns,
        boxes,
        rows,
        columns,
        series,
        cells,
    )


def _hears(settings: Settings) -> Encoder:
    """The one encoder that writes down speech: the configured API, OpenAI's own Whisper, or that of faster-whisper."""
    if settings.transcription_model:
        return transcription
    return whisper_encoder(settings) if settings.whisper_checkpoint else speech_encoder(settings)
