"""The whole way with nothing faked: real Whisper, real OCR, the real 1.5B model, on the example media."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from consilience.agents import normalise

from consilience import Settings, Verdict, ask
from consilience.observations import ObservationStore

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = tmp_path_factory.mktemp("cache")
    (place / "weights").symlink_to(Settings().weights_dir)
    return Settings(cache_dir=place)


@pytest.fixture(scope="module")
def verdict(settings: Settings) -> Verdict:
    media = [MEDIA / "scene.png", MEDIA / "call.wav"]
    return ask("Where and when does the book club meet?", media, settings=settings, seed=7)


@pytest.mark.timeout(600)
def test_answers_from_both_media(verdict: Verdict) -> None:
    answer = normalise(verdict.answer)
    assert "upper room" in answer
    assert "thursday" in answer
    assert re.search(r"half past (six|6)", answer)
    assert verdict.status in ("complete", "partial")
    assert verdict.lost_tools == ()


def test_claims_cite_what_exists_and_quote_it(verdict: Verdict, settings: Settings) -> None:
    store = ObservationStore.open(settings)
    assert verdict.claims
    for claim in verdict.claims:
        for cited in claim.citations:
            (observation,) = store.get([cited.observation or ""])
            assert normalise(cited.quote) in normalise(observation.text)
    assert {evidence.media.modality for evidence in verdict.evidence} == {"image", "audio"}


def test_evidence_can_be_shown_and_played(verdict: Verdict, settings: Settings) -> None:
    store = ObservationStore.open(settings)
    shown = {part.kind: store.blob(part.blob).read_bytes() for part in verdict.parts if part.blob}
    assert shown["crop"].startswith(b"\x89PNG")
    assert shown["clip"].startswith(b"RIFF")


def test_books_are_kept(verdict: Verdict) -> None:
    assert {seat.status for seat in verdict.seats} == {"answered"}
    assert verdict.usage.calls == sum(usage.calls for usage in verdict.usage_by_seat.values())
    assert verdict.usage.cached_tokens > 0
    assert verdict.payoff is not None
    assert verdict.payoff.debate.usage == verdict.usage
