"""The tone of English words: VADER (Hutto and Gilbert 2014), a lexicon with rules for negation and emphasis.

It reads words, not meanings: irony turns it round ("Great, another delay" counts as praise), and what only the context
makes good or bad it does not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.languages import language_name, language_of
from consilience.tools.text.passages import PROSE, stretches_of

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.observations import Observation
from consilience.observations.locator import one_line

__all__ = ["polarity", "sentiment"]

# The authors' own bounds of what is neutral.
_NEUTRAL = 0.05
_QUOTED = 160
# Another language must be this sure before English words in it stop counting.
_FOREIGN = 0.5


@encoder(
    modality="text",
    kinds=("sentiment",),
    version="2",
    extra="text",
    packages=("vaderSentiment", "py3langid"),
    mimes=PROSE,
)
def sentiment(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells whether the words of an English passage are positive or negative; irony turns that round."""
    read, told_of, foreign = 0, 0, ""
    for stretch in stretches_of(excerpt):
        excerpt.check()
        if other := _foreign(stretch.text):
            foreign = other
            continue
        read += 1
        compound = _compound(stretch.text)
        label = _label(compound)
        if label != "neutral":
            quoted = one_line(stretch.text)[:_QUOTED]
            told = f"{label} words ({compound:+.2f} of -1 to 1; meant so unless in irony): {quoted!r}"
            told_of += 1
            value = {"compound": compound, "label": label}
            yield excerpt.observe("sentiment", value, told, locator=stretch.locator)
    if read and not told_of:
        yield excerpt.observe("sentiment", {"compound": 0.0, "label": "neutral"}, "its words are neutral in tone")
    if not read:
        raise Unobservable(f"tone is read in English only, and this is {language_name(foreign)}")


def polarity(text: str) -> float:
    """How positive (up to 1) or negative (down to -1) the words of a text are; 0 for none, and for other languages.

    Raises:
        MissingExtra: the extra `text` is not installed.
    """
    return 0.0 if _foreign(text) else _compound(text)


def _foreign(text: str) -> str | None:
    """The language of a text that is clearly not English: `die` is an article in German."""
    found = language_of(text)
    return found[0] if found and found[0] != "en" and found[1] >= _FOREIGN else None


def _label(compound: float) -> str:
    if abs(compound) < _NEUTRAL:
        return "neutral"
    return "positive" if compound > 0 else "negative"


def _compound(text: str) -> float:
    return float(_analyser().polarity_scores(text)["compound"])


@once
def _analyser() -> Any:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as problem:
        raise MissingExtra("vaderSentiment", "text", "Reading the tone of words") from problem
    return SentimentIntensityAnalyzer()
