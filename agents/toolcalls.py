"""LangChain tools in a seat: its model may call them before it opens, and what they give is evidence like any other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import textwrap
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from consilience.agents.asking import ask, conversation
from consilience.agents.briefing import opening_brief
from consilience.agents.prompts import prompt
from consilience.agents.replies import Form
from consilience.agents.schemas import list_of, object_of, one_of, string
from consilience.agents.verdict import ToolCall
from langchain_core.messages import ToolMessage
from pydantic import BaseModel, ConfigDict, Field

from consilience.core.errors import BadReply, ConsilienceError
from consilience.models import Meter
from consilience.observations import Media, Observation, Provenance, Record, Relevance, Rendering, quoted

if TYPE_CHECKING:
    from consilience.agents.expert import Seat
    from langchain_core.tools import BaseTool

__all__ = ["Found", "call_tool", "consult", "grown"]

_LONGEST_LINE, _MOST_LINES = 400, 20
_LONGEST_TOLD, _LONGEST_ARGUMENTS = 200, 800
_CUT_SHORT = "it was ended before it gave anything"


@dataclass(frozen=True)
class Found:
    """A call with what it gave: a medium of its words, and the lines of it."""

    call: ToolCall
    media: Media | None = None
    observations: tuple[Observation, ...] = ()
    content: bytes = b""
    """Of the medium; empty where it is in a store already."""


Caller: TypeAlias = Callable[[str, "BaseTool", dict[str, Any], float], Awaitable[Found]]
"""Calls a tool for a seat, by letter, with these arguments, in so many seconds: `call_tool`, or something around it."""


class _Call(BaseModel):
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

    calls: list[_Call] = Field(default_factory=list)


async def consult(
    seat: Seat,
    question: str,
    record: Record,
    meter: Meter,
    *,
    relevance: Relevance | None = None,
    call: Caller | None = None,
    keep: Callable[[Sequence[Found]], None] | None = None,
) -> tuple[Found, ...]:
    """What a seat's tools give, called by its model until it has seen enough, or as often as it may.

    Args:
        seat: whose tools they are.
        question: the user's.
        record: without what they give.
        meter: of the seat.
        relevance: orders what the seat sees.
        call: calls a tool; None: `call_tool`.
        keep: is given each result as soon as the calls made with it have ended, also when this is cancelled meanwhile.

    Raises:
        ModelUnavailable: the endpoint failed before anything was found.
        BudgetSpent: the meter's ledger admitted no call before anything was found.
    """
    tools = {tool.name: tool for tool in seat.expert.tools}
    call, keep = call or call_tool, keep or _forget
    found: list[Found] = []
    while _left(seat, found) > 0:
        evidence = await asyncio.to_thread(seat.evidence, grown(record, found), relevance)
        try:
            wanted = await _wanted(seat, question, evidence, found, meter)
        except BadReply as problem:
            found.append(Found(ToolCall.none(seat.letter, str(problem))))
            keep(found[-1:])
            break
        except ConsilienceError:
            # What ends this ends the opening too; what was found until then is not lost.
            if found:
                break
            raise
        made = [(each.call.tool, each.call.arguments) for each in found]
        new = [each for i, each in enumerate(wanted) if each not in [*made, *wanted[:i]]]
        if not new:
            break
        limit = min(seat.expert.tool_seconds, meter.ledger.seconds_left if meter.ledger else math.inf)
        calls = [asyncio.ensure_future(call(seat.letter, tools[name], given, limit)) for name, given in new]
        try:
            await asyncio.gather(*calls, return_exceptions=True)
        finally:
            keep([_outcome(one, seat.letter, *told) for one, told in zip(calls, new, strict=True)])
        found += [one.result() for one in calls]
    return tuple(found)


def _forget(found: Sequence[Found]) -> None:
    """Keeps nothing."""


def _outcome(call: asyncio.Future[Found], seat: str, tool: str, arguments: dict[str, Any]) -> Found:
    """What a call gave; or that it was ended from outside."""
    if not call.cancelled() and call.exception() is None:
        return call.result()
    told = json.loads(json.dumps(arguments, default=str))
    return Found(ToolCall(seat=seat, tool=tool, arguments=told, failure=_CUT_SHORT, seconds=0))


def _left(seat: Seat, made: Sequence[Found]) -> int:
    """Calls that the seat still has."""
    return seat.expert.tool_calls - sum(1 + each.call.lost for each in made)


async def _wanted(
    seat: Seat, question: str, evidence: Rendering, made: Sequence[Found], meter: Meter
) -> list[tuple[str, dict[str, Any]]]:
    """Which tools its model wants to call now, with their arguments, as many as are left; none: it has seen enough."""
    expert = seat.expert
    left = _left(seat, made)
    offered = "\n".join(_offered(tool) for tool in expert.tools)
    failed = "".join(f"\n{found.call.tool} gave nothing." for found in made if found.call.failure)
    instruction = prompt("tools", role=expert.role, question=question, tools=offered, left=str(left), failed=failed)
    messages = conversation(opening_brief(evidence), instruction)
    form = _form([tool.name for tool in expert.tools], left)
    filled = await ask(seat.endpoint, messages, form, meter=meter, sampling=expert.sampling)
    return [(wanted.tool, wanted.parsed()) for wanted in filled.value.calls[:left]]


def _form(names: Sequence[str], most: int) -> Form[_Calls]:
    def check(reply: _Calls) -> None:
        for wanted in reply.calls:
            if wanted.tool not in names:
                raise ValueError(f"there is no tool {wanted.tool!r} (there are: {', '.join(names)})")
            wanted.parsed()

    # Arguments are JSON in a string: what a tool takes is not always a schema that strict endpoints know.
    call = {"tool": one_of(names), "arguments": string(_LONGEST_ARGUMENTS)}
    schema = object_of("calls", {"calls": list_of("call", call, most)})
    # Who answers in words alone calls no tool.
    return Form(schema, _Calls, check, lambda words: _Calls())


def _offered(tool: BaseTool) -> str:
    """How a prompt tells of a tool: `- add(a: integer, b: integer): Adds two numbers`."""
    taken = ", ".join(f"{name}: {_type(told)}" for name, told in tool.args.items())
    return f"- {quoted(tool.name)}({quoted(taken)}): {quoted(tool.description)}"


def _type(told: Mapping[str, Any]) -> str:
    return str(told.get("type") or " or ".join(str(one.get("type", "any")) for one in told.get("anyOf", ())) or "any")


async def call_tool(seat: str, tool: BaseTool, arguments: dict[str, Any], seconds: float) -> Found:
    """Calls a tool. Whatever goes wrong with it is a failure of this call, with its reason, and nothing else's.

    Without a second left it is not called.
    """
    began = time.monotonic()
    message: Any = None
    failure: str | None = None
    try:
        if seconds <= 0:
            raise TimeoutError
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
    # A long result takes long to be laid out in lines.
    return Found(call) if failure is not None else await asyncio.to_thread(_found, call, text)


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
    return Found(call.model_copy(update={"left_out": left_out}), medium, observations, content)


def grown(record: Record, found: Sequence[Found]) -> Record:
    """The record with what tools gave."""
    media = [each.media for each in found if each.media]
    observations = [observation for each in found for observation in each.observations]
    return Record([*record.media, *media], [*(o for _, o in record), *observations], record.failures)
