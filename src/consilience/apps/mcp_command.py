"""`consilience mcp`: the encoders as tools of an MCP server."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from consilience.core.errors import BadConfiguration, MissingExtra
from consilience.core.settings import Settings
from consilience.observations import ObservationStore
from consilience.tools import Runner
from consilience.tools.catalog import catalog
from consilience.tools.mcp.serving import serve_encoders

__all__ = ["mcp_command"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def mcp_command(
    http: Annotated[bool, typer.Option(help="Listen on HTTP; without it, talk on standard input and output.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8765,
    root: Annotated[
        list[Path] | None, typer.Option(help="Folder whose files clients may name. Repeatable; none without it.")
    ] = None,
    tool: Annotated[list[str] | None, typer.Option(help="Serve only this encoder. Repeatable.")] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CONSILIENCE_MCP_TOKEN", help="Bearer token that HTTP clients must send; other hosts need one."
        ),
    ] = None,
) -> None:
    """Serves the encoders over the Model Context Protocol, for any agent that speaks it.

    Example: consilience mcp --root ~/Pictures
    """
    for folder in root or ():
        if not folder.is_dir():
            raise BadConfiguration(f"{folder} is not a folder.", cure="Name folders that are there.")
    if http and host not in _LOOPBACK and not token:
        raise BadConfiguration(
            f"Whoever reaches {host} could read media from here.",
            cure="Set CONSILIENCE_MCP_TOKEN, or stay on 127.0.0.1.",
        )
    settings = Settings()
    found = catalog(settings)
    encoders = [found.encoder(name) for name in tool] if tool else found.encoders
    with ObservationStore.open(settings) as store:
        runner = Runner(store, encoders, settings=settings)
        server = serve_encoders(runner, roots=root or (), auth=_auth(token) if http and token else None)
        if http:
            asyncio.run(_listen(server, host, port))
        else:
            asyncio.run(server.run_async("stdio", show_banner=False, log_level="WARNING"))


def _auth(token: str) -> Any:
    try:
        from fastmcp.server.auth import StaticTokenVerifier
    except ImportError as problem:
        raise MissingExtra("fastmcp", "mcp", "Serving over MCP") from problem
    return StaticTokenVerifier({token: {"client_id": "consilience", "scopes": []}})


async def _listen(server: Any, host: str, port: int) -> None:
    """Serves HTTP at `/mcp`; tells the address once clients can connect to it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as problem:
            raise BadConfiguration(
                f"{host}:{port} cannot be listened on ({problem.strerror}).", cure="Choose another --port, or 0."
            ) from problem
        bound.listen(128)
        shown = f"[{host}]" if ":" in host else host
        print(f"Serving at http://{shown}:{bound.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
        await server.run_async("http", host=host, path="/mcp", show_banner=False, log_level="WARNING", sockets=[bound])
