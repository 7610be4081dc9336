"""The ready experts: one for each modality, and narrower ones for how people speak, look and act."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from consilience.agents.expert import Expert
from consilience.agents.view import View

from consilience.core.errors import UnknownName
from consilience.observations import MODALITIES, Modality

__all__ = ["BODILY_KINDS", "PLAIN_QUESTIONS", "SOCIAL", "SPECIALISTS", "specialist"]

BODILY_KINDS = frozenset({"face", "expression", "pose", "hand"})
"""What is measured on people's bodies: observed only where `CONSILIENCE_BIOMETRICS` allows it."""

_SEEN: tuple[Modality, ...] = ("image", "video")

# Asked in English; an embedder finds their like in other languages.
_OF_MOODS = (
    "How does the person feel?",
    "What emotion or feeling is expressed?",
    "Is she happy or angry?",
    "What mood are they in?",
    "Is the customer satisfied or upset?",
    "Is he stressed, nervous, confident or calm?",
    "Does she mean it, or is it sarcastic?",
)
_OF_VOICES = (
    "Does he sound nervous?",
    "In what tone of voice is it said?",
    "How does the voice of the speaker change?",
    "Is it said loudly, quietly or fast?",
    "Does she hesitate or pause before the word?",
)
_OF_FACES = (
    "What expression does the face show?",
    "Is he smiling?",
    "Does the person look into the camera or away?",
    "Do they look at each other?",
)
_OF_BODIES = (
    "What gesture does he make with his hands?",
    "Is somebody standing, sitting or lying?",
    "Does she raise her hand, wave or point at something?",
    "Who is waving or pointing at somebody?",
    "How does the person hold the body?",
    "What is the body language of the speaker?",
)
_OF_DEALINGS = (
    "How do the two people get on with each other?",
    "Who dominates the conversation?",
    "Who interrupts whom?",
    "Are they friends or strangers?",
)

PLAIN_QUESTIONS = (
    "At what time does it start?",
    "When did it happen, and who was there?",
    "On which day is it?",
    "How much does it cost?",
    "How many are there?",
    "How has it changed?",
    "Where is it?",
    "In which city does she live?",
    "Which platform does the train leave from?",
    "Which seat or room does the guest have?",
    "Who is it?",
    "Who works there?",
    "Who is asked to bring something?",
    "What is the name?",
    "What did he buy?",
    "What colour is it?",
    "What is in the picture?",
    "What does the sign say?",
    "What is said in the recording?",
    "What does the speaker say about it?",
    "Which is the highest value in the table?",
    "Which of the two sources is right?",
)
"""What most questions are like: those that ask for facts."""

_NARROWER = (
    Expert(
        "speech",
        "the expert for speech: who says what, and in which language",
        view=View(("audio",), ("transcript", "speaker", "language")),
        background=True,
    ),
    Expert(
        "prosody",
        "the expert for how things are said: loudness, pitch, pace and pauses, which are weak evidence of a mood",
        view=View(("audio",), ("prosody",)),
        asks=(*_OF_VOICES, *_OF_MOODS),
        background=True,
    ),
    Expert(
        "sounds",
        "the expert for sounds: what is heard beside words",
        view=View(("audio",), ("sound",)),
        background=True,
    ),
    Expert(
        "face",
        "the expert for faces: where they look and what they show, weak evidence of a feeling; never who it is",
        view=View(_SEEN, ("face", "expression"), ("video.faces",)),
        asks=(*_OF_FACES, *_OF_MOODS),
        background=True,
    ),
    Expert(
        "pose",
        "the expert for bodies and hands: how people stand, sit and gesture",
        view=View(_SEEN, ("pose", "hand")),
        asks=_OF_BODIES,
        background=True,
    ),
    Expert(
        "social",
        "the expert for how people deal with one another: who speaks when, in what tone, with what face and gesture; "
        "signs of that are weak evidence",
        view=View(kinds=("speaker", "prosody", "sentiment", "sound", *sorted(BODILY_KINDS)), encoders=("video.faces",)),
        asks=(*_OF_DEALINGS, *_OF_VOICES, *_OF_FACES, *_OF_BODIES, *_OF_MOODS),
        background=True,
    ),
    Expert("sceptic", "a sceptic: you accept only what a line of evidence says in plain words"),
)

SPECIALISTS: Mapping[str, Expert] = MappingProxyType(
    {expert.name: expert for expert in (*map(Expert.for_modality, MODALITIES), *_NARROWER)}
)
"""The ready experts by name. The sceptic sees the whole record."""

SOCIAL = tuple(SPECIALISTS[name] for name in ("prosody", "face", "pose"))
"""Those that sit down unasked where the question asks for what they see, and that was observed."""


def specialist(name: str) -> Expert:
    """The ready expert of that name.

    Raises:
        UnknownName: there is none; the error names those there are, the nearest first.
    """
    if name not in SPECIALISTS:
        raise UnknownName("expert", name, SPECIALISTS)
    return SPECIALISTS[name]
