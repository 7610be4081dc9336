"""Web Annotations: the model's MUSTs (https://www.w3.org/TR/annotation-model/), and selectors that lead back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from consilience.observations import Cell, CharRange, Media, Observation, Record
from consilience.observations.interchange import to_annotations

Make = Callable[..., Observation]
Recorded = Callable[..., Record]

# Section 4.2.1 and the motivations of section 3.3.5.
FRAGMENT_STANDARDS = {
    "http://www.w3.org/TR/media-frags/",
    "http://tools.ietf.org/rfc/rfc3778",
    "http://tools.ietf.org/rfc/rfc7111",
}
MOTIVATIONS = set(
    "assessing bookmarking classifying commenting describing editing highlighting identifying linking moderating "
    "questioning replying reviewing tagging".split()
)


def check_page(page: dict[str, Any]) -> None:
    """Section 5.2: an annotation page has one context, one id, its type, and annotations in order."""
    assert page["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert is_absolute(page["id"])
    assert page["type"] == "AnnotationPage"
    assert isinstance(page["startIndex"], int)
    assert isinstance(page["items"], list)
    for annotation in page["items"]:
        check_annotation(annotation)
    ids = [annotation["id"] for annotation in page["items"]]
    assert len(set(ids)) == len(ids)


def check_annotation(annotation: dict[str, Any]) -> None:
    """Section 3.1: context, one id, type, bodies, at least one target; 3.3: motivations, agents."""
    assert annotation["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert is_absolute(annotation["id"])
    assert annotation["type"] == "Annotation"
    assert annotation["motivation"] in MOTIVATIONS
    assert annotation["generator"]["type"] == "Software"
    assert is_absolute(annotation["generator"]["id"])
    for body in annotation["body"]:
        # Section 3.2.4: an embedded textual body has exactly one value.
        assert body["type"] == "TextualBody"
        assert isinstance(body["value"], str)
        assert body["purpose"] in MOTIVATIONS
    targets = annotation["target"] if isinstance(annotation["target"], list) else [annotation["target"]]
    assert targets
    for target in targets:
        check_target(target)


def check_target(target: str | dict[str, Any]) -> None:
    """Section 4: a specific resource has one source, and selectors of known types."""
    if isinstance(target, str):
        assert target
        return
    assert target["type"] == "SpecificResource"
    assert isinstance(target["source"], str)
    selector: dict[str, Any] | None = target["selector"]
    while selector is not None:
        if selector["type"] == "FragmentSelector":
            assert selector["conformsTo"] in FRAGMENT_STANDARDS
            assert selector["value"]
        else:
            # Section 4.2.5: start and end are non-negative.
            assert selector["type"] == "TextPositionSelector"
            assert 0 <= selector["start"] <= selector["end"]
        selector = selector.get("refinedBy")


def is_absolute(iri: str) -> bool:
    return bool(urlsplit(iri).scheme) and not re.search(r'[\s<>"{}|\\^`]', iri)


def test_a_page_of_all_sorts_keeps_to_the_model(
    recorded: Recorded, make: Make, photo: Media, call: Media, film: Media, paper: Media
) -> None:
    sign = make(photo, "text", "Platform 4", box=(0.1, 0.2, 0.5, 0.25), sure=0.9)
    said = make(call, "transcript", "Platform six", {"text": "Platform six", "language": "en"}, at=(1.5, 3))
    conflict = {"first": said.id, "second": sign.id, "dispute": "said_shown", "score": 0.5}
    entity = {"name": "York", "members": [sign.id, said.id], "relation": "named"}
    record = recorded(
        sign,
        said,
        make(film, "object", "a cat", {"label": "cat"}, at=(2, 2), box=(0, 0, 0.5, 0.5)),
        make(paper, "cell", "12", {"text": "12", "row": 1, "column": 2}, page=2, cell=Cell(row=1, column=2)),
        make(paper, "passage", "Hello", page=1, chars=CharRange(start=3, end=8)),
        make(photo, "properties", "dark", {**PROPERTIES}),
        make(call, "embedding", "a vector", {"model": "m", "of": "voice", "vector": [0.5]}),
        make(call, "conflict", "said: six; shown: 4", conflict),
        make(photo, "entity", "York is read and said", entity),
    )
    page = to_annotations(record)
    check_page(page)
    assert json.loads(json.dumps(page)) == page
    assert len(page["items"]) == len(record) - 1, "vectors say nothing in words"


PROPERTIES = {"width": 200, "height": 100, "colours": ["#000000"], "brightness": 0.1, "sharpness": 0.0}


def test_an_empty_record_is_an_empty_page() -> None:
    page = to_annotations(Record())
    check_page(page)
    assert page["items"] == []


def selector_of(record: Record) -> dict[str, Any]:
    (annotation,) = to_annotations(record)["items"]
    selector: dict[str, Any] = annotation["target"]["selector"]
    return selector


def chain(selector: dict[str, Any] | None) -> list[str | tuple[int, int]]:
    found: list[str | tuple[int, int]] = []
    while selector:
        found.append(selector["value"] if "value" in selector else (selector["start"], selector["end"]))
        selector = selector.get("refinedBy")
    return found


def test_boxes_are_in_pixels_where_the_size_is_known(recorded: Recorded, make: Make, photo: Media, film: Media) -> None:
    assert chain(selector_of(recorded(make(photo, "text", "x", box=(0.1, 0.2, 0.5, 0.25))))) == [
        "xywh=pixel:20,20,100,25"
    ]
    on_film = make(film, "text", "x", at=(2, 3.5), box=(0, 0, 0.5, 0.5))
    assert chain(selector_of(recorded(on_film))) == ["t=2,3.5&xywh=pixel:0,0,320,180"]


def test_places_on_pages_are_refined_step_by_step(recorded: Recorded, make: Make, paper: Media) -> None:
    figure = make(paper, "text", "x", page=2, box=(0.1, 0.1, 0.5, 0.5))
    assert chain(selector_of(recorded(figure))) == ["page=2", "xywh=percent:10,10,50,50"]
    cell = make(paper, "passage", "x", page=3, cell=Cell(row=0, column=2), chars=CharRange(start=4, end=9))
    assert chain(selector_of(recorded(cell))) == ["page=3", "cell=1,2", (4, 9)]
    assert chain(selector_of(recorded(make(paper, "row", "x", {"cells": {}}, cell=Cell(row=4))))) == ["row=5"]
    assert chain(selector_of(recorded(make(paper, "passage", "x", cell=Cell(column=4))))) == ["col=4"]


def test_the_whole_medium_needs_no_selector(recorded: Recorded, make: Make, photo: Media) -> None:
    record = recorded(make(photo, "text", "x"))
    assert to_annotations(record)["items"][0]["target"] == f"urn:{photo.id}"
    named = to_annotations(record, {photo.id: "https://example.org/a%20photo.png"})
    assert named["items"][0]["target"] == "https://example.org/a%20photo.png"


def test_a_conflict_points_at_both_parties(recorded: Recorded, make: Make, photo: Media, call: Media) -> None:
    sign = make(photo, "text", "4", box=(0, 0, 0.5, 0.5))
    said = make(call, "transcript", "six", {"text": "six", "language": "en"}, at=(0, 1))
    value = {"first": said.id, "second": sign.id, "dispute": "said_shown", "score": 0.5}
    annotation = to_annotations(recorded(sign, said, make(call, "conflict", "said: six; shown: 4", value)))["items"][-1]
    assert annotation["motivation"] == "questioning"
    assert [target["source"] for target in annotation["target"]] == [f"urn:{call.id}", f"urn:{photo.id}"]


def test_speech_tells_its_language_and_confidence_its_kind(recorded: Recorded, make: Make, call: Media) -> None:
    said = make(call, "transcript", "Hallo", {"text": "Hallo", "language": "de"}, at=(0, 1), sure=0.5)
    bodies = to_annotations(recorded(said))["items"][0]["body"]
    assert bodies[0]["language"] == "de"
    assert {"type": "TextualBody", "value": "confidence: 50% score", "purpose": "assessing"} in bodies


@pytest.mark.parametrize("language", ["", "und"])
def test_an_unknown_language_is_not_told(recorded: Recorded, make: Make, call: Media, language: str) -> None:
    said = make(call, "transcript", "Hm", {"text": "Hm", "language": language}, at=(0, 1))
    assert "language" not in to_annotations(recorded(said))["items"][0]["body"][0]
