"""Which language writing is in: naive Bayes over byte n-grams (Lui and Baldwin 2012) through py3langid."""

from __future__ import annotations

import re
import threading
from typing import Any

from consilience.core.errors import MissingExtra
from consilience.core.once import once
from consilience.core.words import LETTER

__all__ = ["LEAST_LETTERS", "language_name", "language_of"]

LEAST_LETTERS = 12
"""Below so many letters nobody can tell; ideographs and kana say as much as three each."""

_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTER = re.compile(LETTER)
_NAMES = dict(
    pair.split(":")
    for pair in (
        "af:Afrikaans am:Amharic an:Aragonese ar:Arabic as:Assamese az:Azerbaijani ba:Bashkir be:Belarusian "
        "bg:Bulgarian bn:Bengali br:Breton bs:Bosnian ca:Catalan cs:Czech cy:Welsh da:Danish de:German dz:Dzongkha "
        "el:Greek en:English eo:Esperanto es:Spanish et:Estonian eu:Basque fa:Persian fi:Finnish fo:Faroese fr:French "
        "fy:Frisian ga:Irish gd:Gaelic gl:Galician gu:Gujarati ha:Hausa he:Hebrew hi:Hindi hr:Croatian ht:Haitian "
        "hu:Hungarian hy:Armenian id:Indonesian ig:Igbo is:Icelandic it:Italian ja:Japanese jv:Javanese ka:Georgian "
        "kk:Kazakh km:Khmer kn:Kannada ko:Korean ku:Kurdish ky:Kyrgyz la:Latin lb:Luxembourgish lg:Ganda ln:Lingala "
        "lo:Lao lt:Lithuanian lv:Latvian mg:Malagasy mk:Macedonian ml:Malayalam mn:Mongolian mr:Marathi ms:Malay "
        "mt:Maltese my:Burmese ne:Nepali nl:Dutch nn:Nynorsk no:Norwegian oc:Occitan om:Oromo or:Odia pa:Punjabi "
        "pl:Polish ps:Pashto pt:Portuguese qu:Quechua ro:Romanian ru:Russian rw:Kinyarwanda sa:Sanskrit se:Sami "
        "si:Sinhala sk:Slovak sl:Slovenian sn:Shona so:Somali sq:Albanian sr:Serbian st:Sotho sv:Swedish sw:Swahili "
        "ta:Tamil te:Telugu tg:Tajik th:Thai tk:Turkmen tl:Tagalog tr:Turkish tt:Tatar ug:Uyghur uk:Ukrainian ur:Urdu "
        "uz:Uzbek vi:Vietnamese vo:Volapük wa:Walloon xh:Xhosa yo:Yoruba zh:Chinese zu:Zulu"
    ).split()
)
_lock = threading.Lock()


def language_name(code: str) -> str:
    """The English name of an ISO 639-1 code, or the code where it has none here."""
    return _NAMES.get(code, code)


def language_of(text: str) -> tuple[str, float] | None:
    """(ISO 639-1 code, probability by the model) of a text; None where there are too few letters to tell.

    Raises:
        MissingExtra: the extra `text` is not installed.
    """
    letters = sum(1 for _ in _LETTER.finditer(text)) + 2 * sum(1 for _ in _IDEOGRAPH.finditer(text))
    if letters < LEAST_LETTERS:
        return None
    with _lock:
        code, probability = _identifier().classify(text)
    return None if code == "zxx" else (str(code), float(probability))


@once
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as problem:
        raise MissingExtra("py3langid", "text", "Telling languages apart") from problem
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # `zxx` is what is no language at all: numbers, code.
    identifier.set_languages([label for label in identifier.labels if label in _NAMES or label == "zxx"])
    return identifier
