"""The routes of the test server: what a request is read as, what it meets, what it is answered."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from consilience.testing.calls import CallLog, ServerCall
from consilience.testing.faults import Fault, FaultSchedule, fault_at
from consilience.testing.protocol import (
    Completion,
    Prompt,
    chat_body,
    chat_events,
    completion_of,
    error_body,
    event_stream,
    spoilt,
    transcription_body,
)
from consilience.testing.script import Script
from consilience.testing.tokens import PrefixCache, count_tokens, prompt_text

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

__all__ = ["Behaviour", "Service", "application"]

_PARTS = ("text", "image_url", "input_audio", "file", "refusal")
_PIECES = 20

Reply: TypeAlias = str | Mapping[str, Any]


@dataclass(frozen=True)
class Behaviour:
    """What the server does; `ModelServer` says what each means."""

    replies: Script
    faults: FaultSchedule
    latency: float
    api_key: str | None
    model: str


@dataclass(frozen=True)
class _Body:
    pieces: tuple[bytes, ...]
    media_type: str = "application/json"


class _Refused(Exception):
    """A request that is not let in."""

    def __init__(self, status: int, message: str, code: str) -> None:
        self.status = status
        self.body = error_body(message, "invalid_request_error", code)
        super().__init__(message)


class Service:
    """The state that the routes share."""

    def __init__(self, behaviour: Behaviour, log: CallLog, abort: Callable[[tuple[str, int]], None]) -> None:
        self.behaviour = behaviour
        self.log = log
        self.abort = abort
        self._cache = PrefixCache()
        self._numbers = itertools.count()

    def admission(self, body: dict[str, Any]) -> dict[str, Any]:
        """The number, the fault and the prompt of a call that is let in."""
        number = next(self._numbers)
        fault = fault_at(self.behaviour.faults, number, body)
        prompt = Prompt()
        if "messages" in body:
            text = prompt_text(body)
            reached = fault is None or fault.kind not in ("rate_limit", "reset", "server_error")
            cached = self._cache.admit(str(body.get("model")), text) if reached else 0
            prompt = Prompt(count_tokens(text), cached)
        return {"number": number, "fault": fault, "prompt": prompt}

    def reply(self, call: ServerCall) -> Reply:
        """What the script says to `call`; nothing is taken from it where the fault leaves nothing of the reply."""
        if call.fault and call.fault.replaces_reply:
            return ""
        _, entry = self.behaviour.replies.draw()
        reply: Reply = entry(dict(call.body)) if callable(entry) else entry
        return reply

    def check_key(self, request: Request) -> None:
        """Refuses a wrong key, if one is required."""
        wanted = self.behaviour.api_key
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if wanted is not None and not secrets.compare_digest(given.encode(), wanted.encode()):
            raise _Refused(401, "Incorrect API key provided.", "invalid_api_key")


class _Endpoint:
    """One route: an ASGI application, so that a call counts as in flight until its last byte is sent."""

    def __init__(
        self,
        service: Service,
        read: Callable[[Request], Awaitable[dict[str, Any]]],
        write: Callable[[Reply, ServerCall], _Body],
    ) -> None:
        self._service = service
        self._read = read
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        request = Request(scope, receive)
        body: dict[str, Any] = {}
        refused: _Refused | None = None
        try:
            self._service.check_key(request)
            body = await self._read(request)
        except _Refused as problem:
            refused = problem
        admission = {"number": None, "fault": None, "prompt": Prompt()} if refused else self._service.admission(body)
        with self._service.log.entered(path=request.url.path, headers=request.headers, body=body, **admission) as call:
            response: Response | None = (
                JSONResponse(refused.body, refused.status) if refused else await self._respond(request, call)
            )
            if response:
                await response(scope, receive, send)

    async def _respond(self, request: Request, call: ServerCall) -> Response | None:
        """The response; None when the client has left, or was made to."""
        from starlette.responses import JSONResponse

        if await _left_within(request, self._service.behaviour.latency):
            return None
        fault = call.fault or Fault("slow_drip", 0)
        match fault.kind:
            case "rate_limit":
                body = error_body("Rate limit reached.", "requests", "rate_limit_exceeded")
                return JSONResponse(body, 429, headers={"Retry-After": f"{fault.seconds:g}"})
            case "server_error":
                return JSONResponse(error_body("The server had an error.", "server_error"), 500)
            case "hang" | "reset":
                if fault.kind == "reset" and request.client:
                    self._service.abort(tuple(request.client))
                await _left_within(request, None)
                return None
        try:
            written = self._write(self._service.reply(call), call)
        # The test's own function runs here. A client would hide its error, so it is kept until the server ends.
        except Exception as problem:
            self._service.log.blame(problem)
            return JSONResponse(error_body(f"{type(problem).__name__}: {problem}", "script_error"), 400)
        return _sent(written, call.fault)


def application(service: Service) -> Starlette:
    """The ASGI application."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    def write_chat(reply: Reply, call: ServerCall) -> _Body:
        return _chat(reply, call, service.behaviour.model)

    return Starlette(
        routes=[
            Route("/v1/models", _Endpoint(service, _read_nothing, _models)),
        ]
    )
