from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consilience.observations import Confidence, Locator, Media, Modality, Observation, Provenance, Region, TimeRange

ObservationOf = Callable[..., Observation]
MediaOf = Callable[..., Media]

_MODALITIES: dict[str, Modality] = {"transcript": "audio", "prosody": "audio", "speaker": "audio", "passage": "text"}


def media_id(name: str) -> str:
    """The id of the medium called `name`: any 64 hexadecimal digits that follow from it."""
    return "sha256:" + name.encode().hex().ljust(64, "0")[:64]


def made_of(kind: str, text: str, *, medium: str = "", **fields: Any) -> Observation:
    """An observation; `at` is (start, end) in seconds, `box` is (x, y, w, h), `sure` its confidence."""
    modality = fields.get("modality", _MODALITIES.get(kind, "image"))
    defaults: dict[str, Any] = {"text": text}
    if kind == "transcript":
        defaults["language"] = fields.get("language", "en")
    at, box, sure = fields.get("at"), fields.get("box"), fields.get("sure")
    return Observation(
        kind=kind,
        value=fields.get("value", defaults),
        text=text,
        locator=Locator(
            time=TimeRange(start=at[0], end=at[1]) if at else None,
            region=Region(x=box[0], y=box[1], w=box[2], h=box[3]) if box else None,
        ),
        confidence=Confidence(value=sure, kind="score") if sure is not None else None,
        provenance=Provenance(
            media=media_id(medium or modality), modality=modality, tool=fields.get("tool", "test"), version="1"
        ),
    )


@pytest.fixture(scope="session")
def observed() -> ObservationOf:
    return made_of


@pytest.fixture(scope="session")
def medium() -> MediaOf:
    def make(name: str, **fields: Any) -> Media:
        given = {"mime": "audio/wave", "modality": "audio", "size": 1, **fields}
        return Media(id=media_id(name), name=name, **given)

    return make
