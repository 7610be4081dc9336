"""The kinds of observation that consilience itself makes, and the shape of each one's value.

A plug-in may use these kinds, or bring its own: an unknown kind carries any JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from consilience.observations.media import Modality

__all__ = [
    "VALUES",
    "Column",
    "Conflict",
    "Description",
    "Detection",
    "Embedding",
    "Entity",
    "Expression",
    "Face",
    "Hand",
    "Keypoint",
    "Part",
    "Passage",
    "Pose",
    "Properties",
    "Prosody",
    "Sentiment",
    "Series",
    "Shot",
    "Sound",
    "Speaker",
    "SpokenLanguage",
    "TableCell",
    "TableRow",
    "TableShape",
    "ToolResult",
    "Track",
    "TrackPoint",
    "Transcript",
    "Unobserved",
    "Value",
    "VisibleText",
    "Word",
]


class Value(BaseModel):
    """What was observed, as data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VisibleText(Value):
    """kind `text`: a line read off a picture or page."""

    text: str


class Detection(Value):
    """kind `object`: something seen."""

    label: str


class Properties(Value):
    """kind `properties`: measured facts of a picture."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    colours: tuple[str, ...] = Field(description="Dominant first, as #rrggbb.")
    brightness: float = Field(ge=0, le=1, description="Mean luma.")
    sharpness: float = Field(ge=0, description="Variance of the Laplacian of luma in 0-1.")
    exif: dict[str, str] = Field(default_factory=dict)


class Description(Value):
    """kind `description`: what a vision model says it sees."""

    text: str


class Word(Value):
    """One spoken word; seconds from the start of the medium."""

    text: str
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    probability: float | None = Field(None, ge=0, le=1)


class Transcript(Value):
    """kind `transcript`: a stretch of speech."""

    text: str
    language: str = Field(description="ISO 639-1; `und` where nobody says.")
    words: tuple[Word, ...] = ()
    speaker: str | None = Field(None, description="Who speaks, where the source says so: a subtitle's voice tag.")


class Sound(Value):
    """kind `sound`: what is heard over a span."""

    label: str


class SpokenLanguage(Value):
    """kind `language`: the language of speech or writing."""

    language: str = Field(description="ISO 639-1.")
    name: str = Field("", description="In English.")


class Speaker(Value):
    """kind `speaker`: one turn of one voice; anonymous, numbered in order of appearance."""

    speaker: str = Field(description="`S1`, `S2`, ... within one medium.")


class Prosody(Value):
    """kind `prosody`: how something is said, against the speaker's own baseline."""

    pitch_hz: float | None = Field(None, gt=0, description="Median fundamental frequency; None where unvoiced.")
    pitch_spread: float | None = Field(None, ge=0, description="Standard deviation of the pitch, semitones.")
    loudness_db: float = Field(description="Mean level of the voiced parts, dB relative to full scale.")
    syllables_per_second: float | None = Field(None, ge=0, description="While somebody speaks; None where it is short.")
    pause_before: float | None = Field(None, ge=0, description="Silence before it, seconds; None at the beginning.")
    pause_share: float = Field(ge=0, le=1, description="Share of the span that is silent.")
    speaker: str | None = None
    deviations: dict[str, float] = Field(
        default_factory=dict, description="Standard deviations from the speaker's baseline, by measure."
    )


class Embedding(Value):
    """kind `embedding`: a vector for fitted experts and for search; no prompt shows it."""

    model: str
    of: str = Field(description="What it stands for: text, voice, picture, ...")
    vector: tuple[float, ...]


class Face(Value):
    """kind `face`: a face is there; who it is is never inferred."""

    share: float = Field(ge=0, le=1, description="Of the picture that the face's box covers.")
    eyes_open: float | None = Field(None, ge=0, description="Lid opening over eye width, mean of both eyes.")
    mouth_open: float | None = Field(None, ge=0, description="Lip opening over mouth width.")
    gaze: str | None = Field(
        None, description="Where the eyes look, as the viewer sees it: left, right, up, down, ahead."
    )


class Expression(Value):
    """kind `expression`: what a face looks like, which is weak evidence of a feeling."""

    label: str
    scores: dict[str, float] = Field(default_factory=dict)


class Keypoint(Value):
    """A named point; fractions of width and height of the whole picture, from the top left."""

    name: str
    x: float
    y: float
    visibility: float | None = Field(None, ge=0, le=1)


class Pose(Value):
    """kind `pose`: a person's joints, and what their arrangement says in words."""

    keypoints: tuple[Keypoint, ...]
    posture: tuple[str, ...] = Field((), description="`standing`, `right hand raised`, ...")


class Hand(Value):
    """kind `hand`: one hand's joints."""

    keypoints: tuple[Keypoint, ...]
    side: str | None = Field(None, description="left or right, of the person.")
    gesture: str | None = None


class Shot(Value):
    """kind `shot`: one uninterrupted take of a video."""

    number: int = Field(ge=1)
    key_frame: float = Field(ge=0, description="Seconds from the start of the medium.")


class TrackPoint(Value):
    """Where a tracked thing is at one moment: seconds, and a box in fractions."""

    t: float = Field(ge=0)
    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    w: float = Field(ge=0, le=1)
    h: float = Field(ge=0, le=1)


class Track(Value):
    """kind `track`: one thing followed over time."""

    label: str = Field(description="`face`, `person`, `coffee cup`, ...")
    number: int = Field(ge=1)
    points: tuple[TrackPoint, ...]


class Part(Value):
    """kind `part`: a part of a medium that encoders of `modality` read, at the observation's locator.

    Encoders that divide media report these (a film's sound and key frames, a document's figures and scanned pages);
    the runner hands the parts on, and no prompt shows them.
    """

    modality: Modality
    role: str = Field(description="`sound`, `stretch`, `channel`, `frame`, `figure`, `scan`.")


class Passage(Value):
    """kind `passage`: a stretch of written text."""

    text: str
    headings: tuple[str, ...] = Field((), description="Outermost first.")


class TableShape(Value):
    """kind `table`: what a table holds."""

    columns: tuple[str, ...]
    rows: int = Field(ge=0)


class TableRow(Value):
    """kind `row`: one row, by column."""

    cells: dict[str, JsonValue]


class TableCell(Value):
    """kind `cell`: one cell of a table in a document or sheet."""

    text: str
    row: int = Field(ge=0, description="Counted from 1; the header is 0.")
    column: int = Field(ge=1)
    header: str | None = Field(None, description="The column's name.")
    table: int = Field(1, ge=1, description="Which table of the page, slide or sheet.")


class Column(Value):
    """kind `column`: what a table's column holds."""

    name: str
    type: str = Field(description="`number`, `date`, `boolean`, `text` or `empty`.")
    unit: str | None = None
    values: int = Field(ge=0, description="Cells that hold something.")
    missing: int = Field(ge=0)
    distinct: int | None = Field(None, ge=0)
    least: JsonValue = None
    greatest: JsonValue = None
    mean: float | None = None
    frequent: tuple[str, ...] = Field((), description="Most frequent values, the first the most.")


class Series(Value):
    """kind `series`: how a numeric column runs on: its trend, a change point, an outlier or a gap."""

    column: str
    finding: str = Field(description="`trend`, `change`, `outlier` or `gap`.")
    unit: str | None = None
    facts: dict[str, JsonValue] = Field(default_factory=dict)


class Sentiment(Value):
    """kind `sentiment`: the tone of words, which irony turns around."""

    compound: float = Field(ge=-1, le=1)
    label: str = Field(description="`positive`, `negative` or `neutral`.")


class Conflict(Value):
    """kind `conflict`: one observation disputes another."""

    first: str = Field(description="Id of an observation.")
    second: str = Field(description="Id of the other.")
    dispute: str = Field(description="`said_shown`, `words_tone`, `numbers` or a plug-in's own.")
    score: float = Field(ge=0, le=1, description="How surely they dispute each other.")


class Entity(Value):
    """kind `entity`: several observations are of one thing."""

    name: str
    members: tuple[str, ...] = Field(description="Ids of observations.")
    relation: str = Field(description="`speaks` (speaker and face), `named` (read and said), ...")


class ToolResult(Value):
    """kind `tool_result`: a line of what a tool gave that an expert called; provenance has seat and arguments."""

    tool: str
    line: int = Field(ge=1, description="Of the result.")
    text: str


class Unobserved(Value):
    """kind `unobserved`: the medium did not allow an observation."""

    sought: tuple[str, ...] = Field(description="Kinds that the encoder looks for.")
    reason: str
    modality: Modality


VALUES: Mapping[str, type[Value]] = MappingProxyType(
    {
        "cell": TableCell,
        "column": Column,
        "conflict": Conflict,
        "description": Description,
        "embedding": Embedding,
        "entity": Entity,
        "expression": Expression,
        "face": Face,
        "hand": Hand,
        "language": SpokenLanguage,
        "object": Detection,
        "part": Part,
        "passage": Passage,
        "pose": Pose,
        "properties": Properties,
        "prosody": Prosody,
        "row": TableRow,
        "sentiment": Sentiment,
        "series": Series,
        "shot": Shot,
        "sound": Sound,
        "speaker": Speaker,
        "table": TableShape,
        "text": VisibleText,
        "track": Track,
        "transcript": Transcript,
        "tool_result": ToolResult,
        "unobserved": Unobserved,
    }
)
