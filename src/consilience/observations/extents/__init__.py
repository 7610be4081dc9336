"""How much a medium holds: pixels, seconds, pages, characters; checked against the limits before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from consilience.core.settings import Limits
from consilience.observations.extents.archives import measure_office
from consilience.observations.extents.film import measure_film
from consilience.observations.extents.pages import measure_pdf
from consilience.observations.extents.pictures import measure_picture
from consilience.observations.extents.sound import measure_sound
from consilience.observations.extents.writing import measure_writing
from consilience.observations.media import Modality

__all__ = ["measure"]


def measure(path: Path, name: str, mime: str, modality: Modality, limits: Limits) -> dict[str, Any]:
    """The fields of `Media` that tell the extent of the file at `path`.

    Raises:
        BadMedia: broken, cut off, or larger than the limits allow.
    """
    if modality == "image":
        return measure_picture(path, name, mime, limits)
    if modality == "audio":
        return measure_sound(path, name, mime, limits)
    if modality == "video":
        return measure_film(path, name, limits)
    if mime == "application/pdf":
        return measure_pdf(path, name, limits)
    if "openxmlformats" in mime:
        return measure_office(path, name, limits)
    if mime in ("application/vnd.apache.parquet", "application/vnd.ms-excel"):
        return {}  # what reads the table counts its rows
    return measure_writing(path, name, mime, limits)
