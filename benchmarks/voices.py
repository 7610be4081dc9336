"""Conversations of known turns, put together from real voices: Debian's packages of spoken prompts for telephony.

Install them with `scripts/system-packages voices`. They are recordings of 8 kHz, each voice from another studio, so
that voices differ by their microphones too; the English and the Spanish prompts are of one and the same woman, which is
why the Spanish ones are no voice of their own here. Strangers, of whom the encoder carries nothing, are in
`scripts/system-packages strangers`: one more voice of such prompts, and the two fishes of a game (Fish Fillets, GPL-2)
in Czech and in Dutch, who act, and two of whom share a studio each.
"""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from consilience.tools.decoding.sound import waveform

from consilience.core.errors import Unobservable
from consilience.evaluation.speaker_error import Turn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
ROOT = Path("/usr/share/asterisk/sounds")
VOICES = {
    "Allison": "en_US_f_Allison/*.wav",
    "June": "fr_CA_f_June/*.wav",
    "Carlo": "it_IT_m_Carlo/*.wav",
    "Ivrvoice": "ru_RU_f_IvrvoiceRU/*.wav",
    "Paola": "it_IT_f_Menardi/*.wav",
    "July": "es/*.gsm",
}
_GAME = "../../games/fillets-ng/sound/[a-c]*"
STRANGERS = {
    "Armelle": "fr/*.gsm",
    "Czech small fish": f"{_GAME}/cs/*-m-*.ogg",
    "Czech big fish": f"{_GAME}/cs/*-v-*.ogg",
    "Dutch small fish": f"{_GAME}/nl/*-m-*.ogg",
    "Dutch big fish": f"{_GAME}/nl/*-v-*.ogg",
}
Half = Literal["fit", "test"]
"""What was chosen by `VOICES` was chosen on the prompts of one half; figures are of the other."""


@dataclass(frozen=True)
class Conversation:
    """Sound and who speaks when in it."""

    samples: NDArray[np.float32]
    """Mono, at `RATE`."""
    turns: tuple[Turn, ...]


def require(*, strangers: bool = False) -> None:
    """Ends the program with the cure where the voices are not installed."""
    for package, voices in (("voices", VOICES), ("strangers", STRANGERS if strangers else {})):
        if missing := [name for name, pattern in voices.items() if not any(ROOT.glob(pattern))]:
            sys.exit(f"The voices of {', '.join(missing)} are not here. Run: scripts/system-packages {package}")


@cache
def prompts(voice: str, half: Half) -> tuple[Path, ...]:
    """The prompts of this voice that last 1.2 to 12 seconds and belong to this half, by a hash of their names."""
    return tuple(
        path
        for path in sorted(ROOT.glob((VOICES | STRANGERS)[voice]))
        if (zlib.crc32(path.stem.encode()) % 2 == 0) == (half == "fit") and 1.2 <= len(speech_of(path)) / RATE <= 12
    )


@cache
def speech_of(path: Path) -> NDArray[np.float32]:
    """The prompt's sound from the first to the last moment that is louder than a hundredth of its loudest, or none."""
    import numpy as np

    try:
        samples = waveform(path, RATE)
    except Unobservable:
        return np.zeros(0, np.float32)
    loud = np.flatnonzero(_envelope(samples) > 0.01 * np.abs(samples).max(initial=0))
    return samples[loud[0] : loud[-1] + 1] if loud.size else samples[:0]


def _envelope(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    import numpy as np

    return np.convolve(np.abs(samples), np.ones(320) / 320, mode="same")


def conversation(
    seed: int,
    *,
    speakers: int | Sequence[str],
    among: Collection[str] = tuple(VOICES),
    turns: int = 16,
    half: Half = "test",
    prompts_a_turn: int = 3,
) -> Conversation:
    """So many voices drawn from `among`, or these, that take turns of one to three prompts.

    Between prompts are pauses of 0.15 to 1.5 s, over noise.
    """
    import numpy as np

    draw = random.Random(seed)
    names = draw.sample(sorted(among), speakers) if isinstance(speakers, int) else list(speakers)
    order = names + [draw.choice(names) for _ in range(turns - len(names))]
    draw.shuffle(order)
    pieces: list[NDArray[np.float32]] = []
    known: list[Turn] = []
    at = 0
    for name in order:
        for path in draw.sample(prompts(name, half), draw.randint(1, prompts_a_turn)):
            said = speech_of(path)
            known += [(at / RATE + start, at / RATE + end, name) for start, end in _spoken(said)]
            pause = round(draw.uniform(0.15, 0.5 if draw.random() < 0.5 else 1.5) * RATE)
            pieces += [said, np.zeros(pause, np.float32)]
            at += len(said) + pause
    noise = np.random.default_rng(seed).normal(0, 0.0005, at).astype(np.float32)
    return Conversation(np.concatenate(pieces) + noise, tuple(known))


def _spoken(said: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Seconds from where to where somebody speaks, without the pauses of over half a second."""
    import numpy as np

    loud = np.flatnonzero(_envelope(said) > 0.01 * np.abs(said).max())
    breaks = np.flatnonzero(np.diff(loud) > RATE // 2)
    starts, ends = loud[np.concatenate([[0], breaks + 1])], loud[np.concatenate([breaks, [-1]])]
    return [(int(start) / RATE, int(end + 1) / RATE) for start, end in zip(starts, ends, strict=True)]
