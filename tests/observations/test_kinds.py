from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import JsonValue, ValidationError

from consilience.observations import VALUES, Transcript

EXAMPLES: Mapping[str, dict[str, JsonValue]] = {
    "language": {"language": "en"},
    "speaker": {"speaker": "S1"},
    "prosody": {"loudness_db": -20.0, "pause_share": 0.1},
    "embedding": {"model": "m", "of": "text", "vector": [0.5]},
    "face": {"share": 0.1, "eyes_open": 0.3},
    "expression": {"label": "happy"},
    "pose": {"keypoints": [{"name": "nose", "x": 0.5, "y": 0.5}]},
    "hand": {"keypoints": [{"name": "wrist", "x": 0.5, "y": 0.5}], "side": "left"},
    "shot": {"number": 1, "key_frame": 0.5},
    "track": {"label": "face", "number": 1, "points": [{"t": 0, "x": 0, "y": 0, "w": 0.1, "h": 0.1}]},
    "part": {"modality": "image", "role": "frame"},
    "cell": {"text": "3", "row": 1, "column": 2},
    "column": {"name": "price", "type": "number", "values": 3, "missing": 0},
    "series": {"column": "price", "finding": "trend"},
    "sentiment": {"compound": -0.5, "label": "negative"},
    "conflict": {"first": "obs:1", "second": "obs:2", "dispute": "numbers", "score": 0.5},
    "entity": {"name": "S1", "members": ["obs:1", "obs:2"], "relation": "speaks"},
    "description": {"text": "a harbour"},
    "object": {"label": "boat"},
    "passage": {"text": "It rained.", "headings": ["Weather"]},
    "properties": {
        "width": 4,
        "height": 3,
        "colours": ["#ff0000"],
        "brightness": 0.5,
        "sharpness": 0.1,
        "exif": {"Make": "Acme"},
    },
    "row": {"cells": {"city": "York", "trains": 3, "open": None}},
    "sound": {"label": "speech"},
    "table": {"columns": ["city", "trains"], "rows": 0},
    "text": {"text": "EXIT"},
    "transcript": {
        "text": "to York",
        "language": "en",
        "words": [{"text": "to", "start": 0, "end": 0.5, "probability": 0.9}],
    },
    "tool_result": {"tool": "timetable", "line": 1, "text": "platform nine"},
    "unobserved": {"sought": ["text"], "reason": "all black", "modality": "image"},
}


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(VALUES)


@pytest.mark.parametrize("kind", VALUES)
def test_values_round_trip(kind: str) -> None:
    value = VALUES[kind].model_validate(EXAMPLES[kind])
    assert VALUES[kind].model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize("kind", VALUES)
def test_values_refuse_what_they_do_not_know(kind: str) -> None:
    with pytest.raises(ValidationError, match="surplus"):
        VALUES[kind].model_validate({**EXAMPLES[kind], "surplus": 1})


@pytest.mark.parametrize("kind", VALUES)
def test_values_refuse_to_be_empty(kind: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        VALUES[kind].model_validate({})


def test_probabilities_are_probabilities() -> None:
    word = {"text": "to", "start": 0, "end": 1, "probability": 1.5}
    with pytest.raises(ValidationError, match="probability"):
        Transcript.model_validate({"text": "to", "language": "en", "words": [word]})


def test_the_kinds_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        VALUES["text"] = Transcript  # type: ignore[index]
