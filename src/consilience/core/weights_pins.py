"""Weights that the manifest does not know: repositories of a hub, pinned when they are first used.

What the hub then announces, the commit and each file's size and SHA-256, is kept beside the weights as an entry like
those of the manifest, and from then on only those bytes are taken, whatever the hub says later.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from consilience.core.errors import BadConfiguration, WeightsUnavailable
from consilience.core.locks import exclusive
from consilience.core.manifest import Piece, Recipe, Weights, WeightsFile
from consilience.core.weights_hub import HubSource
from consilience.core.weights_source import SourceFailed

__all__ = ["Pins", "is_pinned_name", "pinned_name"]

_PREFIX = "hub--"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION = "main"
# Of files that the hub keeps apart, and says the SHA-256 of, only the announcement is read; others are small.
_ANNOUNCEMENT, _SMALL = 4_000_000, 20_000_000


def pinned_name(repository: str) -> str:
    """The name of the weights that are all of `owner/name`.

    Raises:
        BadConfiguration: that is no repository's name.
    """
    owner, _, name = repository.partition("/")
    if not (_PART.fullmatch(owner) and _PART.fullmatch(name)) or "--" in repository:
        raise BadConfiguration(f"{repository!r} is no repository of a hub.", cure="Write it as owner/name.")
    return f"{_PREFIX}{owner}--{name}"


def is_pinned_name(name: str) -> bool:
    """Whether `pinned_name` makes such names."""
    return name.startswith(_PREFIX)


class Pins:
    """The entries in one folder, and the hub that is asked for others; None when nothing may be downloaded."""

    def __init__(self, folder: Path, hub: HubSource | None) -> None:
        self._folder = folder
        self._hub = hub

    def entries(self) -> tuple[Weights, ...]:
        """All that are pinned, by name."""
        return tuple(self._read(path) for path in sorted(self._folder.glob(f"{_PREFIX}*.json")))

    def entry(self, name: str) -> Weights:
        """The entry of this name, pinned now unless it is already.

        Raises:
            WeightsUnavailable: the hub cannot be asked, or has no such repository.
            BadConfiguration: the pin cannot be read or written.
        """
        path = self._folder / f"{name}.json"
        if path.exists():
            return self._read(path)
        if self._hub is None:
            raise _not_pinned(name, "offline is set, so none was tried", "Unset CONSILIENCE_OFFLINE")
        try:
            with exclusive(self._folder / ".lock"):
                if not path.exists():
                    entry = _announced(name, self._hub)
                    partial = path.with_suffix(".partial")
                    partial.write_text(entry.model_dump_json(indent=1), encoding="utf-8")
                    partial.replace(path)
        except SourceFailed as problem:
            raise _not_pinned(name, f"hub: {problem}", "Check the network, CONSILIENCE_HUB and the name") from problem
        except OSError as problem:
            raise BadConfiguration(
                f"The folder {self._folder} cannot be written ({problem}).", cure="Set CONSILIENCE_CACHE_DIR to yours."
            ) from problem
        return self._read(path)

    def _read(self, path: Path) -> Weights:
        try:
            return Weights.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as problem:
            raise BadConfiguration(f"The pin {path} cannot be read.", cure="Remove it, to pin anew.") from problem


def _not_pinned(name: str, attempt: str, cure: str) -> WeightsUnavailable:
    return WeightsUnavailable(name, [attempt], cure=f"{cure}. Then run: consilience weights pull {name}")


def _announced(name: str, hub: HubSource) -> Weights:
    repository = name.removeprefix(_PREFIX).replace("--", "/", 1)
    told = _json(hub, f"api/models/{quote(repository)}/revision/{_REVISION}?blobs=true")
    try:
        commit = str(told["sha"])
        files = tuple(_files(hub, repository, commit, told["siblings"]))
        licences = [tag.removeprefix("license:") for tag in told.get("tags", ()) if tag.startswith("license:")]
        pieces = {
            file.name: (Piece(package=repository, version=commit, member=file.name, size=file.size),) for file in files
        }
        return Weights(
            name=name,
            summary=f"All of {repository}, as the hub announced it when it was first used",
            licence=licences[0].upper() if licences else "NOASSERTION",
            attribution=f"{repository} at {commit}",
            files=files,
            sources=(Recipe(kind="hub", files=pieces),),
        )
    except (KeyError, TypeError, AttributeError, ValidationError) as problem:
        raise SourceFailed(f"it announces {repository} in a form that is not understood") from problem


def _files(hub: HubSource, repository: str, commit: str, siblings: list[dict[str, Any]]) -> Iterator[WeightsFile]:
    """The files at the top of the repository, without what is about it."""
    for sibling in siblings:
        name = str(sibling["rfilename"])
        if "/" in name or name.startswith(".") or name.lower().startswith(("readme", "license")):
            continue
        if kept_apart := sibling.get("lfs"):
            yield WeightsFile(name=name, size=kept_apart["size"], sha256=kept_apart["sha256"])
            continue
        content = hub.read(f"{quote(repository)}/resolve/{commit}/{quote(name)}", _SMALL)
        # Git names a file by this hash, and the commit that is pinned names all of its files so.
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        if blob != sibling["blobId"]:
            raise SourceFailed(f"{name} of {repository} is not what the hub announces")
        yield WeightsFile(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _json(hub: HubSource, path: str) -> Any:
    try:
        return json.loads(hub.read(path, _ANNOUNCEMENT))
    except ValueError as problem:
        raise SourceFailed(f"{path}: the answer is no JSON") from problem
