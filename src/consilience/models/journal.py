"""What a run's calls gave, kept beyond the process that made them, so that none of them is made twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from consilience.core.errors import BadReply, BudgetSpent, CircuitOpen, ConsilienceError, ModelUnavailable, RunError
from consilience.models.call import Call
from consilience.models.calling import Prompt, Reply
from consilience.models.estimate import lost
from consilience.models.usage import Usage

__all__ = ["CutShort", "Entry", "Failure", "Journal", "kept", "noted"]

_Given = TypeVar("_Given", bound=BaseModel)

_ERRORS = {kind.__name__: kind for kind in (BadReply, BudgetSpent, CircuitOpen, ModelUnavailable)}


class CutShort(TimeoutError):
    """The call that is replayed was ended from outside before it gave anything."""


class Failure(BaseModel):
    """An error of ours that outlives the process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    told: str
    fields: dict[str, Any]

    @classmethod
    def of(cls, problem: ConsilienceError) -> Failure:
        """The failure that this error tells."""
        plain = json.loads(json.dumps(vars(problem), default=str))
        return cls(kind=type(problem).__name__, told=problem.args[0] if problem.args else "", fields=plain)

    def error(self) -> ConsilienceError:
        """The error again: one that a debate tells apart by its own type, with what it tells."""
        kind = _ERRORS.get(self.kind, ConsilienceError)
        # Its constructor would word the problem a second time.
        problem = kind.__new__(kind, self.told)
        problem.__dict__.update(self.fields)
        return problem


class Entry(BaseModel):
    """What is known of a call.

    Attributes:
        reply: what it gave.
        given: or, where no model is asked, what came of it, JSON: see `noted`.
        failure: or how it failed for good.
        cut_short: or it was ended from outside. None of the four: its process died first.
        spent: what each attempt used; of one that was in flight then, what it may have used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    reply: Reply | None = None
    given: str | None = None
    failure: Failure | None = None
    cut_short: bool = False
    spent: tuple[Usage, ...] = ()

    @property
    def ended(self) -> bool:
        """It is known what became of it."""
        return self.cut_short or any(one is not None for one in (self.reply, self.given, self.failure))


class Journal(Protocol):
    """Keeps the calls of one speaker in one phase of a run."""

    @property
    def closed(self) -> bool:
        """A run is replayed from it: no model is asked, and a call that it does not hold is an error."""
        ...

    async def be_late(self) -> None:
        """Keeps that the speaker is out of time: what it asks for from then on was cut short."""
        ...

    def recall(self, request: str) -> Entry:
        """What is known of the call that is made now; of equal ones in a row, each its own. Empty where nothing is."""
        ...

    async def begin(self, request: str, entry: Entry) -> None:
        """Keeps, before the call is made, what it may use."""
        ...

    async def end(self, request: str, entry: Entry) -> None:
        """Keeps what it gave; when this returns, it outlives the process."""
        ...


async def kept(journal: Journal, call: Call, model: str, provider: str, ask: Callable[[], Awaitable[Reply]]) -> Reply:
    """The reply that the journal holds, or else the model's, which it holds from then on.

    What the journal tells as spent goes into the meter and the ledger of the call too: it was spent by this run.

    Args:
        journal: of who asks.
        call: its prompt and books.
        model: the endpoint's name.
        provider: for prices.
        ask: makes the call.

    Raises:
        ConsilienceError: the call fails; a call that failed before is made again, unless the journal is closed.
        CutShort: the journal is closed, and the call was ended from outside.
    """
    request = _digest(model, call.prompt)
    known = journal.recall(request)
    for usage in known.spent:
        call.count(usage)
    if known.reply is not None:
        call.recalled(known.reply.text)
        for problem in known.reply.passed_over:
            call.meter.pass_over(problem)
        call.meter.answered(known.reply.model, known.reply.method if call.prompt.schema else None)
        return known.reply
    if journal.closed:
        raise _earlier(known)
    at_risk = lost(call.prompt, read=True, seconds=0, provider=provider, model=model.partition(":")[2] or model)
    await journal.begin(request, Entry(spent=(at_risk.model_copy(update={"failed": 1}),)))
    try:
        reply = await ask()
    except ConsilienceError as problem:
        await journal.end(request, Entry(failure=Failure.of(problem), spent=tuple(call.spent)))
        raise
    except asyncio.CancelledError:
        await journal.end(request, Entry(cut_short=True, spent=tuple(call.spent)))
        raise
    await journal.end(request, Entry(reply=reply, spent=tuple(call.spent)))
    return reply


async def noted(
    journal: Journal | None,
    what: str,
    form: type[_Given],
    make: Callable[[], Awaitable[_Given]],
    *,
    seconds: float = 0.0,
) -> tuple[_Given, tuple[float, ...]]:
    """What the journal holds of something that is no model's call, or else what `make` gives, which it holds then.

    Beside it the seconds of each attempt that was lost before: it was in flight when its process died, or was ended
    from outside.

    Args:
        journal: of who does it; None: none is kept.
        what: tells it apart from all else that this speaker does.
        form: of what comes of it: words and references. Bytes, and what is referred to, are kept elsewhere before.
        make: does it.
        seconds: that it may take.

    Raises:
        ConsilienceError: it fails; what failed before is done again, unless the journal is closed.
        CutShort: the journal is closed, and it was ended from outside.
    """
    if journal is None:
        return await make(), ()
    request = hashlib.sha256(what.encode()).hexdigest()
    known = journal.recall(request)
    lost = tuple(usage.seconds for usage in known.spent)
    if known.given is not None:
        return form.model_validate_json(known.given), lost
    if journal.closed:
        raise _earlier(known)
    at_risk = (Usage(seconds=seconds),)
    await journal.begin(request, Entry(spent=at_risk))
    try:
        made = await make()
    except ConsilienceError as problem:
        await journal.end(request, Entry(failure=Failure.of(problem)))
        raise
    except asyncio.CancelledError:
        await journal.end(request, Entry(cut_short=True, spent=at_risk))
        raise
    await journal.end(request, Entry(given=made.model_dump_json()))
    return made, lost


def _earlier(known: Entry) -> Exception:
    """Why a call gave nothing when it was made."""
    if known.failure is not None:
        return known.failure.error()
    if known.cut_short:
        return CutShort()
    return RunError(
        "The journal of the run does not hold this call.", cure="Was the graph, a prompt or a model changed?"
    )


def _digest(model: str, prompt: Prompt) -> str:
    """SHA-256 of what the model is asked, hexadecimal."""
    asked = {
        "model": model,
        "messages": [[message.type, message.content] for message in prompt.messages],
        "schema": prompt.schema,
        "sampling": vars(prompt.sampling),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
