"""`consilience ask --thread`, `resume` and `replay`: what is kept, what is asked of a person, and the exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience import Verdict
from consilience.testing import ModelServer, witness

QUESTION = "Where does the book club meet?"
Run = Callable[..., Any]


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


def test_a_run_is_gone_back_in(run: Run, server: ModelServer, note: Path) -> None:
    run("ask", QUESTION, note, "--thread", "club", "--expert", "text", "--expert", "table", "--json")
    made = len(server.calls)
    ran = run("resume", "club", "--back-to", "judge", "--question", "Which room is it?", "--json")
    assert ran.code == 0
    assert Verdict.model_validate_json(ran.out).question == "Which room is it?"
    assert all("You are the judge" in call.text for call in server.calls[made:])
    told = run("resume", "club", "--back-to", "nowhere")
    assert (told.code, "judge" in told.err) == (2, True)
    assert "--back-to" in run("resume", "club", "--question", "Which?").err


@pytest.mark.parametrize("kept", [True, False])
def test_ctrl_c_tells_how_to_go_on(kept: bool, note: Path, tmp_path: Path) -> None:
    """The process is interrupted while the first call is in flight."""
    process: list[subprocess.Popen[str]] = []

    def interrupts(request: dict[str, Any]) -> dict[str, Any]:
        process[0].send_signal(signal.SIGINT)
        process[0].wait()
        return witness(request)

    place = ["--thread", "club", "--checkpoint", f"sqlite:///{tmp_path / 'my runs.sqlite'}"] if kept else []
    with ModelServer(interrupts) as server:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment |= {"CONSILIENCE_MODEL": server.base_url, "CONSILIENCE_CACHE_DIR": str(tmp_path / "cache")}
        command = [sys.executable, "-m", "consilience.apps.cli", "ask", QUESTION, str(note), "--expert", "text", *place]
        process.append(
            subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
                # Who starts the tests in the background of a shell hands down that interrupts are ignored.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        )
        _, err = process[0].communicate()
    assert process[0].returncode == 130
    assert ("consilience resume club --checkpoint 'sqlite:" in err, "--thread NAME" in err) == (kept, not kept)
