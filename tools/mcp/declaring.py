"""A tool of an MCP server, declared as an encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict

from consilience.tools.encoder import Cost, Encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.mcp.connection import Connection, Server
from consilience.tools.mcp.passing import LOCAL, PassAs, passed
from consilience.tools.mcp.replies import Reply, observations_of, reply_of
from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model
from typing_extensions import Unpack

from consilience.core.errors import BadConfiguration, ModelUnavailable
from consilience.core.settings import Settings
from consilience.observations import Modality, Observation
from consilience.observations.observation import canonical_json

__all__ = ["McpEncoder", "mcp_encoder"]

# Where a tool has several arguments that must be given, one of these is the medium's.
_USUAL = "media image audio video document text table file content data base64 path uri url input".split()
_MEGABYTE = 1024 * 1024


class Options(TypedDict, total=False):
    """What few declarations need."""

    name: str
    """Of the encoder; `modality.tool` without it."""
    version: str
    """Of this declaration; raise it with `read`. The server's version and the tool's definition are in the cache key
    anyway."""
    argument: str
    """Of the tool, for the medium. Without it: the one text that the tool requires."""
    arguments: Mapping[str, JsonValue]
    """Other arguments of the tool; they become parameters of the encoder, with these defaults."""
    seconds: float
    """Longest that a call may take, the start of a server included. 60 without it."""
    most_bytes: int
    """Largest medium that is put into a call, bytes. 16 MiB without it."""
    fetch_links: bool
    """Let the server read out the text resources that its replies link to. No link is followed otherwise, and none is
    ever fetched from elsewhere."""
    read: Callable[[Reply, Excerpt], Iterable[Observation]]
    """Makes the observations instead of `observations_of`."""
    cost: Cost
    mimes: tuple[str, ...]
    on_demand: bool
    biometric: bool
    deterministic: bool
    summary: str


@dataclass(frozen=True)
class McpEncoder(Encoder):
    """An encoder that a tool of an MCP server does."""

    connection: Connection = field(default_factory=lambda: Connection((), 0))
    tool_name: str = ""

    def model(self, settings: Settings) -> str | None:
        """Server, version and hash of the tool's definition. Connects when it is asked for the first time.

        Raises:
            ModelUnavailable: the server cannot be reached.
            UnknownName: it has no such tool.
        """
        return self.connection.identity(self.tool_name)


def mcp_encoder(
    *,
    server: Server,
    tool: str,
    modality: Modality,
    kinds: Sequence[str],
    pass_as: PassAs | None = None,
    **options: Unpack[Options],
) -> McpEncoder:
    """An encoder that hands each medium to `tool` of `server`; nothing is connected before it is used.

    Args:
        server: URL, command, or what else `fastmcp.Client` takes.
        tool: its name.
        modality: what it reads.
        kinds: kinds of observation that it may tell; plain text becomes one of the first kind.
        pass_as: how the medium is passed; the text itself for texts, base64 for the rest.
        options: see `Options`.

    Raises:
        BadConfiguration: the server cannot be what is given, or cannot read files that it should.
    """
    connection = Connection(server, options.get("seconds", 60.0))
    how: PassAs = pass_as or ("text" if modality == "text" else "base64")
    if how in LOCAL and not connection.local:
        raise BadConfiguration(
            f"{connection.name} cannot read the files of this machine.", cure="Use pass_as='base64'."
        )
    name = options.get("name", f"{modality}.{tool.replace('-', '_').lower()}")
    label = f"{connection.name}, {tool}"
    argument, most = options.get("argument"), options.get("most_bytes", 16 * _MEGABYTE)
    read = options.get("read") or partial(observations_of, kinds=tuple(kinds))

    def encode(excerpt: Excerpt, **parameters: JsonValue) -> Iterator[Observation]:
        with passed(excerpt, how, most) as medium:

            def arguments(definition: Any) -> dict[str, JsonValue]:
                return {argument or _argument_of(definition, parameters): medium, **parameters}

            result = connection.call(tool, arguments, excerpt.check)
        links = _linked(result, connection, tool) if options.get("fetch_links") else ()
        yield from read(reply_of(label, result, links), excerpt)

    return McpEncoder(
        name=name,
        version=f"{options.get('version', '1')}+{_digest(kinds, how, argument)}",
        modality=modality,
        kinds=tuple(kinds),
        encode=encode,
        parameters=_parameters(tool, options.get("arguments", {})),
        cost=options.get("cost", "remote" if isinstance(server, str) else "heavy"),
        extra="mcp",
        mimes=options.get("mimes", ()),
        on_demand=options.get("on_demand", False),
        biometric=options.get("biometric", False),
        deterministic=options.get("deterministic", True),
        summary=options.get("summary", f"Asks the tool {tool} of the MCP server {connection.name}."),
        connection=connection,
        tool_name=tool,
    )


def _digest(kinds: Sequence[str], how: PassAs, argument: str | None) -> str:
    """Of what in a declaration the observations depend on, beside the parameters."""
    return hashlib.sha256(canonical_json([list(kinds), how, argument]).encode()).hexdigest()[:8]


def _parameters(tool: str, arguments: Mapping[str, JsonValue]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (type(value) if isinstance(value, bool | int | float | str) else JsonValue, Field(value))
        for name, value in arguments.items()
    }
    made: type[BaseModel] = create_model(
        f"{tool.title()}Arguments", __config__=ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False), **fields
    )
    return made


def _argument_of(definition: Any, given: Mapping[str, JsonValue]) -> str:
    """The argument that the medium belongs into.

    Raises:
        BadConfiguration: that does not follow from the tool's definition.
    """
    schema = definition.input_schema
    wanted = [name for name in schema.get("required", schema.get("properties", {})) if name not in given]
    likely = wanted if len(wanted) == 1 else [name for name in _USUAL if name in schema.get("properties", {})]
    if not likely:
        raise BadConfiguration(
            f"The tool {definition.name} has the arguments {', '.join(schema.get('properties', {})) or 'none'}.",
            cure="Say which of them takes the medium: argument='...'.",
        )
    return str(likely[0])


def _linked(result: Any, connection: Connection, tool: str) -> list[str]:
    """Texts behind the links of a reply, as the server itself reads them out."""
    texts: list[str] = []
    for block in result.content:
        if block.type != "resource_link":
            continue
        found = [part.text for part in connection.read(str(block.uri), tool) if getattr(part, "text", None)]
        if not found:
            raise ModelUnavailable(f"{connection.name}, {tool}", "what its link leads to is no text.")
        texts += found
    return texts
