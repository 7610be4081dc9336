"""A record as a page of W3C Web Annotations (https://www.w3.org/TR/annotation-model/, JSON-LD)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from consilience.observations.kinds import Conflict, Entity
from consilience.observations.locator import Locator
from consilience.observations.media import Media
from consilience.observations.observation import Observation
from consilience.observations.record import Record

__all__ = ["to_annotations"]

_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
_FRAGMENTS = "http://www.w3.org/TR/media-frags/"
_PDF = "http://tools.ietf.org/rfc/rfc3778"
_CSV = "http://tools.ietf.org/rfc/rfc7111"
_MOTIVATIONS = {"object": "identifying", "face": "identifying", "conflict": "questioning", "entity": "linking"}
_UNTOLD = frozenset({"embedding", "part"})


def to_annotations(record: Record, sources: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An `AnnotationPage` with an annotation for every observation that says something in words.

    A conflict or an entity has the places of all its observations as targets. Boxes are in pixels where the size of
    the picture is known, since most viewers read nothing else, in percent elsewhere.

    Args:
        record: what to export.
        sources: IRI of each medium, by its id, absolute or relative to the page; without one it is a URN of its hash.
    """
    page = _Page(record, sources or {})
    content = hashlib.sha256(" ".join(o.id for _, o in record).encode()).hexdigest()
    return {
        "@context": _CONTEXT,
        "id": f"urn:consilience:record:{content[:20]}",
        "type": "AnnotationPage",
        "startIndex": 0,
        "items": list(page.annotations()),
    }


class _Page:
    def __init__(self, record: Record, sources: Mapping[str, str]) -> None:
        self._record = record
        self._sources = sources
        self._by_id = {observation.id: observation for _, observation in record}

    def annotations(self) -> Iterator[dict[str, Any]]:
        for label, observation in self._record:
            if observation.kind not in _UNTOLD:
                yield self._annotation(label, observation)

    def _annotation(self, label: str, observation: Observation) -> dict[str, Any]:
        made = observation.provenance
        targets = [self._target(member) for member in self._members(observation)]
        return {
            "@context": _CONTEXT,
            "id": f"urn:consilience:{observation.id}",
            "type": "Annotation",
            "motivation": _MOTIVATIONS.get(observation.kind, "describing"),
            "generator": {
                "id": f"urn:consilience:tool:{quote(made.tool, safe='')}:{quote(made.version, safe='')}",
                "type": "Software",
                "name": f"{made.tool} {made.version}",
            },
            "body": [*self._bodies(label, observation)],
            "target": targets[0] if len(targets) == 1 else targets,
        }

    def _bodies(self, label: str, observation: Observation) -> Iterator[dict[str, Any]]:
        text = {"type": "TextualBody", "value": observation.text, "format": "text/plain", "purpose": "describing"}
        language = observation.value.get("language")
        if isinstance(language, str) and observation.kind == "transcript" and language not in ("", "und"):
            text["language"] = language
        yield text
        yield {"type": "TextualBody", "value": observation.kind, "purpose": "tagging"}
        yield {"type": "TextualBody", "value": label, "purpose": "identifying"}
        if observation.confidence:
            yield {"type": "TextualBody", "value": f"confidence: {observation.confidence}", "purpose": "assessing"}

    def _members(self, observation: Observation) -> list[Observation]:
        """The observations that a conflict or entity is about; itself where it is about a place of its own."""
        ids: tuple[str, ...] = ()
        if observation.kind == "conflict":
            conflict = observation.as_(Conflict)
            ids = (conflict.first, conflict.second)
        elif observation.kind == "entity":
            ids = observation.as_(Entity).members
        return [self._by_id[member] for member in ids if member in self._by_id] or [observation]

    def _target(self, observation: Observation) -> str | dict[str, Any]:
        media_id = observation.provenance.media
        source = self._sources.get(media_id, f"urn:{quote(media_id, safe=':')}")
        selector = _selector(observation, self._record.medium_of(observation))
        return {"type": "SpecificResource", "source": source, "selector": selector} if selector else source


def _selector(observation: Observation, medium: Media | None) -> dict[str, Any] | None:
    """Selectors from the outermost to the innermost, each refined by the next; None for the whole medium."""
    chain = list(_selectors(observation.locator, medium))
    refined: dict[str, Any] | None = None
    for selector in reversed(chain):
        refined = selector | {"refinedBy": refined} if refined else selector
    return refined


def _selectors(locator: Locator, medium: Media | None) -> Iterator[dict[str, Any]]:
    if locator.page is not None:
        yield _fragment(_PDF, f"page={locator.page}")
    if value := _media_fragment(locator, medium):
        yield _fragment(_FRAGMENTS, value)
    if locator.cell:
        row, column = locator.cell.row, locator.cell.column
        # RFC 7111 counts the header as row 1.
        if row is not None and column is not None:
            yield _fragment(_CSV, f"cell={row + 1},{column}")
        elif row is not None:
            yield _fragment(_CSV, f"row={row + 1}")
        elif column is not None:
            yield _fragment(_CSV, f"col={column}")
    if locator.chars:
        yield {"type": "TextPositionSelector", "start": locator.chars.start, "end": locator.chars.end}


def _media_fragment(locator: Locator, medium: Media | None) -> str:
    whole = Locator(time=locator.time, region=locator.region, track=locator.track).to_fragment()
    if locator.region is None or locator.page is not None or medium is None or not (medium.width and medium.height):
        return whole
    left, top, right, bottom = locator.region.to_pixels(medium.width, medium.height)
    parts = Locator(time=locator.time, track=locator.track).to_fragment().split("&")
    return "&".join([part for part in parts if part] + [f"xywh=pixel:{left},{top},{right - left},{bottom - top}"])


def _fragment(standard: str, value: str) -> dict[str, Any]:
    return {"type": "FragmentSelector", "conformsTo": standard, "value": value}
