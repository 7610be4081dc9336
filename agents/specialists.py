"""The ready experts: one for each modality, and narrower ones for how people speak, look and act."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from consilience.agents.expert import Expert
from consilience.agents.view import View

from consilience.core.errors import UnknownName
from consilience.observations import MODALITIES, Modality

__all__ = ["BODILY_KINDS", "SPECIALISTS", "specialist"]

BODILY_KINDS = frozenset({"face", "expression", "pose", "hand"})
"""What is measured on people's bodies: observed only where `CONSILIENCE_BIOMETRICS` allows it."""

_SEEN: tuple[Modality, ...] = ("image", "video")

_NARROWER = (
    Expert(
        "speech",
        "the expert for speech: who says what, and in which language",
        view=View(("audio",), ("transcript", "speaker", "language")),
    ),
    Expert(
        "prosody",
        "the expert for how things are said: loudness, pitch, pace and pauses, which are weak evidence of a mood",
        view=View(("audio",), ("prosody",)),
    ),
    Expert(
        "sounds",
        "the expert for sounds: what is heard beside words",
        view=View(("audio",), ("sound",)),
    ),
    Expert(
        "face",
        "the expert for faces: where they look and what they show, weak evidence of a feeling; never who it is",
        view=View(_SEEN, ("face", "expression"), ("video.face_tracks",)),
    ),
    Expert(
        "pose",
        "the expert for bodies and hands: how people stand, sit and gesture",
        view=View(_SEEN, ("pose", "hand")),
    ),
    Expert(
        "social",
        "the expert for how people deal with one another: who speaks when, in what tone, with what face and gesture; "
        "signs of that are weak evidence",
        view=View(
            kinds=("speaker", "prosody", "sentiment", "sound", *sorted(BODILY_KINDS)), encoders=("video.face_tracks",)
        ),
    ),
    Expert("sceptic", "a sceptic: you accept only what a line of evidence says in plain words"),
)

SPECIALISTS: Mapping[str, Expert] = MappingProxyType(
    {expert.name: expert for expert in (*map(Expert.for_modality, MODALITIES), *_NARROWER)}
)
"""The ready experts by name. The sceptic sees the whole record."""


def specialist(name: str) -> Expert:
    """The ready expert of that name.

    Raises:
        UnknownName: there is none; the error names those there are, the nearest first.
    """
    if name not in SPECIALISTS:
        raise UnknownName("expert", name, SPECIALISTS)
    return SPECIALISTS[name]
