"""Taking in what a client of a served graph sends: references, files of one folder, content blocks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from consilience.core.errors import BadMedia
from consilience.core.settings import Settings
from consilience.observations import Media, ObservationStore, ingest

__all__ = ["Sent", "is_medium", "reference_to", "take_in"]

Sent: TypeAlias = str | dict[str, Any]
"""JSON for a medium: `sha256:...` of one in the store, a path in the folder for clients, or a content block of
LangChain or OpenAI with base64, a `data:` URL, or the `sha256:...` as `file_id`."""

_KINDS = {"image", "image_url", "audio", "input_audio", "video", "file", "text-plain"}
_BLOCKS = {"image": "image", "audio": "audio", "video": "video"}


def is_medium(block: object) -> bool:
    """Whether a content block is a medium, and not words or a model's reasoning."""
    return isinstance(block, Mapping) and block.get("type") in _KINDS


def take_in(sent: Sent, store: ObservationStore, settings: Settings) -> Media:
    """The medium, in the store. Blocks.

    Whoever sends is not trusted: a path is read only below `settings.media_folder`, and no URL is fetched.

    Raises:
        BadMedia: it cannot be taken in, or lies where clients may not read.
    """
    if isinstance(sent, Mapping):
        name = sent.get("filename") or (sent.get("extras") or {}).get("filename")
        reference = sent.get("file_id")
        if reference is None:
            return ingest(dict(sent), store, limits=settings.limits, name=Path(str(name)).name if name else None)
        return store.media(str(reference))
    if sent.startswith("sha256:"):
        return store.media(sent)
    return ingest(_allowed(sent, settings.media_folder), store, limits=settings.limits)


def reference_to(media: Media) -> dict[str, Any]:
    """The content block that stands for a medium in the store."""
    kind = _BLOCKS.get(media.modality, "file")
    return {"type": kind, "file_id": media.id, "mime_type": media.mime, "extras": {"filename": media.name}}


def _allowed(name: str, folder: Path | None) -> Path:
    """The file of this name; what lies outside of the folder is not even looked at."""
    if folder is None:
        raise BadMedia(
            name[:80],
            "clients may not name files here.",
            cure="Send it as base64, or set CONSILIENCE_MEDIA_FOLDER where the graph is served.",
        )
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError) as problem:
        raise BadMedia(name[:80], "is no path.", cure="Name a file below the folder.") from problem
    if not path.is_relative_to(folder.resolve()):
        raise BadMedia(name[:80], "lies outside of the folder for clients.", cure="Name a file below it.")
    return path
