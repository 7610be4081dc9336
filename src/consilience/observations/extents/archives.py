"""The extent of zipped office documents."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_office"]

_NUMBERED = re.compile(r"(ppt/slides/slide|xl/worksheets/sheet)\d+\.xml")
_CHUNK = 1 << 20


def measure_office(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    """Slides of a presentation or sheets of a workbook; a text document tells no pages.

    Raises:
        BadMedia: broken, encrypted, or larger unpacked than the limit allows.
    """
    room = limits.unpacked_bytes
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                room -= _unpacked(archive, part, room)
                if room < 0:
                    raise BadMedia(
                        name,
                        f"would unpack to more than {limits.unpacked_bytes:,} bytes.",
                        cure="Raise CONSILIENCE_LIMIT_UNPACKED_BYTES if you trust it.",
                    )
            numbered = sum(1 for part in archive.namelist() if _NUMBERED.fullmatch(part))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as problem:
        raise BadMedia(
            name, f"is broken or encrypted ({problem}).", cure="Save it again without a password."
        ) from problem
    except zlib.error as problem:
        raise BadMedia(name, f"is broken ({problem}).", cure="Save it again.") from problem
    return {"pages": numbered or None}


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, room: int) -> int:
    """Bytes that a part really unpacks to, counted until there are more than `room`: its header may lie."""
    counted = 0
    with archive.open(part) as file:
        while counted <= room and (piece := file.read(_CHUNK)):
            counted += len(piece)
    return counted
