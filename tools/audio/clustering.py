"""Which vectors belong together when nobody says how many groups there are: agglomerative clustering, average link."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["cluster", "likeliest", "middles", "unit"]

# The distances of so many vectors take 36 MB; of all in a four-hour talk, half a gigabyte.
_MOST = 3000


def cluster(
    vectors: NDArray[np.float32], weights: NDArray[np.float64], *, distance: float, least: float
) -> NDArray[np.int64]:
    """The number of its group for each vector, shape (vectors,).

    Of many vectors, a part evenly spread over them is grouped, and each of the others goes to the nearest group.

    Args:
        vectors: of length 1, shape (vectors, dimensions).
        weights: how much each counts, shape (vectors,).
        distance: the mean cosine distance from which on two groups are not joined.
        least: weight that makes a group; lighter ones are dissolved into their nearest, unless all are light.
    """
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    picked = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _MOST)).round().astype(int))
    some, heavy = vectors[picked], weights[picked]
    tree = linkage(some.astype(np.float64), method="average", metric="cosine")
    groups = fcluster(tree, t=distance, criterion="distance") - 1
    load = np.bincount(groups, weights=heavy)
    kept = np.flatnonzero(load >= min(least * heavy.sum() / weights.sum(), load.max()))
    inside = np.isin(groups, kept)
    centres = middles(some[inside], np.searchsorted(kept, groups[inside]), heavy[inside])
    return np.asarray((vectors @ centres.T).argmax(axis=1), np.int64)


def middles(
    vectors: NDArray[np.float32], groups: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """The mean direction of each group 0, 1, ..., of length 1, shape (groups, dimensions)."""
    import numpy as np

    sums = np.zeros((int(groups.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, groups, vectors if weights is None else (vectors * weights[:, None]).astype(np.float32))
    return unit(sums)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors, along the last axis, with length 1; those of no length stay as they are."""
    import numpy as np

    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def likeliest(scores: NDArray[np.float32], change: NDArray[np.float64]) -> NDArray[np.int64]:
    """The best sequence of states (Viterbi 1967), shape (steps,).

    Args:
        scores: of each state at each step, shape (steps, states).
        change: what a change of state just before a step costs, shape (steps,).
    """
    import numpy as np

    steps, states = scores.shape
    if not steps:
        return np.zeros(0, np.int64)
    best, came = scores[0].astype(np.float64), np.zeros((steps, states), np.int64)
    stay = np.arange(states)
    for step in range(1, steps):
        other = int(best.argmax())
        moves = best[other] - change[step] > best
        came[step] = np.where(moves, other, stay)
        best = np.where(moves, best[other] - change[step], best) + scores[step]
    path = np.empty(steps, np.int64)
    path[-1] = best.argmax()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path
