"""The application behind the test server: whom it lets in, what a call meets, when the answer leaves."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilience.testing.calls import CallLog, ServerCall
from consilience.testing.faults import Fault, FaultSchedule, fault_at
from consilience.testing.formats import Answer, Refused, Reply, read_chat, read_form, write_chat, write_transcription
from consilience.testing.protocol import Prompt, error_body
from consilience.testing.script import Script
from consilience.testing.tokens import Admitted, PrefixCache, count_tokens, prompt_text

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

__all__ = ["Behaviour", "Service", "application"]

_DRIPS = 20


@dataclass(frozen=True)
class Behaviour:
    """What the server does; `ModelServer` says what each means."""

    replies: Script
    faults: FaultSchedule
    latency: float
    api_key: str | None
    model: str


class Service:
    """The state that the routes share. Only the server's thread uses it."""

    def __init__(self, behaviour: Behaviour, log: CallLog, abort: Callable[[tuple[str, int]], None]) -> None:
        self.behaviour = behaviour
        self.log = log
        self.abort = abort
        self._cache = PrefixCache()
        self._read: dict[int, Admitted] = {}
        self._numbers = itertools.count()

    def check_key(self, request: Request) -> None:
        """Lets a request in, or raises `Refused`."""
        wanted = self.behaviour.api_key
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if wanted is not None and not secrets.compare_digest(given.encode(), wanted.encode()):
            raise Refused(401, "Incorrect API key provided.", "invalid_api_key")

    def admit(self, body: dict[str, Any]) -> dict[str, Any]:
        """The number, the fault and the prompt of a call that was let in."""
        number = next(self._numbers)
        fault = fault_at(self.behaviour.faults, number, body)
        if "messages" not in body:
            return {"number": number, "fault": fault, "prompt": Prompt()}
        text = prompt_text(body)
        prompt = Prompt(count_tokens(text))
        if fault is None or fault.kind not in ("rate_limit", "reset", "server_error"):
            self._read[number] = admitted = self._cache.admit(str(body.get("model")), text)
            prompt = Prompt(prompt.tokens, admitted.seen, admitted.ready)
        return {"number": number, "fault": fault, "prompt": prompt}

    def answered(self, call: ServerCall) -> None:
        """The answer to a call leaves: what it had read can serve others from now on."""
        admitted = self._read.pop(call.number, None) if call.number is not None else None
        if admitted:
            self._cache.answered(admitted)

    def reply(self, call: ServerCall) -> Reply:
        """What the script says; nothing is drawn from it where the fault lets nothing of the reply through."""
        if call.fault and call.fault.replaces_reply:
            return ""
        _, entry = self.behaviour.replies.draw()
        reply: Reply = entry(dict(call.body)) if callable(entry) else entry
        return reply


class _Endpoint:
    """A route that answers from the script; an ASGI application, so that a call lasts until its last byte is sent."""

    def __init__(
        self,
        service: Service,
        read: Callable[[Request], Awaitable[dict[str, Any]]],
        write: Callable[[Reply, ServerCall, str], Answer],
    ) -> None:
        self._service = service
        self._read = read
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import ClientDisconnect, Request

        request = Request(scope, receive)
        body: dict[str, Any] = {}
        told: dict[str, Any] = {"number": None, "fault": None, "prompt": Prompt()}
        problem: Exception | None = None
        try:
            self._service.check_key(request)
            body = await self._read(request)
            told = self._service.admit(body)
        except ClientDisconnect:
            return
        # Beside refusals, the test's own fault function may raise: see `_failed`.
        except Exception as raised:
            problem = raised
        with self._service.log.entered(path=request.url.path, headers=request.headers, body=body, **told) as call:
            response = self._failed(problem) if problem else self._prepared(call)
            if await _left(request, within=self._service.behaviour.latency):
                return
            if response:
                self._service.answered(call)
                await response(scope, receive, send)
                return
            if call.fault and call.fault.kind == "reset" and request.client:
                self._service.abort((request.client.host, request.client.port))
            await _left(request, within=None)

    def _prepared(self, call: ServerCall) -> Response | None:
        """The response, made on arrival so that replies go by the order of the calls; None where there is none."""
        from starlette.responses import JSONResponse

        match call.fault:
            case Fault("rate_limit", seconds):
                body = error_body("Rate limit reached.", "requests", "rate_limit_exceeded")
                return JSONResponse(body, 429, headers={"Retry-After": f"{seconds:g}"})
            case Fault("server_error"):
                return JSONResponse(error_body("The server had an error.", "server_error"), 500)
            case Fault("hang" | "reset"):
                return None
        try:
            answer = self._write(self._service.reply(call), call, self._service.behaviour.model)
        except Exception as problem:
            return self._failed(problem)
        return _response(answer, call.fault)

    def _failed(self, problem: Exception) -> Response:
        """A refusal; or what a script raised, kept as well, since clients would take it for a server's whim."""
        from starlette.responses import JSONResponse

        if isinstance(problem, Refused):
            return JSONResponse(problem.body, problem.status)
        self._service.log.blame(problem)
        return JSONResponse(error_body(f"{type(problem).__name__}: {problem}", "script_error"), 400)


def application(service: Service) -> Starlette:
    """The routes of an OpenAI-compatible server."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def models(request: Request) -> Response:
        try:
            service.check_key(request)
        except Refused as problem:
            return JSONResponse(problem.body, problem.status)
        served = {"id": service.behaviour.model, "object": "model", "created": 0, "owned_by": "test"}
        return JSONResponse({"object": "list", "data": [served]})

    transcriptions = _Endpoint(service, read_form, write_transcription)
    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", _Endpoint(service, read_chat, write_chat), methods=["POST"]),
            Route("/v1/audio/transcriptions", transcriptions, methods=["POST"]),
        ]
    )


def _response(answer: Answer, fault: Fault | None) -> Response:
    from starlette.responses import Response, StreamingResponse

    whole = b"".join(answer.pieces)
    if fault and fault.kind == "truncated_json":
        return Response(whole[: len(whole) // 2], media_type=answer.media_type)
    if fault and fault.kind == "slow_drip":
        return StreamingResponse(_dripping(whole, fault.seconds), media_type=answer.media_type)
    if len(answer.pieces) > 1:
        return StreamingResponse(iter(answer.pieces), media_type=answer.media_type)
    return Response(whole, media_type=answer.media_type)


async def _dripping(whole: bytes, pause: float) -> AsyncIterator[bytes]:
    size = len(whole) // _DRIPS + 1
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
        await asyncio.sleep(pause)


async def _left(request: Request, *, within: float | None) -> bool:
    """Whether the client leaves within so many seconds; None waits until it does."""
    if within == 0:
        return False
    try:
        async with asyncio.timeout(within):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
