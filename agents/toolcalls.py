"""LangChain tools in a seat: its model may call them before it opens, and what they give is evidence like any other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilience.agents.asking import ask, conversation
from consilience.agents.briefing import opening_brief
from consilience.agents.prompts import prompt
from consilience.agents.replies import Form
from consilience.agents.verdict import ToolCall
from langchain_core.messages import ToolMessage
from pydantic import BaseModel, ConfigDict, Field

from consilience.core.errors import ConsilienceError
from consilience.models import Endpoint, Meter, Sampling
from consilience.observations import Media, Observation, Provenance, Record, Rendering, quoted

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["Desk", "Found", "call_tool", "grown", "wanted_calls"]

_LONGEST_LINE, _MOST_LINES = 400, 20
_LONGEST_TOLD, _LONGEST_ARGUMENTS = 200, 800


@dataclass(frozen=True)
class Desk:
    """The tools of a seat, and how far it may use them."""

    tools: Sequence[BaseTool]
    calls: int
    seconds: float
    """The longest that one call may take."""


@dataclass(frozen=True)
class Found:
    """A call with what it gave: a medium of its words, and the lines of it."""

    call: ToolCall
    content: bytes = b""
    media: Media | None = None
    observations: tuple[Observation, ...] = ()


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="ignore")

    tool: str
    arguments: dict[str, Any] | str = Field(default_factory=dict)

    def parsed(self) -> dict[str, Any]:
        told = json.loads(self.arguments or "{}") if isinstance(self.arguments, str) else self.arguments
        if not isinstance(told, dict):
            raise ValueError(f"the arguments of {self.tool} are no JSON object")
        return told


class _Calls(BaseModel):
    model_config = ConfigDict(extra="ignore")

    calls: list[_Wanted] = Field(default_factory=list)


async def wanted_calls(
    endpoint: Endpoint,
    desk: Desk,
    told: tuple[str, str, Rendering],
    made: Sequence[Found],
    meter: Meter,
    sampling: Sampling,
) -> list[tuple[str, dict[str, Any]]]:
    """Which tools the model wants to call now, with their arguments, as many as are left; none: it has seen enough.

    Args:
        endpoint: of the seat.
        desk: its tools.
        told: its role, the question, the evidence, with what was found so far.
        made: calls so far.
        meter: of the seat.
        sampling: of the seat.

    Raises:
        ModelUnavailable: the endpoint failed.
        BadReply: it named no such tool twice, or no arguments.
        BudgetSpent: the ledger did not admit a call.
    """
    role, question, evidence = told
    left = desk.calls - len(made)
    offered = "\n".join(_offered(tool) for tool in desk.tools)
    failed = "".join(f"\n{found.call.tool} gave nothing." for found in made if found.call.failure)
    instruction = prompt("tools", role=role, question=question, tools=offered, left=str(left), failed=failed)
    names = [tool.name for tool in desk.tools]
    messages = conversation(opening_brief(evidence), instruction)
    filled = await ask(endpoint, messages, _form(names, left), meter=meter, sampling=sampling)
    return [(wanted.tool, wanted.parsed()) for wanted in filled.value.calls[:left]]


def _form(names: Sequence[str], most: int) -> Form[_Calls]:
    def check(reply: _Calls) -> None:
        for wanted in reply.calls:
            if wanted.tool not in names:
                raise ValueError(f"there is no tool {wanted.tool!r} (there are: {', '.join(names)})")
            wanted.parsed()

    # Arguments are JSON in a string: what a tool takes is not always a schema that strict endpoints know.
    properties = {
        "tool": {"type": "string", "enum": list(names)},
        "arguments": {"type": "string", "maxLength": _LONGEST_ARGUMENTS, "description": "A JSON object."},
    }
    call = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    schema = {
        "title": "calls",
        "description": "The calls.",
        "type": "object",
        "properties": {"calls": {"type": "array", "items": call, "maxItems": most}},
        "required": ["calls"],
        "additionalProperties": False,
    }
    # Who answers in words alone calls no tool.
    return Form(schema, _Calls, check, lambda words: _Calls())


def _offered(tool: BaseTool) -> str:
    """How a prompt tells of a tool: `- add(a: integer, b: integer): Adds two numbers`."""
    taken = ", ".join(f"{name}: {_type(told)}" for name, told in tool.args.items())
    return f"- {quoted(tool.name)}({quoted(taken)}): {quoted(tool.description)}"


def _type(told: Mapping[str, Any]) -> str:
    return str(told.get("type") or " or ".join(str(one.get("type", "any")) for one in told.get("anyOf", ())) or "any")


async def call_tool(seat: str, tool: BaseTool, arguments: dict[str, Any], seconds: float) -> Found:
    """Calls a tool. Whatever goes wrong with it is a failure of this call, with its reason, and nothing else's."""
    began = time.monotonic()
    message: Any = None
    failure: str | None = None
    try:
        async with asyncio.timeout(seconds):
            message = await tool.ainvoke({"type": "tool_call", "id": "1", "name": tool.name, "args": arguments})
    except TimeoutError:
        failure = f"no result within {seconds:g} s"
    except ConsilienceError as problem:
        failure = str(problem)
    # A tool is foreign code: what it raises is its own failure.
    except Exception as problem:
        failure = f"{type(problem).__name__}: {problem}"
    text = _text(message)
    if failure is None and isinstance(message, ToolMessage) and message.status == "error":
        failure = text
    if failure is None and not text.strip():
        failure = "it gave nothing"
    call = ToolCall(
        seat=seat,
        tool=tool.name,
        arguments=json.loads(json.dumps(arguments, default=str)),
        failure=" ".join(failure.split())[:_LONGEST_TOLD] if failure is not None else None,
        seconds=round(time.monotonic() - began, 3),
    )
    return Found(call) if failure is not None else _found(call, text)


def _text(message: Any) -> str:
    if message is None:
        return ""
    if isinstance(message, ToolMessage):
        return str(message.text)
    return message if isinstance(message, str) else json.dumps(message, ensure_ascii=False, default=str)


def _found(call: ToolCall, text: str) -> Found:
    """What a call gave, as a medium and observations of its lines; of a long text the first ones, which it tells."""
    content = text.encode("utf-8", "replace")
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    medium = Media(
        id=f"sha256:{hashlib.sha256(content).hexdigest()}",
        mime="text/plain",
        modality="text",
        name=f"{call.tool}({arguments[:80]})",
        size=len(content),
    )
    lines = [piece for line in text.splitlines() if line.strip() for piece in textwrap.wrap(line, _LONGEST_LINE)]
    shown = lines[:_MOST_LINES]
    made = Provenance(
        media=medium.id,
        modality="text",
        tool=f"tool {call.tool}",
        version="not told",
        parameters={"seat": call.seat, "arguments": arguments},
    )
    observations = tuple(
        Observation(kind="tool_result", value={"tool": call.tool, "line": i, "text": line}, text=line, provenance=made)
        for i, line in enumerate(shown, start=1)
    )
    left_out = len(lines) - len(shown)
    return Found(call.model_copy(update={"left_out": left_out}), content, medium, observations)


def grown(record: Record, found: Sequence[Found]) -> Record:
    """The record with what tools gave."""
    media = [each.media for each in found if each.media]
    observations = [observation for each in found for observation in each.observations]
    return Record([*record.media, *media], [*(o for _, o in record), *observations], record.failures)
