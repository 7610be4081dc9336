"""PDFium in processes of its own.

It is not thread-safe, cannot be interrupted, and there are PDFs that keep it busy for ever (forms that draw
themselves twice) or bring it down. So it runs apart: a page that takes too long, or too much memory, ends its process
and is `Unobservable`, and everything else goes on.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any

from consilience.core.errors import MissingExtra, RunError, Unobservable

__all__ = ["ask_pdfium"]

_MODULE = "consilience.tools.document.process"
_START = 120.0
_IDLE: LifoQueue[_Process] = LifoQueue()


def ask_pdfium(request: dict[str, Any], *, seconds: float) -> tuple[dict[str, Any], bytes]:
    """The answer to one request (see `consilience.tools.document.process`), and the bytes that come with it.

    Raises:
        Unobservable: PDFium cannot do it, or not in that time.
        MissingExtra: PDFium is not installed.
        RunError: its process does not start.
    """
    if not _is_installed():
        raise MissingExtra("pypdfium2", "document", "Reading PDFs")
    with _borrowed() as process:
        answer, content = process.ask(request, seconds)
    if "unobservable" in answer:
        raise Unobservable(answer["unobservable"])
    return answer, content


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("pypdfium2") is not None
    except ValueError:
        return False


@contextmanager
def _borrowed() -> Iterator[_Process]:
    """A process that nobody else asks meanwhile."""
    try:
        process = _IDLE.get_nowait()
    except Empty:
        process = _Process()
    try:
        yield process
    finally:
        if process.alive:
            _IDLE.put(process)


class _Process:
    """One PDFium; it ends with us."""

    def __init__(self) -> None:
        # One thread is all that it uses; numpy would make as many as there are cores.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        atexit.register(self.end)
        try:
            self._read({"do": "hello"}, _START)
        except (OSError, ValueError, EOFError) as problem:
            self.end()
            raise RunError(
                "The process that reads PDFs does not start.", cure=f"See why: {sys.executable} -m {_MODULE}"
            ) from problem

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, request: dict[str, Any], seconds: float) -> tuple[dict[str, Any], bytes]:
        what = f"page {request['page']}" if "page" in request else "the document"
        try:
            return self._read(request, seconds)
        except TimeoutError as problem:
            raise Unobservable(f"{what} takes longer than {seconds:g} s to read") from problem
        except (OSError, ValueError, EOFError) as problem:
            self.end()
            raise Unobservable(f"{what} brings the reader of PDFs down") from problem

    def _read(self, request: dict[str, Any], seconds: float) -> tuple[dict[str, Any], bytes]:
        stdin, stdout = self._popen.stdin, self._popen.stdout
        assert stdin
        assert stdout
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._popen.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
            answer = json.loads(line) if line else {}
            content = stdout.read(answer.get("bytes", 0))
            if not line or len(content) < answer.get("bytes", 0):
                raise EOFError
            return answer, content
        except (OSError, ValueError, EOFError):
            if late.is_set():
                self.end()
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()

    def end(self) -> None:
        """Ends the process and forgets it."""
        atexit.unregister(self.end)
        self._popen.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe:
                # What could not be written any more is lost with the process.
                try:
                    pipe.close()
                except OSError:
                    continue
        self._popen.wait()
