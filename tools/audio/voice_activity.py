"""When somebody speaks: Silero voice activity detection (the copy in faster-whisper), over a stream of sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consilience.core.errors import MissingExtra
from consilience.core.once import once
from consilience.core.telemetry import report_nothing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DETECTOR", "RATE", "Speech", "speech_in"]

DETECTOR = "faster-whisper"
"""The distribution that brings the detector's weights."""
RATE = 16_000
_CHUNK = 512
_CONTEXT = 64
_AT_ONCE = 1000

# As the detector's authors advise; a pause between words of one utterance is mostly under a quarter of a second.
_ON, _OFF = 0.5, 0.35
_PAUSE = 0.25
_SHORTEST = 0.15
_LONGEST = 20.0
_MARGIN = 0.06


@dataclass(frozen=True)
class Speech:
    """A stretch of speech without a long pause; half of it at most is a margin of silence."""

    start: float
    """Seconds from the beginning of the stream."""
    samples: NDArray[np.float32]
    """Mono, of shape (frames,), at `RATE`."""

    @property
    def end(self) -> float:
        """Seconds from the beginning of the stream."""
        return self.start + len(self.samples) / RATE


def speech_in(blocks: Iterable[NDArray[np.float32]]) -> Iterator[Speech]:
    """The stretches of speech in a stream of mono blocks at `RATE`, each at most twenty seconds long.

    No more than one stretch is in memory at a time.
    """
    detector, cutter = _Detector(), _Cutter()
    for chunks in _chunked(blocks):
        for chunk, probability in zip(chunks, detector(chunks), strict=True):
            yield from cutter.take(chunk, float(probability))
    yield from cutter.finish()


def _chunked(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The stream as arrays of shape (chunks, 512), the last chunk filled up with silence."""
    import numpy as np

    kept: list[Any] = []
    length = 0
    for block in blocks:
        kept.append(block)
        length += len(block)
        if length >= _AT_ONCE * _CHUNK:
            joined = np.concatenate(kept)
            whole = length // _CHUNK * _CHUNK
            yield joined[:whole].reshape(-1, _CHUNK)
            kept, length = [joined[whole:]], length - whole
    if length:
        joined = np.concatenate(kept)
        yield np.pad(joined, (0, -length % _CHUNK)).reshape(-1, _CHUNK)


class _Detector:
    """Probabilities of speech, chunk by chunk; remembers what came before."""

    def __init__(self) -> None:
        import numpy as np

        self._session = _session()
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._tail = np.zeros((1, _CONTEXT), np.float32)

    def __call__(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        tails = np.concatenate([self._tail, chunks[:, -_CONTEXT:]])
        self._tail = tails[-1:]
        fed = np.concatenate([tails[:-1], chunks], axis=1)
        found, self._h, self._c = self._session.run(None, {"input": fed, "h": self._h, "c": self._c})
        return np.asarray(found).reshape(-1)


@once
def _session() -> Any:
    report_nothing()
    try:
        from faster_whisper.vad import get_vad_model
    except ImportError as problem:
        raise MissingExtra("faster_whisper", "audio", "Finding speech") from problem
    return get_vad_model().session


@dataclass
class _Cutter:
    """Turns probabilities into stretches, with a threshold for going on that is below the one for beginning."""

    at: int = 0
    held: list[Any] = field(default_factory=list)
    """Chunks of the open stretch, or the one before the next."""
    quiet: int = 0
    """Chunks at the end of `held` that are no speech."""
    open: bool = False

    def take(self, chunk: NDArray[np.float32], probability: float) -> Iterator[Speech]:
        self.held.append(chunk)
        self.at += 1
        speaks = probability >= (_OFF if self.open else _ON)
        self.quiet = 0 if speaks else self.quiet + 1
        self.open = self.open or speaks
        if not self.open:
            del self.held[:-1]
        elif self.quiet * _CHUNK >= _PAUSE * RATE:
            yield from self._close()
        elif len(self.held) * _CHUNK >= _LONGEST * RATE:
            yield from self._close(going_on=True)

    def finish(self) -> Iterator[Speech]:
        if self.open:
            yield from self._close()

    def _close(self, *, going_on: bool = False) -> Iterator[Speech]:
        import numpy as np

        first = self.at - len(self.held)
        samples = np.concatenate(self.held)
        spare = max(0, self.quiet * _CHUNK - round(_MARGIN * RATE))
        said = samples[: len(samples) - spare]
        if len(said) - self.quiet * _CHUNK + spare >= _SHORTEST * RATE:
            yield Speech(first * _CHUNK / RATE, said)
        self.held, self.quiet, self.open = [] if going_on else [self.held[-1]], 0, going_on
