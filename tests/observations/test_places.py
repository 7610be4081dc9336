"""Which places a medium has."""

from __future__ import annotations

from typing import Any

import pytest

from consilience.core.errors import BadMedia
from consilience.observations import Locator, Media, Modality
from consilience.observations.places import check_place, lacking


def medium(modality: Modality, mime: str = "", **facts: Any) -> Media:
    return Media(id=f"sha256:{'0' * 64}", mime=mime, modality=modality, name="x", size=1, **facts)


@pytest.mark.parametrize(
    ("media", "where", "told"),
    [
        (medium("image"), "xywh=percent:0,0,10,10", None),
        (medium("image"), "page=1", "page 1"),
        (medium("image"), "t=0,1", "times"),
        (medium("audio"), "t=0,1", None),
        (medium("audio"), "xywh=percent:0,0,10,10", "regions"),
        (medium("text", "text/plain", characters=9), "t=0,1", "times"),
        (medium("text", "text/vtt", characters=9), "t=0,1", None),
        (medium("text", characters=9), "char=8,20", None),
        (medium("text", characters=9), "char=9,20", "character 9"),
        (medium("text", characters=9), "cell=1,1", "cells"),
        (medium("document", pages=3), "page=3&xywh=percent:0,0,10,10", None),
        (medium("document", pages=3), "page=4", "page 4"),
        (medium("document", characters=90), "char=3,9", "character 3"),
        (medium("table"), "page=4", None),  # an old workbook
        (medium("table", pages=2), "page=3", "page 3"),
    ],
    ids=str,
)
def test_lacking(media: Media, where: str, told: str | None) -> None:
    place = Locator.from_fragment(where)
    assert lacking(media, place) == told
    if told:
        with pytest.raises(BadMedia, match=f"x: ?.*has no {told}"):
            check_place(media, place)
    else:
        check_place(media, place)
