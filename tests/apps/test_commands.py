"""The command line on a model server: what is printed, what is not, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience import Verdict
from consilience.apps import checking
from consilience.core.settings import Settings
from consilience.testing import ModelServer, witness

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
QUESTION = "Where does the book club meet?"
Run = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rooms.csv"
    path.write_text("club,room\nbook,upper room\nchess,cellar\n")
    return path


def test_ask_tells_the_debate_and_the_answer(run: Run, server: ModelServer, note: Path) -> None:
    ran = run("ask", QUESTION, note)
    assert ran.code == 0
    for told in ("The record", "Openings", "Exchange, round 1", "Answer (complete)", "upper room", "Pay-off", "[t1]"):
        assert told in ran.out
    assert len(server.calls) == 2 + 2 + 1


def test_a_conflict_is_put_to_the_judge_first(run: Run, server: ModelServer, note: Path, table: Path) -> None:
    ran = run("ask", QUESTION, note, table)
    assert "Which source is newer or overrides the other" in ran.out
    assert len(server.calls) == 2 + 2 + 2


def test_json_is_one_verdict_and_nothing_else(run: Run, server: ModelServer, note: Path) -> None:
    ran = run("ask", QUESTION, note, "--json")
    verdict = Verdict.model_validate_json(ran.out)
    assert verdict.status == "complete"
    assert verdict.claims[0].citations[0].observation == verdict.evidence[0].observation.id
    assert ran.out.count("\n") == 1


def test_rounds_are_as_many_as_asked_for(run: Run, server: ModelServer, note: Path) -> None:
    run("ask", QUESTION, note, "--rounds", "0", "--json")
    assert len(server.calls) == 2 + 1
    assert run("ask", QUESTION, note, "--rounds", "9").code == 2


def test_a_place_is_read_again_where_that_is_asked_for(run: Run) -> None:
    def closer(request: dict[str, Any]) -> dict[str, Any]:
        reply = witness(request)
        if "read_again" in reply:
            wanted = {"medium": "scene.png", "encoder": "image.text", "box": [0, 0, 100, 50], "settings": []}
            reply["read_again"] = [wanted]
        return reply

    with ModelServer(closer) as asking:
        command = ("ask", QUESTION, MEDIA / "scene.png", "--model", asking.base_url, "--look-again")
        ran = run(*command, "2")
        told = "asked for image.text on 'scene.png', box 0 0 100 50 %: "
        # As it happens, and in the verdict.
        assert ran.out.count(f"Seats A, B {told}") == 2
        ran = run(*command, "2", "--json")
        (line,) = json.loads(ran.out)["looks"]
        assert line.endswith("new (cached)")
        ran = run(*command, "0", "--json")
        assert json.loads(ran.out)["looks"] == []
    assert run("ask", QUESTION, MEDIA / "scene.png", "--look-again", "-1").code == 2


def test_own_experts_sit_down(run: Run, server: ModelServer, note: Path) -> None:
    ran = run("ask", QUESTION, note, "--expert", "text", "--expert", "critic=a critic", "--json")
    assert [seat["expert"] for seat in json.loads(ran.out)["seats"]] == ["text", "critic"]
    assert any("You are a critic" in call.body["messages"][-1]["content"] for call in server.calls)


def test_an_unknown_expert_is_told_with_the_choices(run: Run, server: ModelServer, note: Path) -> None:
    ran = run("ask", QUESTION, note, "--expert", "plumber")
    assert ran.code == 2
    assert "plumber" in ran.err
    assert "image, audio" in ran.err
    assert "--expert 'plumber=an expert who ...'" in ran.err
    assert "Did you mean 'prosody'?" in run("ask", QUESTION, note, "--expert", "prosodie").err
    assert not server.calls


def test_routed_experts_who_see_nothing_do_not_sit_down(run: Run, server: ModelServer, note: Path) -> None:
    given = ("ask", QUESTION, note, "--expert", "table", "--expert", "text", "--route")
    told = json.loads(run(*given, "--json").out)
    assert [seat["expert"] for seat in told["seats"]] == ["text"]
    assert told["passed_over"] == [{"expert": "table", "reason": "nothing that it sees was observed"}]
    assert "Not seated: table: nothing that it sees was observed" in run(*given).out
    assert [seat["expert"] for seat in json.loads(run(*given, "--dry-run", "--json").out)["seats"]] == ["text"]


def test_a_ready_specialist_has_its_own_model(run: Run, server: ModelServer, note: Path) -> None:
    ran = run("ask", QUESTION, note, "--expert", f"sceptic@{server.base_url}#other", "--expert", "text", "--json")
    assert [seat["model"].partition("#")[2] for seat in json.loads(ran.out)["seats"]] == ["other", ""]


def test_trace_holds_events_record_and_verdict(run: Run, server: ModelServer, note: Path, tmp_path: Path) -> None:
    run("ask", QUESTION, note, "--trace", tmp_path / "trace", "--json")
    events = [json.loads(line) for line in (tmp_path / "trace/events.jsonl").read_text().splitlines()]
    assert (events[0]["type"], events[-1]["type"]) == ("started", "finished")
    assert "[t1] passage" in (tmp_path / "trace/record.txt").read_text()
    assert Verdict.model_validate_json((tmp_path / "trace/verdict.json").read_text()).answer


def test_dry_run_calls_nobody(run: Run, server: ModelServer, note: Path) -> None:
    plan = json.loads(run("ask", QUESTION, note, "--dry-run", "--json").out)
    assert (plan["calls"], plan["encoders"][0]["cached"]) == (2 * 2 + 2, False)
    assert plan["prompt_tokens"] > 0
    shown = run("ask", QUESTION, note, "--dry-run")
    assert "At most 6 calls" in shown.out
    assert not server.calls


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        (("--protocol", "single"), 1),
        (("--protocol", "vote"), 2),
        (("--protocol", "panel"), 4),
        (("--rounds", "2"), 8),
        (("--rounds", "2", "--budget", "rounds=1,tokens=9000,seconds=60,perception=0.5"), 6),
        (("--protocol", "vote", "--budget", "rounds=1"), 2),
        (("--budget", "rounds=0"), 4),
        (("--option", "yes", "--option", "no"), 4),
        (("--option", "yes", "--option", "no", "--rule", "judge"), 6),
    ],
)
def test_the_most_calls_are_told_beside_what_cheaper_ways_take(
    run: Run, server: ModelServer, note: Path, asked: tuple[str, ...], calls: int
) -> None:
    plan = json.loads(run("ask", QUESTION, note, *asked, "--dry-run", "--json").out)
    assert plan["calls"] == calls
    assert plan["vote_tokens"] == len(plan["seats"]) * plan["single_tokens"]
    assert plan["draws"] == (plan["prompt_tokens"] + plan["completion_tokens"]) // plan["single_tokens"] >= 1
    assert not server.calls


def test_a_pool_without_odds_is_told_to_be_a_vote(run: Run, server: ModelServer, note: Path) -> None:
    options = ("--option", "upper room", "--option", "cellar")
    ran = run("ask", QUESTION, note, "--protocol", "vote", *options, "--rule", "linear_pool")
    assert "no seat told odds for a linear pool; 'upper room' by plurality" in " ".join(ran.out.split())
    assert "100% by agreement: 2 of 2 seats" in ran.out


def test_a_rule_that_is_none_is_refused_by_name(run: Run, note: Path) -> None:
    refused = run("ask", QUESTION, note, "--rule", "linear-pool")
    assert refused.code == 2
    assert "linear_pool" in refused.err


def test_no_cache_encodes_anew(run: Run, server: ModelServer, note: Path) -> None:
    run("observe", note)
    assert "(cached)" in run("ask", QUESTION, note).out
    assert "(cached)" not in run("ask", QUESTION, note, "--no-cache").out


def test_evidence_that_does_not_answer_has_a_code_of_its_own(
    run: Run, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(request: dict[str, Any]) -> Any:
        form = request["response_format"]["json_schema"]["schema"]["properties"]
        lists = {name: [] for name in form if form[name]["type"] == "array"}
        return {**lists, "stated": "not", "answer": "not stated"}

    with ModelServer(silent) as server:
        monkeypatch.setenv("CONSILIENCE_MODEL", server.base_url)
        ran = run("ask", "What does the cake cost?", note, "--json")
    assert ran.code == 7
    assert json.loads(ran.out)["status"] == "abstained"


def test_observe_shows_the_record(run: Run, table: Path) -> None:
    shown = run("observe", table)
    assert shown.code == 0
    assert "upper room" in shown.out
    record = json.loads(run("observe", table, "--json").out)
    assert record["media"][0]["modality"] == "table"
    assert {observation["kind"] for observation in record["observations"].values()} >= {"table", "row", "column"}
    assert record["failures"] == []


def test_the_lists_of_what_there_is(run: Run) -> None:
    assert "image.text" in run("tools", "list").out
    assert "audio.speech" in {tool["name"] for tool in json.loads(run("tools", "list", "--json").out)["encoders"]}
    assert "whisper-base" in run("weights", "list").out
    weights = {entry["name"]: entry for entry in json.loads(run("weights", "list", "--json").out)["weights"]}
    assert weights["smollm2-135m"]["licence"] == "Apache-2.0"


def test_weights_are_verified_and_found(run: Run) -> None:
    assert "whisper-base: right" in run("weights", "verify", "whisper-base").out
    folder = Path(run("weights", "path", "whisper-base").out.strip())
    assert (folder / "model.bin").is_file()
    unknown = run("weights", "path", "whisper-bass")
    assert unknown.code == 2
    assert "whisper-base" in unknown.err


def test_doctor_names_what_is_missing_and_the_cure(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "empty"))
    ran = run("doctor")
    assert ran.code == 4
    assert "consilience weights pull whisper-base" in ran.out
    findings = {found["what"]: found for found in json.loads(run("doctor", "--json").out)["findings"]}
    assert findings["extra image"]["state"] == "good"
    assert findings["weights whisper-base"]["cure"] == "consilience weights pull whisper-base"


@pytest.mark.parametrize("command", [[], ["ask"], ["observe"], ["weights"], ["tools"], ["chat"]])
def test_help_teaches(run: Run, command: list[str]) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out
    if command in ([], ["ask"]):
        assert "Exit codes" in ran.out


@pytest.mark.parametrize(
    ("given", "told"), [("tokens", "no limit with a number"), ("tokens=x", "no limit"), ("hours=2", "no limit hours")]
)
def test_a_budget_that_is_none_is_told_with_the_cure(run: Run, table: Path, given: str, told: str) -> None:
    refused = run("ask", "Where?", table, "--budget", given)
    assert refused.code == 2
    assert told in refused.err
    assert "--budget tokens=20000" in refused.err


def test_names_with_brackets_are_shown_as_they_are(run: Run, server: ModelServer, tmp_path: Path) -> None:
    note = tmp_path / "note [red] [1].txt"
    note.write_text("The book club meets in the upper room.")
    assert "note [red] [1].txt" in run("ask", QUESTION, note, "--dry-run").out
    assert "note [red] [1].txt" in run("ask", QUESTION, note).out
    assert "note [red] [1].txt" in run("observe", note).out
    out = tmp_path / "records [2]"
    assert "records [2]" in run("observe", note, "--out", out).out.replace("\n", "")


def test_the_embedded_model_costs_nothing(run: Run, note: Path) -> None:
    ran = run("ask", QUESTION, note, "--model", "embedded", "--dry-run")
    assert "no cost: it runs here" in ran.out
    assert "$" not in ran.out


def test_one_is_counted_as_one(run: Run, note: Path, tmp_path: Path) -> None:
    assert "1 record with" in run("observe", note, "--out", tmp_path / "out").out


def test_a_licence_that_nobody_states_is_told_in_words(run: Run) -> None:
    listed = run("weights", "list").out
    assert "licence not stated" in listed
    assert "NOASSERTION" not in listed


def test_the_beginning_of_a_name_finds_it(run: Run) -> None:
    refused = run("weights", "pull", "qwen")
    assert refused.code == 2
    assert "Did you mean 'qwen2.5-coder-1.5b'?" in refused.err


def needed_weights(folder: Path) -> list[str]:
    """What runs by itself wants, linked into `folder` from the machine's."""
    names = ["qwen2.5-coder-1.5b", "whisper-base", "objects-ssd"]
    (folder / "weights").mkdir(parents=True)
    for name in names:
        (folder / "weights" / name).symlink_to(Settings().weights_dir / name)
    return names


def test_weights_that_nothing_needs_by_itself_are_optional(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = needed_weights(tmp_path / "few")
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "few"))
    monkeypatch.setenv("CONSILIENCE_MODEL", "embedded")
    ran = run("doctor", "--json")
    states = {found["what"]: found["state"] for found in json.loads(ran.out)["findings"]}
    assert {states[f"weights {name}"] for name in names} == {"good"}
    assert {states[f"weights {name}"] for name in ("smollm2-135m", "sounds-yamnet", "pose")} == {"optional"}
    assert (ran.code == 0) == (set(states.values()) <= {"good", "optional"})
    assert "optional" in run("doctor").out
    (tmp_path / "few" / "weights" / "objects-ssd").unlink()
    assert run("doctor").code == 4
    # What is allowed is wanted.
    monkeypatch.setenv("CONSILIENCE_BIOMETRICS", "true")
    states = {found["what"]: found["state"] for found in json.loads(run("doctor", "--json").out)["findings"]}
    assert "missing" in {states["weights pose"], states["weights face-detection"]}


def test_the_cure_for_a_missing_extra_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "missing_packages", lambda extra: ("rapidocr",) if extra == "image" else ())
    assert "pip install 'consilience[image]'" in run("doctor").out
