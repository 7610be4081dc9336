"""Every error that consilience raises, grouped by who must act.

ConsilienceError
├── CallerError                 the caller passed or configured something wrong
│   ├── BadMedia                an input cannot be taken in (missing, empty, broken, too big)
│   │   └── UnsupportedMedia    its type is not one that any encoder reads
│   ├── UnknownName             a name that nothing is registered under
│   ├── MissingExtra            an optional package is not installed
│   └── BadConfiguration        a setting contradicts itself or the machine
├── ModelError                  a language model did not do its part
│   ├── ModelUnavailable        it could not be reached, or refused the key
│   │   └── CircuitOpen         it kept failing, and is left alone for a while
│   └── BadReply                it answered, but with nothing that can be used
├── Unobservable                a medium does not allow an observation (told to the agents, cached)
└── RunError                    the run cannot go on
    ├── BudgetSpent             the next call could exceed what the run may spend
    ├── Waiting                 a person has to say something first
    ├── Stopped                 an encoding was cancelled, or took longer than allowed
    ├── WeightsUnavailable      no source delivered the weights
    └── WeightsCorrupt          bytes arrived, but not the bytes that were promised
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias

__all__ = [
    "BadConfiguration",
    "BadMedia",
    "BadReply",
    "BudgetSpent",
    "CallerError",
    "CircuitOpen",
    "ConsilienceError",
    "FailureKind",
    "MissingExtra",
    "ModelError",
    "ModelUnavailable",
    "ReplyFault",
    "RunError",
    "Stopped",
    "UnknownName",
    "Unobservable",
    "UnsupportedMedia",
    "Waiting",
    "WeightsCorrupt",
    "WeightsUnavailable",
    "nearest",
]


class ConsilienceError(Exception):
    """Base of all our errors.

    Attributes:
        problem: what happened, in one line.
        cure: what the reader can do about it, in one line; empty when there is nothing to do.
    """

    exit_code = 1

    def __init__(self, problem: str, *, cure: str = "") -> None:
        self.problem = problem
        self.cure = cure
        super().__init__(f"{problem} {cure}".strip())


class CallerError(ConsilienceError):
    """The caller can mend it."""

    exit_code = 2


class BadMedia(CallerError):
    """An input cannot be taken in.

    Attributes:
        name: the file name, or what stands for it.
    """

    exit_code = 3

    def __init__(self, name: str, problem: str, *, cure: str = "") -> None:
        self.name = name
        super().__init__(f"{name}: {problem}", cure=cure)


class UnsupportedMedia(BadMedia):
    """The type of an input is not one that any encoder reads."""


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant: one spelt much the same, or else the first that has `name` in it."""
    known = list(choices)
    spelt = difflib.get_close_matches(name, known, n=1)
    holding = (choice for choice in known if len(name) > 2 and name.lower() in choice.lower())
    return spelt[0] if spelt else next(holding, None)


class UnknownName(CallerError):
    """A name that nothing is registered under.

    Attributes:
        what: the kind of thing looked up ("encoder", "weights", ...).
        name: the name asked for.
        choices: the names there are, sorted.
    """

    def __init__(self, what: str, name: str, choices: Iterable[str], *, cure: str | None = None) -> None:
        """As the attributes.

        Args:
            what: see above.
            name: see above.
            choices: see above.
            cure: what is said after the nearest choice, instead of listing all of them.
        """
        self.what = what
        self.name = name
        self.choices = tuple(sorted(choices))
        near = nearest(name, self.choices)
        hint = f"Did you mean {near!r}? " if near else ""
        told = f"There are: {', '.join(self.choices) or 'none'}." if cure is None else cure
        super().__init__(f"Unknown {what} {name!r}.", cure=f"{hint}{told}".strip())


class MissingExtra(CallerError):
    """An optional package is not installed.

    Attributes:
        package: the import that failed.
        extra: the extra of consilience that carries it.
    """

    exit_code = 4

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed.",
            cure=f"Run: pip install 'consilience[{extra}]'",
        )


class BadConfiguration(CallerError):
    """A setting contradicts itself or the machine."""


class ModelError(ConsilienceError):
    """A language model did not do its part.

    Attributes:
        model: the model's name.
        attempts: how often it was asked before this was given up.
    """

    exit_code = 5

    def __init__(self, model: str, problem: str, *, cure: str = "") -> None:
        self.model = model
        self.attempts = 1
        super().__init__(f"{model}: {problem}", cure=cure)

    def __str__(self) -> str:
        asked = f" Asked {self.attempts} times." if self.attempts > 1 else ""
        return f"{self.problem}{asked} {self.cure}".strip()


FailureKind: TypeAlias = Literal[
    "rate_limit",
    "quota",
    "server",
    "unreachable",
    "connection",
    "timeout",
    "truncated",
    "key",
    "missing",
    "request",
    "resting",
    "unknown",
]
"""How a model was unavailable: too many requests; no credit left; an error of the server's own (5xx); no connection
comes about; one that broke; no answer in time; an answer that ends in the middle or is no JSON; key refused (401, 403);
no such model or address (404); a request that it does not take (other 4xx); left alone after failures; anything
else."""


class ModelUnavailable(ModelError):
    """The model could not be reached, refused the key, or took longer than allowed.

    Attributes:
        kind: see `FailureKind`.
        retry_after: seconds after which the endpoint says it may be asked again; None where it does not say.
    """

    def __init__(
        self,
        model: str,
        problem: str,
        *,
        cure: str = "",
        kind: FailureKind = "unknown",
        retry_after: float | None = None,
    ) -> None:
        self.kind: FailureKind = kind
        self.retry_after = retry_after
        super().__init__(model, problem, cure=cure)


class CircuitOpen(ModelUnavailable):
    """The model kept failing and is left alone for a while; nothing was sent.

    Attributes:
        again_at: when it is tried again, UTC. `retry_after` has the seconds until then.
    """

    def __init__(self, model: str, *, failures: int, again_at: datetime, seconds: float) -> None:
        self.again_at = again_at
        super().__init__(
            model,
            f"failed {failures} times in a row and is left alone until {again_at:%H:%M:%S} UTC ({seconds:.0f} s).",
            cure="Wait, or name another model in CONSILIENCE_FALLBACKS.",
            kind="resting",
            retry_after=seconds,
        )
        self.attempts = 0


ReplyFault: TypeAlias = Literal["form", "empty", "refusal", "cut"]
"""What is wrong with a reply: not in the form asked for; nothing in it; the model declines to answer; its token limit
came before its first word."""


class BadReply(ModelError):
    """The model answered, but with nothing that can be used.

    Attributes:
        kind: see `ReplyFault`.
        reply: the beginning of what came back (at most 200 characters).
    """

    def __init__(self, model: str, problem: str, *, reply: str = "", kind: ReplyFault = "form") -> None:
        self.kind: ReplyFault = kind
        self.reply = reply[:200]
        super().__init__(model, problem)


class Unobservable(ConsilienceError):
    """The medium itself does not allow the observation; encoders raise it, the runner records it."""


class RunError(ConsilienceError):
    """The run cannot go on."""


class BudgetSpent(RunError):
    """The next call could exceed what the run may spend; it was not made, or was ended with the time.

    Attributes:
        limit: which limit of the budget it is.
        allowed: that limit: a number of calls or tokens, US dollars, or seconds.
        spent: what is spent of it, or reserved for calls in flight.
        wanted: what the call could have taken.
    """

    def __init__(
        self, limit: Literal["calls", "tokens", "money", "seconds"], *, allowed: float, spent: float, wanted: float
    ) -> None:
        self.limit = limit
        self.allowed = allowed
        self.spent = spent
        self.wanted = wanted
        unit = {"money": "US dollars"}.get(limit, limit)
        super().__init__(
            f"The budget of {allowed:,.6g} {unit} is spent: {spent:,.6g} are used or reserved, "
            f"and the next call may take {wanted:,.6g}.",
            cure="Raise the budget, or ask with fewer seats and rounds.",
        )


class Waiting(RunError):
    """The run is kept, and waits for a person.

    Attributes:
        thread: under which it is resumed.
    """

    exit_code = 6

    def __init__(self, thread: str, asked: str) -> None:
        self.thread = thread
        super().__init__(
            f"A person is asked: {asked}",
            cure=f"Resume it with an answer: resume=Guidance(...), thread={thread!r}.",
        )


class Stopped(RunError):
    """An encoding was cancelled, or took longer than allowed; nothing of it is kept."""


class WeightsUnavailable(RunError):
    """No source delivered the weights.

    Attributes:
        name: the entry of the manifest.
        attempts: one line a source that was tried, in order.
    """

    exit_code = 4

    def __init__(self, name: str, attempts: Iterable[str], *, cure: str = "") -> None:
        self.name = name
        self.attempts = tuple(attempts)
        tried = "; ".join(self.attempts) or "none was tried"
        super().__init__(f"The weights {name!r} are not here and no source delivered them ({tried}).", cure=cure)


class WeightsCorrupt(RunError):
    """Bytes arrived, but not the bytes that were promised.

    Attributes:
        file: the file's name.
        expected: SHA-256 that the manifest promises, hexadecimal.
        found: SHA-256 of what arrived, hexadecimal.
    """

    exit_code = 4

    def __init__(self, file: str, *, expected: str, found: str, cure: str = "") -> None:
        self.file = file
        self.expected = expected
        self.found = found
        super().__init__(f"{file}: wrong SHA-256, expected {expected}, found {found}.", cure=cure)
