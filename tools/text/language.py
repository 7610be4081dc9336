"""The language of a text and, where passages are in another one, theirs."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.bounds import Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.text.languages import language_name, language_of
from consilience.tools.text.passages import PROSE, stretches_of

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Locator, Observation
from consilience.observations.locator import one_line

__all__ = ["language"]

# So much of a text is looked at for the language of the whole.
_ENOUGH = 20_000
_QUOTED = 60


@encoder(modality="text", kinds=("language",), version="2", extra="text", packages=("py3langid",), mimes=PROSE)
def language(excerpt: Excerpt, *, least_probability: Share = 0.8) -> Iterator[Observation]:
    """Tells which language a text is in, and which passages are in another one.

    Args:
        excerpt: a text, or a stretch of one.
        least_probability: 0 to 1; passages in another language are told where it is as sure as this.
    """
    stretches = list(stretches_of(excerpt))
    whole = language_of(" ".join(stretch.text for stretch in stretches)[:_ENOUGH])
    if whole is None:
        raise Unobservable("it has too few words to tell its language")
    yield _observe(excerpt, *whole, f"the text is in {language_name(whole[0])}")
    for stretch in stretches:
        excerpt.check()
        found = language_of(stretch.text)
        if found and found[0] != whole[0] and found[1] >= least_probability:
            quoted = one_line(stretch.text)[:_QUOTED]
            told = f"this passage is in {language_name(found[0])}: {quoted!r}"
            yield _observe(excerpt, *found, told, stretch.locator)


def _observe(excerpt: Excerpt, code: str, probability: float, told: str, locator: Locator | None = None) -> Observation:
    value = {"language": code, "name": language_name(code)}
    confidence = Confidence(value=min(1.0, probability), kind="probability")
    return excerpt.observe("language", value, told, locator=locator, confidence=confidence)
