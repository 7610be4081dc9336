"""Pure functions over what was observed and what experts say: timelines, entities, conflicts, positions."""

from consilience.fusion.conflicts import conflicts
from consilience.fusion.entities import entities
from consilience.fusion.positions import agrees, content_words, diverging, holds, plurality, same
from consilience.fusion.timeline import Clock, Moment, Span, Timeline, clocks_of

__all__ = [
    "Clock",
    "Moment",
    "Span",
    "Timeline",
    "agrees",
    "clocks_of",
    "conflicts",
    "content_words",
    "diverging",
    "entities",
    "holds",
    "plurality",
    "same",
]
