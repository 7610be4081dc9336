"""`consilience ask --thread`, `resume` and `replay`: what is kept, what is asked of a person, and the exit codes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience import Verdict
from consilience.testing import ModelServer, witness

QUESTION = "Where does the book club meet?"
Run = Callable[..., Any]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("The book club meets in the upper room.")
    return path


def test_what_is_kept_is_resumed_and_replayed_without_a_call(
    run: Run, note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ("--checkpoint", f"sqlite:///{tmp_path / 'runs.sqlite'}", "--json")
    with ModelServer(witness) as server:
        monkeypatch.setenv("CONSILIENCE_MODEL", server.base_url)
        ran = run("ask", QUESTION, note, "--thread", "club", "--protocol", "panel", "--expert", "text", *kept)
    assert ran.code == 0
    assert run("resume", "club", *kept).out == ran.out
    assert run("replay", "club", *kept).out == ran.out
    assert "upper room" in run("replay", "club", *kept[:2]).out


def test_a_pause_is_told_and_answered_later(run: Run, server: ModelServer, note: Path) -> None:
    paused = run("ask", QUESTION, note, "--thread", "club", "--pause", "judge", "--json")
    assert paused.code == 6
    told = json.loads(paused.out)
    assert (told["thread"], told["paused"]["at"]) == ("club", "judge")
    assert run("resume", "club").code == 6
    said = ("--edit", "In the upper room", "--cite", "t1=upper room")
    answered = run("resume", "club", *said, "--json")
    verdict = Verdict.model_validate_json(answered.out)
    assert (answered.code, verdict.answer) == (0, "In the upper room")
    assert verdict.claims[0].citations[0].holds
    assert "waits for nobody" in run("resume", "club", "--approve").err


def test_at_a_terminal_the_person_is_asked_at_once(
    run: Run, server: ModelServer, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("answer\n\nOn the roof\nt1=upper room\n"))
    ran = run("ask", QUESTION, note, "--thread", "club", "--pause", "judge")
    assert ran.code == 0
    assert "Shall the answer be decided?" in ran.out
    assert "person: On the roof" in ran.out
    assert len(server.calls) == 6


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("resume", "nothing"), "Unknown thread 'nothing'"),
        (("replay", "nothing"), "Unknown thread 'nothing'"),
        (("resume", "club", "--edit", "x", "--approve"), "not one thing"),
        (("resume", "club", "--edit", " "), "not one thing"),
        (("resume", "club", "--edit", "x", "--cite", "t1"), "cites nothing"),
        (("resume", "club", "--cite", "t1=x"), "not one thing"),
        (("ask", QUESTION, "NOTE", "--pause", "judge"), "--thread NAME"),
        (("ask", QUESTION, "NOTE", "--pause", "juge", "--thread", "x"), "Did you mean 'judge'"),
        (("ask", QUESTION, "NOTE", "--thread", "x", "--checkpoint", "redis://x"), "sqlite:///file"),
    ],
)
def test_what_cannot_be_done_says_why(
    arguments: tuple[str, ...], about: str, run: Run, server: ModelServer, note: Path
) -> None:
    ran = run(*(str(note) if argument == "NOTE" else argument for argument in arguments))
    assert ran.code == 2
    assert about in ran.err
    assert server.calls == ()
