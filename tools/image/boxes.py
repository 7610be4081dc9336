"""Boxes as (left, top, right, bottom), and what to do with many that cover one thing."""

from __future__ import annotations

from typing import Any

__all__ = ["overlaps", "suppress"]


def overlaps(box: Any, boxes: Any) -> Any:
    """Intersection over union of one box with each of `boxes`, shape (n, 4); 0 where neither has an area."""
    import numpy as np

    corner = np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.clip(np.minimum(box[2:], boxes[:, 2:]) - corner, 0, None), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - shared
    return np.divide(shared, union, out=np.zeros(len(boxes)), where=union > 0)


def suppress(boxes: Any, scores: Any, most_overlap: float) -> list[Any]:
    """Greedy non-maximum suppression: groups of indices, the best of each group first, best groups first.

    A group is a box and those that overlap it by more than `most_overlap` and are in no better group.
    """
    import numpy as np

    left = np.argsort(-np.asarray(scores), kind="stable")
    groups = []
    while left.size:
        near = overlaps(boxes[left[0]], boxes[left]) > most_overlap
        near[0] = True
        groups.append(left[near])
        left = left[~near]
    return groups
