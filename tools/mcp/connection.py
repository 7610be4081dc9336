"""A connection to an MCP server: made when it is first needed, made anew when it broke, never in the way for ever."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import hashlib
import shlex
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import JsonValue

from consilience.core.background import run_blocking
from consilience.core.errors import BadConfiguration, ConsilienceError, MissingExtra, ModelUnavailable, UnknownName
from consilience.observations.locator import one_line
from consilience.observations.observation import canonical_json

__all__ = ["Connection", "Server"]

Server: TypeAlias = Any
"""The URL of a server (`https://host/mcp`), the command that starts one on stdio (`["npx", "some-server"]`), or what
else `fastmcp.Client` takes: a transport with headers, or a server in this process."""

T = TypeVar("T")

_POLL = 0.1
_CLOSING = 10.0
_TOLD = 300
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Connection:
    """One server. All talk happens on the loop of `run_blocking`, whichever thread asks.

    A server that is started by a command gets no environment variables but the usual few (`PATH`, `HOME`), so no keys.
    """

    def __init__(self, server: Server, seconds: float) -> None:
        """Connects to nothing yet.

        Raises:
            BadConfiguration: `server` is a text, but no URL.
        """
        self.seconds = seconds
        self._server = server
        self._transport: Any = None
        self._said: Any = None
        self._identities: dict[str, str] = {}
        if isinstance(server, str) and urlsplit(server).scheme not in ("http", "https"):
            raise BadConfiguration(
                f"{server!r} is not the URL of an MCP server.", cure='For a command write ["program", "argument"].'
            )

    @property
    def name(self) -> str:
        """What people call it."""
        if isinstance(self._server, str):
            return urlsplit(self._server).netloc
        if isinstance(self._server, Sequence):
            return shlex.join(self._server)[:80]
        return str(getattr(self._server, "name", type(self._server).__name__))

    @property
    def local(self) -> bool:
        """Whether it can read the files of this machine."""
        return not isinstance(self._server, str) or urlsplit(self._server).hostname in _LOOPBACK

    def identity(self, tool: str) -> str:
        """Server, version, and hash of the tool's definition: what its results depend on. Connects once.

        Raises:
            ModelUnavailable: the server cannot be reached.
            UnknownName: it has no such tool.
        """
        if tool not in self._identities:
            run_blocking(self._talk(tool, lambda client: self._definition(client, tool)))
        return self._identities[tool]

    def call(self, tool: str, arguments: Callable[[Any], dict[str, JsonValue]], check: Callable[[], None]) -> Any:
        """The tool's reply, an `mcp_types.CallToolResult`.

        Args:
            tool: its name.
            arguments: from the tool's definition to what it is called with.
            check: asked again and again; when it raises, the call is cancelled.

        Raises:
            ModelUnavailable: the server cannot be reached, crashed, took too long, or changed meanwhile.
            UnknownName: it has no such tool.
        """
        before = self.identity(tool)

        async def called(client: Any) -> Any:
            definition = await self._definition(client, tool)
            if self._identities[tool] != before:
                raise ModelUnavailable(f"{self.name}, {tool}", "the tool has changed just now.", cure="Try again.")
            return await client.call_tool_mcp(tool, arguments(definition))

        return run_blocking(self._attended(self._talk(tool, called), check))

    def read(self, uri: str, tool: str) -> list[Any]:
        """What the server itself gives for a resource of its own."""
        return list(run_blocking(self._talk(tool, lambda client: client.read_resource(uri))))

    def close(self) -> None:
        """Ends the server that a command started; the next call starts it again."""
        if self._transport is not None:
            run_blocking(self._drop())
        if self._said is not None:
            atexit.unregister(self.close)
            self._said.close()
            self._said = None

    async def _definition(self, client: Any, tool: str) -> Any:
        listed = {definition.name: definition for definition in await client.list_tools()}
        if tool not in listed:
            raise UnknownName(f"tool of the MCP server {self.name}", tool, listed)
        content = listed[tool].model_dump(mode="json", exclude_none=True)
        digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]
        about = client.server_info
        told = f"{about.name} {about.version}" if about else self.name
        self._identities[tool] = f"{one_line(told)[:80]}, {tool}@{digest}"
        return listed[tool]

    async def _talk(self, tool: str, work: Callable[[Any], Any]) -> Any:
        try:
            async with asyncio.timeout(self.seconds), self._client() as client:
                return await work(client)
        except ConsilienceError:
            raise
        except TimeoutError as problem:
            await self._drop()
            told = f"no answer within {self.seconds:g} s."
            raise ModelUnavailable(f"{self.name}, {tool}", told, cure="Give it more seconds.") from problem
        # A foreign process behind a foreign library: whatever breaks, the server did not answer.
        except Exception as problem:
            await self._drop()
            told = one_line(f"{problem or type(problem).__name__}")[:_TOLD].rstrip(".")
            raise ModelUnavailable(
                f"{self.name}, {tool}", f"{told}.{self._last_words()}", cure="Check that the server runs."
            ) from problem

    def _client(self) -> Any:
        try:
            from fastmcp import Client
            from fastmcp.client.transports import StdioTransport
        except ImportError as problem:
            raise MissingExtra("fastmcp", "mcp", "Talking to MCP servers") from problem
        if self._transport is None:
            if isinstance(self._server, Sequence) and not isinstance(self._server, str):
                if self._said is None:
                    self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
                    atexit.register(self.close)
                command, *rest = self._server
                self._transport = StdioTransport(command, rest, log_file=self._said)
            else:
                self._transport = self._server
        return Client(self._transport, init_timeout=self.seconds)

    async def _attended(self, work: Any, check: Callable[[], None]) -> Any:
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_POLL)
                check()
            return task.result()
        finally:
            task.cancel()

    async def _drop(self) -> None:
        """Forgets the connection, and what was known through it."""
        transport, self._transport = self._transport, None
        self._identities.clear()
        if hasattr(transport, "close"):
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_CLOSING):
                    await transport.close()

    def _last_words(self) -> str:
        """The last line that a server of ours wrote to its standard error."""
        if self._said is None:
            return ""
        self._said.seek(0)
        lines = [line for line in self._said.read()[-4000:].splitlines() if one_line(line)]
        return f" Its last words: {one_line(lines[-1])[:_TOLD]}" if lines else ""
