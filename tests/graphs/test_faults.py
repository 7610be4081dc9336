"""Whole debates at a server that fails: what a retry can save is saved, and every loss is named."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from consilience import Exchange, Expert, Protocol, Verdict, astream
from consilience.core.settings import Settings
from consilience.testing import Fault, FaultKind, FaultSchedule, ModelServer, at_rate, where, witness

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
THREE = tuple(Expert(name, f"the {name}") for name in ("reader", "clerk", "sceptic"))
DEBATE = Protocol("one round", exchange=Exchange(stops=()), rule="judge")
SPOTS = {"opening": "the clerk. Look only", "exchange": ", the clerk.", "judgement": "You are the judge."}


def fault_of(kind: FaultKind) -> Fault:
    return Fault(kind, 0.1 if kind == "slow_drip" else 0.01)


async def debated(settings: Settings, faults: FaultSchedule, **patience: Any) -> tuple[list[Any], Verdict, int]:
    quick = settings.model_copy(update={"retry_seconds": 0.01, "request_seconds": 1, **patience})
    with ModelServer(witness, faults=faults) as server:
        options: Any = {"settings": quick, "model": server.base_url, "experts": THREE, "protocol": DEBATE}
        events = [event async for event in astream(QUESTION, [NOTE], **options)]
        met = sum(call.fault is not None for call in server.calls)
    return [event for event in events if event.type == "seat_lost"], events[-1].verdict, met  # type: ignore[union-attr]


@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize("kind", get_args(FaultKind))
async def test_one_fault_costs_nothing_but_time(settings: Settings, kind: FaultKind, spot: str) -> None:
    lost, verdict, met = await debated(settings, where(SPOTS[spot], fault_of(kind), times=1))
    assert met == 1
    assert (verdict.status, lost) == ("complete", [])
    assert verdict.usage.calls == 8
    assert verdict.usage.failed <= 1


@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize("kind", ["server_error", "refusal", "wrong_schema", "truncated_json"])
async def test_a_fault_that_stays_costs_one_voice_and_is_named(settings: Settings, kind: FaultKind, spot: str) -> None:
    lost, verdict, _ = await debated(settings, where(SPOTS[spot], fault_of(kind)), retries=1)
    assert [(event.phase, event.expert) for event in lost] == [(spot, "judge" if spot == "judgement" else "clerk")]
    assert verdict.status == "partial"
    assert "upper room" in verdict.answer
    told = verdict.stop_reason if spot == "judgement" else verdict.seats[1].reason
    assert lost[0].reason in str(told)


async def test_a_third_of_all_calls_failing_loses_nothing(settings: Settings) -> None:
    kinds: tuple[FaultKind, ...] = ("rate_limit", "server_error", "reset", "truncated_json", "empty")
    lost, verdict, met = await debated(settings, at_rate(0.3, [fault_of(kind) for kind in kinds], seed=1))
    assert met > 0
    assert (verdict.status, lost) == ("complete", [])


@pytest.mark.parametrize("kind", ["server_error", "refusal", "wrong_schema"])
async def test_a_server_that_always_fails_is_an_answer_too(settings: Settings, kind: FaultKind) -> None:
    lost, verdict, _ = await debated(settings, lambda number, request: fault_of(kind), retries=1)
    assert (verdict.status, verdict.answer) == ("failed", "")
    assert len(lost) == 3
    assert all(event.reason in verdict.stop_reason for event in lost)


async def test_two_rounds_lost_for_one_reason_are_two_losses(settings: Settings) -> None:
    two = Protocol("two rounds", exchange=Exchange(rounds=2, stops=()), rule="judge")
    quick = settings.model_copy(update={"retry_seconds": 0.01, "retries": 1})
    with ModelServer(witness, faults=where(SPOTS["exchange"], Fault("server_error"))) as server:
        options: Any = {"settings": quick, "model": server.base_url, "experts": THREE, "protocol": two}
        events = [event async for event in astream(QUESTION, [NOTE], **options)]
        made = server.count
    verdict = events[-1].verdict  # type: ignore[union-attr]
    assert str(verdict.seats[1].reason).count("exchange:") == 2
    assert verdict.usage.calls == made
