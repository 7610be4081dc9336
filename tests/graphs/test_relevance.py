"""Relevance to a question by words and by the packaged embedder, and its memory in the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from consilience.graphs.relevance import QuestionRelevance, embedder_if_installed

from consilience import Workbench, astream
from consilience.core.errors import Stopped
from consilience.core.settings import Settings
from consilience.models.embedder import TextEmbedder, text_embedder
from consilience.observations import Observation, ObservationStore, Provenance
from consilience.observations.relevance import bm25
from consilience.testing import ScriptedChatModel

QUESTION = "When does the final boat leave for the island?"
LINES = ["the choir sings at seven", "the last ferry casts off at 21:40", "the bridge is painted green"]


def observed(texts: Sequence[str]) -> list[Observation]:
    made = Provenance(media=f"sha256:{7:064x}", modality="text", tool="t", version="1")
    return [Observation(kind="passage", value={"text": text}, text=text, provenance=made) for text in texts]


class Counting:
    """The packaged embedder, and how many texts it was given."""

    def __init__(self) -> None:
        self._embedder: TextEmbedder = text_embedder()
        self.name = self._embedder.name
        self.texts: list[str] = []
        self.on_passages: Any = None

    def questions(self, texts: Sequence[str]) -> Any:
        return self._embedder.questions(texts)

    def passages(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        if self.on_passages:
            self.on_passages()
        return self._embedder.passages(texts)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path / "store") as opened:
        yield opened


def relevance(store: ObservationStore, embedder: Any, most: int = 100, **options: Any) -> QuestionRelevance:
    return QuestionRelevance(QUESTION, store, lambda: embedder, most, **options)


def kept(store: ObservationStore, texts: Sequence[str]) -> list[Observation]:
    observations = observed(texts)
    store.put(observations)
    return observations


def test_a_line_in_other_words_is_found(store: ObservationStore) -> None:
    scores = relevance(store, text_embedder())(observed(LINES))
    assert max(range(3), key=lambda i: scores[i]) == 1
    assert bm25(QUESTION, LINES)[1] < 0.01, "words alone would not"


def test_what_the_store_holds_is_embedded_once(store: ObservationStore) -> None:
    embedder, observations = Counting(), kept(store, [*LINES, LINES[0]])
    first = relevance(store, embedder)(observations)
    assert sorted(embedder.texts) == sorted(LINES)
    again = relevance(store, embedder)(observations)
    assert sorted(embedder.texts) == sorted(LINES)
    assert again == first


def test_threads_that_ask_together_embed_nothing_twice(store: ObservationStore) -> None:
    embedder, observations = Counting(), kept(store, LINES)
    shared = relevance(store, embedder)
    with ThreadPoolExecutor(4) as pool:
        scores = list(pool.map(lambda _: shared(observations), range(4)))
    assert sorted(embedder.texts) == sorted(LINES)
    assert all(one == scores[0] for one in scores)


def test_no_more_than_allowed_are_embedded_and_the_found_are_among_them(store: ObservationStore) -> None:
    embedder = Counting()
    texts = [f"filler number {n}" for n in range(60)]
    texts[40] = "the island has a boat house"
    scores = relevance(store, embedder, most=10)(observed(texts))
    assert len(embedder.texts) <= 10
    assert texts[40] in embedder.texts
    assert len(scores) == 60
    nothing = relevance(store, embedder, most=0)(observed(texts))
    assert nothing == bm25(QUESTION, texts)


def test_without_an_embedder_words_decide(store: ObservationStore) -> None:
    assert relevance(store, None)(observed(LINES)) == bm25(QUESTION, LINES)
    assert relevance(store, text_embedder())([]) == []


def test_the_packaged_embedder_is_there() -> None:
    assert embedder_if_installed(2) is text_embedder(2)


def test_it_ends_with_the_batch_it_is_at(store: ObservationStore) -> None:
    embedder, cancelled = Counting(), threading.Event()
    embedder.on_passages = cancelled.set
    with pytest.raises(Stopped):
        relevance(store, embedder, cancelled=cancelled)(observed([f"line {n}" for n in range(90)]))
    assert 0 < len(embedder.texts) < 90


def test_leaving_the_block_ends_it(settings: Settings) -> None:
    bench = Workbench(settings=settings)
    with bench.relevance(QUESTION) as asked:
        pass
    with pytest.raises(Stopped):
        asked(observed(LINES))


async def test_comparing_a_long_record_is_told(settings: Settings) -> None:
    notes = "\n\n".join(f"The pontoon {n} was painted in the colour {n * 7}, they say." for n in range(400))
    silent = {"evidence": [], "stated": "not", "answer": "not stated"}
    model = ScriptedChatModel(replies=lambda _: silent)
    events = [
        event
        async for event in astream(QUESTION, [notes], model=model, settings=settings, protocol="single")
        if event.type == "comparing"
    ]
    assert [event.done for event in events] == sorted({event.done for event in events})
    assert events[-1].done == events[-1].total > 100
