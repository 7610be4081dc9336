"""What is heard besides speech: the 521 classes of AudioSet, by YAMNet (Plakal and Ellis 2020).

The package that carries the quantised weights states no licence, so this runs only when it is asked for by name.
"""

from __future__ import annotations

import csv
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.audio.spectra import MelSpectrum
from consilience.tools.bounds import Few, Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.once import once
from consilience.core.telemetry import report_nothing
from consilience.observations import Confidence, Locator, Observation, TimeRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Span", "sounds", "spans_of"]

_WEIGHTS = "sounds-yamnet"
_RATE = 16_000
_MEL = MelSpectrum(bands=64, low=125, high=7500, scale="htk", window="hann", power=1)
_FRAMES, _STEP = 96, 48
_HOP = _STEP / 100
# How the model's 8-bit numbers stand for real ones; its graph names them audio_* and class_scores_*.
_IN_SCALE, _IN_ZERO = 0.04793788492679596, 144
_OUT_SCALE, _OUT_ZERO = 0.7565417289733887, 190
# `audio.activity` says better when these are heard.
_SAID_ELSEWHERE = frozenset({"Speech", "Silence", "Music", "Singing"})


@dataclass(frozen=True)
class Span:
    """A class that is heard without a break, from one window to another."""

    label: str
    start: float
    """Seconds."""
    end: float
    score: float
    """The highest in it, 0 to 1."""


@encoder(
    modality="audio",
    kinds=("sound",),
    version="1",
    cost="heavy",
    extra="audio",
    weights=(_WEIGHTS,),
    stretch=120.0,
    on_demand=True,
)
def sounds(excerpt: Excerpt, *, threshold: Share = 0.3, most: Few = 3) -> Iterator[Observation]:
    """Names sounds by AudioSet's classes, at most so many at a time: a dog, a siren, rain, applause.

    Args:
        excerpt: a recording, or some seconds of it.
        threshold: 0 to 1; classes that score less are not named.
        most: classes at a time, the highest first; speech, singing, music and silence count, though others name them.
    """
    samples = excerpt.waveform(_RATE)
    seconds = len(samples) / _RATE
    folder = excerpt.weights(_WEIGHTS)
    scores = _scores(samples, folder, excerpt)
    found = [
        span
        for span in spans_of(scores, _labels(folder), threshold=threshold, most=most)
        if span.label not in _SAID_ELSEWHERE
    ]
    if not found:
        raise Unobservable("no sound but speech, singing or music is heard in it")
    for span in found:
        start, end = min(span.start, seconds), min(span.end, seconds)
        yield excerpt.observe(
            "sound",
            {"label": span.label},
            f"{span.label} for {end - start:.1f} s",
            locator=Locator(time=TimeRange(start=start, end=end)),
            confidence=Confidence(value=span.score, kind="score"),
        )


def spans_of(scores: NDArray[np.float32], labels: Sequence[str], *, threshold: float, most: int) -> list[Span]:
    """Spans of the classes that score at least `threshold` and are among the `most` highest, by their beginning.

    Args:
        scores: 0 to 1, shape (windows, classes); a window lasts 0.96 s and begins 0.48 s after the last.
        labels: of the classes.
        threshold: 0 to 1.
        most: classes at a time.
    """
    import numpy as np

    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1, kind="stable")
    heard = (scores >= threshold) & (ranks < most)
    spans = []
    for column in np.flatnonzero(heard.any(axis=0)):
        edges = np.flatnonzero(np.diff(heard[:, column].astype(int), prepend=0, append=0))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            top = float(scores[first:last, column].max())
            spans.append(Span(labels[int(column)], float(first * _HOP), float((last + 1) * _HOP), top))
    return sorted(spans, key=lambda span: (span.start, -span.score, span.label))


def _scores(samples: NDArray[np.float32], folder: Path, excerpt: Excerpt) -> NDArray[np.float32]:
    import numpy as np

    frames = np.log(_MEL.of(samples) + 1e-6)
    if len(frames) < _FRAMES:
        frames = np.pad(frames, ((0, _FRAMES - len(frames)), (0, 0)), constant_values=np.log(1e-6))
    session = _session(folder, excerpt.settings.threads)
    name = session.get_inputs()[0].name
    fed = np.clip(np.round(frames / _IN_SCALE + _IN_ZERO), 0, 255).astype(np.uint8)
    rows = []
    for start in range(0, len(fed) - _FRAMES + 1, _STEP):
        excerpt.check()
        (out,) = session.run(None, {name: fed[None, None, start : start + _FRAMES]})
        logits = (out.reshape(-1).astype(np.float32) - _OUT_ZERO) * _OUT_SCALE
        rows.append(1 / (1 + np.exp(-np.clip(logits, -60, 60))))
    return np.stack(rows)


@once
def _labels(folder: Path) -> tuple[str, ...]:
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as file:
        return tuple(row["display_name"] for row in csv.DictReader(file))


@once
def _session(folder: Path, threads: int) -> Any:
    report_nothing()
    try:
        import onnxruntime
    except ImportError as problem:
        raise MissingExtra("onnxruntime", "audio", "Naming sounds") from problem
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Idle threads that spin would keep the cores from whoever waits for the result.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The model refers to its numbers by file name: both are laid side by side while it is read.
    with zipfile.ZipFile(folder / "yamnet.onnx.zip") as packed, tempfile.TemporaryDirectory() as scratch:
        for member in packed.infolist():
            if not member.is_dir():
                (Path(scratch) / Path(member.filename).name).write_bytes(packed.read(member))
        return onnxruntime.InferenceSession(f"{scratch}/model.onnx", options, providers=["CPUExecutionProvider"])
