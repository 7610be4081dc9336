"""Vectors of observations' texts, kept beside the observations in the store's index, in half precision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from consilience.observations.store import ObservationStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["keep_vectors", "kept_vectors"]

# What the store does not hold (any more) has no vector either: forgetting a medium leaves nothing of it.
_KEEP = """
INSERT OR REPLACE INTO vector SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM observation WHERE id = ?1)
"""
_KEPT = """
SELECT observation, content FROM vector WHERE model = ?1 AND observation IN (SELECT value FROM json_each(?2))
"""


def keep_vectors(store: ObservationStore, model: str, vectors: Mapping[str, NDArray[np.float16]]) -> None:
    """Remembers vectors, by the observation's id, as `model` made them. Blocks."""
    rows = [(observation, model, vector.tobytes()) for observation, vector in vectors.items()]
    with store.index.transaction() as connection:
        connection.executemany(_KEEP, rows)


def kept_vectors(store: ObservationStore, model: str, ids: Sequence[str]) -> dict[str, NDArray[np.float16]]:
    """Those that are there, by the observation's id. Blocks."""
    import numpy as np

    rows = cast("list[tuple[str, bytes]]", store.index.read(_KEPT, (model, json.dumps(list(ids)))))
    return {observation: np.frombuffer(content, np.float16) for observation, content in rows}
