from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consilience.observations import (
    Confidence,
    Locator,
    Media,
    Observation,
    Provenance,
    Record,
    Region,
    TimeRange,
)

PHOTO = Media(
    id="sha256:" + "a" * 64, mime="image/png", modality="image", name="a photo.png", size=1, width=200, height=100
)
CALL = Media(id="sha256:" + "b" * 64, mime="audio/wave", modality="audio", name="call.wav", size=1, seconds=60)
FILM = Media(
    id="sha256:" + "c" * 64,
    mime="video/mp4",
    modality="video",
    name="film.mp4",
    size=1,
    width=640,
    height=360,
    seconds=9,
)
PAPER = Media(id="sha256:" + "d" * 64, mime="application/pdf", modality="document", name="paper.pdf", size=1, pages=3)

MakeObservation = Callable[..., Observation]


def made_of(medium: Media, kind: str, text: str, value: dict[str, Any] | None = None, **place: Any) -> Observation:
    """An observation of `medium`; `at`, `box` or any field of a locator say where, `sure` how surely."""
    sure = place.pop("sure", None)
    at, box = place.pop("at", None), place.pop("box", None)
    locator = Locator(
        time=TimeRange(start=at[0], end=at[1]) if at else None,
        region=Region(x=box[0], y=box[1], w=box[2], h=box[3]) if box else None,
        **place,
    )
    return Observation(
        kind=kind,
        value={"text": text} if value is None else value,
        text=text,
        locator=locator,
        confidence=Confidence(value=sure, kind="score") if sure is not None else None,
        provenance=Provenance(media=medium.id, modality=medium.modality, tool="test tool", version="1"),
    )


@pytest.fixture(scope="session")
def make() -> MakeObservation:
    return made_of


@pytest.fixture(scope="session")
def photo() -> Media:
    return PHOTO


@pytest.fixture(scope="session")
def call() -> Media:
    return CALL


@pytest.fixture(scope="session")
def film() -> Media:
    return FILM


@pytest.fixture(scope="session")
def paper() -> Media:
    return PAPER


@pytest.fixture
def recorded() -> Callable[..., Record]:
    return lambda *observations: Record([PHOTO, CALL, FILM, PAPER], observations)
