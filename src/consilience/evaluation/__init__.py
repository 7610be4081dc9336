"""Measuring answers against known ones."""

from consilience.evaluation.bootstrap import Interval, bootstrap
from consilience.evaluation.comparison import (
    Abstention,
    EqualBudget,
    Flips,
    abstention,
    accuracy,
    by_protocol,
    difference,
    equal_budget,
    flips,
    recommended,
)
from consilience.evaluation.confidence import Reliability, fit_confidence, order_flips, reliability
from consilience.evaluation.questions import Grade, Question, grade, says
from consilience.evaluation.report import report
from consilience.evaluation.results import Journal, Openings, Result
from consilience.evaluation.runs import Run, draws_of, results
from consilience.evaluation.scenes import Scene, load_scenes
from consilience.evaluation.track_record import track_record

__all__ = [
    "Abstention",
    "EqualBudget",
    "Flips",
    "Grade",
    "Interval",
    "Journal",
    "Openings",
    "Question",
    "Reliability",
    "Result",
    "Run",
    "Scene",
    "abstention",
    "accuracy",
    "bootstrap",
    "by_protocol",
    "difference",
    "draws_of",
    "equal_budget",
    "fit_confidence",
    "flips",
    "grade",
    "load_scenes",
    "order_flips",
    "recommended",
    "reliability",
    "report",
    "results",
    "says",
    "track_record",
]
