"""The embedded model: one llama.cpp server for all processes of a user on this machine.

Whoever comes first starts the server as a process of its own; whoever comes later finds it by its files in
`settings.runtime_dir` and attaches. Each user process holds a shared lock on `KEY.users`; the server waits for an
exclusive one, gets it when the last user is gone, however it went, and ends.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import http.client
import importlib.metadata
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from consilience.core.errors import BadConfiguration, MissingExtra, ModelUnavailable
from consilience.core.locks import exclusive
from consilience.core.settings import Settings
from consilience.core.weights import Progress, WeightsStore

__all__ = ["Attachment", "attach", "detach"]

_CONTEXT = 8192
_READY = b"ready"


@dataclass(frozen=True)
class _Files:
    """What belongs to one server: its model, context and version make its key, so that only equals share it."""

    folder: Path
    key: str

    @property
    def start(self) -> Path:
        """Lock: held while looking for the server, or starting it."""
        return self.folder / f"{self.key}.start"

    @property
    def users(self) -> Path:
        """Lock: shared by the users, exclusive for the server that ends."""
        return self.folder / f"{self.key}.users"

    @property
    def address(self) -> Path:
        """JSON: base_url, api_key, pid."""
        return self.folder / f"{self.key}.json"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / f"{self.key}.log"


@dataclass(frozen=True)
class Attachment:
    """A process's hold on a server: where it listens, and the lock that keeps it alive."""

    model: str
    base_url: str
    api_key: str
    pid: int
    users: IO[str]


_attached: dict[Path, Attachment] = {}
_lock = threading.Lock()


def attach(
    name: str, settings: Settings | None = None, *, on_download: Callable[[Progress], None] | None = None
) -> Attachment:
    """A hold on the server of the weights `name`, which is started when it does not run. Blocks.

    The process keeps its hold until it ends, so that questions in a row share one server, or until `detach`.

    Raises:
        MissingExtra: xllamacpp is not installed.
        WeightsUnavailable: the weights are not here and cannot be pulled.
        ModelUnavailable: the server did not start.
    """
    settings = settings or Settings()
    files = _files(name, settings)  # before a gigabyte is pulled, whether what runs it is installed
    folder = WeightsStore(settings).pull(name, on_download)
    weights = next(folder.glob("*.gguf"))
    with _lock:
        held = _attached.get(files.address)
        if held and _answers(held.base_url, held.api_key):
            return held
        if held:
            held.users.close()
        _attached[files.address] = _attach(name, weights, files, settings)
        return _attached[files.address]


@atexit.register
def detach() -> None:
    """Lets go of every server that this process holds: what nobody else uses ends."""
    with _lock:
        while _attached:
            _attached.popitem()[1].users.close()


def _files(name: str, settings: Settings) -> _Files:
    try:
        version = importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError as problem:
        raise MissingExtra("xllamacpp", "embedded", "The embedded model") from problem
    told = json.dumps([WeightsStore(settings).digest(name), _CONTEXT, settings.threads, version])
    folder = settings.runtime_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as problem:
        raise BadConfiguration(
            f"The folder {folder} cannot be written ({problem.strerror}).", cure="Set CONSILIENCE_RUNTIME_DIR."
        ) from problem
    return _Files(folder, f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}")


def _attach(name: str, weights: Path, files: _Files, settings: Settings) -> Attachment:
    with exclusive(files.start):
        users = files.users.open("a")
        # A server that is about to end holds this lock alone until its process is gone.
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            address = _read(files.address)
            if address is None or not _answers(address["base_url"], address["api_key"]):
                _start(name, weights, files, settings)
                address = _read(files.address) or {}
            return Attachment(name, address["base_url"], address["api_key"], int(address["pid"]), users)
        except BaseException:
            users.close()
            raise


def _read(path: Path) -> dict[str, str] | None:
    try:
        address = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return address if isinstance(address, dict) else None


def _answers(base_url: str, api_key: str) -> bool:
    """Whether our server is there: another program may have got its port since."""
    place = urlsplit(base_url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 0, timeout=10)
    try:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {api_key}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _start(name: str, weights: Path, files: _Files, settings: Settings) -> None:
    """Starts the server and waits until it says, through a pipe, that it listens; or until it is dead."""
    told, telling = os.pipe()
    command = [sys.executable, "-m", "consilience.models.embedded_server", str(weights), str(files.address)]
    command += [str(files.users), str(telling), str(_CONTEXT), str(settings.threads)]
    # Before libgomp is loaded: threads that spin while they wait starve each other on a busy machine.
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    with files.log.open("w") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            pass_fds=[telling],
            start_new_session=True,
        ).returncode = 0  # It is meant to outlive this process; without this, Popen warns that it does.
    os.close(telling)
    with os.fdopen(told, "rb") as pipe:
        if pipe.read() == _READY:
            return
    lines = [line for line in files.log.read_text(errors="replace").splitlines() if line.strip()]
    raise ModelUnavailable(
        f"embedded:{name}",
        f"its server did not start ({lines[-1][:200] if lines else 'it said nothing'}).",
        cure="Is there enough memory (2.5 GB)? Run: consilience doctor",
    )
