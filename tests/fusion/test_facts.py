"""What a line of text states, in four languages: as tables, and the laws that reading obeys."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.fusion.fact import Fact
from consilience.fusion.numerals import digits, language_of
from consilience.fusion.reading import read
from consilience.fusion.vocabulary import LANGUAGES

# Pieces that facts are made of, in all orders; and any text at all.
PIECES = st.sampled_from(
    "platform Gleis quai andén room 4 six halb sieben 10:42 18.30 4,50 € euro cents 200 g kg °C % half past quarter "
    "to at um à las heures Uhr y media et demie March 3rd 3.3.2026 2026-03-03 Monday to Freitag not nicht "
    "open CLOSED - . , ; : B 12 1,200 +49 030 1234567 no 24:00 0:00 99:99 31 month: sales: an hour ½ ²".split()
)
TEXTS = st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=40)


@given(TEXTS, st.sampled_from([*LANGUAGES, "ru", ""]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    line = read(text, language)
    places = [(fact.start, fact.end) for fact in line.facts]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(line.digits.text) for start, end in places)
    assert all(a[1] <= b[0] for a, b in pairwise(places)), "no character tells two facts"
    assert len(line.about) == len(line.digits.text)


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_digits_know_where_they_come_from(text: str, language: str) -> None:
    line = digits(text, language)
    assert len(line.origins) == len(line.text) + 1
    assert list(line.origins) == sorted(line.origins)
    assert line.excerpt(0, len(line.text)) == text


@given(st.integers(2, 99_999))
def test_figures_stay_what_they_are(number: int) -> None:
    assert digits(f"no. {number}!", "en").text == f"no. {number}!"


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_reading_twice_gives_the_same(text: str, language: str) -> None:
    assert read(text, language) == read(text, language)


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_every_fact_agrees_with_itself(text: str, language: str) -> None:
    for fact in read(text, language).facts:
        assert fact.agrees(fact) or fact.dimension == "range"


def only(text: str, language: str = "en") -> Fact:
    (fact,) = read(text, language).facts
    return fact


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "at half past six", "18:30"),
        ("en", "at half past six", "6:30 am"),
        ("en", "a quarter to eight", "7:45"),
        ("en", "ten past nine", "9:10"),
        ("en", "twenty to five", "4:40 pm"),
        ("en", "ten forty two", "10:42"),
        ("en", "eleven o'clock", "11:00"),
        ("en", "noon", "12:00"),
        ("en", "midnight", "0:00"),
        ("en", "7 pm", "19:00"),
        ("en", "at 8 in the evening", "20:00"),
        ("en", "platform six", "Platform 6"),
        ("en", "gate B twelve", "Gate B12"),
        ("en", "the third floor", "3rd floor"),
        ("en", "five euros twenty", "5.20 euro"),
        ("en", "five twenty euros", "€5.20"),
        ("en", "five euros and twenty cents", "5,20 EUR"),
        ("en", "fifty cents", "0.50 euro"),
        ("en", "twelve hundred grams", "1.2 kg"),
        ("en", "one hour", "60 minutes"),
        ("en", "half an hour", "30 min"),
        ("en", "minus five degrees", "-5 °C"),
        ("en", "the third of March", "March 3"),
        ("en", "the twenty first of June", "2026-06-21"),
        ("en", "3/4/2026", "4 March"),
        ("en", "three eggs", "eggs: 3"),
        ("en", "one hundred and twenty people", "120 people"),
        ("en", "call 555 0199 22", "555-0199-22"),
        ("de", "halb sieben", "18:30 Uhr"),
        ("de", "Viertel nach acht", "8.15 Uhr"),
        ("de", "zwei Uhr dreißig", "2:30"),
        ("de", "Gleis einundzwanzig", "Gleis 21"),
        ("de", "am dritten Mai", "3.5.2026"),
        ("de", "vier Euro fünfzig", "4,50 €"),
        ("de", "eine Stunde", "60 Minuten"),
        ("fr", "dix-huit heures trente", "18h30"),
        ("fr", "neuf heures et quart", "9h15"),
        ("fr", "six heures moins le quart", "5h45"),
        ("fr", "midi", "12h00"),
        ("fr", "quatre-vingt-dix euros", "90 €"),
        ("fr", "le trois mars", "3.3.2026"),
        ("fr", "voie un", "Voie 1"),
        ("es", "las seis y media", "6:30"),
        ("es", "las nueve menos cuarto", "8:45"),
        ("es", "a las ocho y cuarto", "8:15"),
        ("es", "treinta y cinco euros", "35 €"),
        ("es", "el tres de marzo", "3.3.2026"),
        ("es", "andén seis", "Andén 6"),
    ],
)
def test_the_same_in_words_and_figures(language: str, one: str, other: str) -> None:
    said, shown = only(one, language), only(other, language)
    assert said.dimension == shown.dimension
    assert said.agrees(shown)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "half past six", "7:30"),
        ("en", "6 am", "6 pm"),
        ("en", "half past six", "18:35"),
        ("en", "platform 4", "platform 14"),
        ("en", "gate B12", "gate C12"),
        ("en", "5.20 euro", "5.02 euro"),
        ("en", "2 kg", "200 g"),
        ("en", "5 degrees", "minus 5 degrees"),
        ("en", "3 March", "3 May"),
        ("en", "the shop is open", "the shop is closed"),
        ("en", "on time", "cancelled"),
        ("de", "halb sieben", "7:30 Uhr"),
        ("de", "Montag", "Dienstag"),
        ("fr", "onze heures", "12h00"),
        ("es", "las seis y media", "7:30"),
    ],
)
def test_different_values_of_one_dimension(language: str, one: str, other: str) -> None:
    said, shown = only(one, language), only(other, language)
    assert said.dimension == shown.dimension
    assert not said.agrees(shown)


@pytest.mark.parametrize(
    ("language", "text", "dimensions"),
    [
        ("en", "10:42  York  Platform 4", ["time", "label:platform"]),
        ("en", "Tomato soup 4.50", ["of:soup"]),
        ("en", "open 9 to 5 pm", ["state:access", "range"]),
        ("de", "Mo bis Fr 9 bis 18 Uhr", ["range"]),
        ("de", "Montag bis Freitag", ["range"]),
        ("en", "10-12 kg", ["range"]),
        ("en", "not platform 4 but platform 6", ["label:platform", "label:platform"]),
        ("en", "It is once a good year, second to none.", []),
        ("es", "una gata y un perro", []),
        ("en", "the blue one", []),
        ("en", "", []),
    ],
)
def test_dimensions(language: str, text: str, dimensions: list[str]) -> None:
    assert [fact.dimension for fact in read(text, language).facts] == dimensions


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "not platform 4"),
        ("en", "instead of room 12"),
        ("de", "nicht Gleis 4"),
        ("fr", "au lieu de 18h30"),
        ("es", "en vez del andén 4"),
    ],
)
def test_what_is_set_aside_is_negated(language: str, text: str) -> None:
    assert only(text, language).negated


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["The train will leave from platform six."], "en"),
        (["Der Zug fährt heute nicht."], "de"),
        (["Le train partira du quai"], "fr"),
        (["El tren sale del andén"], "es"),
        (["York", "Platform 4"], "en"),
        ([], "en"),
    ],
)
def test_language_of(texts: list[str], language: str) -> None:
    assert language_of(texts) == language
