"""How far observations bear on a question: by their words and by their meaning."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consilience.core.errors import MissingExtra, Stopped
from consilience.models.embedder import TextEmbedder, text_embedder
from consilience.observations import Observation, ObservationStore
from consilience.observations.relevance import bm25, fused
from consilience.observations.vectors import keep_vectors, kept_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["QuestionRelevance", "embedder_if_installed"]

_BATCH = 32


@dataclass(frozen=True)
class QuestionRelevance:
    """A `Relevance` to one question: BM25 and cosines of sentence vectors.

    Words alone keep a line that a question quotes, and lose one that it paraphrases; so every line is embedded, once,
    as far as `most` allows. It blocks; threads that ask at the same time do not embed a line twice.
    """

    question: str
    store: ObservationStore
    """Keeps the vectors."""
    embedder: Callable[[], TextEmbedder | None]
    """Gives the embedder when it is needed, or None: then words alone decide."""
    most: int
    """Observations that are compared by meaning at most: of more, those that words find and an even choice of the rest.
    """
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set it, and the embedding ends with the batch it is at."""
    on_batch: Callable[[int, int], None] | None = None
    """Told how many lines are embedded, and of how many, after each batch; from the thread that asks."""
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, observations: Sequence[Observation]) -> list[float]:
        """0 to 1 for each observation, in order.

        Raises:
            Stopped: it was cancelled.
        """
        lexical = bm25(self.question, [observation.text for observation in observations])
        embedder = self.embedder() if self.most and observations else None
        if embedder is None:
            return lexical
        chosen = _candidates(lexical, self.most)
        with self._one_at_a_time:
            vectors = self._vectors([observations[i] for i in chosen], embedder)
        similar = dict(zip(chosen, (vectors @ embedder.questions([self.question])[0]).tolist(), strict=True))
        return fused(lexical, [similar.get(i) for i in range(len(observations))])

    def _vectors(self, observations: Sequence[Observation], embedder: TextEmbedder) -> NDArray[np.float32]:
        """Unit vectors of the observations' texts, shape (n, 384); out of the store where they are there."""
        import numpy as np

        known = kept_vectors(self.store, embedder.name, [observation.id for observation in observations])
        by_text = {o.text: known[o.id] for o in observations if o.id in known}
        lacking: dict[str, list[str]] = {}
        for observation in observations:
            if observation.id not in known:
                lacking.setdefault(observation.text, []).append(observation.id)
        unknown = [text for text in lacking if text not in by_text]
        done = 0
        for batch in _batches(unknown):
            if self.cancelled.is_set():
                raise Stopped("Comparing the record with the question was cancelled.")
            # Half precision at once: a vector must be the same now and when it comes out of the store.
            by_text |= dict(zip(batch, embedder.passages(batch).astype(np.float16), strict=True))
            new = {observation: by_text[text] for text in batch for observation in lacking[text]}
            keep_vectors(self.store, embedder.name, new)
            done += len(batch)
            if self.on_batch:
                self.on_batch(done, len(unknown))
        return np.stack([by_text[observation.text] for observation in observations]).astype(np.float32)


def embedder_if_installed(threads: int) -> TextEmbedder | None:
    """The process's embedder; None without the extra `text`."""
    try:
        return text_embedder(threads)
    except MissingExtra:
        return None


def _candidates(lexical: Sequence[float], most: int) -> list[int]:
    """Places of at most `most` observations: half of them the lexically best with those beside them, half spread."""
    places = range(len(lexical))
    if len(lexical) <= most:
        return list(places)
    hits = [i for i in sorted(places, key=lambda i: -lexical[i])[: most // 2] if lexical[i]]
    beside = [place for hit in hits for place in (hit, hit - 1, hit + 1) if place in places]
    chosen = set(list(dict.fromkeys(beside))[: most // 2])
    rest = [i for i in places if i not in chosen]
    spread = most - len(chosen)
    return sorted(chosen | {rest[i * len(rest) // spread] for i in range(spread)})


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    # Of about the same length, so that the threads that share a batch are done together.
    ordered = sorted(texts, key=len)
    yield from (ordered[i : i + _BATCH] for i in range(0, len(ordered), _BATCH))
