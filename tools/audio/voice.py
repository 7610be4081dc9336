"""What each speaker's voice sounds like, as vectors for fitted experts; nobody is recognised by them here."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.audio.diarisation import utterances_of
from consilience.tools.audio.speakers import turns_of
from consilience.tools.audio.voice_activity import DETECTOR
from consilience.tools.audio.voices import WEIGHTS
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Observation

__all__ = ["voice"]


@encoder(
    modality="audio",
    kinds=("embedding",),
    version="2",
    cost="heavy",
    extra="audio",
    weights=(WEIGHTS,),
    packages=(DETECTOR,),
    on_demand=True,
    biometric=True,
)
def voice(excerpt: Excerpt) -> Iterator[Observation]:
    """Gives a vector of length 1 for the voice in every speaker turn, 256 numbers."""
    import numpy as np

    turns = [turn for turn in turns_of(utterances_of(excerpt)) if any(u.voice for u in turn.utterances)]
    if not turns:
        raise Unobservable("nobody speaks long enough in it")
    for turn in turns:
        spoken = [u for u in turn.utterances if u.voice]
        mean = np.average([u.voice for u in spoken], axis=0, weights=[u.end - u.start for u in spoken])
        vector = [round(float(x), 5) for x in mean / np.linalg.norm(mean)]
        yield excerpt.observe(
            "embedding",
            {"model": WEIGHTS, "of": "voice", "vector": vector},
            f"the voice of {turn.speaker} as {len(vector)} numbers",
            locator=turn.place,
        )
