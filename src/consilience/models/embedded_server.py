"""The server process of the embedded model; see `consilience.models.embedded`, which starts it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Serves the model until the last user is gone.

    Args:
        arguments: weights file, address file, users lock file, descriptor to report readiness on, context size in
            tokens, threads.
    """
    weights, address, users, telling, context, threads = arguments
    api_key = secrets.token_urlsafe(32)
    server = _serve(weights, api_key, int(context), int(threads))
    told = {"base_url": f"{server.listening_address}/v1", "api_key": api_key, "pid": os.getpid()}
    _write_private(Path(address), json.dumps(told))
    os.write(int(telling), b"ready")
    os.close(int(telling))
    with Path(users).open("a") as lock:
        # Granted when nobody holds it shared any more; kept until this process is gone, so that whoever comes now
        # waits for its end and then starts anew.
        fcntl.flock(lock, fcntl.LOCK_EX)
        Path(address).unlink(missing_ok=True)
        # llama.cpp's threads have nothing left to do, and nothing to save.
        os._exit(0)


def _serve(weights: str, api_key: str, context: int, threads: int) -> Any:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.n_ctx = context
    # One slot: seats share the beginning of their prompts, and a slot keeps only its own prefix.
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.n_gpu_layers = 0
    parameters.port = 0
    parameters.api_keys = [api_key]
    return xllamacpp.Server(parameters)


def _write_private(path: Path, text: str) -> None:
    arriving = path.with_suffix(".arriving")
    descriptor = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    arriving.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
