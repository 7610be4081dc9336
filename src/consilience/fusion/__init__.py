"""Pure functions over what was observed and what experts say: timelines, entities, conflicts, positions, decisions."""

from consilience.fusion.ballots import Ballot, Decision
from consilience.fusion.candidates import Candidate, candidates, option_of
from consilience.fusion.conflicts import conflicts
from consilience.fusion.entities import entities
from consilience.fusion.pools import linear_pool, log_pool
from consilience.fusion.positions import agrees, content_words, diverging, holds, plurality, same
from consilience.fusion.rules import JUDGE, RULES, Rule, consensus, rule_for, rule_named
from consilience.fusion.timeline import Clock, Moment, Span, Timeline, clocks_of

__all__ = [
    "JUDGE",
    "RULES",
    "Ballot",
    "Candidate",
    "Clock",
    "Decision",
    "Moment",
    "Rule",
    "Span",
    "Timeline",
    "agrees",
    "candidates",
    "clocks_of",
    "conflicts",
    "consensus",
    "content_words",
    "diverging",
    "entities",
    "holds",
    "linear_pool",
    "log_pool",
    "option_of",
    "plurality",
    "rule_for",
    "rule_named",
    "same",
]
