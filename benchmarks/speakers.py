"""Who spoke when, on conversations of known turns put together from real voices: `python benchmarks/speakers.py`.

The encoder carries the mean of six voices. Three figures, for they are the six there are most prompts of:

- known: conversations of the six, the encoder as it is. Better than anybody else's voices fare.
- left out: the same, with a mean of those voices alone that do not speak in the conversation. With four speakers that
  is a mean of two voices, with five it is a single voice: worse than what the encoder carries.
- strangers: conversations of five other voices, the encoder as it is. This is what users get.

The encoder's distances were chosen on other prompts of the six voices, by "left out"; how much a recording's own mean
counts, on other conversations of the strangers. So "left out" says how the second choice fares on voices that it was
not made on, and "strangers" how the first does; no voice here is held out from both.
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
CONDITIONS = ("known", "left out", "strangers")


def main() -> None:
    voices.require(strangers=True)
    folder = WeightsStore(Settings()).pull(WEIGHTS)
    means = {name: mean_of(name, folder) for name in voices.VOICES}
    if "--centre" in sys.argv:
        import numpy as np

        print(base64.b64encode(np.mean(list(means.values()), axis=0).astype("<f2").tobytes()).decode())
        return
    print(machine.describe())
    print("| speakers | talks | known: error, with collar, right number | left out | strangers |")
    print("|---|---|---|---|---|")
    totals = {name: Tally() for name in CONDITIONS}
    spent = heard = 0.0
    for count in SPEAKERS:
        rows = {name: Tally() for name in CONDITIONS}
        for seed in SEEDS:
            for who, among in (("known", voices.VOICES), ("strangers", voices.STRANGERS)):
                talk = voices.conversation(seed * 10 + count, speakers=count, among=among, turns=max(4, 3 * count))
                begin = time.perf_counter()
                stretches = embedded(speech_in([talk.samples]), folder)
                rows[who].add(talk, stretches, None, count)
                spent += time.perf_counter() - begin
                heard += len(talk.samples) / voices.RATE
                if who == "known":
                    absent = [mean for name, mean in means.items() if name not in {turn[2] for turn in talk.turns}]
                    rows["left out"].add(talk, stretches, sum(absent) / len(absent), count)
        print(f"| {count} | {len(SEEDS)} | {' | '.join(map(str, rows.values()))} |", flush=True)
        for name, row in rows.items():
            totals[name].merge(row)
    print(f"| all | {len(SEEDS) * len(SPEAKERS)} | {' | '.join(map(str, totals.values()))} |")
    print(f"{spent / heard:.3f} s a second of sound, decoding aside; {heard:.0f} s in all")


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
        return f"{self.exact.rate:.1%}, {self.collared.rate:.1%}, {self.right} of {self.talks}"


def mean_of(name: str, folder: Path) -> NDArray[np.float32]:
    """The mean vector of one voice, by prompts that no conversation here is made of."""
    import numpy as np

    paths = voices.prompts(name, "fit")[:PROMPTS_A_VOICE]
    windows = np.concatenate([windows_of(voices.speech_of(path)) for path in paths])
    return embed(windows, folder).mean(axis=0)


if __name__ == "__main__":
    main()
