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
from consilience.tools.audio.whisper import declared as whisper
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

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.core.registry import Absent, Plugin, absent_packages, load_plugins
from consilience.core.settings import Settings

__all__ = ["GROUP", "Catalog", "catalog", "default_encoders", "runs_unasked"]

_BY_SETTING = (
    (describe, "CONSILIENCE_VISION_MODEL (a model that sees)"),
    (transcription, "CONSILIENCE_TRANSCRIPTION_MODEL (a speech model at CONSILIENCE_BASE_URL)"),
    (whisper, "CONSILIENCE_WHISPER_CHECKPOINT (a .pt file of openai-whisper)"),
)
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
    absent: tuple[Absent, ...] = ()
    """Packages that are allowed, and from which no plug-in comes."""
    unset: tuple[tuple[Encoder, str], ...] = ()
    """Encoders of ours that these settings leave out, with what has to be set for them."""

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
            BadConfiguration: a setting leaves it out, or its plug-in is not allowed.
            UnknownName: there is none.
        """
        for encoder in self.encoders:
            if encoder.name == name:
                return encoder
        for encoder, setting in self.unset:
            if encoder.name == name:
                raise BadConfiguration(
                    f"{name} does not run with these settings.", cure=f"It runs where {setting} is set."
                )
        for plugin in self.waiting:
            # What its encoders are called is not known before it is imported: mostly, as its entry point is.
            if name in (plugin.name, plugin.package) or name.partition(".")[2] == plugin.name:
                told = f"{plugin.package} {plugin.version}".strip()
                raise BadConfiguration(f"{name} is of a plug-in that is not allowed: {told}.", cure=plugin.cure)
        there = [encoder.name for encoder in self.encoders]
        asleep = ", ".join(dict.fromkeys(plugin.package for plugin in self.waiting))
        listed = f"There are: {', '.join(sorted(there))}. Installed, but not allowed by CONSILIENCE_PLUGINS: {asleep}."
        raise UnknownName("encoder", name, there, cure=listed if asleep else None)


def catalog(settings: Settings | None = None) -> Catalog:
    """The encoders for these settings. A plug-in whose encoder has the name of another's is refused."""
    settings = settings or Settings()
    found = {encoder.name: encoder for encoder in _ours(settings)}
    plugins: list[Plugin] = []
    for plugin in load_plugins(GROUP, settings.plugins):
        plugin = plugin if plugin.failure or not plugin.allowed else _accepted(plugin, found)
        plugins.append(plugin)
        found |= {encoder.name: encoder for encoder in plugin.loaded or ()}
    absent = absent_packages(plugins, settings.plugins)
    unset = tuple((encoder, setting) for encoder, setting in _BY_SETTING if encoder.name not in found)
    return Catalog(tuple(found.values()), tuple(plugins), absent, unset)


def runs_unasked(encoder: Encoder, settings: Settings) -> bool:
    """Whether an encoder of the catalog runs without being asked for by name."""
    return not encoder.on_demand and (settings.biometrics or not encoder.biometric)


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
