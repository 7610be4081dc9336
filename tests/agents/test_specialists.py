from __future__ import annotations

from collections.abc import Callable

import pytest
from consilience.agents import SPECIALISTS, Expert, Seat, View, specialist

from consilience.core.errors import UnknownName
from consilience.models import Endpoint, Meter
from consilience.observations import MODALITIES, Media, Modality, Observation, Provenance, Record
from consilience.testing import ScriptedChatModel

FILM = Media(id="sha256:" + "f" * 64, mime="video/mp4", modality="video", name="talk.mp4", size=1)


def seen(kind: str, modality: Modality, tool: str = "test") -> Observation:
    """An observation of the film whose shape nobody checks but its kind's name, as a plug-in may make it."""
    value: dict[str, object] = {
        "transcript": {"text": "no", "language": "en"},
        "sound": {"label": "laughter"},
        "face": {"share": 0.1},
        "expression": {"label": "happy", "scores": {"happy": 1.0}},
        "unobserved": {"sought": ["face"], "reason": "too dark", "modality": modality},
    }.get(kind, {})
    provenance = Provenance(media=FILM.id, modality=modality, tool=tool, version="1")
    return Observation.model_validate(
        {"kind": kind, "value": value, "text": f"{kind} by {tool}", "provenance": provenance}
    )


@pytest.fixture
def film() -> Record:
    lines = [
        seen("transcript", "audio"),
        seen("sound", "audio"),
        seen("face", "image"),
        seen("trace", "video", "video.faces"),
        seen("trace", "video", "video.tracks"),
        seen("unobserved", "image"),
    ]
    return Record([FILM], lines)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("speech", ["a1"]),
        ("sounds", ["a2"]),
        ("face", ["i1", "v1", "i2"]),
        ("pose", []),
        ("social", ["a2", "i1", "v1", "i2"]),
        ("audio", ["a1", "a2"]),
        ("video", ["v1", "v2"]),
        ("sceptic", ["a1", "a2", "i1", "v1", "v2", "i2"]),
    ],
)
def test_a_specialist_sees_what_its_role_is_about(film: Record, name: str, labels: list[str]) -> None:
    assert list(SPECIALISTS[name].sees.labels(film)) == labels


def test_what_was_not_observed_is_told_but_is_nothing_seen(film: Record) -> None:
    face = SPECIALISTS["face"].sees
    assert set(face.labels(film)) - set(face.observed(film)) == {"i2"}


def test_modalities_alone_are_a_view_as_before(film: Record) -> None:
    for view in (("audio",), ("audio", "video"), ()):
        assert View.of(view).labels(film) == film.select(modalities=view)
    assert View.of(None).labels(film) == film.labels
    assert View.of(View()) == View()


def test_joint_lines_belong_to_the_whole_record_and_to_who_names_them(film: Record) -> None:
    lines = [observation for _, observation in film]
    value = {"name": "Ann", "members": [line.id for line in lines[:2]], "relation": "speaks"}
    provenance = Provenance(media=FILM.id, modality="audio", tool="fusion", version="1")
    joint = Observation.model_validate(
        {"kind": "entity", "value": value, "text": "Ann speaks", "provenance": provenance}
    )
    record = Record([FILM], [*lines, joint])
    assert View(("audio",)).labels(record) == ("a1", "a2")
    assert "a3" in View().labels(record)
    assert View(kinds=("entity",)).labels(record) == ("a3",)


def test_every_modality_has_its_specialist() -> None:
    assert list(SPECIALISTS)[: len(MODALITIES)] == list(MODALITIES)
    assert all(SPECIALISTS[modality] == Expert.for_modality(modality) for modality in MODALITIES)
    assert all(name == expert.name for name, expert in SPECIALISTS.items())
    assert len({expert.role for expert in SPECIALISTS.values()}) == len(SPECIALISTS)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    assert specialist("speech") is SPECIALISTS["speech"]
    with pytest.raises(UnknownName, match="Did you mean 'prosody'"):
        specialist("prosodie")


async def test_a_narrow_seat_can_cite_its_lines_alone(
    scripted: Callable[..., tuple[ScriptedChatModel, Endpoint]], film: Record
) -> None:
    model, endpoint = scripted({"stated": "not", "answer": "not stated"})
    await Seat("A", SPECIALISTS["speech"], endpoint).open("What is said?", film, Meter())
    schema = model.calls[0].kwargs["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["evidence"]["items"]["properties"]["label"]["enum"] == ["a1"]
    assert "sound by test" not in model.calls[0].prompt
