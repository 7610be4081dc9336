"""What may be read again, what a request comes to, and what is refused: nothing here runs an encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consilience.agents import LookAgain
from consilience.graphs.readings import Looks, Reading, offers, reading_of
from consilience.graphs.state import Look
from consilience.tools import estimated_seconds
from hypothesis import given
from hypothesis import strategies as st

from consilience import Excerpt, Workbench, encoder
from consilience.core.errors import UnknownName
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Modality, Region, Span, TimeRange

LEFT = Region(x=0, y=0, w=0.5, h=1)


def medium(modality: Modality, name: str, mime: str, **facts: Any) -> Media:
    return Media(id=f"sha256:{len(name):064x}", mime=mime, modality=modality, name=name, size=1, **facts)


BOARD = medium("image", "board.png", "image/png", width=600, height=400)
CALL = medium("audio", "the-call.wav", "audio/wav", seconds=12.0, channels=1)
LECTURE = medium("audio", "the lecture.ogg", "audio/ogg", seconds=3600.0, channels=1)
FILM = medium("video", "a-silent-film.mp4", "video/mp4", seconds=20.0)
TALKIE = medium("video", "another-film.mp4", "video/mp4", seconds=20.0, channels=2)
PLAN = medium("document", "plan.pdf", "application/pdf", pages=3)
LETTER = medium("document", "letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
NOTE = medium("text", "n.txt", "text/plain", characters=40)
FEES = medium("table", "fee.csv", "text/csv")
ALL = (BOARD, CALL, LECTURE, FILM, TALKIE, PLAN, LETTER, NOTE, FEES)


@encoder(modality="image", kinds=("warmth",), version="1", on_demand=True)
def warmth(excerpt: Excerpt, *, threshold: float = 0.5) -> Iterator[Any]:
    """Tells how warm it looks."""
    yield excerpt.observe("warmth", {}, "warm")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(settings=Settings(cache_dir=tmp_path_factory.mktemp("cache")), encoders=[warmth])


def offered(bench: Workbench, looks: Looks | None = None) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for offer in offers(bench.runner, ALL, looks or Looks()):
        found.setdefault(offer.medium, set()).add(offer.encoder)
    return found


def asked(medium: Media, encoder: str, **request: Any) -> LookAgain:
    place = {key: request.pop(key) for key in ("time", "pages", "rows") if key in request}
    return LookAgain(span=Span(media=medium.name, **place), encoder=encoder, **request)


def of(bench: Workbench, request: LookAgain, looks: Looks | None = None) -> Reading | str:
    return reading_of(request, bench.runner, ALL, looks or Looks())


def test_each_medium_is_offered_with_who_may_read_it(bench: Workbench) -> None:
    found = offered(bench)
    assert {"image.text", "image.objects", "image.warmth"} <= found["board.png"]
    assert {"audio.speech", "audio.sounds"} <= found["the-call.wav"]
    # Pictures of a film, and its sound where it has any; pages of a document that can be drawn.
    assert "image.text" in found["a-silent-film.mp4"]
    assert "audio.speech" not in found["a-silent-film.mp4"]
    assert "audio.speech" in found["another-film.mp4"]
    assert "image.text" in found["plan.pdf"]
    # Reading these again shows nothing else.
    assert not found.keys() & {"letter.docx", "n.txt", "fee.csv"}


def test_bodies_and_parts_are_not_offered(bench: Workbench) -> None:
    every = set().union(*offered(bench).values())
    assert not every & {"image.faces", "image.pose", "audio.voice", "audio.channels", "video.shots"}
    # Naming them is not allowing them.
    assert offered(bench, Looks(encoders=("image.faces", "audio.channels"))) == {}


def test_who_costs_money_is_offered_by_name_alone(tmp_path: Path) -> None:
    remote = Workbench(settings=Settings(cache_dir=tmp_path, vision_model="openai:gpt-5"))
    assert "image.describe" in remote.runner.encoders
    assert "image.describe" not in offered(remote)["board.png"]
    assert offered(remote, Looks(encoders=("image.describe",)))["board.png"] == {"image.describe"}


def test_named_encoders_are_the_only_ones(bench: Workbench) -> None:
    found = offered(bench, Looks(encoders=("table.rows", "image.text")))
    assert found["fee.csv"] == {"table.rows"}
    assert found["board.png"] == {"image.text"}
    assert "the-call.wav" not in found
    with pytest.raises(UnknownName, match=r"image\.txet"):
        offered(bench, Looks(encoders=("image.txet",)))


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        (asked(BOARD, "image.text", region=LEFT), Locator(region=LEFT)),
        (asked(BOARD, "image.text", parameters=(("longest_side", "4000"),)), Locator()),
        (asked(CALL, "audio.speech", time=TimeRange(start=2, end=5)), Locator(time=TimeRange(start=2, end=5))),
        (asked(CALL, "audio.speech", time=TimeRange(start=9, end=60)), Locator(time=TimeRange(start=9, end=12))),
        (asked(PLAN, "image.text", pages=(2, 2), region=LEFT), Locator(page=2, region=LEFT)),
        (asked(FILM, "image.text", time=TimeRange(start=3, end=9)), Locator(time=TimeRange(start=3, end=3.25))),
        (asked(TALKIE, "audio.speech", time=TimeRange(start=3, end=9)), Locator(time=TimeRange(start=3, end=9))),
        (asked(CALL, "audio.sounds"), Locator()),
    ],
)
def test_a_request_comes_to_a_place(bench: Workbench, request_: LookAgain, where: Locator) -> None:
    reading = of(bench, request_)
    assert isinstance(reading, Reading)
    assert reading.where == where
    by_id = request_.model_copy(update={"span": request_.span.model_copy(update={"media": reading.medium.id})})
    assert of(bench, by_id) == reading


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (LookAgain(span=Span(media="x.png"), encoder="image.text"), "there is no medium 'x.png'"),
        (asked(BOARD, "image.text", near="i9"), "there is no line 'i9'"),
        (asked(BOARD, "audio.speech"), "audio.speech is not asked to read it again (who may be: image.text, "),
        (asked(NOTE, "text.passages"), "text.passages is not asked to read it again (who may be: nobody)"),
        (asked(BOARD, "image.text"), "the record has that already"),
        (asked(BOARD, "image.text", parameters=(("min_score", "0.50"),)), "the record has that already"),
        (asked(BOARD, "image.text", time=TimeRange(start=0, end=1)), "image.text does not read it by time"),
        (asked(CALL, "audio.speech", region=LEFT), "audio.speech does not read it by box"),
        (asked(CALL, "audio.speech", time=TimeRange(start=12, end=14)), "it lasts only 12.0 s"),
        (asked(CALL, "audio.speech", time=TimeRange(start=3, end=3)), "there is nothing in a stretch of no length"),
        (asked(LECTURE, "audio.speech", parameters=(("language", "de"),)), "reads 300 s at once, and these are 3600 s"),
        (asked(BOARD, "image.text", region=Region(x=0.5, y=0.5, w=0, h=0)), "there is nothing in a box of no size"),
        (asked(PLAN, "image.text", pages=(9, 9)), "it has no page 9"),
        (asked(PLAN, "image.text", pages=(1, 2)), "one page, or one row, is read at a time"),
        (asked(FILM, "image.text"), "of a film, one moment is looked at: the request names none"),
        (asked(BOARD, "image.text", parameters=(("min_score", "7"),)), "parameter 'min_score': "),
        (asked(BOARD, "image.text", parameters=(("language", "de"),)), "there is no parameter 'language'"),
    ],
)
def test_what_comes_to_nothing_is_told_why(bench: Workbench, request_: LookAgain, told: str) -> None:
    reason = of(bench, request_)
    assert isinstance(reason, str)
    assert told in reason


def test_the_same_place_by_other_words_is_one_key(bench: Workbench) -> None:
    one, other, third = (
        of(bench, asked(CALL, "audio.speech", time=TimeRange(start=9, end=end), parameters=settings))
        for end, settings in ((30, ()), (12, (("beam_size", "5"),)), (12, (("beam_size", "1"),)))
    )
    assert isinstance(one, Reading)
    assert isinstance(other, Reading)
    assert isinstance(third, Reading)
    assert one.key == other.key != third.key


@given(
    st.sampled_from(ALL),
    st.sampled_from(["image.text", "audio.speech", "table.rows", "image.warmth", "nobody"]),
    st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)).map(sorted) | st.none(),
    st.tuples(st.integers(-5, 50), st.integers(-5, 50)) | st.none(),
    st.lists(st.tuples(st.sampled_from(["language", "most", "min_score"]), st.text(max_size=5)), max_size=2),
)
def test_every_request_comes_to_a_reading_or_a_reason(
    bench: Workbench, medium: Media, name: str, time: Any, pages: Any, settings: list[tuple[str, str]]
) -> None:
    stretch = TimeRange(start=time[0], end=time[1]) if time else None
    request = asked(medium, name, time=stretch, pages=pages, parameters=tuple(settings))
    found = of(bench, request)
    if isinstance(found, str):
        assert found
    else:
        assert found.medium == medium
        assert found.seconds > 0


def test_an_estimate_grows_with_what_is_heard(bench: Workbench) -> None:
    speech, text = bench.runner.encoders["audio.speech"], bench.runner.encoders["image.text"]
    part = Locator(time=TimeRange(start=0, end=3))
    assert estimated_seconds(speech, CALL, part) < estimated_seconds(speech, CALL) < estimated_seconds(speech, LECTURE)
    assert estimated_seconds(text, BOARD, Locator(region=LEFT)) == estimated_seconds(text, BOARD)
    unmeasured = CALL.model_copy(update={"seconds": None})
    assert estimated_seconds(speech, unmeasured) > estimated_seconds(speech, CALL)


def test_what_is_too_much_is_told(bench: Workbench) -> None:
    looks = Looks(requests=2, seconds=20)
    reading = of(bench, asked(BOARD, "image.text", region=LEFT))
    assert isinstance(reading, Reading)
    made = Look(request=asked(BOARD, "image.text", region=LEFT), seats=("A",), labels=(), seconds=16.0)
    free = Look(request=LookAgain(span=Span(media="board.png")), seats=("A",), labels=())
    refused = made.model_copy(update={"seconds": 0.0, "refused": "because"})
    assert looks.objection(reading, [free, refused, refused], float("inf")) is None
    assert looks.objection(reading, [made], float("inf")) == "it may take 5 s, and 4 s are left for it"
    assert looks.objection(reading, [], 3.0) == "it may take 5 s, and 3 s are left for it"
    assert looks.objection(reading, [made, made], float("inf")) == "a run may have 2 places read again"
    assert looks.exhausted([made, made])
    assert not looks.exhausted([made, free, refused])
    for wrong in ({"requests": 0}, {"seconds": 0.0}, {"seconds": float("nan")}):
        with pytest.raises(ValueError, match="looks are one or more"):
            Looks(**wrong)  # type: ignore[arg-type]
