"""An answer whose judge cites nothing that holds is carried by what the seats have cited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from consilience import Expert, aask
from consilience.core.settings import Settings
from consilience.testing import ScriptedChatModel

SIGN, CALL = "Book club: upper room", "The book club meets on Thursday at half past six"
BOTH = "upper room, Thursday at half past six"


def label(prompt: str, words: str) -> str:
    """Of the first line that has the words."""
    found = re.search(rf"\[(t\d+)\] passage:[^\n]*{words}", prompt)
    assert found is not None
    return found[1]


def reply(messages: list[BaseMessage]) -> dict[str, Any]:
    """Seats join two lines into one answer; the judge repeats it and cites their statements, which are no lines."""
    prompt = messages[-1].text
    sign, call = (label(prompt, words) for words in ("upper room", "half past six"))
    if "You are the judge" in prompt:
        claims = [{"text": "Seat A says so", "label": sign, "quote": "Seat A: upper room"}]
        return {"claims": claims, "stated": "fully", "answer": f"It meets in the {BOTH}."}
    return {
        "evidence": [{"label": sign, "quote": "upper room"}, {"label": call, "quote": "Thursday at half past six"}],
        "stated": "fully",
        "answer": BOTH,
    }


@pytest.mark.parametrize("number", [1, 2])
async def test_lines_that_a_seat_joins_carry_its_answer_together(number: int, settings: Settings) -> None:
    experts = [Expert(f"reader {i}", "a reader") for i in range(number)]
    model = ScriptedChatModel(replies=reply)
    verdict = await aask(
        "Where and when?", [SIGN, CALL], model=model, settings=settings, experts=experts, protocol="panel"
    )
    assert [struck.claim.text for struck in verdict.struck] == ["Seat A says so"]
    # No line states place, day and time; both together do. Each is cited once, whoever else cites it.
    (claim,) = verdict.claims
    assert (claim.text, [citation.quote for citation in claim.citations]) == (
        BOTH,
        ["upper room", "Thursday at half past six"],
    )
    assert verdict.status == "complete"
