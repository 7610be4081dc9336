"""A model server in a process of its own, for measurements: it shares no interpreter with what is measured."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from consilience.testing.protocol import Prompt
from consilience.testing.server import ModelServer

__all__ = ["ServedSoFar", "ServerApart"]


@dataclass(frozen=True)
class ServedSoFar:
    """What a server was asked since it started.

    Attributes:
        calls: requests for completions.
        max_in_flight: the most that were being answered at once.
        prompt: their prompts together, see `Prompt`.
    """

    calls: int
    max_in_flight: int
    prompt: Prompt


class ServerApart:
    """A `ModelServer` in another process while entered; it keeps no calls, only what adds up.

    The other process is spawned: a script that uses this does so under `if __name__ == "__main__"`.

    Args:
        options: of `ModelServer`, all of them picklable: functions have to be those of a module.

    Raises:
        RuntimeError: on entering, the other process did not start; it says why itself.
    """

    def __init__(self, **options: Any) -> None:
        self._options = {"remember": False, **options}
        # A fork would copy the threads' locks of whoever measures.
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, self._options), daemon=True)
        self._there = there
        self.base_url = ""

    def __enter__(self) -> Self:
        self._process.start()
        self._there.close()
        try:
            self.base_url = self._here.recv()
        except EOFError as problem:
            self._process.join()
            raise RuntimeError("The model server's process did not start; what it printed says why.") from problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._here.close()
        self._process.join()

    def told(self) -> ServedSoFar:
        """What it was asked so far."""
        self._here.send("tell")
        served: ServedSoFar = self._here.recv()
        return served


def _serve(pipe: Connection, options: dict[str, Any]) -> None:
    with ModelServer(**options) as server:
        pipe.send(server.base_url)
        while True:
            try:
                pipe.recv()
            except EOFError:
                return
            pipe.send(ServedSoFar(server.count, server.max_in_flight, server.prompt))
