from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from consilience.agents import SPECIALISTS, Expert, Routing, default_experts, joining
from consilience.agents.specialists import BODILY_KINDS, SOCIAL
from consilience.graphs import Panel, Seated, Workbench
from consilience.graphs.seating import likeness_by, seating_of
from consilience.tools import default_encoders

from consilience import aask, astream
from consilience.core.settings import Settings
from consilience.models.embedder import text_embedder
from consilience.observations import Media, Modality, Observation, Provenance, Record
from consilience.testing import ModelServer

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
NOTE, QUESTION = "The book club meets in the upper room.", "Where does the book club meet?"
MOOD = "Klingt die Anruferin verärgert?"
PROSODY = {"loudness_db": -20.0, "pause_share": 0.1}


def record(*lines: tuple[Modality, str]) -> Record:
    """Of these modalities and kinds, a medium for each modality."""
    media = {m: Media(id=f"sha256:{i:064}", mime="x/y", modality=m, name=m, size=1) for i, (m, _) in enumerate(lines)}
    values: dict[str, Any] = {"prosody": PROSODY, "transcript": {"text": "x", "language": "en"}}
    return Record(
        media.values(),
        [
            Observation(
                kind=kind,
                value=values.get(kind, {}),
                text=f"{kind} {i}",
                provenance=Provenance(media=media[modality].id, modality=modality, tool="test", version="1"),
            )
            for i, (modality, kind) in enumerate(lines)
        ],
    )


CALL = record(("audio", "transcript"), ("audio", "prosody"), ("table", "line"))


@pytest.fixture
def bench(settings: Settings) -> Workbench:
    return Workbench(settings=settings)


def names(bench: Workbench, panel: Panel, of: Record, question: str) -> list[str]:
    return [expert.name for expert in seating_of(bench, panel, of, question).seated]


def asked_for(question: str) -> set[str]:
    """The social specialists that a question asks for, where everything is there to be seen."""
    everything = record(("video", "trace"), ("audio", "prosody"), ("image", "warmth"))
    seeing = [Expert(expert.name, expert.role, asks=expert.asks) for expert in (*SOCIAL, SPECIALISTS["social"])]
    joined = joining(seeing, everything, question, likeness_by(text_embedder(2)), Routing())
    return {expert.name for expert in joined.seated}


def benchmark_questions() -> list[str]:
    asked = tomllib.loads((BENCHMARKS / "questions/questions.toml").read_text())
    scenes = json.loads((BENCHMARKS / "scenes/scenes.json").read_text())
    needles = tomllib.loads((BENCHMARKS / "needles.toml").read_text())
    found: list[str] = []
    open_ = [asked, scenes, needles]
    while open_:
        each = open_.pop()
        if isinstance(each, dict):
            found += [each[name] for name in ("question", "text") if str(each.get(name)).endswith("?")]
        open_ += list(each.values()) if isinstance(each, dict) else each if isinstance(each, list) else []
    return found


def test_the_questions_of_the_benchmarks_ask_for_no_social_specialist() -> None:
    """Their panels are those that figures were measured with."""
    questions = benchmark_questions()
    assert len(questions) > 70
    joining_unasked = {expert.name for expert in SOCIAL}
    assert {question: found for question in questions if (found := asked_for(question) & joining_unasked)} == {}


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Does the doctor sound worried when she says all is fine?", "prosody"),
        ("Wie fühlt sich die Frau am Ende?", "prosody"),
        ("Quelle est l'humeur de l'oratrice ?", "prosody"),
        ("彼女は怒っていますか?", "prosody"),
        ("What emotion does the speaker express?", "prosody"),
        ("Is the person in the picture smiling?", "face"),
        ("¿Está enfadado el hombre?", "face"),
        ("Does the boy look sad?", "face"),
        ("Does he raise his hand?", "pose"),
        ("Zeigt die Person mit dem Finger auf etwas?", "pose"),
        ("Who is pointing at the board?", "pose"),
        ("Who seems to dominate the conversation?", "social"),
    ],
)
def test_questions_about_people_ask_for_who_sees_that(question: str, wanted: str) -> None:
    assert wanted in asked_for(question)


def test_unnamed_are_the_modalities_and_who_is_asked_for(bench: Workbench) -> None:
    assert names(bench, Panel(), CALL, QUESTION) == ["audio", "table"]
    assert names(bench, Panel(), CALL, MOOD) == ["audio", "table", "prosody"]
    silent = record(("audio", "transcript"), ("table", "line"))
    seating = seating_of(bench, Panel(), silent, MOOD)
    assert [expert.name for expert in seating.seated] == ["audio", "table"]
    assert {each.expert: each.reason for each in seating.passed_over} == {
        "prosody": "nothing that it sees was observed"
    }


def test_a_record_of_pictures_is_told_of_what_may_not_be_observed(bench: Workbench) -> None:
    seating = seating_of(bench, Panel(), record(("image", "line")), "Is the woman in the picture smiling?")
    assert list(seating.seated) == list(default_experts(["image"]))
    assert {each.expert for each in seating.passed_over} == {"face"}
    assert "CONSILIENCE_BIOMETRICS=true" in seating.passed_over[0].reason


@pytest.mark.parametrize("modality", ["image", "audio", "text"])
def test_the_usual_panel_stays_the_usual_panel(bench: Workbench, modality: Modality) -> None:
    seating = seating_of(bench, Panel(), record((modality, "line")), QUESTION)
    assert seating.seated == default_experts([modality])
    assert not seating.passed_over


def test_named_experts_sit_down_unless_routed(bench: Workbench) -> None:
    experts = (SPECIALISTS["pose"], SPECIALISTS["speech"])
    assert names(bench, Panel(experts), CALL, QUESTION) == ["pose", "speech"]
    assert names(bench, Panel(experts, route=True), CALL, QUESTION) == ["speech"]
    assert names(bench, Panel(route=True), CALL, MOOD) == ["audio", "table", "prosody"]


def test_what_is_measured_on_bodies_is_what_encoders_say_it_is() -> None:
    bodily = {kind for encoder in default_encoders(Settings()) if encoder.biometric for kind in encoder.kinds}
    assert bodily - {"embedding", "track"} == BODILY_KINDS
    named = {name for expert in SPECIALISTS.values() for name in expert.sees.encoders}
    assert named <= {encoder.name for encoder in default_encoders(Settings())}


async def test_who_is_passed_over_says_nothing_and_is_told_of(server: ModelServer, settings: Settings) -> None:
    experts = [SPECIALISTS["face"], Expert("reader", "a reader", view=("text",)), SPECIALISTS["sceptic"]]
    options: dict[str, Any] = {"model": server.base_url, "settings": settings, "experts": experts}
    events = [event async for event in astream(QUESTION, [NOTE], route=True, **options)]
    (seated,) = [event for event in events if isinstance(event, Seated)]
    verdict = events[-1].verdict
    assert [(seat.seat, seat.expert) for seat in seated.seats] == [("A", "reader"), ("B", "sceptic")]
    assert [(fate.seat, fate.expert, fate.turns) for fate in verdict.seats] == [("A", "reader", 2), ("B", "sceptic", 2)]
    assert [each.expert for each in verdict.passed_over] == ["face"]
    assert seated.passed_over == verdict.passed_over
    assert len(server.calls) == 2 * 2 + 1
    assert verdict.confidence.told == "2 of 2 seats"

    unrouted = await aask(QUESTION, [NOTE], rounds=0, **options)
    assert [fate.expert for fate in unrouted.seats] == ["face", "reader", "sceptic"]
    assert not unrouted.passed_over
