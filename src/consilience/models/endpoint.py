"""A language model as the agents see it: messages and a schema in, text and usage out, every failure typed."""

from __future__ import annotations

import asyncio
import copy
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Literal

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from consilience.core.errors import BadReply, ConsilienceError, ModelError, ModelUnavailable
from consilience.models.breaker import Breaker, BreakerState
from consilience.models.call import Call
from consilience.models.calling import Answer, Prompt, Reply, Sampling, request
from consilience.models.clients import Connection
from consilience.models.failures import explained
from consilience.models.journal import kept
from consilience.models.meter import Meter
from consilience.models.methods import Ladder, Method
from consilience.models.retrying import Patience, persist
from consilience.models.spans import Request, model_span

__all__ = ["Endpoint"]

OnText = Callable[[str], None]


class Endpoint:
    """One model with the limits its callers must respect: how many calls at once, how long, and how often.

    A time-out starts when an attempt is admitted, not while it queues. HTTP clients cannot cross event loops, so
    connections and queues are kept by loop.

    Args:
        name: what it is called in errors, replies and seats.
        connection: to the LangChain runnable.
        provider: for prices.
        method: how it is asked for structured output; where that gives nothing, see `Ladder`.
        concurrency: attempts at once.
        patience: see `Patience`.
        tells_alternatives: it tells the likely first tokens when asked for.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        provider: str = "unknown",
        method: Method = "native",
        concurrency: int = 8,
        patience: Patience = Patience(),  # noqa: B008 (it is frozen)
        tells_alternatives: bool = False,
    ) -> None:
        self.name = name
        self.tells_alternatives = tells_alternatives
        self.provider = provider
        self.patience = patience
        self.fallbacks: tuple[Endpoint, ...] = ()
        self.trace_content = False
        """Prompts and replies go into spans."""
        self._connection = connection
        self._concurrency = concurrency
        self._ladder = Ladder(method)
        self._breaker = Breaker(name, failures=patience.breaker_failures, seconds=patience.breaker_seconds)
        self._queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )

    @property
    def method(self) -> Method:
        """How it is asked for structured output now."""
        return self._ladder.method

    @property
    def breaker(self) -> BreakerState:
        """Whether calls go through (closed), fail at once (open), or the next one tries (half_open)."""
        return self._breaker.state

    def with_fallbacks(self, *others: Endpoint) -> Endpoint:
        """The same endpoint, whose calls that fail for good are made on the others, in turn.

        `Reply.model` and `Meter.models` tell who answered. A spent budget and an error of the caller's fall to nobody.
        """
        changed = copy.copy(self)
        changed.fallbacks = (*self.fallbacks, *(each for other in others for each in (other, *other.fallbacks)))
        return changed

    async def open(self) -> None:
        """Connects now rather than at the first call (the embedded model loads here); fallbacks when they are needed.

        Raises:
            ConsilienceError: it cannot be connected to; the error names the cure.
        """
        await self._connected()

    async def takes(self, what: Literal["image", "audio"]) -> bool:
        """Whether the model, and every fallback, says by its LangChain profile that it takes pictures, or sound.

        Raises:
            ConsilienceError: it cannot be connected to.
        """
        profile = getattr(await self._connected(), "profile", None) or {}
        if not profile.get(f"{what}_inputs"):
            return False
        return all([await other.takes(what) for other in self.fallbacks])

    async def close(self) -> None:
        """Lets the running loop's connections go, those of the fallbacks too."""
        await self._connection.close()
        for other in self.fallbacks:
            await other.close()

    async def complete(
        self,
        messages: Sequence[BaseMessage],
        *,
        schema: dict[str, Any] | None = None,
        sampling: Sampling | None = None,
        on_text: OnText | None = None,
        meter: Meter | None = None,
    ) -> Reply:
        """One reply.

        Args:
            messages: the prompt.
            schema: JSON schema that the reply shall follow. A wish, not a promise: validate what comes back.
            sampling: see `Sampling`.
            on_text: called with each piece of text as it is generated, where the endpoint streams; not when an
                attempt is repeated.
            meter: told what each attempt uses, also when the call fails; its ledger has to admit each attempt. A call
                that its journal holds is not made, see `kept`.

        Raises:
            ModelUnavailable: not reached, key refused, timed out, or the endpoint answered with an error;
                `CircuitOpen` without asking, after many of those.
            BadReply: the reply is empty, or the model refuses.
            BudgetSpent: the meter's ledger did not admit it.
        """
        call = Call(Prompt(tuple(messages), schema, sampling or Sampling()), on_text, meter or Meter())
        if call.meter.journal is None:
            return await self._made(call)
        return await kept(call.meter.journal, call, self.name, self.provider, lambda: self._made(call))

    async def _made(self, call: Call) -> Reply:
        """The reply of the first model, this one or a fallback, that gives one."""
        passed_over: list[str] = []
        for others, endpoint in zip(range(len(self.fallbacks), -1, -1), (self, *self.fallbacks), strict=True):
            before = call.attempts
            try:
                answer, method = await endpoint._answer(call)
            except ModelError as problem:
                problem.attempts = call.attempts - before
                if not others:
                    raise
                passed_over.append(str(problem))
                call.meter.pass_over(str(problem))
            else:
                break
        call.meter.answered(endpoint.name, method if call.prompt.schema else None)
        return Reply(
            answer.text,
            call.usage,
            method,
            answer.cut,
            answer.alternatives,
            endpoint.name,
            call.attempts,
            tuple(passed_over),
        )

    async def _answer(self, call: Call) -> tuple[Answer, Method]:
        """An answer of this model alone, with as many attempts as its patience allows."""
        with self._breaker.watch():
            return await persist(lambda: self._descend(call), self.patience, call.sleep)

    async def _descend(self, call: Call) -> tuple[Answer, Method]:
        """An attempt; where the way of asking is to blame for its end, another by the next way at once."""
        method = self._ladder.method
        while True:
            try:
                answer = await self._attempt(call, method)
            except ModelError as problem:
                lower = self._ladder.below(method, problem) if call.prompt.schema else None
                if lower is None:
                    raise
                method = lower
            else:
                if call.prompt.schema:
                    self._ladder.worked(method)
                return answer, method

    async def _attempt(self, call: Call, method: Method) -> Answer:
        call.attempts += 1
        runnable = await self._connected()
        async with self._queue():
            around = model_span(self._request(runnable, call, method))
            with call.attempt(self.provider, self.name.partition(":")[2] or self.name, around) as attempt:
                limit = min(self.patience.seconds, call.seconds_left)
                try:
                    async with asyncio.timeout(limit):
                        attempt.answer = await request(runnable, call.prompt, method, call.listener())
                except TimeoutError as problem:
                    raise self._out_of_time(call, limit) from problem
                except (ConsilienceError, AssertionError):
                    # A scripted model whose script has run out must fail its test, not lose a seat.
                    raise
                # Every provider's client has errors of its own: this is where they become ours.
                except Exception as problem:
                    raise explained(self.name, problem) from problem
                return self._sound(attempt.answer)

    def _request(self, runnable: Runnable[Any, Any], call: Call, method: Method) -> Request:
        said = getattr(runnable, "model_name", None) or getattr(runnable, "model", None)
        return Request(
            self.name,
            self.provider,
            str(said or self.name),
            call.prompt,
            method,
            call.listener() is not None,
            call.attempts,
            self.trace_content,
        )

    def _out_of_time(self, call: Call, limit: float) -> ConsilienceError:
        if call.meter.ledger and limit < self.patience.seconds:
            return call.meter.ledger.out_of_time()
        return ModelUnavailable(
            self.name,
            f"no reply within {limit:g} s.",
            cure="Raise CONSILIENCE_REQUEST_SECONDS, or take a faster model.",
            kind="timeout",
        )

    def _sound(self, answer: Answer) -> Answer:
        """The answer, where there is one in it."""
        if answer.refusal is not None:
            raise BadReply(self.name, f"it refuses: {answer.refusal[:200]}", reply=answer.refusal, kind="refusal")
        if answer.text.strip() or answer.alternatives:
            return answer
        if answer.cut:
            raise BadReply(self.name, "its token limit came before its first word.", kind="cut")
        raise BadReply(self.name, "its reply is empty.", kind="empty")

    async def _connected(self) -> Runnable[Any, Any]:
        try:
            return await self._connection.open()
        except ConsilienceError:
            raise
        except Exception as problem:
            raise explained(self.name, problem) from problem

    def _queue(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._queues.setdefault(loop, asyncio.Semaphore(self._concurrency))
