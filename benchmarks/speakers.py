"""Who spoke when, on conversations of known turns put together from real voices: `python benchmarks/speakers.py`.

Two figures, because the encoder carries the mean of six voices, and these are the six: once as it is, and once with a
mean of those voices alone that do not speak in the conversation. Thresholds were chosen on other prompts.
"""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import machine
import voices
from consilience.tools.audio.diarisation import Embedded, diarise, embedded
from consilience.tools.audio.speakers import turns_of
from consilience.tools.audio.voice_activity import speech_in
from consilience.tools.audio.voices import WEIGHTS, embed, windows_of

from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.evaluation.speaker_error import SpeakerError, speaker_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEEDS = range(9000, 9006)
SPEAKERS = (1, 2, 3, 4, 5)
PROMPTS_A_VOICE = 60
# A mean of fewer voices is one of people, not of voices; of six, so many are absent from talks of up to three.
FEWEST = 3


def main() -> None:
    voices.require()
    folder = WeightsStore(Settings()).pull(WEIGHTS)
    means = {name: mean_of(name, folder) for name in voices.VOICES}
    if "--centre" in sys.argv:
        import numpy as np

        print(base64.b64encode(np.mean(list(means.values()), axis=0).astype("<f2").tobytes()).decode())
        return
    print(machine.describe())
    print("| speakers | talks | seconds | voices known: error, with collar, right number | voices unknown: the same |")
    print("|---|---|---|---|---|")
    totals = {"known": Tally(), "unknown": Tally()}
    spent = heard = 0.0
    for count in SPEAKERS:
        rows = {"known": Tally(), "unknown": Tally()}
        seconds = 0.0
        for seed in SEEDS:
            talk = voices.conversation(seed * 10 + count, speakers=count, turns=max(4, 3 * count))
            begin = time.perf_counter()
            stretches = embedded(speech_in([talk.samples]), folder)
            rows["known"].add(talk, stretches, None, count)
            spent += time.perf_counter() - begin
            absent = [mean for name, mean in means.items() if name not in {turn[2] for turn in talk.turns}]
            if len(absent) >= FEWEST:
                rows["unknown"].add(talk, stretches, sum(absent) / len(absent), count)
            seconds += len(talk.samples) / voices.RATE
        heard += seconds
        print(f"| {count} | {len(SEEDS)} | {seconds:.0f} | {rows['known']} | {rows['unknown']} |", flush=True)
        for name, row in rows.items():
            totals[name].merge(row)
    print(f"| all | {len(SEEDS) * len(SPEAKERS)} | {heard:.0f} | {totals['known']} | {totals['unknown']} |")
    print(f"{spent / heard:.3f} s a second of sound, decoding aside")


class Tally:
    """Errors added up, and how often the number of speakers was right."""

    def __init__(self) -> None:
        self.exact = self.collared = SpeakerError(0, 0, 0, 0)
        self.right = self.talks = 0

    def add(
        self,
        talk: voices.Conversation,
        stretches: list[Embedded],
        centre: NDArray[np.float32] | None,
        count: int,
    ) -> None:
        """Counts what is found in one talk."""
        turns = turns_of(diarise(stretches, centre))
        found = [(turn.time.start, turn.time.end, turn.speaker) for turn in turns]
        self.exact += speaker_error(talk.turns, found)
        self.collared += speaker_error(talk.turns, found, collar=0.25)
        self.right += len({turn.speaker for turn in turns}) == count
        self.talks += 1

    def merge(self, other: Tally) -> None:
        """Counts what another counted."""
        self.exact += other.exact
        self.collared += other.collared
        self.right += other.right
        self.talks += other.talks

    def __str__(self) -> str:
        if not self.talks:
            return "-"
        return f"{self.exact.rate:.1%}, {self.collared.rate:.1%}, {self.right} of {self.talks}"


def mean_of(name: str, folder: Path) -> NDArray[np.float32]:
    """The mean vector of one voice, by prompts that no conversation here is made of."""
    import numpy as np

    paths = voices.prompts(name, "fit")[:PROMPTS_A_VOICE]
    windows = np.concatenate([windows_of(voices.speech_of(path)) for path in paths])
    return embed(windows, folder).mean(axis=0)


if __name__ == "__main__":
    main()
