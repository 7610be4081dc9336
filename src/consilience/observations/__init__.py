"""Media, locators, observations, the record of a question, and the store that keeps them."""

from consilience.observations.ingest import Source, ingest
from consilience.observations.kinds import (
    VALUES,
    Description,
    Detection,
    Passage,
    Properties,
    Sound,
    TableRow,
    TableShape,
    Transcript,
    Unobserved,
    Value,
    VisibleText,
    Word,
)
from consilience.observations.locator import Cell, CharRange, Locator, Region, TimeRange
from consilience.observations.media import MODALITIES, Media, Modality
from consilience.observations.observation import Confidence, Observation, Provenance
from consilience.observations.record import Record, Rendering
from consilience.observations.store import ObservationStore

__all__ = [
    "MODALITIES",
    "VALUES",
    "Cell",
    "CharRange",
    "Confidence",
    "Description",
    "Detection",
    "Locator",
    "Media",
    "Modality",
    "Observation",
    "ObservationStore",
    "Passage",
    "Properties",
    "Provenance",
    "Record",
    "Region",
    "Rendering",
    "Sound",
    "Source",
    "TableRow",
    "TableShape",
    "TimeRange",
    "Transcript",
    "Unobserved",
    "Value",
    "VisibleText",
    "Word",
    "ingest",
]
