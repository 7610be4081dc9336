"""decide: the rule that fits the task names the answer, or leaves it to the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consilience.agents import Turn
from consilience.graphs.events import Decided, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.protocol import Protocol
from consilience.graphs.standings import best_supported, final_turns, named_positions, own_voices
from consilience.graphs.state import DebateState, Draft
from consilience.graphs.tracing import traced

from consilience.fusion import JUDGE, RULES, Ballot, Decision, Rule, option_of, rule_for, rule_named
from consilience.fusion.ballots import leading

__all__ = ["decide"]


def decide(protocol: Protocol) -> Node:
    """Makes the node that counts the seats' last positions by the protocol's rule.

    A winner, or on a tie the one whose holders cite the most, becomes the draft; where the rule is `judge`, or nothing
    wins, there is no draft, and the judge has the word if the graph has one.
    """

    @traced
    async def decide(state: DebateState) -> dict[str, Any]:
        options = tuple(state.get("options", ()))
        turns = own_voices(final_turns(state.get("turns", [])))
        named = named_positions(turns, options)
        reliable = {seat.seat: seat.reliability for seat in state.get("seats", [])}
        odds = {one.seat: one.probabilities for one in state.get("odds", [])}
        ballots = [
            _ballot(turn, position, options, odds.get(turn.seat, {}), reliable.get(turn.seat))
            for turn, position in zip(turns, named, strict=True)
        ]
        rule = protocol.rule or rule_for(options, ballots)
        # What a person has found is for the judge to answer by, and not for those who did not know it to vote down.
        if rule == JUDGE or state.get("resolution"):
            return {"decision": None}
        decision = _counted(rule_named(rule, protocol.share), ballots, options)
        emit(Decided(decision=decision))
        return {"decision": decision, "draft": _draft(decision, turns, named, options)}

    return decide


def _ballot(
    turn: Turn, position: str | None, options: Sequence[str], odds: Mapping[str, float], reliability: float | None
) -> Ballot:
    """What a seat says in the end, and what its model's odds add: how it ranks the rest."""
    ranked = sorted((option for option in odds if option != position), key=lambda option: -odds[option])
    return Ballot(
        voter=turn.seat,
        choice=position,
        approvals=_approvals(turn, position, options),
        ranking=(position, *ranked) if position and ranked else (),
        probabilities=dict(odds),
        reliability=reliability,
    )


def _approvals(turn: Turn, position: str | None, options: Sequence[str]) -> tuple[str, ...]:
    """The options that it accepts, its choice first; what it names that is none of them is dropped."""
    others = (option_of(said, options) for said in turn.position.approves if turn.position.answers)
    return tuple(dict.fromkeys(option for option in (position, *others) if option is not None))


def _counted(rule: Rule, ballots: Sequence[Ballot], options: Sequence[str]) -> Decision:
    """The decision; where a pool finds no odds of any seat, the vote, which is told."""
    if rule.needs != "probabilities" or any(ballot.probabilities for ballot in ballots):
        return rule(ballots, options)
    vote = RULES["plurality"](ballots, options)
    return vote.model_copy(update={"told": f"no seat told odds for a {rule.name.replace('_', ' ')}; {vote.told}"})


def _draft(
    decision: Decision, turns: Sequence[Turn], named: Sequence[str | None], options: Sequence[str]
) -> Draft | None:
    """The winner, in the words of its best supported holder where the question is open, with what is cited for it.

    Of positions that are level, the one whose holder has the most support answers, and answers in part; so does one
    that leads and lacks what the rule asks of a winner.
    """
    leaders = leading(decision.tally) if decision.tally else ()
    wanted = leaders if decision.winner is None else (decision.winner,)
    held = [(turn, position) for turn, position in zip(turns, named, strict=True) if position in wanted]
    if not held:
        # The odds may favour what nobody said: then nothing is cited for it yet.
        unsaid = decision.winner is not None and decision.winner in options
        return Draft(answer=decision.winner or "", stated="partly", claims=()) if unsaid else None
    best = best_supported([turn for turn, _ in held])
    answer = next(position for turn, position in held if turn is best)
    claims = (claim for turn, position in held if position == answer for claim in turn.claims if claim.holds)
    by_citation = {(c.label, c.quote): claim for claim in claims for c in claim.citations}
    return Draft(
        answer=answer if answer in options else best.position.text,
        stated=best.position.stated if decision.winner is not None else "partly",
        claims=tuple(dict.fromkeys(by_citation.values())),
    )
