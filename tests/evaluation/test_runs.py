"""Runs over a scripted model: shared openings, going on after a break, and failures that stay in the count."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs import PROTOCOLS, Protocol, Workbench
from langchain_core.messages import BaseMessage
from langgraph._internal import _serde
from langgraph.checkpoint.serde import _msgpack

from consilience import ask
from consilience.core.settings import Settings
from consilience.evaluation import Journal, Openings, Question, Result, Run, draws_of, results
from consilience.testing import ScriptedChatModel

SPECIALISTS = [PROTOCOLS[name] for name in ("vote", "panel", "debate", "gated_debate")]
EVERYONE = list(PROTOCOLS.values())
ANSWERS = {"text": "platform 6", "table": "platform 4"}


def reply(messages: list[BaseMessage]) -> dict[str, Any]:
    """Each seat answers with what its own medium says, the judge with what the note says."""
    prompt = messages[-1].text
    judges = "You are the judge" in prompt
    seen = [answer for answer in ANSWERS.values() if answer in prompt]
    answer = "platform 6" if judges or "platform 6" in seen else seen[0]
    line = re.search(rf"\[(\w+)\] \w+[^\n]*: ([^\n]*{re.escape(answer)}[^\n]*)", prompt)
    label = line[1] if line else "x"
    if judges:
        claims = [{"text": answer, "label": label, "quote": answer}]
        return {"claims": claims, "stated": "fully", "answer": answer, "reason": "newer", "stronger": "neither"}
    return {"evidence": [{"label": label, "quote": answer}], "stated": "fully", "answer": answer}


def garbage(messages: list[BaseMessage]) -> str:
    return "no"


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Question, ...]:
    found = []
    for number in range(2):
        (tmp_path / f"note{number}.txt").write_text(f"Note {number}: the train now leaves from platform 6.")
        (tmp_path / f"plan{number}.csv").write_text(f"train,place\n{number},platform 4\n")
        found.append(
            Question(
                id=f"q{number}",
                record=f"r{number}",
                split="dev",
                kind="conflict",
                text=f"From which platform does train {number} leave?",
                options=("platform 4", "platform 6") if number else (),
                accepted=(("platform 6",),),
                rejected=() if number else ("platform 4",),
                media=(tmp_path / f"note{number}.txt", tmp_path / f"plan{number}.csv"),
            )
        )
    return tuple(found)


async def run(
    asked: Sequence[Question],
    protocols: Sequence[Protocol],
    folder: Path,
    settings: Settings,
    say: Callable[[list[BaseMessage]], Any] = reply,
    **options: Any,
) -> tuple[list[Result], list[str]]:
    """Results and the prompts that they took; `stop_after` breaks the run off."""
    model = ScriptedChatModel(replies=say)
    stop_after, found = options.pop("stop_after", None), []
    async with Workbench(model=model, settings=settings) as bench:
        course = results(bench, Run(asked, protocols, folder, **options))
        async for result in course:
            found.append(result)
            if len(found) == stop_after:
                await course.aclose()
    return found, [call.prompt for call in model.calls]


def openings_in(prompts: Sequence[str]) -> list[str]:
    return [prompt for prompt in prompts if "You are seat" not in prompt and "You are the judge" not in prompt]


async def test_openings_are_asked_once_for_all_protocols(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    found, prompts = await run(asked[:1], SPECIALISTS, tmp_path / "run", settings)
    assert len(openings_in(prompts)) == 2
    assert [result.protocol for result in found] == [protocol.name for protocol in SPECIALISTS]
    assert found[0].usage.calls == 2
    assert all(result.usage.calls > 2 for result in found[1:])
    assert [result.exchanged for result in found] == [False, False, True, True]


async def test_a_vote_of_approval_has_openings_of_its_own_in_which_it_asks(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    approval = Protocol("approval", rule="approval")
    _, prompts = await run(asked[1:], [PROTOCOLS["vote"], approval], tmp_path / "run", settings)
    blind = [prompt for prompt in openings_in(prompts) if "could not be used" not in prompt]
    assert ["approves" in prompt for prompt in blind] == [False, False, True, True]


@pytest.mark.parametrize("ungated", ["panel", "debate"])
async def test_a_gate_costs_no_call_where_what_follows_it_has_been_asked(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings, ungated: str
) -> None:
    # The first question's sources exclude each other, so that the gate lets them debate.
    alone, prompts = await run(asked[:1], [PROTOCOLS[ungated]], tmp_path / "alone", settings)
    protocols = [PROTOCOLS[ungated], PROTOCOLS["gated_debate"]]
    both, more = await run(asked[:1], protocols, tmp_path / "both", settings)
    assert both[1].exchanged
    assert (len(more) == len(prompts)) is (ungated == "debate")
    if ungated == "debate":
        assert both[1] == both[0].model_copy(update={"protocol": "gated_debate"})
    assert both[0].answer == alone[0].answer


async def test_the_state_is_read_back_without_a_warning(
    asked: tuple[Question, ...],
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As it is where nobody has asked LangGraph to be strict."""
    for module in (_msgpack, _serde):
        monkeypatch.setattr(module, "STRICT_MSGPACK_ENABLED", False)
    found, _ = await run(asked[:1], [PROTOCOLS["debate"]], tmp_path / "run", settings)
    assert found[0].exchanged
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_fewer_draws_are_the_first_ones_of_more(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    consistency = PROTOCOLS["self_consistency"]
    protocols = [PROTOCOLS["single"], consistency, *draws_of(consistency, 7)]
    found, prompts = await run(asked[:1], protocols, tmp_path / "run", settings)
    assert len(prompts) == 1 + 7
    assert {result.protocol: result.usage.calls for result in found} == {
        "single": 1,
        "self_consistency": 5,
        **{f"self_consistency@{number}": number for number in range(2, 8)},
    }


@pytest.mark.parametrize("number", [0, 1])
async def test_sharing_changes_neither_answer_nor_cost(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings, number: int
) -> None:
    question = asked[number]
    found, _ = await run([question], EVERYONE, tmp_path / "run", settings)
    for result in found:
        model = ScriptedChatModel(replies=reply)
        options = {"options": question.options, "protocol": result.protocol}
        alone = ask(question.text, question.media, model=model, settings=settings, **options)  # type: ignore[arg-type]
        assert (alone.answer, alone.status) == (result.answer, result.status), result.protocol
        assert (alone.usage.calls, alone.usage.tokens) == (result.usage.calls, result.usage.tokens), result.protocol
        assert alone.usage.calls == model.call_count
        assert result.confidence is not None
        assert (alone.confidence, alone.order_flipped) == (result.confidence, result.order_flipped)


async def test_a_run_goes_on_where_it_was_broken_off(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    whole, prompts = await run(asked, SPECIALISTS, tmp_path / "whole", settings)
    before, first = await run(asked, SPECIALISTS, tmp_path / "run", settings, stop_after=2)
    assert len(before) == 2
    after, second = await run(asked, SPECIALISTS, tmp_path / "run", settings)
    assert after[:2] == before
    assert [r.key for r in after] == [r.key for r in whole]
    assert sorted([*first, *second]) == sorted(prompts)
    assert (await run(asked, SPECIALISTS, tmp_path / "run", settings))[1] == []


async def test_a_line_that_was_cut_off_is_asked_again_and_no_other(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    whole, _ = await run(asked, SPECIALISTS, tmp_path / "run", settings)
    path = tmp_path / "run" / "results.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    again, prompts = await run(asked, SPECIALISTS, tmp_path / "run", settings)
    assert [(r.key, r.answer) for r in again] == [(r.key, r.answer) for r in whole]
    assert openings_in(prompts) == []
    assert [r.key for r in Journal(path, Result)] == [r.key for r in whole]


async def test_a_line_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text('{"question": "q0"}\n')
    with pytest.raises(ValueError, match=r"results\.jsonl, line 1"):
        list(Journal(tmp_path / "results.jsonl", Result))


async def test_another_seed_question_or_record_is_asked_anew(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    vote = [PROTOCOLS["vote"]]
    await run(asked[:1], vote, tmp_path / "run", settings)
    assert len((await run(asked[:1], vote, tmp_path / "run", settings, seeds=(0, 1)))[1]) == 2
    reworded = asked[0].model_copy(update={"text": "Which platform, please?"})
    assert len((await run([reworded], vote, tmp_path / "run", settings))[1]) == 2
    asked[0].media[0].write_text("Note 0: the train now leaves from platform 6, at the back.")
    assert len((await run(asked[:1], vote, tmp_path / "run", settings))[1]) == 2


async def test_what_fails_is_a_wrong_answer_and_can_be_asked_again(
    asked: tuple[Question, ...], tmp_path: Path, settings: Settings
) -> None:
    gone = asked[0].model_copy(update={"id": "gone", "media": (tmp_path / "gone.txt",)})
    questions = [gone, asked[1]]
    failed, _ = await run(questions, SPECIALISTS, tmp_path / "run", settings, say=garbage)
    assert len(failed) == 2 * len(SPECIALISTS)
    assert all(result.status == "failed" and not result.right and result.reason for result in failed)
    assert "gone.txt" in failed[0].reason
    kept, prompts = await run(questions, SPECIALISTS, tmp_path / "run", settings)
    assert prompts == []
    assert [r.status for r in kept] == ["failed"] * len(failed)
    better, prompts = await run(questions, SPECIALISTS, tmp_path / "run", settings, again=True)
    assert len(prompts) > 0
    assert [r.status == "failed" for r in better] == [True] * 4 + [False] * 4


async def test_openings_are_told_and_kept(asked: tuple[Question, ...], tmp_path: Path, settings: Settings) -> None:
    told: list[Openings] = []
    await run(asked[:1], SPECIALISTS, tmp_path / "run", settings, on_openings=told.append)
    assert told == list(Journal(tmp_path / "run" / "openings.jsonl", Openings))
    (openings,) = told
    assert [turn.position.text for turn in openings.turns] == ["platform 6", "platform 4"]
    first = openings.of_first(1)
    assert ([seat.seat for seat in first.seats], len(first.turns), len(first.spent)) == (["A"], 1, 1)
