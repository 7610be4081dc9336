from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from consilience.agents import SPECIALISTS, Expert, Routing, Seating, View, joining, route
from consilience.agents.specialists import PLAIN_QUESTIONS
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import MODALITIES, Media, Modality, Observation, Provenance, Record

MEDIA = {
    modality: Media(id="sha256:" + str(i) * 64, mime="x/y", modality=modality, name=modality, size=1)
    for i, modality in enumerate(MODALITIES)
}


def line(modality: Modality, text: str, kind: str = "line") -> Observation:
    value = {"sought": ["face"], "reason": "dark", "modality": modality} if kind == "unobserved" else {}
    provenance = Provenance(media=MEDIA[modality].id, modality=modality, tool="test", version="1")
    return Observation.model_validate({"kind": kind, "value": value, "text": text, "provenance": provenance})


def record(*lines: Observation) -> Record:
    return Record(MEDIA.values(), lines)


def by_words(observations: Sequence[Observation]) -> list[float]:
    """Texts say how relevant they are."""
    return [float(observation.text.split()[-1]) for observation in observations]


def told(seating: Seating) -> dict[str, str]:
    return {each.expert: each.reason for each in seating.passed_over}


def names(seating: Seating) -> list[str]:
    return [expert.name for expert in seating.seated]


PICTURE, SOUND = Expert("eye", "x", view=("image",)), Expert("ear", "x", view=("audio",))
BOTH = record(line("image", "a sign 0.9"), line("audio", "a word 0.5"))


def test_who_sees_nothing_is_passed_over() -> None:
    blind = Expert("blind", "x", view=("video",))
    seating = route([blind, PICTURE], record(line("image", "x"), line("video", "x", "unobserved")), "?")
    assert names(seating) == ["eye"]
    assert told(seating) == {"blind": "nothing that it sees was observed"}


def test_that_bodies_may_not_be_observed_is_the_reason() -> None:
    seating = route([SPECIALISTS["face"], PICTURE], BOTH, "?", rules=Routing(biometrics=False))
    assert "CONSILIENCE_BIOMETRICS=true" in told(seating)["face"]
    assert "BIOMETRICS" not in told(route([SPECIALISTS["face"], PICTURE], BOTH, "?"))["face"]


def test_who_was_wrong_too_often_is_passed_over() -> None:
    seating = route([replace(PICTURE, reliability=0.4), SOUND], BOTH, "?")
    assert told(seating) == {"eye": "it was right in 40% of the cases in which that was measured, and 50% are needed"}
    # What is measured now counts before what was said once.
    assert names(route([replace(PICTURE, reliability=0.4), SOUND], BOTH, "?", track={"eye": 0.6})) == ["eye", "ear"]


def test_where_all_are_bad_the_best_sits_down() -> None:
    assert names(route([PICTURE, SOUND], BOTH, "?", track={"eye": 0.1, "ear": 0.2})) == ["ear"]


def test_many_lines_that_do_not_bear_on_the_question_are_no_ground_to_sit_down() -> None:
    beside = [line("table", f"row {i} 0.01") for i in range(4)]
    table = Expert("table", "x", view=("table",))
    seating = route([table, PICTURE], record(line("image", "a sign 0.9"), *beside), "?", relevance=by_words)
    assert told(seating) == {"table": "none of the 4 lines that it sees bears on the question"}
    # Few lines may be beside the question by chance.
    few = record(line("image", "a sign 0.9"), *beside[:3])
    assert names(route([table, PICTURE], few, "?", relevance=by_words)) == ["table", "eye"]
    assert names(route([table, PICTURE], record(line("image", "0.9"), *beside), "?")) == ["table", "eye"]


def test_of_too_many_those_stay_whose_lines_bear_most() -> None:
    experts = [PICTURE, Expert("word", "x", view=("text",)), SOUND]
    full = record(line("image", "a sign 0.2"), line("audio", "a word 0.5"), line("text", "a note 0.4"))
    seating = route(experts, full, "?", relevance=by_words, rules=Routing(most=2))
    assert names(seating) == ["word", "ear"]
    assert told(seating)["eye"].startswith("there are 2 seats")
    assert names(route(experts, full, "?", rules=Routing(most=2))) == ["eye", "word"]


def test_where_nobody_sees_what_there_is_an_expert_for_all_of_it_sits_down() -> None:
    seating = route([SPECIALISTS["table"], SPECIALISTS["pose"]], BOTH, "?")
    assert [expert.sees for expert in seating.seated] == [View()]
    assert set(told(seating)) == {"table", "pose"}


def test_where_nothing_was_observed_one_can_say_so() -> None:
    seating = route([PICTURE, SOUND], record(line("image", "dark", "unobserved")), "?")
    assert names(seating) == ["eye"]
    assert set(told(seating)) == {"ear"}


def test_nobody_is_no_panel() -> None:
    with pytest.raises(ValueError, match="nobody"):
        route([], BOTH, "?")


@pytest.mark.parametrize("wrong", [{"most": 0}, {"most": 27}, {"floor": 1.1}, {"least": -0.1}])
def test_rules_have_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"0 to 1|1 to 26"):
        Routing(**wrong)  # type: ignore[arg-type]


def test_who_is_not_asked_for_is_passed_over() -> None:
    asked: list[Sequence[str]] = []

    def likeness(question: str, others: Sequence[str]) -> list[float]:
        asked.append(others)
        return [0.9 if (other == "How does it look?") == (question == "looks?") else 0.5 for other in others]

    looker = replace(PICTURE, asks=("How does it look?",))
    assert names(route([looker, SOUND], BOTH, "looks?", likeness=likeness)) == ["eye", "ear"]
    passed = told(route([looker, SOUND], BOTH, "price?", likeness=likeness))
    assert passed == {"eye": "the question does not ask for what it sees"}
    assert asked == [("How does it look?", *PLAIN_QUESTIONS)] * 2
    assert names(route([looker, SOUND], BOTH, "price?")) == ["eye", "ear"]

    joined = joining([looker, replace(looker, name="blind", view=("video",))], BOTH, "looks?", likeness, Routing())
    assert (names(joined), set(told(joined))) == (["eye"], {"blind"})
    assert joining([looker], BOTH, "price?", likeness, Routing()) == Seating(())


LINES = st.builds(
    lambda modality, score, kind: line(modality, f"a line {score:.2f}", kind),
    st.sampled_from(MODALITIES),
    st.floats(0, 1),
    st.sampled_from(["line", "line", "unobserved"]),
)
RECORDS = st.lists(LINES, max_size=14).map(lambda lines: record(*lines))
VIEWS = st.none() | st.lists(st.sampled_from(MODALITIES), max_size=2, unique=True).map(tuple)
RATES = st.none() | st.floats(0, 1)
PANELS = st.lists(st.tuples(VIEWS, RATES), min_size=1, max_size=6).map(
    lambda drawn: [Expert(f"e{i}", "x", view=view, reliability=rate) for i, (view, rate) in enumerate(drawn)]
)
RULES = st.builds(Routing, most=st.integers(1, 4), floor=st.floats(0, 1), least=st.floats(0, 1))


@given(PANELS, RECORDS, RULES, st.booleans())
def test_somebody_who_sees_something_sits_down_wherever_something_was_observed(
    experts: list[Expert], drawn: Record, rules: Routing, compared: bool
) -> None:
    seating = route(experts, drawn, "?", relevance=by_words if compared else None, rules=rules)
    assert 1 <= len(seating.seated) <= rules.most
    if View().observed(drawn):
        assert all(expert.sees.observed(drawn) for expert in seating.seated)


@given(PANELS, RECORDS, RULES, st.booleans())
def test_everybody_sits_down_in_order_or_is_told_of(
    experts: list[Expert], drawn: Record, rules: Routing, compared: bool
) -> None:
    seating = route(experts, drawn, "?", relevance=by_words if compared else None, rules=rules)
    seated = [expert for expert in seating.seated if expert in experts]
    assert seated == [expert for expert in experts if expert in seated]
    assert [each.expert for each in seating.passed_over] == [e.name for e in experts if e not in seated]
    assert all(each.reason for each in seating.passed_over)
    assert route(experts, drawn, "?", relevance=by_words if compared else None, rules=rules) == seating


@given(PANELS, RECORDS, RULES, st.data())
def test_a_better_track_record_unseats_nobody(
    experts: list[Expert], drawn: Record, rules: Routing, data: st.DataObject
) -> None:
    track = {expert.name: expert.reliability for expert in experts if expert.reliability is not None}
    before = route(experts, drawn, "?", relevance=by_words, track=track, rules=rules)
    for name in {expert.name for expert in before.seated} & track.keys():
        better = data.draw(st.floats(track[name], 1))
        after = route(experts, drawn, "?", relevance=by_words, track={**track, name: better}, rules=rules)
        assert name in [expert.name for expert in after.seated]
