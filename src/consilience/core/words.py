"""What a letter is, in any script, and when two are the same."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LETTER", "UNSPACED", "folded", "words"]

# `re` knows letters, but not the marks that many scripts write vowels and tones with.
_MARKS = "".join(mark for mark in map(chr, range(0x300, 0xFFFF)) if unicodedata.category(mark).startswith("M"))

LETTER = rf"[^\W\d_][{_MARKS}]*"
"""Pattern of one letter with its marks."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Letters, as ranges of a character class, of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer,
Japanese, Chinese."""


def folded(text: str) -> str:
    """`text` with its case, its compatibility forms (full width, ligatures) and its minus signs made one."""
    # Folding case takes some letters apart again, hence the second time.
    caseless = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", caseless).replace("\u2212", "-")


# A mark inside a number is part of it: 10:42 and 3.5 stay whole, and 1 never matches within 10:42, nor 5 within -5.
_NUMBER = r"(?:(?<!\S)-)?\d+(?:[.,:/-]\d+)*"
# Where a script puts no spaces between words, every letter stands for itself.
_WORD = re.compile(rf"{_NUMBER}|(?=[{UNSPACED}]){LETTER}|(?:(?![{UNSPACED}]){LETTER})+")


def words(text: str) -> list[str]:
    """Words and numbers of `text`, folded, in order, punctuation dropped."""
    found: list[str] = _WORD.findall(folded(text))
    return found
