"""The controller: the debate's state, nodes, events and ready graphs, and the functions that run them."""

from consilience.graphs.checkpoints import checkpointer
from consilience.graphs.debate import DebateGraph, debate
from consilience.graphs.events import (
    AnswerDelta,
    ClaimStruck,
    Comparing,
    Decided,
    Event,
    Failed,
    Finished,
    GateDecided,
    LookedAgain,
    Paused,
    Perceived,
    PhaseStarted,
    PullingWeights,
    Reconciled,
    Recorded,
    Resolved,
    Seated,
    SeatLost,
    Settled,
    Started,
    ToolCalled,
    TurnTaken,
    Used,
    Weighed,
    course_of,
)
from consilience.graphs.guidance import Guidance, Pause, Rewind
from consilience.graphs.options import AskOptions
from consilience.graphs.protocol import PROTOCOLS, Exchange, Protocol, protocol_named
from consilience.graphs.readings import Looks
from consilience.graphs.run import aask, ask, astream, replay
from consilience.graphs.state import Asked, DebateState
from consilience.graphs.topology import Topology, neighbours
from consilience.graphs.workbench import Panel, Workbench

__all__ = [
    "PROTOCOLS",
    "AnswerDelta",
    "AskOptions",
    "Asked",
    "ClaimStruck",
    "Comparing",
    "DebateGraph",
    "DebateState",
    "Decided",
    "Event",
    "Exchange",
    "Failed",
    "Finished",
    "GateDecided",
    "Guidance",
    "LookedAgain",
    "Looks",
    "Panel",
    "Pause",
    "Paused",
    "Perceived",
    "PhaseStarted",
    "Protocol",
    "PullingWeights",
    "Reconciled",
    "Recorded",
    "Resolved",
    "Rewind",
    "SeatLost",
    "Seated",
    "Settled",
    "Started",
    "ToolCalled",
    "Topology",
    "TurnTaken",
    "Used",
    "Weighed",
    "Workbench",
    "aask",
    "ask",
    "astream",
    "checkpointer",
    "course_of",
    "debate",
    "neighbours",
    "protocol_named",
    "replay",
]
