"""A PostgreSQL of one's own for tests and measurements: a new cluster in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from consilience.core.errors import BadConfiguration

__all__ = ["PostgresServer"]

_DEBIAN = Path("/usr/lib/postgresql")


class PostgresServer:
    """Runs PostgreSQL while entered, on a Unix socket alone, so that no port can be taken.

    PostgreSQL refuses to run as root: there it runs as the user `postgres`, whom its package makes.

    Args:
        durable: False leaves out what protects against a power cut, which tests need not wait for.

    Raises:
        BadConfiguration: on entering, it is not installed, or does not start; the error has what it said.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._folder = Path()

    @property
    def url(self) -> str:
        """What clients connect to: the database `postgres`, as its owner."""
        return f"postgresql://postgres@/postgres?host={self._folder}"

    def __enter__(self) -> Self:
        binaries = _binaries()
        # Short and open to `postgres`: a socket's path may have about a hundred characters.
        self._folder = Path(tempfile.mkdtemp(prefix="consilience-pg-", dir="/tmp"))
        if os.getuid() == 0:
            shutil.chown(self._folder, "postgres")
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder}"
        if not self._durable:
            options += " -c fsync=off -c synchronous_commit=off"
        try:
            self._run(binaries / "initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8")
            self._run(binaries / "pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", options)
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(_binaries() / "pg_ctl", "stop", "-w", "-m", "immediate")
        finally:
            shutil.rmtree(self._folder)

    def _run(self, program: Path, *arguments: str) -> None:
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*as_postgres, str(program), "-D", str(self._folder / "data"), *arguments]
        # Not a pipe: the server would inherit it and keep it open.
        with tempfile.TemporaryFile() as told:
            done = subprocess.run(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=told, stderr=told, check=False
            )
            told.seek(0)
            if done.returncode:
                said = told.read().decode(errors="replace").strip()
                raise BadConfiguration(f"{program.name} failed: {said}")


def _binaries() -> Path:
    """Where the newest installed version's programs lie."""
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    if not found:
        raise BadConfiguration("PostgreSQL is not installed.", cure="Run: scripts/system-packages postgresql")
    return Path(found).parent
