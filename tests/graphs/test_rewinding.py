"""Going back to an earlier step of a finished run: what was changed there counts, what came before is not redone."""

from __future__ import annotations

from typing import Any

import pytest
from consilience.graphs import Exchange, Protocol, Rewind, replay

from consilience import Expert, Verdict, aask
from consilience.core.errors import BadConfiguration, UnknownName
from consilience.core.settings import Settings
from consilience.testing import ModelServer

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"
PAIR = (Expert("reader", "a reader"), Expert("sceptic", "a sceptic"))


async def asked(server: ModelServer, settings: Settings, **options: Any) -> Verdict:
    given: dict[str, Any] = {"experts": PAIR, "model": server.base_url, "protocol": "debate", **options}
    return await aask(QUESTION, [NOTE], thread="one", settings=settings, **given)


async def back(settings: Settings, before: str, round_: int | None = None, **change: Any) -> Verdict:
    options = change.pop("given", {})
    to = Rewind(before=before, round=round_, **change)
    return await aask(thread="one", settings=settings, resume=to, **options)


async def test_another_position_is_heard_from_there_on(server: ModelServer, settings: Settings) -> None:
    first = await asked(server, settings)
    made = len(server.calls)
    second = await back(settings, "exchange", positions={"B": "On the roof."})
    after = [call.text for call in server.calls[made:]]
    # The openings stand: two seats in the exchange, and the judge.
    assert sum("You are seat" in text for text in after) == 2
    assert not any("You are seat" not in text and "You are the judge" not in text for text in after)
    assert all("On the roof." in text for text in after)
    assert not any("On the roof." in call.text for call in server.calls[:made])
    assert second.usage.calls == 2 + len(after)
    assert first.status == second.status == "complete"


async def test_another_question_is_judged_over_the_same_turns(server: ModelServer, settings: Settings) -> None:
    await asked(server, settings)
    made = len(server.calls)
    verdict = await back(settings, "judge", question="Which room is it?")
    assert verdict.question == "Which room is it?"
    assert len(server.calls) > made
    assert all("You are the judge" in call.text and "Which room is it?" in call.text for call in server.calls[made:])


async def test_any_round_can_be_gone_back_to(server: ModelServer, settings: Settings) -> None:
    await asked(server, settings, protocol=Protocol("two rounds", exchange=Exchange(rounds=2, stops=())))
    made = len(server.calls)
    await back(settings, "exchange", 1, positions={"A": "In the yard."})
    second_round = sum("You are seat" in call.text for call in server.calls[made:])
    made = len(server.calls)
    await back(settings, "exchange", 0)
    assert (second_round, sum("You are seat" in call.text for call in server.calls[made:])) == (2, 4)


async def test_how_it_goes_on_may_be_changed(server: ModelServer, settings: Settings) -> None:
    await asked(server, settings, options=("upper room", "cellar"), protocol="vote")
    verdict = await back(settings, "decide", given={"protocol": Protocol("judged", rule="judge")})
    assert any("You are the judge" in call.text for call in server.calls)
    assert verdict.status == "complete"


async def test_it_is_the_threads_end_from_then_on(server: ModelServer, settings: Settings) -> None:
    await asked(server, settings)
    verdict = await back(settings, "exchange", positions={"B": "On the roof."})
    made = len(server.calls)
    assert await aask(thread="one", resume=True, settings=settings) == verdict
    assert len(server.calls) == made
    with pytest.raises(BadConfiguration, match="something changed"):
        await replay(thread="one", settings=settings)


async def test_a_step_or_a_seat_that_is_none_is_told(server: ModelServer, settings: Settings) -> None:
    await asked(server, settings)
    with pytest.raises(UnknownName, match="exchange"):
        await back(settings, "exchang")
    with pytest.raises(UnknownName, match="exchange:7"):
        await back(settings, "exchange", 7)
    with pytest.raises(UnknownName, match="seat 'Z'"):
        await back(settings, "exchange", positions={"Z": "Here."})
