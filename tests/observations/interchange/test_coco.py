"""COCO: boxes in pixels that lead back to what was observed, and the structure that its readers need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import Locator, Media, Observation, Provenance, Record, Region
from consilience.observations.interchange import to_coco

Make = Callable[..., Observation]
Recorded = Callable[..., Record]


def check(told: dict[str, Any]) -> None:
    """What the format asks of an object detection file: unique ids, references that resolve, boxes in their images."""
    images, categories = ({entry["id"]: entry for entry in told[key]} for key in ("images", "categories"))
    assert len(images) == len(told["images"])
    assert len(categories) == len(told["categories"])
    assert len({annotation["id"] for annotation in told["annotations"]}) == len(told["annotations"])
    for annotation in told["annotations"]:
        image = images[annotation["image_id"]]
        assert annotation["category_id"] in categories
        assert annotation["iscrowd"] == 0
        x, y, width, height = annotation["bbox"]
        assert 0 <= x <= x + width <= image["width"] + 0.01
        assert 0 <= y <= y + height <= image["height"] + 0.01
        assert annotation["area"] == pytest.approx(width * height, abs=0.01 * (image["width"] + image["height"]))


def test_boxes_are_in_pixels(recorded: Recorded, make: Make, photo: Media) -> None:
    told = to_coco(recorded(make(photo, "object", "a cat", {"label": "cat"}, box=(0.1, 0.2, 0.5, 0.25), sure=0.75)))
    check(told)
    assert told["images"] == [{"id": 1, "file_name": "a photo.png", "width": 200, "height": 100}]
    assert told["categories"] == [{"id": 1, "name": "cat", "supercategory": "object"}]
    (annotation,) = told["annotations"]
    assert annotation["bbox"] == [20, 20, 100, 25]
    assert (annotation["area"], annotation["score"]) == (2500, 0.75)
    assert annotation["attributes"] == {"label": "i1", "text": "a cat"}


def test_each_frame_of_a_film_is_an_image(recorded: Recorded, make: Make, film: Media) -> None:
    seen = [make(film, "text", "EXIT", at=(at, at), box=(0, 0, 0.5, 0.5)) for at in (1.5, 3.0)]
    told = to_coco(recorded(*seen, make(film, "object", "a cat", {"label": "cat"}, at=(3, 3), box=(0, 0, 1, 1))))
    check(told)
    assert [image["file_name"] for image in told["images"]] == ["film.mp4#t=1.5", "film.mp4#t=3"]
    assert [annotation["image_id"] for annotation in told["annotations"]] == [1, 2, 2]


def test_what_has_no_box_or_no_size_is_left_out(recorded: Recorded, make: Make, photo: Media, paper: Media) -> None:
    told = to_coco(
        recorded(
            make(photo, "text", "no box"),
            make(paper, "text", "no size", page=1, box=(0, 0, 1, 1)),
            make(photo, "prosody", "no thing", {"loudness_db": 1, "pause_share": 0}, box=(0, 0, 1, 1)),
        )
    )
    check(told)
    assert told["annotations"] == told["images"] == told["categories"] == []


fractions = st.integers(0, 1000).map(lambda n: n / 1000)


@given(st.lists(st.tuples(fractions, fractions, fractions, fractions), max_size=4))
def test_a_box_leads_back_to_its_region(boxes: list[tuple[float, float, float, float]]) -> None:
    medium = Media(
        id="sha256:" + "e" * 64, mime="image/png", modality="image", name="x.png", size=1, width=1234, height=567
    )
    regions = [Region(x=x, y=y, w=min(w, 1 - x), h=min(h, 1 - y)) for x, y, w, h in boxes]
    made = Provenance(media=medium.id, modality="image", tool="t", version="1")
    seen = [
        Observation(
            kind="object", value={"label": f"thing {i}"}, text="x", locator=Locator(region=region), provenance=made
        )
        for i, region in enumerate(regions)
    ]
    told = to_coco(Record([medium], seen))
    check(told)
    for annotation, region in zip(told["annotations"], regions, strict=True):
        x, y, width, height = annotation["bbox"]
        back = (x / 1234, y / 567, width / 1234, height / 567)
        assert back == pytest.approx((region.x, region.y, region.w, region.h), abs=0.0001)
