"""What every graph is made of: plain async functions from the state to what they add to it.

Each factory takes the workbench, those that seat people the panel too; rearrange the nodes in a `StateGraph` as you
like.
"""

from consilience.graphs.nodes.composition import compose
from consilience.graphs.nodes.consulting import consult
from consilience.graphs.nodes.decision import decide
from consilience.graphs.nodes.examining import examine
from consilience.graphs.nodes.gating import gate, settle
from consilience.graphs.nodes.judgement import judge
from consilience.graphs.nodes.looking import look
from consilience.graphs.nodes.perception import Node, perceive
from consilience.graphs.nodes.permitting import permit
from consilience.graphs.nodes.reconciliation import compared, reconcile
from consilience.graphs.nodes.rounds import (
    cited_evidence,
    evidence_of,
    exchange,
    looked_up,
    loss_of,
    open_round,
    preferring,
    question_of,
    rivals_of,
    spent_on,
)
from consilience.graphs.nodes.verification import verify
from consilience.graphs.nodes.weighing import weigh

__all__ = [
    "Node",
    "cited_evidence",
    "compared",
    "compose",
    "consult",
    "decide",
    "evidence_of",
    "examine",
    "exchange",
    "gate",
    "judge",
    "look",
    "looked_up",
    "loss_of",
    "open_round",
    "perceive",
    "permit",
    "preferring",
    "question_of",
    "reconcile",
    "rivals_of",
    "settle",
    "spent_on",
    "verify",
    "weigh",
]
