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
│   └── BadReply                it answered, but not in the form asked for
├── Unobservable                a medium does not allow an observation (told to the agents, cached)
└── RunError                    the run cannot go on
    ├── Stopped                 an encoding was cancelled, or took longer than allowed
    ├── WeightsUnavailable      no source delivered the weights
    └── WeightsCorrupt          bytes arrived, but not the bytes that were promised
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BadConfiguration",
    "BadMedia",
    "BadReply",
    "CallerError",
    "ConsilienceError",
    "MissingExtra",
    "ModelError",
    "ModelUnavailable",
    "RunError",
    "Stopped",
    "UnknownName",
    "Unobservable",
    "UnsupportedMedia",
    "WeightsCorrupt",
    "WeightsUnavailable",
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


class UnknownName(CallerError):
    """A name that nothing is registered under.

    Attributes:
        what: the kind of thing looked up ("encoder", "weights", ...).
        name: the name asked for.
        choices: the names there are, sorted.
    """

    def __init__(self, what: str, name: str, choices: Iterable[str]) -> None:
        self.what = what
        self.name = name
        self.choices = tuple(sorted(choices))
        near = difflib.get_close_matches(name, self.choices, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        super().__init__(f"Unknown {what} {name!r}.", cure=f"{hint}There are: {', '.join(self.choices) or 'none'}.")


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
    """

    exit_code = 5

    def __init__(self, model: str, problem: str, *, cure: str = "") -> None:
        self.model = model
        super().__init__(f"{model}: {problem}", cure=cure)


class ModelUnavailable(ModelError):
    """The model could not be reached, refused the key, or took longer than allowed."""


class BadReply(ModelError):
    """The model answered, but not in the form asked for.

    Attributes:
        reply: the beginning of what came back (at most 200 characters).
    """

    def __init__(self, model: str, problem: str, *, reply: str = "") -> None:
        self.reply = reply[:200]
        super().__init__(model, problem)


class Unobservable(ConsilienceError):
    """The medium itself does not allow the observation; encoders raise it, the runner records it."""


class RunError(ConsilienceError):
    """The run cannot go on."""


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
