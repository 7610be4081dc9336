"""How far observations bear on a question: by their words, and for those that could matter by their meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from consilience.core.errors import MissingExtra
from consilience.models.embedder import TextEmbedder, text_embedder
from consilience.observations import Observation, ObservationStore, Relevance
from consilience.observations.relevance import bm25, fused
from consilience.observations.vectors import keep_vectors, kept_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["embedder_if_installed", "relevance_to"]

_BATCH = 32


def relevance_to(
    question: str, store: ObservationStore, embedder: Callable[[], TextEmbedder | None], *, most: int
) -> Relevance:
    """Relevance to `question`: BM25 over all observations, and cosines of sentence vectors.

    Args:
        question: as asked.
        store: keeps the vectors, so that a text is embedded once.
        embedder: gives it when it is needed, or None: then words alone decide.
        most: observations that are embedded for one question at most: those that words find, and their neighbours.
    """

    def relevance(observations: Sequence[Observation]) -> list[float]:
        lexical = bm25(question, [observation.text for observation in observations])
        model = embedder() if most and observations else None
        if model is None:
            return fused(lexical, [None] * len(lexical), share=0)
        chosen = _candidates(lexical, most)
        vectors = _vectors([observations[i] for i in chosen], store, model)
        similar = dict(zip(chosen, (vectors @ model.questions([question])[0]).tolist(), strict=True))
        return fused(lexical, [similar.get(i) for i in range(len(observations))])

    return relevance


def embedder_if_installed(threads: int) -> TextEmbedder | None:
    """The process's embedder; None without the extra `text`."""
    try:
        return text_embedder(threads)
    except MissingExtra:
        return None


def _candidates(lexical: Sequence[float], most: int) -> list[int]:
    """Places of at most `most` observations: the lexically most relevant with those beside them, in order."""
    if len(lexical) <= most:
        return list(range(len(lexical)))
    chosen: dict[int, None] = {}
    for hit in sorted(range(len(lexical)), key=lambda i: -lexical[i]):
        for place in (hit, hit - 1, hit + 1):
            if 0 <= place < len(lexical):
                chosen[place] = None
        if len(chosen) >= most:
            break
    return sorted(list(chosen)[:most])


def _vectors(
    observations: Sequence[Observation], store: ObservationStore, embedder: TextEmbedder
) -> NDArray[np.float32]:
    """Unit vectors of the observations' texts, shape (n, 384); out of the store where they are there."""
    import numpy as np

    known = kept_vectors(store, embedder.name, [observation.id for observation in observations])
    by_text = {o.text: known[o.id] for o in observations if o.id in known}
    for batch in _batches(list(dict.fromkeys(o.text for o in observations if o.text not in by_text))):
        # Half precision at once: a vector must be the same now and when it comes out of the store.
        by_text |= dict(zip(batch, embedder.passages(batch).astype(np.float16), strict=True))
        new = {o.id: by_text[o.text] for o in observations if o.text in set(batch)}
        keep_vectors(store, embedder.name, new)
    return np.stack([by_text[o.text] for o in observations]).astype(np.float32)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    # Of about the same length, so that the threads that share a batch are done together.
    ordered = sorted(texts, key=len)
    yield from (ordered[i : i + _BATCH] for i in range(0, len(ordered), _BATCH))
