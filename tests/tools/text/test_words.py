"""Language, tone and vectors of texts, on real sentences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from consilience.tools import Runner
from consilience.tools.text.embedding import embedding
from consilience.tools.text.language import language
from consilience.tools.text.languages import language_name, language_of
from consilience.tools.text.passages import passages
from consilience.tools.text.sentiment import polarity, sentiment
from hypothesis import given
from hypothesis import strategies as st

from consilience.observations import Embedding, Media, Sentiment, Source, ingest
from consilience.testing import EncoderConformance

Bench = tuple[Runner, Media]

LETTER = """The train leaves at six. I am really disappointed by the service on this line.

Der Zug fährt um sechs Uhr ab, und ich bin darüber sehr froh.

Great, another delay. Thanks a lot for that.

The platform is on the left of the main hall."""


class TestLanguage(EncoderConformance):
    encoder = language

    def source(self) -> Source:
        return LETTER

    async def test_tells_the_text_and_the_passages_that_differ(self, bench: Bench) -> None:
        whole, german = (await self.observe(bench)).observations
        assert (whole.value, whole.locator.to_fragment()) == ({"language": "en", "name": "English"}, "")
        assert (german.value["language"], german.locator.chars is not None) == ("de", True)
        assert whole.confidence is not None
        assert whole.confidence.kind == "probability"

    async def test_too_few_words_tell_nothing(self, bench: Bench) -> None:
        runner, _ = bench
        (found,) = (await runner.encode(ingest("12 + 30 = 42", runner.store), language)).observations
        assert (found.kind, "too few words" in found.text) == ("unobserved", True)


class TestSentiment(EncoderConformance):
    encoder = sentiment

    def source(self) -> Source:
        return LETTER

    async def test_reads_the_tone_of_english_passages(self, bench: Bench) -> None:
        found = (await self.observe(bench)).observations
        assert [o.as_(Sentiment).label for o in found] == ["negative", "positive"]
        assert "disappointed" in found[0].text
        # The known limit: it takes irony at its word, and says that it may be.
        assert "Great, another delay" in found[1].text
        assert "unless in irony" in found[1].text

    async def test_neutral_words_are_told_once(self, bench: Bench) -> None:
        runner, _ = bench
        text = ingest("The meeting is at six.\n\nThe platform is on the left.", runner.store)
        (found,) = (await runner.encode(text, sentiment)).observations
        assert (found.as_(Sentiment).label, found.locator.to_fragment()) == ("neutral", "")

    async def test_another_language_is_unobserved(self, bench: Bench) -> None:
        runner, _ = bench
        text = ingest("Ich bin von diesem Zug und dieser Bahn wirklich sehr enttäuscht.", runner.store)
        (found,) = (await runner.encode(text, sentiment)).observations
        assert (found.kind, "German" in found.text) == ("unobserved", True)


class TestEmbedding(EncoderConformance):
    encoder = embedding

    def source(self) -> Source:
        return "A dog runs over the meadow.\n\nUn chien court dans le pré.\n\nThe invoice is due in March."

    def huge(self) -> Source:
        # The model takes a millisecond a token.
        return "word " * 500

    async def test_alike_meanings_lie_close_in_any_language(self, bench: Bench) -> None:
        dog, chien, invoice = (np.array(o.as_(Embedding).vector) for o in (await self.observe(bench)).observations)
        assert dog.shape == (384,)
        assert np.linalg.norm(dog) == pytest.approx(1, abs=1e-3)
        assert dog @ chien > dog @ invoice


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The train leaves at six from platform two", "en"),
        ("Der Zug fährt um sechs Uhr von Gleis zwei ab", "de"),
        ("Le train part à six heures de la voie deux", "fr"),
        ("El tren sale a las seis del andén dos", "es"),
        ("Il treno parte alle sei dal binario due", "it"),
        ("Поезд отправляется в шесть часов", "ru"),
        ("今日は天気がいいですね", "ja"),
        ("火车六点从二号站台出发", "zh"),
    ],
)
def test_languages_are_told_apart(text: str, code: str) -> None:
    found = language_of(text)
    assert found is not None
    assert found[0] == code
    assert language_name(code) != code


@pytest.mark.parametrize("text", ["", "ok", "12345678901234", "!?" * 20])
def test_nobody_can_tell_the_language_of_next_to_nothing(text: str) -> None:
    assert language_of(text) is None


def test_polarity_is_that_of_english_words_only() -> None:
    assert polarity("I love this wonderful place") > 0.5
    assert polarity("We hate this awful place") < -0.5
    assert polarity("The meeting is at six") == 0
    assert polarity("not good") < 0
    # `die` is an article here.
    assert polarity("Die Frau ist nett, und die Kinder sind es auch.") == 0


@given(st.text(max_size=200))
def test_polarity_of_any_text_is_a_number(text: str) -> None:
    assert -1 <= polarity(text) <= 1
    assert math.isfinite(polarity(text))


async def test_annotations_are_no_prose(tmp_path: object) -> None:
    for encoder in (passages, language, sentiment, embedding):
        assert encoder.reads("text", "text/plain")
        assert not encoder.reads("text", "text/vtt")
    assert embedding.on_demand
