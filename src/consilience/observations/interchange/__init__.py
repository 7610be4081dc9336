"""Records in the formats that other programs read and write."""

from consilience.observations.interchange.annotations import to_annotations
from consilience.observations.interchange.coco import to_coco
from consilience.observations.interchange.jsonl import from_jsonl, to_jsonl
from consilience.observations.interchange.webvtt import spoken_media, to_webvtt

__all__ = ["from_jsonl", "spoken_media", "to_annotations", "to_coco", "to_jsonl", "to_webvtt"]
