"""Encoders that fail leave a trace: on the terminal, in the record, in the exit code; the rest goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience.apps import failing
from consilience.observations import Cause, Failure, Media
from consilience.observations.interchange import from_jsonl

Run = Callable[..., Any]

CALL = Path(__file__).resolve().parents[2] / "examples/media/call.wav"


@pytest.fixture
def bare(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run` on a machine that has no weights and may not get any."""
    (place / "weights").unlink()
    monkeypatch.setenv("CONSILIENCE_OFFLINE", "true")
    return run


def lost(path: Path) -> set[str]:
    """The encoders whose weights were missing, by a record's file."""
    record = from_jsonl(path.read_text().splitlines())
    assert len(record) > 0, "what needs no weights is observed all the same"
    for failure in record.failures:
        assert (failure.cause, failure.media) == ("missing", record.media[0].id)
        assert "CONSILIENCE_OFFLINE" in failure.reason
    return {failure.encoder for failure in record.failures}


def test_of_one_file(bare: Run, tmp_path: Path) -> None:
    told = bare("observe", CALL)
    assert told.code == 4
    assert "audio.speech on call.wav" in told.out
    printed = bare("observe", CALL, "--json")
    assert printed.code == 4
    kept = tmp_path / "kept.jsonl"
    kept.write_text(printed.out)
    assert "audio.speech" in lost(kept)


def test_of_a_folder(bare: Run, tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    shutil.copy(CALL, tmp_path / "talks" / "call.wav")
    (tmp_path / "talks" / "sales.csv").write_text("shop,sales\nNorth,3\n")
    ran = bare("observe", tmp_path / "talks", "--out", tmp_path / "out")
    assert ran.code == 4
    assert "2 records" in ran.out
    assert "audio.speech on call.wav" in ran.out
    assert "audio.speech" in lost(tmp_path / "out" / "call.wav.jsonl")
    assert from_jsonl((tmp_path / "out" / "sales.csv.jsonl").read_text().splitlines()).failures == ()


def test_of_what_is_exported(bare: Run, tmp_path: Path) -> None:
    first, again = tmp_path / "call.jsonl", tmp_path / "again.jsonl"
    made = bare("export", CALL, "--format", "jsonl", "-o", first)
    assert (made.code, "audio.speech on call.wav" in made.err) == (4, True)
    assert "audio.speech" in lost(first)
    # Nothing fails when a record is written anew; what it lacks is still told.
    passed_on = bare("export", first, "--format", "jsonl", "-o", again)
    assert (passed_on.code, "audio.speech on call.wav" in passed_on.err) == (0, True)
    assert again.read_text() == first.read_text()
    taken = bare("import", first)
    assert (taken.code, "audio.speech on call.wav" in taken.err) == (0, True)


def test_nothing_failed_is_no_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("shop,sales\nNorth,3\n")
    done = run("observe", tmp_path / "sales.csv", "--json")
    assert (done.code, json.loads(done.out)["failures"]) == (0, [])


@pytest.mark.parametrize(
    ("causes", "code"),
    [
        ([], 0),
        (["other"], 1),
        (["configuration"], 2),
        (["model", "other"], 5),
        (["other", "missing", "model"], 4),
        (["missing", "unreadable"], 3),
    ],
)
def test_the_exit_code_of_several(causes: list[Cause], code: int) -> None:
    assert failing.exit_code(Failure(encoder="x", reason="no", cause=cause) for cause in causes) == code


def test_a_failure_names_its_medium() -> None:
    medium = Media(id=f"sha256:{'0' * 64}", mime="audio/wave", modality="audio", name="call.wav", size=1)
    (line,) = failing.told([Failure(encoder="audio.speech", media=medium.id, reason="No.")], [medium])
    assert line == "audio.speech on call.wav: No."
