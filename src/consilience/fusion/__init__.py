"""Pure functions over what was observed and what experts say: timelines, entities, conflicts, positions, decisions."""

from consilience.fusion.ballots import Ballot, Decision
from consilience.fusion.calibration import (
    Calibration,
    ConfidenceMap,
    Isotonic,
    Logistic,
    brier,
    expected_calibration_error,
    fit_isotonic,
    fit_logistic,
)
from consilience.fusion.candidates import Candidate, candidates, option_of
from consilience.fusion.conflicts import conflicts
from consilience.fusion.entities import entities
from consilience.fusion.gate import Ablation, Gate, Ground, Opening, gate
from consilience.fusion.grounding import unstated_values
from consilience.fusion.odds import MOST_OPTIONS, distribution, lettered
from consilience.fusion.pools import linear_pool, log_pool
from consilience.fusion.positions import agrees, content_words, diverging, holds, same
from consilience.fusion.rules import JUDGE, RULES, Rule, consensus, rule_for, rule_named
from consilience.fusion.stopping import (
    Positions,
    Stop,
    agreement,
    decline,
    no_new_evidence,
    stability,
    support,
    total_variation,
)
from consilience.fusion.swaps import Flips, flips
from consilience.fusion.timeline import Clock, Moment, Span, Timeline, check_offsets, clocks_of

__all__ = [
    "JUDGE",
    "MOST_OPTIONS",
    "RULES",
    "Ablation",
    "Ballot",
    "Calibration",
    "Candidate",
    "Clock",
    "ConfidenceMap",
    "Decision",
    "Flips",
    "Gate",
    "Ground",
    "Isotonic",
    "Logistic",
    "Moment",
    "Opening",
    "Positions",
    "Rule",
    "Span",
    "Stop",
    "Timeline",
    "agreement",
    "agrees",
    "brier",
    "candidates",
    "check_offsets",
    "clocks_of",
    "conflicts",
    "consensus",
    "content_words",
    "decline",
    "distribution",
    "diverging",
    "entities",
    "expected_calibration_error",
    "fit_isotonic",
    "fit_logistic",
    "flips",
    "gate",
    "holds",
    "lettered",
    "linear_pool",
    "log_pool",
    "no_new_evidence",
    "option_of",
    "rule_for",
    "rule_named",
    "same",
    "stability",
    "support",
    "total_variation",
    "unstated_values",
]
