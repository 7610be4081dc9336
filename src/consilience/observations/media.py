"""One input of a question, known by its content."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["MODALITIES", "Media", "Modality"]

Modality = Literal["image", "audio", "video", "document", "text", "table"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)


class Media(BaseModel):
    """A medium by reference: the bytes stay in the store, under `id`, and never travel in graph state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    id: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="SHA-256 of the bytes.")
    mime: str = Field(description="Sniffed from the content, not taken from the name.")
    modality: Modality
    name: str = Field(max_length=255, description="What people call it; untrusted.")
    size: int = Field(gt=0, description="Bytes.")
    width: int | None = Field(None, gt=0, description="Pixels; pictures and videos.")
    height: int | None = Field(None, gt=0, description="Pixels; pictures and videos.")
    seconds: float | None = Field(None, ge=0, allow_inf_nan=False, description="Duration; recordings and videos.")
    channels: int | None = Field(None, gt=0, description="Of the sound; None where there is none.")
    pages: int | None = Field(None, gt=0, description="Documents; slides of a presentation, sheets of a workbook.")
    characters: int | None = Field(None, gt=0, description="Texts.")

    @property
    def digest(self) -> str:
        """The bare hexadecimal hash."""
        return self.id.removeprefix("sha256:")

    def describe(self) -> str:
        """`scene.png (image, 800 x 600)`."""
        facts: list[str] = [self.modality]
        if self.width and self.height:
            facts.append(f"{self.width} x {self.height}")
        if self.seconds is not None:
            facts.append(f"{self.seconds:.1f} s")
        if self.pages:
            facts.append(f"{self.pages} pages")
        if self.characters:
            facts.append(f"{self.characters} characters")
        return f"{self.name} ({', '.join(facts)})"
