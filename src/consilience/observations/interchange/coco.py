"""Boxes as COCO object annotations (https://cocodataset.org/#format-data): pixels, from the top left corner."""

from __future__ import annotations

from typing import Any

from consilience.observations.kinds import Detection
from consilience.observations.locator import TimeRange
from consilience.observations.media import Media
from consilience.observations.observation import Observation
from consilience.observations.record import Record

__all__ = ["to_coco"]

_BOXED = frozenset({"object", "face", "text", "hand", "pose"})


def to_coco(record: Record) -> dict[str, Any]:
    """Images, categories and annotations of everything that has a box in a picture or on a film's frame.

    A frame is an image of its own, named by its film and second: `talk.mp4#t=12.4`. The category of an object is its
    label, that of other kinds the kind. Boxes in media whose size in pixels is unknown (pages) are left out.
    """
    images: dict[tuple[str, float | None], dict[str, Any]] = {}
    categories: dict[tuple[str, str], int] = {}
    annotations: list[dict[str, Any]] = []
    for label, observation in record:
        medium = record.medium_of(observation)
        if medium is None or not _has_box(observation, medium):
            continue
        second = _second(observation.locator.time, medium)
        image = images.setdefault((medium.id, second), _image(len(images) + 1, medium, second))
        category = categories.setdefault(_category(observation), len(categories) + 1)
        annotations.append(_annotation(len(annotations) + 1, label, observation, image, category))
    return {
        "info": {"description": "Observations of consilience", "version": "1"},
        "licenses": [],
        "images": list(images.values()),
        "categories": [
            {"id": number, "name": name, "supercategory": kind} for (kind, name), number in categories.items()
        ],
        "annotations": annotations,
    }


def _has_box(observation: Observation, medium: Media) -> bool:
    place = observation.locator
    sized = medium.width is not None and medium.height is not None and place.page is None
    return observation.kind in _BOXED and place.region is not None and sized


def _second(time: TimeRange | None, medium: Media) -> float | None:
    return time.start if time and medium.modality == "video" else None


def _image(number: int, medium: Media, second: float | None) -> dict[str, Any]:
    name = medium.name if second is None else f"{medium.name}#t={second:g}"
    return {"id": number, "file_name": name, "width": medium.width, "height": medium.height}


def _category(observation: Observation) -> tuple[str, str]:
    kind = observation.kind
    return kind, observation.as_(Detection).label if kind == "object" else kind


def _annotation(
    number: int, label: str, observation: Observation, image: dict[str, Any], category: int
) -> dict[str, Any]:
    region = observation.locator.region
    assert region is not None
    x, width = region.x * image["width"], region.w * image["width"]
    y, height = region.y * image["height"], region.h * image["height"]
    told: dict[str, Any] = {
        "id": number,
        "image_id": image["id"],
        "category_id": category,
        "bbox": [round(edge, 2) for edge in (x, y, width, height)],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "segmentation": [],
        "attributes": {"label": label, "text": observation.text},
    }
    if observation.confidence:
        told["score"] = observation.confidence.value
    return told
