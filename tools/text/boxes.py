"""Boxes of annotated pictures in the format of COCO (Lin et al. 2014, https://cocodataset.org/#format-data)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from consilience.tools.bounds import Many
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Locator, Observation, Region, Unobserved
from consilience.observations.locator import one_line

__all__ = ["boxes"]


@encoder(modality="text", kinds=("object",), version="2", mimes=("application/vnd.coco+json",))
def boxes(excerpt: Excerpt, *, most: Many = 2000) -> Iterator[Observation]:
    """Reads which objects were marked in which pictures, and where; the track names the picture.

    Args:
        excerpt: annotations, or those of one picture.
        most: marks that are listed, in the order of the file; how many more there are is told.
    """
    told = _read(excerpt.text())
    pictures = {about["id"]: about for about in _entries(told, "images") if _is_key(about.get("id"))}
    labels = {about["id"]: about.get("name") for about in _entries(told, "categories") if _is_key(about.get("id"))}
    wanted = excerpt.where.track
    shown = unusable = left_out = 0
    for mark in _entries(told, "annotations"):
        picture = pictures.get(mark["image_id"]) if _is_key(mark.get("image_id")) else None
        label = labels.get(mark["category_id"]) if _is_key(mark.get("category_id")) else None
        region = _region(mark.get("bbox"), picture) if picture else None
        if picture is None or region is None or not isinstance(label, str) or not (name := one_line(label)):
            unusable += 1
            continue
        file = one_line(str(picture.get("file_name") or picture["id"]))
        if wanted and file != wanted:
            continue
        if shown == most:
            left_out += 1
            continue
        shown += 1
        yield excerpt.observe(
            "object",
            {"label": name},
            f"{name} in {file!r}, marked by hand or machine",
            locator=Locator(region=region, track=file),
            confidence=_confidence(mark.get("score")),
        )
    yield from _rest(excerpt, shown, unusable, left_out)


def _rest(excerpt: Excerpt, shown: int, unusable: int, left_out: int) -> Iterator[Observation]:
    """What is not listed, as an observation."""
    reasons = [f"{unusable:,} marks have no box inside a picture of known size, or no label"] if unusable else []
    reasons += [f"{left_out:,} boxes beyond the first {shown:,} are not listed"] if left_out else []
    if not shown:
        raise Unobservable("; ".join(reasons) or "there is no box in it")
    if reasons:
        reason = "; ".join(reasons)
        value = Unobserved(sought=("object",), reason=reason, modality="text").model_dump(mode="json")
        yield excerpt.observe("unobserved", value, f"some objects could not be observed: {reason}")


def _read(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Unobservable(f"the annotations are no JSON ({str(problem)[:200]})") from problem
    if not isinstance(told, Mapping):
        raise Unobservable("the annotations are no JSON object")
    return told


def _entries(told: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    entries = told.get(key)
    return (entry for entry in entries if isinstance(entry, Mapping)) if isinstance(entries, list) else iter(())


def _is_key(key: object) -> bool:
    return isinstance(key, int | str)


def _region(box: object, picture: Mapping[str, Any]) -> Region | None:
    """The box (x, y, width, height in pixels) where it lies in a picture of known size."""
    size = picture.get("width"), picture.get("height")
    numbers = [*box, *size] if isinstance(box, list) and len(box) == 4 else []
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers) or not numbers:
        return None
    x, y, w, h, width, height = map(float, numbers)
    if min(w, h) < 0 or min(width, height) <= 0 or x >= width or y >= height or x + w <= 0 or y + h <= 0:
        return None
    return Region.from_pixels((x, y, x + w, y + h), width=int(width), height=int(height))


def _confidence(score: object) -> Confidence | None:
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        return None
    return Confidence(value=float(score), kind="score")
