"""In which order observations earn their place: the best first, something of everything, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import MODALITIES, Modality, Observation, Provenance
from consilience.observations.ranking import bearing, ranked, streams

VALUES: dict[str, Any] = {"text": {"text": "x"}, "passage": {"text": "x"}, "object": {"label": "x"}}


def seen(text: str, modality: Modality = "image", kind: str = "text", *, medium: int = 0) -> Observation:
    made = Provenance(media=f"sha256:{medium:064x}", modality=modality, tool="t", version="1")
    return Observation(kind=kind, value=VALUES[kind], text=text, provenance=made)


def labelled(*observations: Observation) -> dict[str, Observation]:
    return {f"x{i}": observation for i, observation in enumerate(observations)}


def order(observations: dict[str, Observation], relevance: list[float]) -> list[str]:
    return [entry.label for entry in ranked(observations, relevance)]


MADE = st.lists(
    st.builds(
        seen, st.text("ab ", min_size=1).filter(str.strip), st.sampled_from(MODALITIES), st.sampled_from(sorted(VALUES))
    ),
    max_size=20,
).map(lambda made: labelled(*made))


@given(MADE, st.data())
def test_every_observation_has_one_place(observations: dict[str, Observation], data: st.DataObject) -> None:
    relevance = [data.draw(st.floats(0, 1)) for _ in observations]
    entries = list(ranked(observations, relevance))
    told = [label for entry in entries for label in (entry.label, *entry.repeats)]
    assert sorted(told) == sorted(observations)
    for entry in entries:
        one = observations[entry.label]
        for label in entry.repeats:
            other = observations[label]
            assert (one.kind, one.provenance.media) == (other.kind, other.provenance.media)


@given(MADE, st.data())
def test_the_most_relevant_is_first(observations: dict[str, Observation], data: st.DataObject) -> None:
    relevance = [data.draw(st.integers(0, 9)) / 10 for _ in observations]
    if observations:
        first = next(iter(ranked(observations, relevance)))
        # Neighbours in running text share in the relevance of the best, and never outdo it.
        assert relevance[list(observations).index(first.label)] == max(relevance)


def test_every_modality_is_there_before_the_second_best_of_one() -> None:
    made = labelled(*(seen(f"sign {n}", medium=1) for n in range(9)), seen("a word", "audio", medium=2))
    assert order(made, [0.9] * 9 + [0.0])[:2] == ["x0", "x9"]


def test_stretches_that_nothing_covers_get_their_turn() -> None:
    made = labelled(*(seen(f"line {'abcdefghijklmnopqrstuvwxyz'[n % 26] * 6} {n}", kind="object") for n in range(40)))
    shown = order(made, [1.0 if n < 10 else 0.0 for n in range(40)])[:10]
    assert sum(int(label[1:]) < 10 for label in shown) >= 7
    assert any(int(label[1:]) >= 20 for label in shown)


def test_a_neighbour_in_running_text_comes_along_and_one_elsewhere_does_not() -> None:
    lines = [seen(text, kind="passage") for text in ("we must move it", "come at eleven", "bring a pen", "goodbye now")]
    assert order(labelled(*lines), [1.0, 0.0, 0.0, 0.3])[:2] == ["x0", "x1"]
    apart = [seen(o.text, kind="object") for o in lines]
    assert order(labelled(*apart), [1.0, 0.0, 0.0, 0.3])[:2] == ["x0", "x3"]


def test_parties_of_a_conflict_come_with_it() -> None:
    said, shown, other = seen("platform six"), seen("platform four", "audio"), seen("a clock", "video")
    told = Observation(
        kind="conflict",
        value={"first": said.id, "second": shown.id, "dispute": "numbers", "score": 0.5},
        text="said: platform six; shown: platform four",
        provenance=other.provenance,
    )
    found = order(labelled(other, said, shown, told), [0.5, 0.0, 0.0, 1.0])
    assert found[0] == "x3"
    assert found.index("x0") > min(found.index("x1"), found.index("x2"))


@pytest.mark.parametrize(
    ("one", "other", "late"),
    [
        ("the boiler is broken", "the boilcr is broken", True),
        ("platform 4 is closed", "platform 9 is closed", False),
        ("the cat is here", "the car is here", False),
    ],
)
def test_a_misreading_comes_last_and_another_fact_does_not(one: str, other: str, late: bool) -> None:
    made = labelled(seen(one), seen(other), seen("something else altogether"))
    assert (order(made, [0.9, 0.8, 0.1])[-1] == "x1") == late


def test_streams_are_running_text_medium_by_medium() -> None:
    made = labelled(seen("a"), seen("b", medium=1), seen("c", kind="object"), seen("d"), seen("e", kind="passage"))
    assert streams(made) == [["x0", "x3"], ["x1"], ["x4"]]


@given(MADE, st.data())
def test_only_background_that_does_not_bear_on_the_question_is_set_aside(
    observations: dict[str, Observation], data: st.DataObject
) -> None:
    relevance = [data.draw(st.integers(0, 9)) / 10 for _ in observations]
    kept = bearing(observations, lambda _: relevance)
    assert list(kept) == [label for label in observations if label in set(kept)]
    assert {o.provenance.media for o in observations.values()} == {observations[k].provenance.media for k in kept}
    for (label, observation), score in zip(observations.items(), relevance, strict=True):
        if label not in kept:
            assert observation.kind == "object"
            assert score < 0.6 * max(relevance) or max(relevance) == 0


def test_background_stays_where_it_is_asked_for_or_all_there_is() -> None:
    sign, seat, photo = seen("PLATFORM 4"), seen("a chair", kind="object"), seen("a cat", kind="object", medium=1)
    observations = labelled(sign, seat, photo)
    assert bearing(observations, lambda _: [1.0, 0.1, 0.0]) == ("x0", "x2")
    assert bearing(observations, lambda _: [0.1, 1.0, 0.0]) == ("x0", "x1", "x2")


def test_where_there_is_no_background_nobody_compares() -> None:
    def never(_: object) -> list[float]:
        raise AssertionError

    assert bearing(labelled(seen("one"), seen("two")), never) == ("x0", "x1")
