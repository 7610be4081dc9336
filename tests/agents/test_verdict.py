from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from consilience.agents import (
    Citation,
    Claim,
    Confidence,
    Dissent,
    Evidence,
    Part,
    PayOff,
    Position,
    SeatFate,
    Stage,
    StruckClaim,
    Verdict,
)
from consilience.agents.html import part_html, verdict_html
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consilience.models import Usage
from consilience.observations import ObservationStore, Record

BAD = """<script>alert("1")</script><img src=x onerror='alert(2)'>&amp;"><b>"""
POSITION = Position(text="platform 4", stated="fully")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path_factory.mktemp("store")) as opened:
        yield opened


def claim(text: str = "It is nine.", label: str = "a1", quote: str = "platform nine") -> Claim:
    return Claim(text=text, citations=(Citation(label=label, quote=quote, observation="obs:1"),))


def verdict(**told: Any) -> Verdict:
    given: dict[str, Any] = {
        "question": "Which platform?",
        "answer": "Platform nine.",
        "status": "complete",
        "claims": (claim(),),
        "confidence": Confidence(value=0.5, method="agreement", of="seats", told="1 of 2 seats"),
        "usage": Usage(calls=3),
        "stop_reason": "the judge answered",
    }
    return Verdict(**{**given, **told})


def everywhere(text: str) -> Verdict:
    """A verdict with `text` in every place that a model, a file or a caller can write to."""
    stage = Stage(answer=text, usage=Usage())
    return verdict(
        question=text,
        answer=text,
        claims=(claim(text, text, text),),
        confidence=Confidence(value=0.5, method="agreement", of=text, told=text),
        dissent=(Dissent(seat="A", expert=text, position=Position(text=text, stated="partly")),),
        struck=(StruckClaim(claim=claim(text), reason=text),),
        seats=(SeatFate(seat="A", expert=text, model=text, status="lost", turns=0, reason=text),),
        lost_tools=(text,),
        payoff=PayOff(best_single=stage, vote=stage, debate=stage, changed=False),
        parts=(Part(kind="text", text=text, label=text),),
        stop_reason=text,
    )


class Page(HTMLParser):
    """The tags, the attributes' names and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", [BAD, "</li></ul></div><style>", "<!-- ", "<iframe src='http://x'>"])
def test_untrusted_text_stays_text(store: ObservationStore, text: str) -> None:
    page = Page(verdict_html(everywhere(text), store))
    assert page.tags <= {"div", "p", "b", "ul", "li", "br"}
    assert page.attributes == {"style"}
    # Question and answer; claim, label, quote, caption; confidence; dissent, struck, lost; lost tool; pay-off.
    assert page.text.count(text) == 2 + 4 + 1 + 6 + 1 + 3


def test_untrusted_captions_stay_captions(store: ObservationStore) -> None:
    blob = store.put_bytes(b"bytes")
    for kind, mime in (("crop", "image/png"), ("clip", "audio/wav"), ("crop", f"image/png{BAD}"), ("clip", BAD)):
        page = Page(part_html(Part(kind=kind, text=BAD, label="i1", blob=blob, mime=mime), store))
        assert page.tags <= {"img", "audio"}
        assert page.attributes <= {"src", "alt", "style", "controls", "title"}


@given(st.text(alphabet="<>&\"'/ab=!-", max_size=30))
def test_no_text_makes_a_tag(store: ObservationStore, text: str) -> None:
    page = Page(part_html(Part(kind="text", text=text), store))
    assert page.tags == {"div"}
    assert page.text == text


def test_bytes_are_embedded_and_nothing_is_fetched(store: ObservationStore) -> None:
    parts = (
        Part(kind="crop", text="the sign", label="i1", blob=store.put_bytes(b"picture"), mime="image/png"),
        Part(kind="clip", text="the call", label="a1", blob=store.put_bytes(b"sound"), mime="audio/wav"),
    )
    page = Page(verdict_html(verdict(claims=(claim(label="i1"), claim()), parts=parts), store))
    assert page.sources == ["data:image/png;base64,cGljdHVyZQ==", "data:audio/wav;base64,c291bmQ="]


@pytest.mark.parametrize(
    ("kind", "mime", "tag"),
    [
        ("crop", "image/png", "img"),
        ("chart", "image/svg+xml", "img"),
        ("clip", "audio/wav", "audio"),
        ("speech", "audio/wav", "audio"),
    ],
)
def test_a_part_is_shown_or_played(store: ObservationStore, kind: Any, mime: str, tag: str) -> None:
    part = Part(kind=kind, text="caption", blob=store.put_bytes(b"bytes"), mime=mime)
    assert Page(part_html(part, store)).tags == {tag}


def test_a_part_whose_bytes_are_gone_is_its_caption(store: ObservationStore) -> None:
    assert part_html(Part(kind="crop", text="a sign", blob="0" * 64, mime="image/png"), store) == "<div>a sign</div>"


def test_evidence_that_two_claims_cite_is_shown_once(store: ObservationStore) -> None:
    part = Part(kind="clip", text="the call", label="a1", blob=store.put_bytes(b"sound"), mime="audio/wav")
    html = verdict_html(verdict(claims=(claim(), claim("So it moved.")), parts=(part,)), store)
    assert html.count("<audio") == 1
    assert html.count("[a1]") == 2


def test_without_an_answer_the_reason_is_shown(store: ObservationStore) -> None:
    lost = verdict(answer="", status="failed", claims=(), stop_reason="every seat was lost: gone")
    assert "<b>every seat was lost: gone</b>" in verdict_html(lost, store)


def test_the_books_are_shown(store: ObservationStore) -> None:
    told = verdict(
        dissent=(Dissent(seat="A", expert="image", position=POSITION),),
        struck=(StruckClaim(claim=claim("It is 5."), reason="not said"),),
        lost_tools=("whisper: no weights",),
    )
    books = Page(verdict_html(told, store)).text
    for line in (
        "Status: complete; confidence: 50% by agreement: 1 of 2 seats",
        "Dissent: image: platform 4",
        "Struck: It is 5. (not said)",
        "Lost tool: whisper: no weights",
    ):
        assert line in books


def test_as_text_it_is_the_answer_and_the_claims() -> None:
    assert str(verdict()) == 'Platform nine.\n\n- It is nine. [a1] "platform nine"'
    assert str(verdict(claims=())) == "Platform nine."


def test_evidence_is_found_by_label(record: Record) -> None:
    media = record.medium_of(record["a1"])
    assert media is not None
    cited = Evidence(label="a1", observation=record["a1"], media=media)
    told = verdict(evidence=(cited,))
    assert told.evidence_for("a1") is cited
    assert told.evidence_for("i1") is None


def test_it_round_trips_through_json(record_of: Callable[..., Record]) -> None:
    record = record_of(("audio", "platform nine"))
    cited = Evidence(label="a1", observation=record["a1"], media=record.media[0])
    told = everywhere(BAD).model_copy(update={"evidence": (cited,), "usage_by_seat": {"A": Usage(cost=None)}})
    assert Verdict.model_validate_json(told.model_dump_json()) == told


def test_it_is_frozen_and_knows_its_fields() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        verdict().answer = "another"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        verdict(mood="good")


SINGLE = Stage(answer="platform 4", usage=Usage(prompt_tokens=90, completion_tokens=10, seconds=1.24))
VOTE = Stage(answer=None, usage=Usage(prompt_tokens=200, cost=0.00125, seconds=3))
LATE = Stage(answer="platform 9", usage=Usage(prompt_tokens=600, seconds=8))
ALL = Stage(answer="platform nine", usage=Usage(prompt_tokens=950, cost=None, seconds=11.06))


@pytest.mark.parametrize(
    ("ran", "late", "line"),
    [
        ("single", None, "single: platform nine (950 tokens, price unknown, 11.1 s)"),
        (
            "vote",
            None,
            "best single: platform 4 (100 tokens, 1.2 s) | vote: platform nine (950 tokens, price unknown, 11.1 s)"
            " | its tokens buy 9 single answers",
        ),
        (
            "panel",
            None,
            "best single: platform 4 (100 tokens, 1.2 s) | vote: no answer (200 tokens, $0.0013, 3.0 s)"
            " | panel: platform nine (950 tokens, price unknown, 11.1 s) | its tokens buy 9 single answers",
        ),
        (
            "debate",
            LATE,
            "best single: platform 4 (100 tokens, 1.2 s) | vote: no answer (200 tokens, $0.0013, 3.0 s)"
            " | vote after the exchange: platform 9 (600 tokens, 8.0 s)"
            " | debate: platform nine (950 tokens, price unknown, 11.1 s) | its tokens buy 9 single answers",
        ),
    ],
)
def test_the_payoff_is_one_line_with_what_the_run_holds(ran: Any, late: Stage | None, line: str) -> None:
    payoff = PayOff(best_single=SINGLE, vote=VOTE, late_vote=late, debate=ALL, changed=True, ran=ran)
    assert payoff.line() == line


def test_where_no_tokens_are_told_nothing_is_compared() -> None:
    stage = Stage(answer="x", usage=Usage(seconds=1))
    payoff = PayOff(best_single=stage, vote=stage, debate=stage, changed=False)
    assert payoff.draws is None
    assert "buy" not in payoff.line()


@pytest.mark.parametrize(
    ("method", "line"),
    [
        ("agreement", "50% by agreement: 1 of 2 seats"),
        ("log_probs", "50% by log-probabilities: 1 of 2 seats"),
        ("calibrated", "50% by a calibrated map: 1 of 2 seats"),
    ],
)
def test_a_confidence_is_told_with_its_method(store: ObservationStore, method: Any, line: str) -> None:
    confidence = Confidence(value=0.5, method=method, of="seats", told="1 of 2 seats")
    assert confidence.line() == line
    assert f"confidence: {line}" in Page(verdict_html(verdict(confidence=confidence), store)).text
    assert "confidence: none" in Page(verdict_html(verdict(confidence=None), store)).text


@pytest.mark.parametrize(("flipped", "told"), [(None, None), (True, "otherwise"), (False, "alike")])
def test_what_the_other_order_came_to_is_told(store: ObservationStore, flipped: Any, told: Any) -> None:
    page = Page(verdict_html(verdict(order_flipped=flipped), store))
    assert ("Order: " in page.text) is (told is not None)
    assert told is None or f"the judge answered {told} over the turns in reverse" in page.text
