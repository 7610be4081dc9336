from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from consilience.core.settings import Limits
from consilience.observations import Media, Observation, ObservationStore, Provenance

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ObservationOf = Callable[..., Observation]

PHOTO = "sha256:" + "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(scope="session")
def limits() -> Limits:
    return Limits(pixels=10_000, audio_seconds=10, text_characters=1_000_000, table_rows=1_000)


@pytest.fixture(scope="session")
def photo() -> Media:
    return Media(id=PHOTO, mime="image/png", modality="image", name="photo.png", size=1)


@pytest.fixture(scope="session")
def observation_of() -> ObservationOf:
    """An observation of our photo; every field can be given."""

    def make(text: str = "EXIT", **fields: object) -> Observation:
        made_by = {"media": PHOTO, "modality": "image", "tool": "eye", "version": "1"}
        made_by |= {key: fields.pop(key) for key in ("media", "modality") if key in fields}
        kind = str(fields.pop("kind", "text"))
        value = fields.pop("value", {"text": text})
        return Observation(kind=kind, value=value, text=text, provenance=Provenance(**made_by), **fields)

    return make
