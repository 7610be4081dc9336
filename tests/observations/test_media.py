from __future__ import annotations

import pytest
from pydantic import ValidationError

from consilience.observations import MODALITIES, Media

FACTS = {"mime": "image/png", "modality": "image", "name": "scene.png", "size": 10}
HASH = "0" * 64


def test_digest_is_the_bare_hash() -> None:
    assert Media(id=f"sha256:{HASH}", **FACTS).digest == HASH


@pytest.mark.parametrize("media_id", ["", HASH, f"sha1:{HASH}", "sha256:" + "A" * 64, "sha256:0", f"sha256:{HASH}\n"])
def test_id_is_a_sha256(media_id: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        Media(id=media_id, **FACTS)


@pytest.mark.parametrize(
    ("field", "value"), [("size", 0), ("width", 0), ("seconds", -1), ("pages", 0), ("characters", 0)]
)
def test_extents_are_positive(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=field):
        Media(id=f"sha256:{HASH}", **{**FACTS, field: value})


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_a_recording_ends(seconds: float) -> None:
    with pytest.raises(ValidationError, match="seconds"):
        Media(id=f"sha256:{HASH}", **FACTS, seconds=seconds)


@pytest.mark.parametrize("modality", MODALITIES)
def test_json_round_trips(modality: str) -> None:
    media = Media(id=f"sha256:{HASH}", **{**FACTS, "modality": modality}, seconds=1.25, width=2, height=3)
    assert Media.model_validate_json(media.model_dump_json()) == media


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, "scene.png (image)"),
        ({"width": 800, "height": 600}, "scene.png (image, 800 x 600)"),
        ({"modality": "audio", "seconds": 0}, "scene.png (audio, 0.0 s)"),
        ({"modality": "document", "pages": 3}, "scene.png (document, 3 pages)"),
        ({"modality": "text", "characters": 12}, "scene.png (text, 12 characters)"),
    ],
)
def test_description_tells_the_extent(facts: dict[str, object], told: str) -> None:
    assert Media(id=f"sha256:{HASH}", **{**FACTS, **facts}).describe() == told
