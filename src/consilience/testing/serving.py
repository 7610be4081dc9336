"""An ASGI application on a free port of the loopback interface, in a thread."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Listener"]

_LINGER_NOT = struct.pack("ii", 1, 0)


class Listener:
    """Serves from `start` to `stop`. What is in flight at the end is cut off, not waited for."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self, app: Callable[..., Any]) -> None:
        """Returns when connections are accepted.

        Raises:
            RuntimeError: the server's thread ended before that.
        """
        # The protocol is named because asyncio sends small pieces at once only on sockets that name it: 40 ms a call.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        self.port = listening.getsockname()[1]
        self._server = server = self._make(app)
        self._thread = threading.Thread(target=self._run, args=(listening,), name="model-server", daemon=True)
        self._thread.start()
        self._ready.wait()
        if not server.started:
            raise RuntimeError("The test server did not start; its thread's error says why.")

    def stop(self) -> None:
        """Returns when the thread is gone."""
        if self._loop and self._stopping and self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def abort(self, client: tuple[str, int]) -> None:
        """Resets the connection from `client`; to be called from the server's thread."""
        for connection in list(self._connections):
            if connection.client == client:
                _reset(connection.transport)

    @property
    def _connections(self) -> set[Any]:
        return self._server.server_state.connections if self._server else set()

    def _run(self, listening: socket.socket) -> None:
        assert self._server
        try:
            self._server.run(sockets=[listening])
        finally:
            listening.close()
            self._ready.set()

    def _make(self, app: Callable[..., Any]) -> uvicorn.Server:
        import uvicorn

        listener = self

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                listener._loop = asyncio.get_running_loop()
                listener._stopping = asyncio.Event()
                listener._ready.set()

            async def main_loop(self) -> None:
                assert listener._stopping
                await listener._stopping.wait()

            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                for connection in list(listener._connections):
                    connection.transport.abort()
                await super().shutdown(sockets)

        config = uvicorn.Config(
            app, loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None, access_log=False
        )
        return Server(config)


def _reset(transport: asyncio.Transport) -> None:
    # Closed without lingering, so that the peer is told of a reset, not of an orderly end.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
