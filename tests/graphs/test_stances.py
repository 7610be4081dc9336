from __future__ import annotations

import pytest
from consilience.agents import Citation, Claim, Position, Stance, Turn
from consilience.graphs.nodes import decide
from consilience.graphs.protocol import Protocol
from consilience.graphs.state import DebateState, SeatTaken
from consilience.graphs.verdicts import verdict_of

from consilience.observations import Media, Observation, Provenance, Record

MEDIA = Media(id="sha256:" + "0" * 64, mime="image/png", modality="image", name="sign", size=1)
LINE = Observation(
    kind="line",
    value={},
    text="x",
    provenance=Provenance(media=MEDIA.id, modality="image", tool="test", version="1"),
)
FOUR, NINE = "platform 4", "platform 9"


def turn(seat: str, answer: str, stance: Stance | None = None) -> Turn:
    claim = Claim(text=answer, citations=(Citation(label="i1", quote="x", observation="obs:1"),))
    position = Position(text=answer, stated="fully")
    return Turn(seat=seat, expert=seat, phase="opening", round=0, position=position, claims=(claim,), stance=stance)


def debated(*turns: Turn, options: tuple[str, ...] = (FOUR, NINE)) -> DebateState:
    seats = [SeatTaken(seat=t.seat, expert=t.expert, model="m", stance=t.stance) for t in turns]
    return {"question": "Which?", "options": list(options), "turns": list(turns), "seats": seats, "media": []}


ADVOCATES = (turn("C", NINE, Stance.defend(NINE)), turn("D", NINE, Stance.test(FOUR)))


async def test_parts_are_no_votes() -> None:
    state = debated(turn("A", FOUR), *ADVOCATES)
    decision = (await decide(Protocol("vote", rule="plurality"))(state))["decision"]
    assert decision.winner == FOUR
    assert decision.told.endswith("1 of 1 votes")


async def test_where_all_have_parts_nothing_wins() -> None:
    decision = (await decide(Protocol("vote", rule="plurality"))(debated(*ADVOCATES)))["decision"]
    assert decision.winner is None


@pytest.mark.parametrize("answer", [FOUR, NINE])
def test_parts_neither_agree_nor_dissent_and_are_shown(answer: str) -> None:
    state = debated(turn("A", answer), turn("B", answer), *ADVOCATES)
    # Without a judge the best supported own voice answers.
    record = Record([MEDIA], [LINE])
    verdict = verdict_of(state, record)
    assert verdict.answer == answer
    assert verdict.confidence.told == "2 of 2 seats"
    assert not verdict.dissent
    assert [fate.stance and fate.stance.aim for fate in verdict.seats] == [None, None, "defend", "test"]
    assert verdict.payoff is not None
    assert verdict.payoff.vote.answer == answer
