"""The controller: the debate's state, nodes, events and ready graphs, and the functions that run them."""

from consilience.graphs.debate import DebateGraph, debate
from consilience.graphs.events import (
    AnswerDelta,
    ClaimStruck,
    Event,
    Finished,
    LookedAgain,
    Perceived,
    PhaseStarted,
    PullingWeights,
    Reconciled,
    Recorded,
    Resolved,
    SeatLost,
    Started,
    TurnTaken,
)
from consilience.graphs.run import AskOptions, aask, ask, astream
from consilience.graphs.state import Asked, DebateState
from consilience.graphs.workbench import Panel, Workbench

__all__ = [
    "AnswerDelta",
    "AskOptions",
    "Asked",
    "ClaimStruck",
    "DebateGraph",
    "DebateState",
    "Event",
    "Finished",
    "LookedAgain",
    "Panel",
    "Perceived",
    "PhaseStarted",
    "PullingWeights",
    "Reconciled",
    "Recorded",
    "Resolved",
    "SeatLost",
    "Started",
    "TurnTaken",
    "Workbench",
    "aask",
    "ask",
    "astream",
    "debate",
]
