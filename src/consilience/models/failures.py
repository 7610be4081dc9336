"""What a provider's client raised, as an error of ours: what it means, what to do, whether it may pass by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from consilience.core.errors import BadReply, FailureKind, ModelError, ModelUnavailable

__all__ = ["BrokenOff", "explained", "may_pass", "retry_after", "was_read"]

_MAY_PASS = {"rate_limit", "server", "unreachable", "connection", "timeout", "truncated"}
_WAS_READ = {"connection", "timeout", "truncated", "unknown"}

_TOLD: dict[FailureKind, tuple[str, str]] = {
    "key": ("the key was refused.", "Check the API key (OPENAI_API_KEY, CONSILIENCE_API_KEY, ...) and its rights."),
    "missing": ("there is no such model or address.", "Check the model's name and the base URL."),
    "unreachable": ("cannot be reached.", "Is the server running, and is the base URL right?"),
    "connection": ("broke off the connection.", "Is the server running? Look at its log."),
    "timeout": ("did not answer in time.", "Is the server busy? Raise CONSILIENCE_REQUEST_SECONDS."),
    "rate_limit": ("refused for too many requests.", "Wait, or use a key that allows more."),
    "quota": ("no credit is left.", "Use a key with credit."),
    "server": ("failed with an error of its own.", "Try again, or look at the server's log."),
    "truncated": (
        "answered with half a reply, or with something else than JSON.",
        "Is the base URL right, /v1 included? Look at the server's log.",
    ),
}

_BY_NAME: dict[str, FailureKind] = {
    "ConnectError": "unreachable",
    "ConnectionRefusedError": "unreachable",
    "APITimeoutError": "timeout",
    "TimeoutError": "timeout",
    "TimeoutException": "timeout",
    "APIConnectionError": "connection",
    "ConnectionError": "connection",
    "TransportError": "connection",
    "APIResponseValidationError": "truncated",
    "JSONDecodeError": "truncated",
    "BrokenOff": "truncated",
    # The SDK's own class, not its subclasses: an error that comes in the middle of a stream has no status.
    "APIError": "server",
}
"""By a class, or base class, of the OpenAI, Anthropic and httpx clients or of Python; a status comes before that."""


class BrokenOff(Exception):
    """A stream that ended without a reason to end."""


def explained(name: str, problem: Exception) -> ModelUnavailable:
    """Our error for a client's: known ones with their cure, others in their own first line."""
    kind = _kind(problem)
    first_line = (str(problem).strip() or "no message").splitlines()[0][:200]
    told, cure = f"{type(problem).__name__}: {first_line}", "Check the model's name, its settings and the base URL."
    # Python's own connection errors say more than we could.
    if kind in _TOLD and not isinstance(problem, OSError):
        told, cure = _TOLD[kind]
    return ModelUnavailable(name, told, cure=cure, kind=kind, retry_after=retry_after(problem))


def may_pass(problem: BaseException) -> bool:
    """Whether the same call may succeed when it is made again."""
    if isinstance(problem, ModelUnavailable):
        return problem.kind in _MAY_PASS
    return isinstance(problem, BadReply) and problem.kind == "empty"


def was_read(problem: ModelError) -> bool:
    """Whether the model may have read the prompt of the call that failed, so that it is paid for."""
    return not isinstance(problem, ModelUnavailable) or problem.kind in _WAS_READ


def retry_after(problem: Exception, *, now: datetime | None = None) -> float | None:
    """Seconds until the endpoint wants to be asked again, by its header Retry-After (RFC 9110, 10.2.3)."""
    headers: Mapping[str, str] = getattr(getattr(problem, "response", None), "headers", None) or {}
    milliseconds, told = headers.get("retry-after-ms"), headers.get("retry-after")
    seconds = _seconds(milliseconds, 0.001)
    if seconds is None:
        seconds = _seconds(told, 1)
    if seconds is None and told:
        try:
            date = parsedate_to_datetime(told)
        except ValueError:
            return None
        # A date without a zone is in GMT, as all dates of HTTP are.
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return None if seconds is None else max(0.0, seconds)


def _seconds(told: str | None, unit: float) -> float | None:
    try:
        seconds = float(told or "") * unit
    except ValueError:
        return None
    # "nan" and "inf" are floats too.
    return seconds if abs(seconds) < 1e9 else None


def _kind(problem: Exception) -> FailureKind:
    status = getattr(problem, "status_code", None) or getattr(problem, "code", None)
    if isinstance(status, int) and status >= 400:
        return _by_status(status, problem)
    causes = list(_causes(problem))
    if any(type(cause).__name__ in ("ConnectError", "ConnectionRefusedError") for cause in causes):
        return "unreachable"
    if any(isinstance(cause, ConnectionError) or _is_aiohttps(cause) for cause in causes):
        return "connection"
    if type(problem).__name__ == "APIError":
        return "server"
    names = (base.__name__ for base in type(problem).__mro__)
    return next((_BY_NAME[name] for name in names if name in _BY_NAME and name != "APIError"), "unknown")


def _by_status(status: int, problem: Exception) -> FailureKind:
    if status == 429:
        return "quota" if _code(problem) == "insufficient_quota" else "rate_limit"
    named: dict[int, FailureKind] = {401: "key", 403: "key", 404: "missing", 408: "timeout"}
    return named.get(status, "server" if status >= 500 else "request")


def _code(problem: Exception) -> Any:
    body = getattr(problem, "body", None)
    return body.get("code") if isinstance(body, Mapping) else None


def _causes(problem: BaseException) -> Iterator[BaseException]:
    cause = problem.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _is_aiohttps(cause: BaseException) -> bool:
    """Whether aiohttp lost the connection: the SDK's transport for it passes a reset off as a time-out."""
    named = {base.__name__ for base in type(cause).__mro__}
    return "ClientConnectionError" in named and not isinstance(cause, TimeoutError)
