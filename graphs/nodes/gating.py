"""gate and settle: whether there is an exchange at all, and whether there is another round of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from consilience.agents import Turn
from consilience.graphs.events import GateDecided, Settled, emit
from consilience.graphs.nodes.perception import Node
from consilience.graphs.protocol import Exchange
from consilience.graphs.seating import seats_of
from consilience.graphs.standings import cited_by, last_round, named_positions, own_voices, standings
from consilience.graphs.state import DebateState
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Panel, Workbench

from consilience.core.counted import counted
from consilience.fusion import Opening, Stop, agreement, decline, no_new_evidence, stability, support
from consilience.fusion import gate as gate_of
from consilience.observations import Observation, Record

__all__ = ["gate", "settle"]


def gate(bench: Workbench, panel: Panel) -> Node:
    """Makes the node that looks for a ground to debate: see `consilience.fusion.gate`."""

    @traced
    async def gate(state: DebateState) -> dict[str, Any]:
        record = await bench.records.of(state)
        openings = [turn for turn in state.get("turns", []) if turn.round == 0]
        seats = await seats_of(bench, panel, record, state)
        views = {seat.letter: frozenset(seat.expert.sees.modalities) for seat in seats}
        named = named_positions(openings, state.get("options", ()))
        found = gate_of(
            [
                Opening(
                    voter=turn.seat,
                    position=position if turn.stance is None else None,
                    stated=turn.position.stated,
                    cited=_cited(turn, record),
                    view=views.get(turn.seat, frozenset()),
                )
                for turn, position in zip(openings, named, strict=True)
            ],
            [observation for _, observation in record if observation.kind == "conflict"],
            # One medium is all that a record of one can be cited from.
            independent=min(2, len({(o.provenance.media, o.provenance.modality) for _, o in record}) or 1),
        )
        emit(GateDecided(gate=found))
        return {"gate": found}

    return gate


def _cited(turn: Turn, record: Record) -> tuple[Observation, ...]:
    labels = dict.fromkeys(c.label for claim in turn.claims for c in claim.citations if c.holds)
    return tuple(record[label] for label in labels)


def settle(exchange: Exchange, *, allowed: int | None = None) -> Node:
    """Makes the node behind a round of exchange that says whether it was the last one, and why.

    Args:
        exchange: that was agreed on.
        allowed: how many rounds of it the run's budget allows, 0 or more: with 0 the node stands in the place of the
            first one; None: all.
    """

    @traced
    async def settle(state: DebateState) -> dict[str, Any]:
        stop = _spent(state) or _stop(state, exchange, allowed)
        if stop is not None:
            emit(Settled(stop=stop))
        return {"stop": stop}

    return settle


def _spent(state: DebateState) -> Stop | None:
    lost = [loss for loss in state.get("losses", []) if loss.budget]
    return Stop(rule="budget", reason=lost[0].reason) if lost else None


def _stop(state: DebateState, exchange: Exchange, allowed: int | None) -> Stop | None:
    turns = state.get("turns", [])
    number = last_round(turns)
    speaking = {turn.seat for turn in turns if turn.round == number}
    if len(speaking) < 2 or (number == 0 and allowed != 0):
        return Stop(rule="rounds", reason="there are not two seats that can answer one another")
    if number and (stop := _ruled(state, exchange)):
        return stop
    if number >= exchange.rounds:
        return Stop(rule="rounds", reason=f"{counted(number, 'round')} of exchange were agreed on")
    if allowed is not None and number >= allowed:
        told = counted(allowed, "round") if allowed else "no round"
        agreed = "1 was" if exchange.rounds == 1 else f"{exchange.rounds} were"
        return Stop(rule="budget", reason=f"the budget allows {told} of exchange, and {agreed} agreed on")
    return None


def _ruled(state: DebateState, exchange: Exchange) -> Stop | None:
    """What the stops of the exchange say of its last round."""
    turns = state.get("turns", [])
    number = last_round(turns)
    held = standings(own_voices(turns), state.get("options", ()))
    now = [turn for turn in turns if turn.round == number]
    before = [turn for turn in turns if turn.round < number]
    rules: dict[str, Callable[[], Stop | None]] = {
        "agreement": lambda: agreement(held[-1]),
        "stability": lambda: stability(held),
        "no_new_evidence": lambda: no_new_evidence(_all_cited(now), _all_cited(before)),
        "decline": lambda: decline(held[-2], held[-1], support(held[-2], cited_by(before))),
    }
    return next((stop for name in exchange.stops if (stop := rules[name]())), None)


def _all_cited(turns: Sequence[Turn]) -> set[str]:
    return set().union(*cited_by(turns).values())
