"""Trying encoders out: each is run on a packaged sample of a type that it reads."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from consilience.apps.extras import missing_packages
from consilience.core.counted import counted
from consilience.core.errors import BadMedia, ConsilienceError, MissingExtra, Unobservable, WeightsUnavailable
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.observations import Locator, Media, Observation, ObservationStore, ingest
from consilience.tools import Encoder
from consilience.tools.catalog import Catalog
from consilience.tools.deadline import Deadline
from consilience.tools.encoder import excerpt_of

__all__ = ["Trial", "trials"]

_SECONDS = 180.0
_PLAINEST = (".csv", ".pdf", ".txt")


@dataclass(frozen=True)
class Trial:
    """How one encoder, or one plug-in, did."""

    encoder: str
    package: str
    state: Literal["works", "missing", "failed", "skipped"]
    told: str
    cure: str = ""
    seconds: float = 0.0

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def trials(found: Catalog, settings: Settings, names: Sequence[str] = ()) -> Iterator[Trial]:
    """Runs the encoders `names` (all when none is named), one after the other. Downloads nothing, keeps nothing.

    Raises:
        UnknownName: there is no such encoder.
    """
    wanted = [found.encoder(name) for name in names] or found.encoders
    offline = settings.model_copy(update={"offline": True})
    with tempfile.TemporaryDirectory(prefix="consilience-") as folder, ObservationStore(Path(folder)) as store:
        samples = _samples(store)
        for encoder in wanted:
            trial = Trial(encoder.name, found.source(encoder.name), "works", "")
            left_out = _left_out(trial, encoder, settings, named=bool(names))
            ended = left_out or _try(trial, encoder, samples, store, offline)
            optional = ended.state == "missing" and encoder.on_demand and not names
            yield replace(ended, state="skipped", told=f"{ended.told} It runs when asked for.") if optional else ended
    for plugin in found.plugins if not names else ():
        trial = Trial(f"plug-in {plugin.name}", plugin.package, "failed", plugin.failure or "", plugin.cure)
        if plugin.failure:
            yield trial
        elif not plugin.allowed:
            yield replace(trial, state="skipped", told="its package is not allowed.")
    for absent in found.absent if not names else ():
        yield Trial(f"plug-in {absent.package}", absent.package, "missing", absent.problem, absent.cure)


def _samples(store: ObservationStore) -> list[Media]:
    taken: list[Media] = []
    folder = Path(str(files("consilience.apps") / "samples"))
    # The plainest type of each modality first: it stands for the modality where an encoder reads all of its types.
    for path in sorted(folder.iterdir(), key=lambda path: (path.suffix not in _PLAINEST, path.name)):
        try:
            taken.append(ingest(path, store))
        except (BadMedia, MissingExtra):  # without the extra that measures it, the encoders of its type say so
            continue
    return taken


def _left_out(trial: Trial, encoder: Encoder, settings: Settings, *, named: bool) -> Trial | None:
    if encoder.biometric and not settings.biometrics:
        cure = "Set CONSILIENCE_BIOMETRICS=true if you may."
        return replace(trial, state="skipped", told="it measures people's bodies.", cure=cure)
    if encoder.cost == "remote" and not named:
        cure = f"To run it: consilience tools doctor {encoder.name}"
        return replace(trial, state="skipped", told="it may cost money.", cure=cure)
    return None


def _try(trial: Trial, encoder: Encoder, samples: list[Media], store: ObservationStore, settings: Settings) -> Trial:
    weights = WeightsStore(settings)
    packages = missing_packages(encoder.extra) if encoder.extra else ()
    absent = [name for name in encoder.weights if not weights.present(name)]
    if packages or absent:
        cures = [f"pip install 'consilience[{encoder.extra}]'"] if packages else []
        cures += [f"consilience weights pull {' '.join(absent)}"] if absent else []
        told = f"no {', '.join([*packages, *(f'weights {name}' for name in absent)])}."
        return replace(trial, state="missing", told=told, cure=f"Run: {' && '.join(cures)}")
    fitting = [media for media in samples if encoder.reads(media.modality, media.mime)]
    if not fitting:
        return replace(trial, state="skipped", told="there is no sample of a type that it reads.")
    # Types that an encoder names are often read by a library each.
    start = time.perf_counter()
    ended = trial
    for media in fitting if encoder.mimes else fitting[:1]:
        ended = _outcome(trial, encoder, media, store, settings)
        if ended.state != "works":
            break
    return replace(ended, seconds=round(time.perf_counter() - start, 3))


def _outcome(trial: Trial, encoder: Encoder, media: Media, store: ObservationStore, settings: Settings) -> Trial:
    ours = trial.package == "consilience"
    blame = "Please report it." if ours else f"Update or remove it: pip uninstall {trial.package.partition(' ')[0]}"
    deadline = Deadline(_SECONDS)

    def observe() -> tuple[Observation, ...]:
        parameters = encoder.bind()
        excerpt = excerpt_of(
            encoder,
            media,
            store.path(media),
            where=Locator(),
            parameters=parameters,
            settings=settings,
            deadline=deadline,
        )
        return tuple(encoder.encode(excerpt, **parameters))

    try:
        with contextlib.redirect_stdout(sys.stderr):  # what encoders print is no part of the report
            made = _within(_SECONDS, observe)
        if made:
            told = f"{counted(len(made), 'observation')} in {media.name}, the first: {made[0].text[:80]}"
            return replace(trial, told=told)
        if encoder.divides:
            return replace(trial, told=f"{media.name} need not be divided.")
        told = f"{media.name}: it observed nothing, and did not say that nothing could be observed."
        return replace(trial, state="failed", told=told, cure=blame)
    except Unobservable as reason:
        return replace(trial, told=f"nothing to observe in {media.name}: {reason}")
    except (MissingExtra, WeightsUnavailable) as problem:
        return replace(trial, state="missing", told=problem.problem, cure=problem.cure)
    except ConsilienceError as problem:
        return replace(trial, state="failed", told=f"{media.name}: {problem.problem}", cure=problem.cure or blame)
    # An encoder is foreign code: what it raises is its own failure, and the next one is tried.
    except (Exception, SystemExit) as problem:
        return replace(trial, state="failed", told=f"{media.name}: {type(problem).__name__}: {problem}", cure=blame)


def _within(seconds: float, work: Callable[[], tuple[Observation, ...]]) -> tuple[Observation, ...]:
    """What `work` gives; a thread that hangs is left behind, and does not keep the process from ending."""
    ended: list[tuple[Observation, ...] | BaseException] = []

    def run() -> None:
        try:
            ended.append(work())
        except BaseException as problem:
            ended.append(problem)

    thread = threading.Thread(target=run, daemon=True, name="trial")
    thread.start()
    thread.join(seconds)
    if not ended:
        raise TimeoutError(f"it did not end within {seconds:g} s")
    if isinstance(ended[0], BaseException):
        raise ended[0]
    return ended[0]
