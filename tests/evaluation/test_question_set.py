"""The fixed set of questions: its make-up, and that every answer can be derived from what its media say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from consilience.graphs import Workbench

from consilience.core.settings import Settings
from consilience.evaluation import Question, grade, says


@pytest.fixture(scope="module")
def asked(question_media: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, ...]:
    questions: tuple[Question, ...] = question_media.questions(tmp_path_factory.mktemp("questions"))
    return questions


def manifest(question_media: ModuleType) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """By id: the question as it is written, and what its media say."""
    return {
        f"{record['id']}-{number}": (told, record["media"])
        for record in question_media.records()
        for number, told in enumerate(record["question"], 1)
    }


def test_its_make_up(asked: tuple[Question, ...]) -> None:
    splits = {split: [q for q in asked if q.split == split] for split in ("dev", "test")}
    assert (len(splits["dev"]), len(splits["test"])) == (22, 45)
    for questions in splits.values():
        assert abs(2 * sum(bool(q.options) for q in questions) - len(questions)) <= 4
        kinds = Counter(q.kind for q in questions)
        assert min(kinds["conflict"], kinds["joint"], kinds["lone"], kinds["unanswerable"]) >= 5
    assert not {q.record for q in splits["dev"]} & {q.record for q in splits["test"]}
    assert len({q.id for q in asked}) == len(asked)
    assert all(len({path.suffix for path in q.media}) == len(q.media) >= 2 for q in asked)


def test_every_answer_is_in_what_the_media_say(question_media: ModuleType) -> None:
    for name, (told, media) in manifest(question_media).items():
        quoted = {**told.get("evidence", {}), **told.get("overridden", {})}
        assert all(words in media[medium] for medium, words in quoted.items()), name
        if told["kind"] == "unanswerable":
            assert not quoted, name
            continue
        # A comma between two cells is no decimal sign.
        evidence = " \n".join(told["evidence"].values()).replace(",", ", ")
        if "seen" not in told and told["kind"] != "lone":
            assert len(told["evidence"]) > 1 or told["kind"] == "conflict" or "---" in evidence, name
        for part in question_media.wordings(told) if "seen" not in told else ():
            assert any(says(evidence, wording) for wording in part), f"{name}: {part}"


def test_a_conflict_is_one(asked: tuple[Question, ...], question_media: ModuleType) -> None:
    written = manifest(question_media)
    for question in (q for q in asked if q.kind == "conflict"):
        overridden = " ".join(written[question.id][0]["overridden"].values()).replace(",", ", ")
        assert not grade(question, overridden, "complete").right, question.id
        others = question.rejected or [o for o in question.options if [o] != list(question.accepted[0])]
        assert any(says(overridden, other.removeprefix("at ")) for other in others), question.id


def test_right_and_wrong_answers_are_told_apart(asked: tuple[Question, ...]) -> None:
    for question in asked:
        right = ", ".join(part[0].removeprefix("@") for part in question.accepted)
        assert grade(question, right or "not stated", "complete").right, question.id
        assert not grade(question, right or "Mr Bell", "failed").right, question.id
        for option in question.options:
            assert grade(question, option, "complete").right is ([option] in map(list, question.accepted)), question.id


def test_every_voice_is_kept_and_nothing_else(question_media: ModuleType) -> None:
    spoken = {medium.recording for medium in question_media.media() if Path(medium.name).suffix in (".ogg", ".mp4")}
    assert spoken == set(question_media.RECORDINGS.iterdir())
    assert sum(path.stat().st_size for path in spoken) < 500_000


def test_the_same_media_are_made_again(question_media: ModuleType, tmp_path: Path) -> None:
    once, again = question_media.questions(tmp_path / "1"), question_media.questions(tmp_path / "2")
    for question, same in zip(once, again, strict=True):
        for path, other in zip(question.media, same.media, strict=True):
            assert path.read_bytes() == other.read_bytes(), path.name


async def test_encoders_observe_the_evidence(
    asked: tuple[Question, ...], question_media: ModuleType, settings: Settings
) -> None:
    """Of the records of `dev`; those of `test` are encoded by the module's --check."""
    written = manifest(question_media)
    lines: dict[str, dict[str, list[str]]] = {}
    async with Workbench(settings=settings) as bench:
        for question in (q for q in asked if q.split == "dev"):
            if question.record not in lines:
                lines[question.record] = await question_media.observed(bench, question)
            assert not question_media.unseen(written[question.id][0], lines[question.record]), question.id
    # The check can fail: nothing of one record is in another one.
    assert question_media.unseen(written["ferry-1"][0], {"call.ogg": lines["garage"]["voice.ogg"]})
