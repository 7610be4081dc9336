"""Texts: languages told apart, tone by language, translations found by meaning, time; bare libraries in the same run.

The sentences are real: messages of apt, dpkg, bash and glibc with their translations, as Debian installs them (gettext
catalogues under /usr/share/locale), and those of Gradio's interface. What py3langid's model was trained on its package
does not say; the corpora of langid.py, which it comes from, held translations of Debian (Lui and Baldwin 2011). Format
marks, and messages that a translation leaves in English, are left out. Seeds are fixed.
"""

from __future__ import annotations

import asyncio
import gettext
import importlib.util
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import machine
import numpy as np
from consilience.tools import Runner
from consilience.tools.text.language import language
from consilience.tools.text.languages import language_of
from consilience.tools.text.passages import passages
from consilience.tools.text.sentiment import polarity, sentiment
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from consilience.core.settings import Settings
from consilience.models.embedder import text_embedder
from consilience.observations import ObservationStore, ingest

CATALOGUES = ("apt", "dpkg", "bash", "libc")
LANGUAGES = "cs de el es fi fr hu it ja ko nl pl pt ru sv tr uk zh_CN".split()
SAMPLE = 300
BANDS = ((12, 30), (30, 80), (80, 400))
_MODULE = re.compile(r"([a-z]{2})(?:-[A-Z]{2})?-.{8}\.js")
_MARK = re.compile(r"%(?:\d+\$)?[-+ #0'*\d.]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]|`|\\[a-z]")


def messages(code: str) -> dict[str, str]:
    """English -> this language, each message in one line."""
    found: dict[str, str] = {}
    for name in CATALOGUES:
        path = Path(f"/usr/share/locale/{code}/LC_MESSAGES/{name}.mo")
        if not path.exists():
            continue
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        pairs = ((plain(k), plain(v)) for k, v in catalogue.items() if isinstance(k, str) and k)
        found |= {english: told for english, told in pairs if letters(told) >= BANDS[0][0] and told != english}
    return found


def interface() -> list[tuple[str, str]]:
    """(text, language) of the installed Gradio's interface: strings of its compiled modules, one a language."""
    spec = importlib.util.find_spec("gradio")
    assert spec is not None
    assert spec.origin is not None
    found: set[tuple[str, str]] = set()
    for path in Path(spec.origin).parent.glob("templates/frontend/assets/*.js"):
        if (name := _MODULE.fullmatch(path.name)) and (code := name[1]) not in ("no", "nb"):
            texts = map(plain, re.findall(r"`([^`$]+)`", path.read_text()))
            found |= {(text, code) for text in texts if letters(text) >= BANDS[0][0] and " " in text}
    english = {text for text, code in found if code == "en"}
    return sorted((text, code) for text, code in found if code == "en" or text not in english)


def plain(message: str) -> str:
    return " ".join(_MARK.sub(" ", message).split())


def letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def sample(texts: Sequence[str]) -> list[str]:
    return random.Random(0).sample(sorted(texts), min(SAMPLE, len(texts)))


def languages(told: Sequence[tuple[str, str]], source: str) -> None:
    bare = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    many = len({code for _, code in told})
    print(f"\nLanguage of one message of {source}, {many} languages, {len(told):,} messages (right / wrong / not told)")
    for low, high in BANDS:
        band = [(text, code) for text, code in told if low <= len(text) < high]
        ours = [(language_of(text) or (None, 0.0), code) for text, code in band]
        right = sum(found[0] == code for found, code in ours)
        silent = sum(found[0] is None for found, _ in ours)
        theirs = sum(bare.classify(text)[0] == code for text, code in band)
        sure = [found[0] == code for found, code in ours if found[1] >= 0.8]
        print(
            f"  {low:3} to {high:3} characters ({len(band):,}): {right / len(band):.1%} / "
            f"{(len(band) - right - silent) / len(band):.1%} / {silent / len(band):.1%}, "
            f"py3langid alone {theirs / len(band):.1%} right; "
            f"with a probability of 0.8 or more {len(sure):,}, {len(sure) - sum(sure)} of them wrong"
        )


def tone(known: dict[str, dict[str, str]], english: Sequence[str]) -> None:
    bare = SentimentIntensityAnalyzer()
    chosen = sample(english)
    toned = [text for text in chosen if abs(bare.polarity_scores(text)["compound"]) >= 0.05]
    lost = sum(polarity(text) == 0 for text in toned)
    print(f"\nTone: of {len(toned)} English messages that VADER hears a tone in, {lost} are taken for another language")
    foreign = [text for pairs in known.values() for text in sample(list(pairs.values()))]
    alone = sum(abs(bare.polarity_scores(text)["compound"]) >= 0.05 for text in foreign)
    ours = sum(abs(polarity(text)) >= 0.05 for text in foreign)
    print(f"  of {len(foreign):,} messages in other languages, a tone is heard in {ours}, by VADER alone in {alone}")


def meaning(known: dict[str, dict[str, str]], codes: Sequence[str] = ("de", "fr", "ja", "ru")) -> None:
    print("\nVectors: the translation is the nearest of 200 messages to the English one")
    embedder = text_embedder(2)
    for code in codes:
        pairs = [(e, t) for e, t in sorted(known[code].items()) if 30 <= len(e) < 200]
        pairs = random.Random(1).sample(pairs, 200)
        english, told = (embedder.passages(texts) for texts in zip(*pairs, strict=True))
        first = np.mean((english @ told.T).argmax(axis=1) == np.arange(len(pairs)))
        print(f"  {code}: {first:.1%}")


def speed(known: dict[str, dict[str, str]], english: Sequence[str], repeats: int = 5) -> None:
    texts = [text for text in english if text.isprintable()][:4000]
    content = "\n\n".join(texts).encode()
    identifier, analyser = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True), SentimentIntensityAnalyzer()
    bare: dict[str, Callable[[], object]] = {
        "text.language": lambda: [identifier.classify(text) for text in texts],
        "text.sentiment": lambda: [analyser.polarity_scores(text) for text in texts],
    }
    print(f"\nProcessor time on {len(content) / 1e6:.1f} MB of English in {len(texts):,} passages, median of {repeats}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(cache_dir=Path(folder))
        store = ObservationStore.open(settings)
        runner = Runner(store, [passages, language, sentiment], settings=settings, cache=False)
        media = ingest(content, store, name="messages.txt")
        for encoder in (passages, language, sentiment):
            seconds: list[float] = []
            alone: list[float] = []
            for _ in range(repeats):
                start = time.process_time()
                encoding = asyncio.run(runner.encode(media, encoder))
                seconds.append(time.process_time() - start)
                assert encoding.failure is None, encoding.failure
                if encoder.name in bare:
                    start = time.process_time()
                    bare[encoder.name]()
                    alone.append(time.process_time() - start)
            beside = f", the library alone {statistics.median(alone):.2f} s" if alone else ""
            many = len(encoding.observations)
            print(f"  {encoder.name:15} {statistics.median(seconds):.2f} s for {many:,} observations{beside}")


def main() -> None:
    print(machine.describe())
    known = {code: messages(code) for code in LANGUAGES}
    if missing := [code for code, pairs in known.items() if len(pairs) < SAMPLE]:
        sys.exit(f"Too few messages in {', '.join(missing)}: this needs Debian with its translations.")
    english = sorted({text for pairs in known.values() for text in pairs if letters(text) >= BANDS[0][0]})
    told = [(text, "en") for text in sample(english)]
    told += [(text, code[:2]) for code, pairs in known.items() for text in sample(list(pairs.values()))]
    languages(told, "Debian's programs")
    languages(interface(), "Gradio's interface")
    tone(known, english)
    meaning(known)
    speed(known, english)


if __name__ == "__main__":
    main()
