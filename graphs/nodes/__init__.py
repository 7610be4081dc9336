"""What every graph is made of: plain async functions from the state to what they add to it.

Each factory takes the workbench, those that seat people the panel too; rearrange the nodes in a `StateGraph` as you
like.
"""

from consilience.graphs.nodes.composition import compose
from consilience.graphs.nodes.decision import best_supported, decide
from consilience.graphs.nodes.gating import gate, settle
from consilience.graphs.nodes.judgement import judge, verify
from consilience.graphs.nodes.looking import look
from consilience.graphs.nodes.perception import Node, perceive
from consilience.graphs.nodes.reconciliation import compared, reconcile
from consilience.graphs.nodes.rounds import (
    cited_evidence,
    exchange,
    final_turns,
    last_round,
    looked_up,
    open_round,
    question_of,
    rivals_of,
)

__all__ = [
    "Node",
    "best_supported",
    "cited_evidence",
    "compared",
    "compose",
    "decide",
    "exchange",
    "final_turns",
    "gate",
    "judge",
    "last_round",
    "look",
    "looked_up",
    "open_round",
    "perceive",
    "question_of",
    "reconcile",
    "rivals_of",
    "settle",
    "verify",
]
