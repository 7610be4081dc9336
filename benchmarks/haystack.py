"""A record of an hour of speech, an hour of slides and a hundred pages, with a needle in it.

Built from a seed: the pages are the reference texts that come with Python (`pydoc_data.topics`, real prose of 65,000
words), the rest is a grammar of a town's council meeting; nothing is random but by the seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pydoc_data.topics import topics
from typing import Any

from consilience.observations import Cell, Locator, Media, Modality, Observation, Provenance, Record, TimeRange

FORMS = ("transcript", "sign", "passage", "row", "slide", "note")
POSITIONS = {"start": 0.04, "middle": 0.5, "end": 0.96}
DISTRACTORS = ("unrelated", "topic", "near", "asks", "foreign")

_MEDIA: dict[str, tuple[Modality, str]] = {
    "transcript": ("audio", "meeting.wav"),
    "sign": ("image", "noticeboard.png"),
    "passage": ("document", "report.pdf"),
    "row": ("table", "inventory.csv"),
    "slide": ("video", "screen.mp4"),
    "note": ("text", "minutes.md"),
}
_WHO = "the treasurer|a member|our chair|the clerk|one of the parents|the school|the harbour office|the museum".split(
    "|"
)
_DID = "reported that|hopes that|said again that|did not believe that|wrote to us that|was glad that".split("|")
_WHAT = (
    "bus line|bridge|market hall|swimming pool|playground|choir|fire engine|parking garage|newspaper|street lamps|"
    "orchard|cinema|bicycle path|water tower|allotments|post office|fountain|concert|summer fair|recycling yard"
).split("|")
_HOW = (
    "will be ready by {month}|needs another {n} volunteers|cost {n} hundred pounds more than planned|"
    "opens at {h} on Sundays|has been painted {colour}|was closed for {n} days|drew {n} people on Saturday|"
    "gets a new roof in {month}|is run by {name} and {n} helpers|has a leak near the {colour} door"
).split("|")
_FILLER = (
    "yes, I think that is right|could you say that again please|we come back to that later|thank you very much|"
    "let us move on to the next point|I have not read that paper yet|that was decided last year already|"
    "well, it depends on the weather|can everybody see the slide|who is in favour|nobody is against it, good"
).split("|")
_FILL: dict[str, list[str]] = {
    "month": "January February March April May June July October November".split(),
    "colour": "red blue green yellow grey white brown".split(),
    "name": "Anna Bogdan Chiara Dmitri Elif Farid Greta Hugo Ines Jonas".split(),
    "h": "8:30 9:00 9:45 10:15 11:00 12:30 17:45".split(),
}


@dataclass(frozen=True)
class Fact:
    """What can be hidden; `benchmarks/needles.toml` says what the fields mean."""

    said: str
    sign: str
    row: dict[str, str]
    values: list[str]
    near: list[list[str]]
    question: str
    plain_question: str
    foreign_question: str
    topic: list[str]
    asks: list[str]
    foreign: list[str]

    def told(self, form: str, values: list[str]) -> str:
        """The fact with these values, as it stands in a medium of this form."""
        a, b = values
        if form == "row":
            return "; ".join(f"{name}: {cell}" for name, cell in self.row.items()).format(a=a, b=b)
        return (self.sign if form in ("sign", "slide") else self.said).format(a=a, b=b)

    def distractors(self, kind: str) -> list[str]:
        """Lines that could be taken for the fact."""
        near = [self.told(form, values) for values in self.near for form in ("note", "sign")]
        kinds = {"unrelated": [], "topic": self.topic, "near": near, "asks": self.asks, "foreign": self.foreign}
        return kinds[kind]


class Haystack:
    """Lines of each form, to put a needle and its distractors into."""

    def __init__(self, seed: int = 0) -> None:
        chance = random.Random(seed)
        self.lines: dict[str, list[str]] = {
            "transcript": [_speech(chance) for _ in range(900)],
            "sign": [_sentence(chance).upper() for _ in range(60)],
            "passage": list(_pages()),
            "row": [
                f"item: {chance.choice(_WHAT)}; place: {chance.choice(_FILL['name'])} street {n}; pieces: "
                f"{chance.randint(1, 400)}; checked: {chance.choice(_FILL['month'])}"
                for n in range(400)
            ],
            "slide": list(_slides(chance)),
            "note": [_sentence(chance) + ". " + _sentence(chance) + "." for _ in range(200)],
        }

    def record(self, form: str, position: str, fact: Fact, distractor: str, seed: int) -> tuple[Record, str]:
        """The record, and the label of the needle in it."""
        chance = random.Random(f"{form} {position} {distractor} {seed}")
        lines = {name: list(of_form) for name, of_form in self.lines.items()}
        for text in fact.distractors(distractor):
            among = lines[chance.choice(("transcript", "passage", "note", "slide"))]
            among.insert(chance.randrange(len(among)), text)
        needle = fact.told(form, fact.values)
        if form in ("passage", "note"):
            needle = f"{_sentence(chance)}. {needle[0].upper()}{needle[1:]}. {_sentence(chance)}."
        lines[form].insert(int(POSITIONS[position] * len(lines[form])), needle)
        record = Record(
            [Media(id=_id(name), mime="x/y", modality=m, name=file, size=1) for name, (m, file) in _MEDIA.items()],
            (observation for name in FORMS for observation in _observed(name, lines[name])),
        )
        (label,) = (label for label, observation in record if observation.text == needle)
        return record, label


def _observed(form: str, lines: list[str]) -> Iterator[Observation]:
    kind = {"sign": "text", "slide": "text", "note": "passage"}.get(form, form)
    for i, text in enumerate(lines):
        where = Locator()
        value: dict[str, Any] = {"text": text}
        if form == "transcript":
            where, value = Locator(time=TimeRange(start=i * 4, end=i * 4 + 4)), {"text": text, "language": "en"}
        elif form == "slide":
            where = Locator(time=TimeRange(start=i * 5, end=i * 5 + 1))
        elif form == "passage":
            where = Locator(page=1 + i * 100 // len(lines))
        elif form == "row":
            where, value = Locator(cell=Cell(row=i + 1)), {"cells": {"": text}}
        made = Provenance(media=_id(form), modality=_MEDIA[form][0], tool="haystack", version="1")
        yield Observation(kind=kind, value=value, text=text, locator=where, provenance=made)


def _id(form: str) -> str:
    return f"sha256:{FORMS.index(form):064x}"


def _sentence(chance: random.Random) -> str:
    how = chance.choice(_HOW).format(n=chance.randint(2, 60), **{k: chance.choice(v) for k, v in _FILL.items()})
    return f"{chance.choice(_WHO)} {chance.choice(_DID)} the {chance.choice(_WHAT)} {how}"


def _speech(chance: random.Random) -> str:
    return chance.choice(_FILLER) if chance.random() < 0.3 else _sentence(chance)


def _slides(chance: random.Random) -> Iterator[str]:
    """Twenty slides of six lines, each read six times while it stands, now and then with a letter misread."""
    for number in range(1, 21):
        lines = [f"{number}. {chance.choice(_WHAT).upper()}", *(_sentence(chance).capitalize() for _ in range(5))]
        for _ in range(6):
            yield from (line.replace("e", "c", 1) if chance.random() < 0.2 else line for line in lines)


def _pages() -> Iterator[str]:
    for topic in topics.values():
        for paragraph in re.split(r"\n\s*\n", topic):
            text = " ".join(paragraph.split())
            while len(text) > 400:
                cut = text.rfind(" ", 1, 400)
                yield text[:cut]
                text = text[cut + 1 :]
            if len(text) > 20:
                yield text
