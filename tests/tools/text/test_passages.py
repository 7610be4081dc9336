"""How texts are cut into passages: nothing is lost, every place is exact, no heading goes untold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Runner
from consilience.tools.text.embedding import embedding
from consilience.tools.text.passages import passages
from consilience.tools.text.pieces import pieces
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.settings import Settings
from consilience.observations import Observation, ObservationStore, ingest


@given(st.text("ab .!?\n", max_size=300), st.integers(1, 50))
def test_pieces_lose_nothing_and_keep_the_length(text: str, longest: int) -> None:
    cut = [text[start:end] for start, end in pieces(text, longest)]
    assert all(0 < len(piece) <= longest for piece in cut)
    assert all(piece == piece.strip() for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "longest", "cut"),
    [
        ("One is here. Two is there.", 20, ["One is here.", "Two is there."]),
        ("Is it? (Yes!)  So it is", 16, ["Is it? (Yes!)", "So it is"]),
        ("one two three", 8, ["one two", "three"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("  short \n", 400, ["short"]),
        ("abc", 0, ["a", "b", "c"]),
        (" \n ", 5, []),
    ],
)
def test_pieces_end_at_sentences_else_at_spaces(text: str, longest: int, cut: list[str]) -> None:
    assert [text[start:end] for start, end in pieces(text, longest)] == cut


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    settings = Settings(cache_dir=tmp_path)
    return Runner(ObservationStore.open(settings), [passages, embedding], settings=settings)


async def read(runner: Runner, text: str, **parameters: Any) -> tuple[Observation, ...]:
    media = ingest(text.encode(), runner.store, name="notes.md")
    encoding = await runner.encode(media, passages, parameters=parameters)
    assert encoding.failure is None
    for o in encoding.observations:
        if o.locator.chars:
            assert text[o.locator.chars.start : o.locator.chars.end] == o.value["text"]
    return encoding.observations


async def test_headings_stand_before_what_is_below_them(runner: Runner) -> None:
    text = "# Trip\nWe go.\n## By train ##\n\nAt six.\n\n# C#\nA language.\n#hashtag and\n####### seven"
    assert [o.text for o in await read(runner, text)] == [
        "Trip: We go.",
        "Trip > By train: At six.",
        "C#: A language. #hashtag and ####### seven",
    ]


async def test_a_heading_with_nothing_below_it_is_a_passage(runner: Runner) -> None:
    found = await read(runner, "# One\n\n## Two\n\n## Three\n\ntext\n\n# Four ##\n")
    assert [o.text for o in found] == ["One: Two", "One > Three: text", "Four"]
    assert found[0].value == {"text": "Two", "headings": ["One"]}


async def test_a_long_heading_alone_is_cut_like_a_paragraph(runner: Runner) -> None:
    found = await read(runner, "# " + "word " * 30, longest=50)
    assert all(len(str(o.value["text"])) <= 50 for o in found)
    assert sum(o.text.count("word") for o in found) == 30


@pytest.mark.parametrize("text", ["\u200b", "\u200b\n\n\u2063"])
async def test_a_text_without_words_is_unobserved(runner: Runner, text: str) -> None:
    (found,) = await read(runner, text)
    assert (found.kind, "holds no words" in found.text) == ("unobserved", True)
