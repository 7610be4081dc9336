"""The extent of zipped office documents."""

from __future__ import annotations

import re
import zipfile
import zlib
from copy import copy
from pathlib import Path
from typing import Any

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits

__all__ = ["measure_office"]

_NUMBERED = re.compile(r"(ppt/slides/slide|xl/worksheets/sheet)\d+\.xml")
_XML = (".xml", ".rels", ".vml")
_CHUNK = 1 << 20
# What XML may declare before its first element: entities that unfold without end, files of this machine.
_DECLARED = tuple("<!DOCTYPE".encode(codec) for codec in ("utf-8", "utf-16-le", "utf-16-be"))


def measure_office(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    """Slides of a presentation or sheets of a workbook; a text document tells no pages.

    Raises:
        BadMedia: broken, encrypted, larger unpacked than the limit allows, or with XML that declares entities.
    """
    room = limits.unpacked_bytes
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                room -= _unpacked(archive, part, room, name)
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


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, room: int, name: str) -> int:
    """Bytes that a part really unpacks to, counted until there are more than `room`: its header may lie.

    Python stops where the header says that the part ends, but unpacks first: who reads a part at once would hold in
    memory what is not counted. So it is read as if it were told to be too large, and what is told is compared.
    """
    counted, last = 0, b""
    written = part.filename.lower().endswith(_XML)
    untold = copy(part)
    untold.file_size = max(room, part.file_size) + 1
    with archive.open(untold) as file:
        while counted <= room and (piece := file.read(_CHUNK)):
            counted += len(piece)
            if written and any(sign in last + piece for sign in _DECLARED):
                raise BadMedia(
                    name,
                    f"declares a document type in {part.filename}, which no office document does (ECMA-376).",
                    cure="Do not open it.",
                )
            last = piece[-20:]
    if counted <= room and counted != part.file_size:
        raise zipfile.BadZipFile(f"{part.filename} has {counted:,} bytes where {part.file_size:,} are told")
    return counted
