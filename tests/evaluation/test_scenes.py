"""What counts as a right answer to a scene."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from consilience.evaluation import Scene, load_scenes

SCENES = Path(__file__).resolve().parents[2] / "benchmarks/scenes/scenes.json"


def scene(**changes: object) -> Scene:
    told: dict[str, object] = {"id": "s", "question": "?", "media": (), "conflict": True, "why": ""}
    return Scene.model_validate({**told, "right": r"\b(6|six)\b", "wrong": r"\b(4|four)\b", **changes})


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("From platform 6.", True),
        ("Platform SIX", True),
        ("Platform 4", False),
        ("Platform 16", False),
        ("Platform 4 or 6", False),
        ("Platform 6, not platform 4", True),
        ("It was platform 4; now it is 6", True),
        ("", False),
    ],
)
def test_the_overridden_value_may_only_be_set_aside(answer: str, right: bool) -> None:
    assert scene().is_right(answer) is right


def test_without_a_wrong_value_the_right_one_is_enough() -> None:
    assert scene(wrong=None).is_right("4 or 6")


def test_a_broken_pattern_is_refused() -> None:
    with pytest.raises(ValidationError):
        scene(right="(")


def test_the_ten_fixed_scenes_are_whole() -> None:
    scenes = load_scenes(SCENES)
    assert len(scenes) == 10
    assert sum(scene.conflict for scene in scenes) == 4
    assert all(len(scene.media) == 2 for scene in scenes)
    assert all((scene.wrong is not None) == scene.conflict for scene in scenes if scene.conflict)


def test_a_missing_medium_is_told(tmp_path: Path) -> None:
    manifest = tmp_path / "scenes.json"
    manifest.write_text("[" + scene(media=("gone.png",)).model_dump_json() + "]")
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        load_scenes(manifest)
