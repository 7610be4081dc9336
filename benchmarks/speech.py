"""Word error rate of `audio.speech` on real voices, beside faster-whisper called bare: `python benchmarks/speech.py`.

English: prompts of Debian's asterisk-core-sounds-en-wav, against what their publishers say is spoken in them. Other
languages: names of days and months, whose words are known; several in a row, with pauses, make one recording.

The English words are those of core-sounds-en.txt, which comes with the recordings (Asterisk core sounds, spoken by
Allison Smith, copyright 2003-2010, https://downloads.asterisk.org/pub/telephony/sounds/), in lower case, without
punctuation and with contractions written out. Words and recordings are under CC-BY-SA-3.0
(https://creativecommons.org/licenses/by-sa/3.0/), and so is `ENGLISH` below, unlike the rest of this file.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import machine
import voices
from consilience.tools import Runner
from consilience.tools.audio.speech import speech

from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.observations import ObservationStore, ingest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# From core-sounds-en.txt of the Asterisk core sounds, CC-BY-SA-3.0: see above.
ENGLISH = {
    "agent-alreadyon": "that agent is already logged on please enter your agent number followed by the pound key",
    "agent-incorrect": "login incorrect please enter your agent number followed by the pound key",
    "agent-newlocation": "please enter a new extension followed by pound",
    "all-circuits-busy-now": "all circuits are busy now",
    "auth-incorrect": "password incorrect please enter your password followed by the pound key",
    "cannot-complete-as-dialed": "your call cannot be completed as dialed",
    "check-number-dial-again": "please check the number and dial again",
    "conf-getconfno": "please enter your conference number followed by the pound key",
    "conf-invalid": "that is not a valid conference number please try again",
    "conf-onlyone": "there is currently one other participant in the conference",
    "conf-onlyperson": "you are currently the only person in this conference",
    "conf-waitforleader": "the conference will begin when the leader arrives",
    "confbridge-lock-no-join": "the conference is currently locked and cannot be joined",
    "confbridge-pin-bad": "you have entered too many invalid personal identification numbers",
    "confbridge-removed": "you have been removed from the conference",
    "demo-echodone": "the echo test has been completed",
    "demo-nogo": "i am afraid i was unable to create a connection to the digium demonstration asterisk server you may "
    "find some helpful debugging information on the asterisk console",
    "demo-nomatch": "i am sorry there are no matches for those keywords",
    "dir-instr": "if this is the person you are looking for press one now otherwise please press star now",
    "dir-nomatch": "no directory entries match your search",
    "feature-not-avail-line": "that feature is not available on this line",
    "invalid": "i am sorry that is not a valid extension please try again",
}
_MONTHS = [f"digits/mon-{number}" for number in range(12)]
_DAYS = [f"digits/day-{number}" for number in (1, 2, 3, 4, 5, 6, 0)]
OTHERS = {
    "fr": (
        "fr_CA_f_June",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    ),
    "es": (
        "es_MX_f_Allison",
        "lunes martes miércoles jueves viernes sábado domingo",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    "it": (
        "it_IT_m_Carlo",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    ),
}
_CONTRACTED = {
    "that's": "that is",
    "i'm": "i am",
    "you're": "you are",
    "1": "one",
    "log-in": "login",
    "dialled": "dialed",
}


@dataclass(frozen=True)
class Case:
    """One recording and the words in it."""

    language: str
    samples: NDArray[np.float32]
    words: str


def main() -> None:
    voices.require()
    import jiwer

    print(machine.describe())
    print("| language | recordings | seconds | word error rate | faster-whisper bare | time over bare |")
    print("|---|---|---|---|---|---|")
    bench = Bench()
    groups = {"en": english()} | {code: [row(code, 0), row(code, 1)] for code in OTHERS}
    bench.ours(groups["en"][0])
    bench.bare(groups["en"][0])
    for code, cases in groups.items():
        said, plain, ours, bare = [], [], 0.0, 0.0
        for case in cases:
            text, spent = bench.ours(case)
            said.append(normal(text))
            ours += spent
            text, spent = bench.bare(case)
            plain.append(normal(text))
            bare += spent
        truth = [normal(case.words) for case in cases]
        seconds = sum(len(case.samples) for case in cases) / voices.RATE
        rates = [f"{jiwer.wer(truth, texts):.1%}" for texts in (said, plain)]
        print(f"| {code} | {len(cases)} | {seconds:.0f} | {rates[0]} | {rates[1]} | {ours / bare:.3f} |", flush=True)


class Bench:
    """The encoder in its runner, without the cache, and the same model without either."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        folder = Path(tempfile.mkdtemp())
        (folder / "weights").symlink_to(Settings().weights_dir)
        self._settings = Settings(cache_dir=folder)
        self._store = ObservationStore.open(self._settings)
        self._runner = Runner(self._store, [speech], settings=self._settings, cache=False)
        weights = WeightsStore(self._settings).pull("whisper-base")
        threads = self._settings.threads
        self._model = WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=threads)

    def ours(self, case: Case) -> tuple[str, float]:
        """What the encoder hears, and in how many seconds."""
        media = ingest((case.samples, voices.RATE), self._store)
        begin = time.perf_counter()
        encoding = asyncio.run(self._runner.encode(media, speech, parameters={"language": case.language}))
        spent = time.perf_counter() - begin
        return " ".join(o.text for o in encoding.observations if o.kind == "transcript"), spent

    def bare(self, case: Case) -> tuple[str, float]:
        """What the model hears, and in how many seconds."""
        begin = time.perf_counter()
        found, _ = self._model.transcribe(
            case.samples,
            language=case.language,
            beam_size=5,
            temperature=0.0,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        text = " ".join(segment.text for segment in found)
        return text, time.perf_counter() - begin


def english() -> list[Case]:
    folder = voices.ROOT / "en_US_f_Allison"
    return [Case("en", waveform(folder / f"{name}.wav"), words) for name, words in ENGLISH.items()]


def row(code: str, which: int) -> Case:
    """Days (0) or months (1) in a row, 0.4 s apart."""
    import numpy as np

    folder, *words = OTHERS[code]
    pieces: list[Any] = []
    for name in (_DAYS, _MONTHS)[which]:
        pieces += [waveform(voices.ROOT / folder / f"{name}.wav"), np.zeros(int(0.4 * voices.RATE), np.float32)]
    return Case(code, np.concatenate(pieces), words[which])


def waveform(path: Path) -> Any:
    return voices.speech_of(path)


def normal(text: str) -> str:
    """Lower case, words only, contractions and the few numbers written out."""
    words = re.findall(r"[\w'-]+", text.lower().replace("\u2019", "'"))
    return " ".join(_CONTRACTED.get(word, word) for word in words).replace("-", " ")


if __name__ == "__main__":
    main()
