"""Scenes: questions over small sets of media with known answers, and the check of an answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

__all__ = ["Scene", "load_scenes"]

# Words that set a value aside when they stand shortly before it, or say that it is over.
_SET_ASIDE = re.compile(
    r"\b(?:not|no longer|instead of|rather than|originally|formerly|was|nicht|statt|früher)\b[^.;]*$"
)


class Scene(BaseModel):
    """One question with its media, and what tells a right answer from a wrong one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str
    media: tuple[Path, ...] = Field(description="Relative to the manifest; absolute once loaded.")
    conflict: bool = Field(description="Its media state values that exclude each other.")
    right: str = Field(description="Regular expression that a right answer matches, case ignored.")
    wrong: str | None = Field(None, description="Regular expression of the overridden value.")
    why: str

    @field_validator("right", "wrong")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as problem:
            raise ValueError(f"{pattern!r} is no regular expression: {problem}") from problem
        return pattern

    def is_right(self, answer: str) -> bool:
        """The answer has the right value, and has the overridden one only to set it aside."""
        folded = " ".join(answer.casefold().split())
        if not re.search(self.right, folded):
            return False
        if self.wrong is None:
            return True
        return all(_SET_ASIDE.search(folded[: found.start()]) for found in re.finditer(self.wrong, folded))


def load_scenes(manifest: Path) -> tuple[Scene, ...]:
    """The scenes of a manifest, their media as paths that exist.

    Raises:
        FileNotFoundError: a medium is missing.
    """
    scenes = TypeAdapter(tuple[Scene, ...]).validate_json(manifest.read_bytes())
    loaded: list[Any] = []
    for scene in scenes:
        paths = tuple(manifest.parent / path for path in scene.media)
        for path in paths:
            path.stat()
        loaded.append(scene.model_copy(update={"media": paths}))
    return tuple(loaded)
